//! Which requests may be under way together.

use super::{Payload, ScheduledRequest};
use limosa_scenarios::Action;
use std::collections::{HashMap, VecDeque};

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

/// Holds requests back until what they wait for has ended, however it ended: a register that fails
/// does not keep its user's commands from being sent, as the simulator would send them too.
///
/// Requests are admitted in the order of the trace. Memory is that of the requests held and of the
/// users' names.
#[derive(Debug)]
pub struct Lanes {
    order: Order,
    slots: Vec<Slot>,
    free: Vec<SlotId>,
    users: HashMap<String, User>,
    ready: VecDeque<SlotId>,
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

#[derive(Debug)]
struct Slot {
    request: Option<ScheduledRequest>,
    lane: u32,
    ready_ns: u64,
    /// How many requests it waits for.
    blockers: usize,
    /// The requests that wait for it.
    waiting: Vec<SlotId>,
    user: Option<String>,
}

#[derive(Debug, Default)]
struct User {
    lane: u32,
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
            users: HashMap::new(),
            ready: VecDeque::new(),
        }
    }

    /// How many requests are held or under way.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// The command ids of the requests that were not taken yet.
    pub fn held_ids(&self) -> impl Iterator<Item = i64> {
        self.slots.iter().filter_map(|slot| Some(slot.request.as_ref()?.command_id))
    }

    /// How many requests may be sent now.
    pub fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Whether no request is held or under way.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes a request in. It may be sent at once, or when what it waits for has ended.
    pub fn admit(&mut self, request: ScheduledRequest, now_ns: u64) {
        let (user, whom, is_register) = match (&self.order, &request.payload) {
            (Order::Strict, _) => (Some(String::new()), None, false),
            (Order::User, Payload::Command(action)) => (
                Some(action.user().to_owned()),
                action.whom().map(str::to_owned),
                matches!(action, Action::Register { .. }),
            ),
            (Order::User, Payload::ReadLatest) | (Order::None, _) => (None, None, false),
        };
        let register = whom.and_then(|whom| self.users.get(&whom)?.register);
        let id = self.vacant();
        let mut lane = 0;
        let mut before = None;
        if let Some(name) = &user {
            let next_lane = self.users.len() as u32 + 1;
            let user = self
                .users
                .entry(name.clone())
                .or_insert_with(|| User { lane: next_lane, ..User::default() });
            lane = user.lane;
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
        let ready_ns = request.intended_ns.unwrap_or(now_ns);
        let request = Some(request);
        self.slots[id.0] = Slot { request, lane, ready_ns, blockers, waiting: Vec::new(), user };
        if blockers == 0 {
            self.ready.push_back(id);
        }
    }

    /// The next request that may be sent, in the order in which they became ready.
    pub fn take(&mut self) -> Option<Ready> {
        let id = self.ready.pop_front()?;
        let slot = &mut self.slots[id.0];
        let request = slot.request.take()?;
        Some(Ready { slot: id, request, lane: slot.lane, ready_ns: slot.ready_ns })
    }

    /// Ends a request that was taken: what waited for it alone becomes ready.
    pub fn finish(&mut self, id: SlotId, now_ns: u64) {
        if let Some(user) = self.slots[id.0].user.take().and_then(|name| self.users.get_mut(&name))
        {
            user.last = user.last.filter(|last| *last != id);
            user.register = user.register.filter(|register| *register != id);
        }
        for next in std::mem::take(&mut self.slots[id.0].waiting) {
            let slot = &mut self.slots[next.0];
            slot.blockers -= 1;
            if slot.blockers == 0 {
                slot.ready_ns = slot.ready_ns.max(now_ns);
                self.ready.push_back(next);
            }
        }
        self.free.push(id);
    }

    fn vacant(&mut self) -> SlotId {
        self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot {
                request: None,
                lane: 0,
                ready_ns: 0,
                blockers: 0,
                waiting: Vec::new(),
                user: None,
            });
            SlotId(self.slots.len() - 1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    /// Runs a schedule on `connections` connections whose answers come in an order drawn by the
    /// seed. Returns each request's start and end, in steps, by its sequence.
    fn run(order: Order, actions: &[Action], connections: usize, seed: u64) -> Vec<(usize, usize)> {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let mut lanes = Lanes::new(order);
        let mut waiting = actions.iter().cloned().enumerate();
        let mut under_way: Vec<(SlotId, u64)> = Vec::new();
        let mut times = vec![(0, 0); actions.len()];
        let mut step = 0;
        loop {
            // Admission runs ahead of sending by a drawn number of requests.
            for (at, action) in waiting.by_ref().take(dice.random_range(0..8)) {
                let sequence = at as u64;
                let payload = Payload::Command(action);
                let request =
                    ScheduledRequest { sequence, command_id: 0, intended_ns: None, payload };
                lanes.admit(request, 0);
            }
            while under_way.len() < connections
                && let Some(ready) = lanes.take()
            {
                step += 1;
                times[ready.request.sequence as usize].0 = step;
                under_way.push((ready.slot, ready.request.sequence));
            }
            if !under_way.is_empty() {
                let (slot, sequence) = under_way.swap_remove(dice.random_range(0..under_way.len()));
                step += 1;
                times[sequence as usize].1 = step;
                lanes.finish(slot, 0);
            } else if lanes.is_empty() && waiting.len() == 0 {
                return times;
            }
        }
    }

    fn arbitrary_actions() -> impl Strategy<Value = Vec<Action>> {
        let name = || (0..6u8).prop_map(|n| format!("user {n}"));
        let action = (0..4u8, name(), name()).prop_map(|(kind, user, whom)| match kind {
            0 => Action::Register { user, email: String::new(), password: String::new() },
            1 => Action::Tweet { user, text: String::new() },
            2 => Action::Follow { user, whom },
            _ => Action::Unfollow { user, whom },
        });
        prop::collection::vec(action, 0..60)
    }

    proptest! {
        #[test]
        fn no_schedule_breaks_causality(actions in arbitrary_actions(), connections in 1..9usize, seed: u64) {
            let times = run(Order::User, &actions, connections, seed);
            for (later, action) in actions.iter().enumerate() {
                for (earlier, cause) in actions[..later].iter().enumerate() {
                    let same_user = cause.user() == action.user();
                    let names = matches!(cause, Action::Register { .. })
                        && action.whom() == Some(cause.user());
                    if same_user || names {
                        prop_assert!(times[earlier].1 < times[later].0, "{} {}", earlier, later);
                    }
                }
            }
        }

        #[test]
        fn strict_is_one_at_a_time_in_order(actions in arbitrary_actions(), seed: u64) {
            let times = run(Order::Strict, &actions, 8, seed);
            prop_assert!(times.windows(2).all(|pair| pair[0].1 < pair[1].0));
        }
    }

    #[test]
    fn without_an_order_nothing_waits() {
        let tweet = |n: u64| ScheduledRequest {
            sequence: n,
            command_id: 0,
            intended_ns: None,
            payload: Payload::Command(Action::Tweet { user: "a".into(), text: String::new() }),
        };
        let mut lanes = Lanes::new(Order::None);
        (0..100).for_each(|n| lanes.admit(tweet(n), 0));
        let taken: Vec<u64> =
            std::iter::from_fn(|| lanes.take()).map(|ready| ready.request.sequence).collect();
        assert_eq!(taken, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_independent_does_not_wait() {
        let tweet = |sequence, user: &str| ScheduledRequest {
            sequence,
            command_id: 0,
            intended_ns: None,
            payload: Payload::Command(Action::Tweet { user: user.into(), text: String::new() }),
        };
        let mut lanes = Lanes::new(Order::User);
        lanes.admit(tweet(0, "a"), 5);
        lanes.admit(tweet(1, "a"), 5);
        lanes.admit(tweet(2, "b"), 5);
        let first = lanes.take().unwrap();
        let second = lanes.take().unwrap();
        assert_eq!((first.request.sequence, second.request.sequence), (0, 2));
        assert_ne!(first.lane, second.lane);
        assert_eq!(lanes.take(), None);
        lanes.finish(first.slot, 9);
        let third = lanes.take().unwrap();
        assert_eq!((third.request.sequence, third.lane, third.ready_ns), (1, first.lane, 9));
    }

    #[test]
    fn slots_are_used_again() {
        let mut lanes = Lanes::new(Order::User);
        for sequence in 0..1000 {
            let payload = Payload::Command(Action::Tweet { user: "a".into(), text: String::new() });
            lanes
                .admit(ScheduledRequest { sequence, command_id: 0, intended_ns: None, payload }, 0);
            let ready = lanes.take().unwrap();
            lanes.finish(ready.slot, 0);
        }
        assert!(lanes.is_empty());
        assert_eq!(lanes.slots.len(), 1);
    }
}
