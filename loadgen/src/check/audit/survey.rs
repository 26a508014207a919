//! What must be known of all users before any is audited: users are audited a share at a time, and a
//! few questions are about more than one of them.

use super::listing::Limit;
use crate::check::ids::IdSet;
use crate::check::scope::Scope;
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::operation::{Ack, Operation};
use limosa_reports::run::readback::UserState;
use std::collections::HashMap;

/// What is known of all users. Holds their names, and nothing that they sent.
#[derive(Debug)]
pub struct Survey {
    scope: Scope,
    /// Whether somebody looked before the run.
    pub(super) has_baseline: bool,
    people: HashMap<Box<str>, Person>,
    acknowledged: IdSet,
    named_by_latest: IdSet,
}

/// What is known of one user.
#[derive(Debug, Clone, Copy, Default)]
struct Person {
    /// Sent a command of the run.
    acts: bool,
    /// Is named by a command of the run that is no register.
    is_named: bool,
    tweets: bool,
    acknowledged_tweets: u32,
    /// How many messages the target listed before.
    before: u32,
    after: Option<After>,
}

/// What the target told of a user after the run.
#[derive(Debug, Clone, Copy)]
struct After {
    exists: Option<bool>,
    messages: u32,
    in_public: Option<u32>,
}

impl Survey {
    /// A survey of a run of `scope`; `has_baseline` where somebody looked before the run.
    pub fn new(scope: Scope, has_baseline: bool) -> Self {
        Self {
            scope,
            has_baseline,
            people: HashMap::new(),
            acknowledged: IdSet::default(),
            named_by_latest: IdSet::default(),
        }
    }

    /// Whose commands the run sent.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Takes what the target held of a user before the run.
    pub fn before(&mut self, state: &UserState) {
        self.person(&state.user).before = state.messages.len() as u32;
    }

    /// Takes what the target held of a user after the run.
    pub fn after(&mut self, state: &UserState) {
        let messages = state.messages.len() as u32;
        let after = After { exists: state.exists, messages, in_public: state.in_public };
        self.person(&state.user).after = Some(after);
    }

    /// Takes what `GET /latest` reported after the run.
    pub fn latest_after(&mut self, id: Option<i64>) {
        id.map(|id| self.named_by_latest.insert(id));
    }

    /// Takes a request of the run.
    pub fn sent(&mut self, entry: &Entry) {
        if let Some(id) = entry.outcome.as_ref().and_then(|outcome| outcome.latest) {
            self.named_by_latest.insert(id);
        }
        let intent = &entry.intent;
        if !intent.operation.is_write() {
            return;
        }
        let is_acknowledged = entry.ack() == Ack::Acknowledged;
        if is_acknowledged {
            self.acknowledged.insert(intent.command_id);
        }
        let person = self.person(&intent.user);
        person.acts = true;
        match intent.operation {
            Operation::Tweet => {
                person.is_named = true;
                person.tweets = true;
                person.acknowledged_tweets += u32::from(is_acknowledged);
            }
            Operation::Follow | Operation::Unfollow => {
                person.is_named = true;
                self.person(&intent.detail).is_named = true;
            }
            _ => {}
        }
    }

    fn person(&mut self, user: &str) -> &mut Person {
        if !self.people.contains_key(user) {
            self.people.insert(user.into(), Person::default());
        }
        self.people.get_mut(user).unwrap_or_else(|| unreachable!("it was just inserted"))
    }

    /// Whether a command of the run that is no register names a user.
    pub(super) fn names(&self, user: &str) -> bool {
        self.people.get(user).is_some_and(|person| person.is_named)
    }

    /// Whether the target knew a user after the run; `None` where nobody asked, or it would not say.
    pub(super) fn exists(&self, user: &str) -> Option<bool> {
        self.people.get(user)?.after?.exists
    }

    /// How many users sent commands and were not read back.
    pub(super) fn unread(&self) -> u64 {
        let unread = |person: &&Person| person.acts && person.after.is_none();
        self.people.values().filter(unread).count() as u64
    }

    /// Whether `latest` named a command that was never acknowledged: one that was sent again and
    /// acknowledged is named for that.
    pub(super) fn is_named_by_latest(&self, id: i64) -> bool {
        self.named_by_latest.contains(id) && !self.acknowledged.contains(id)
    }

    /// The number of messages that the target lists at most of an author, where it shows one.
    pub(super) fn listing_limit(&self) -> Option<usize> {
        let mut limit = Limit::default();
        for person in self.people.values().filter(|person| person.tweets) {
            let listed = person.after.map_or(0, |after| after.messages) as usize;
            let known = person.acknowledged_tweets as usize + person.before as usize;
            limit.author(listed, known);
        }
        limit.found(self.public_listing())
    }

    /// How many messages the listing of all holds, where it holds of every author as many as the
    /// author's own: `None` where one of the two was cut off, or not read.
    fn public_listing(&self) -> Option<usize> {
        let read = self.people.values().filter_map(|person| person.after);
        read.map(|after| after.in_public.filter(|count| *count == after.messages))
            .try_fold(0, |total, count| Some(total + count? as usize))
    }
}
