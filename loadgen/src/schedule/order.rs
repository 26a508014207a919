//! Which requests may be under way together.

use super::{Payload, ScheduledRequest};
use limosa_scenarios::Action;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::VecDeque;

/// What a request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Order {
    /// For the request before it: one outstanding request.
    Strict,
    /// For the request before it of the same user, and for the register of a user whom it names:
    /// whatever caused a command has been answered when it is sent.
    User,
    /// For nothing.
    None,
}

impl Order {
    /// The name in manifests and flags.
    pub fn name(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::User => "user",
            Self::None => "none",
        }
    }
}

/// Holds requests back until what they wait for has ended, however it ended: a register that fails
/// does not keep its user's commands from being sent, as the simulator would send them too.
///
/// A register that another shard sends ends where nobody here sees it: what waits for it is listed
/// in [`Lanes::wanted`] until [`Lanes::found`] tells that the target knows the user.
///
/// Reads of `latest` wait for nothing, unless everything waits for what was before it, and are taken
/// by [`Lanes::observe`] apart from the rest.
///
/// Requests are admitted in the order of the trace. Memory is that of the requests held and of the
/// users' names.
#[derive(Debug)]
pub struct Lanes {
    order: Order,
    slots: Vec<Slot>,
    free: Vec<SlotId>,
    /// The place of each user in `users`.
    names: FxHashMap<String, usize>,
    users: Vec<User>,
    ready: VecDeque<SlotId>,
    /// The reads of `latest` that may be sent, where they need not wait for the rest.
    observing: VecDeque<SlotId>,
    /// Users whom other shards register, and of whom nobody knows yet whether the target has them.
    elsewhere: FxHashSet<String>,
    /// What waits for nothing but one of them, since when.
    wanting: Vec<(SlotId, String, u64)>,
}

/// The place of a request that is held or under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotId(usize);

/// A request that may be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// To be given back by [`Lanes::finish`].
    pub slot: SlotId,
    /// The request.
    pub request: ScheduledRequest,
    /// Requests of one lane never overlap; 0 is no lane.
    pub lane: u32,
    /// When the last thing that it waited for ended, or it was admitted.
    pub ready_ns: u64,
}

#[derive(Debug, Default)]
struct Slot {
    request: Option<ScheduledRequest>,
    lane: u32,
    ready_ns: u64,
    /// How many requests it waits for.
    blockers: usize,
    /// The requests that wait for it.
    waiting: Vec<SlotId>,
    user: Option<usize>,
    /// The user of another shard whose register it waits for.
    wants: Option<String>,
}

#[derive(Debug, Default)]
struct User {
    /// The last admitted request of this user, while it has not ended.
    last: Option<SlotId>,
    /// The register of this user, while it has not ended.
    register: Option<SlotId>,
}

impl Lanes {
    /// Lanes without a request.
    pub fn new(order: Order) -> Self {
        Self {
            order,
            slots: Vec::new(),
            free: Vec::new(),
            names: FxHashMap::default(),
            users: Vec::new(),
            ready: VecDeque::new(),
            observing: VecDeque::new(),
            elsewhere: FxHashSet::default(),
            wanting: Vec::new(),
        }
    }

    /// How many requests are held or under way.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// The ids of the commands that were not taken yet.
    pub fn held_ids(&self) -> impl Iterator<Item = i64> {
        let held = self.slots.iter().filter_map(|slot| slot.request.as_ref());
        held.filter(|request| request.payload.is_command()).map(|request| request.command_id)
    }

    /// How many requests may be sent now, but for reads of `latest` that are taken apart.
    pub fn ready(&self) -> usize {
        self.ready.len()
    }

    /// How many reads of `latest` may be sent now.
    pub fn observing(&self) -> usize {
        self.observing.len()
    }

    /// Whether no request is held or under way.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes note that another shard sends a user's register.
    pub fn elsewhere(&mut self, user: String) {
        if self.order == Order::User {
            self.elsewhere.insert(user);
        }
    }

    /// Takes a request in. It may be sent at once, or when what it waits for has ended.
    pub fn admit(&mut self, request: ScheduledRequest, now_ns: u64) {
        let (user, whom, is_register) = match (&self.order, &request.payload) {
            (Order::Strict, _) => (Some(""), None, false),
            (Order::User, Payload::Command(action)) => {
                (Some(action.user()), action.whom(), matches!(action, Action::Register { .. }))
            }
            (Order::User, Payload::Read { user, .. }) => (None, user.as_deref(), false),
            (Order::None, _) => (None, None, false),
        };
        let register = whom.and_then(|whom| self.users[*self.names.get(whom)?].register);
        let wants = whom.filter(|whom| self.elsewhere.contains(*whom)).map(str::to_owned);
        let user = user.map(|name| self.user(name));
        let id = self.vacant();
        let mut before = None;
        if let Some(user) = user {
            let user = &mut self.users[user];
            before = user.last.replace(id);
            if is_register {
                user.register = Some(id);
            }
        }
        let mut blockers = 0;
        let register = register.filter(|register| before != Some(*register));
        for blocker in before.into_iter().chain(register) {
            self.slots[blocker.0].waiting.push(id);
            blockers += 1;
        }
        let slot = &mut self.slots[id.0];
        slot.lane = user.map_or(0, |user| user as u32 + 1);
        slot.ready_ns = request.intended_ns.unwrap_or(now_ns);
        (slot.blockers, slot.user, slot.wants) = (blockers, user, wants);
        slot.request = Some(request);
        if blockers == 0 {
            self.release(id, now_ns);
        }
    }

    fn user(&mut self, name: &str) -> usize {
        if let Some(user) = self.names.get(name) {
            return *user;
        }
        self.users.push(User::default());
        self.names.insert(name.to_owned(), self.users.len() - 1);
        self.users.len() - 1
    }

    /// Lets a request go that waits for nothing here any more.
    fn release(&mut self, id: SlotId, now_ns: u64) {
        let slot = &mut self.slots[id.0];
        let observes = slot.request.as_ref().is_some_and(|request| request.payload.observes());
        match slot.wants.take().filter(|user| self.elsewhere.contains(user)) {
            Some(user) => self.wanting.push((id, user, now_ns)),
            None if observes && slot.user.is_none() => self.observing.push_back(id),
            None => self.ready.push_back(id),
        }
    }

    /// The users of other shards whom requests wait for, each with the instant since when.
    pub fn wanted(&self) -> impl Iterator<Item = (&str, u64)> {
        self.wanting.iter().map(|(_, user, since_ns)| (user.as_str(), *since_ns))
    }

    /// Tells that the target knows a user of another shard, or that nobody waits any longer.
    pub fn found(&mut self, user: &str, now_ns: u64) {
        self.elsewhere.remove(user);
        for at in (0..self.wanting.len()).rev() {
            if self.wanting[at].1 == user {
                let (id, ..) = self.wanting.remove(at);
                let slot = &mut self.slots[id.0];
                slot.ready_ns = slot.ready_ns.max(now_ns);
                self.ready.push_back(id);
            }
        }
    }

    /// The next request that may be sent, in the order in which they became ready.
    pub fn take(&mut self) -> Option<Ready> {
        let id = self.ready.pop_front()?;
        self.taken(id)
    }

    /// The next read of `latest` that may be sent, where they are taken apart.
    pub fn observe(&mut self) -> Option<Ready> {
        let id = self.observing.pop_front()?;
        self.taken(id)
    }

    fn taken(&mut self, id: SlotId) -> Option<Ready> {
        let slot = &mut self.slots[id.0];
        let request = slot.request.take()?;
        Some(Ready { slot: id, request, lane: slot.lane, ready_ns: slot.ready_ns })
    }

    /// Ends a request that was taken: what waited for it alone becomes ready.
    pub fn finish(&mut self, id: SlotId, now_ns: u64) {
        if let Some(user) = self.slots[id.0].user.take() {
            let user = &mut self.users[user];
            user.last = user.last.filter(|last| *last != id);
            user.register = user.register.filter(|register| *register != id);
        }
        let mut waiting = std::mem::take(&mut self.slots[id.0].waiting);
        for next in waiting.drain(..) {
            let slot = &mut self.slots[next.0];
            slot.blockers -= 1;
            if slot.blockers == 0 {
                slot.ready_ns = slot.ready_ns.max(now_ns);
                self.release(next, now_ns);
            }
        }
        // The list keeps its memory for the next request in this place.
        self.slots[id.0].waiting = waiting;
        self.free.push(id);
    }

    fn vacant(&mut self) -> SlotId {
        self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            SlotId(self.slots.len() - 1)
        })
    }
}

#[cfg(test)]
mod tests;
