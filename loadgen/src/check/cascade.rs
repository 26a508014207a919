//! Which failures an earlier one explains: a user who was never stored makes every later command of
//! and about that user fail.

use super::Listed;
use super::answers::how;
use limosa_reports::run::ledger::{Entry, Intent};
use limosa_reports::run::operation::{Ack, Operation};
use limosa_reports::run::verdict::Cascade;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

/// How many ids of caused failures are listed.
const EXAMPLES: usize = 10;
/// How many cascades are listed, the largest.
pub const MAX_LISTED: usize = 1000;

/// Finds, in the order of the calls, the registers that failed, or that were acknowledged and lost,
/// and what failed after them.
#[derive(Debug, Default)]
pub struct Cascades {
    /// Users who are not there in the end.
    missing: HashSet<String>,
    roots: HashMap<String, Root>,
}

/// A register that failed. There may be one of each user, so it is kept small until it is told.
#[derive(Debug)]
struct Root {
    id: i64,
    at_ns: u64,
    cause: Box<str>,
    tweets: u64,
    follows: u64,
    unfollows: u64,
    examples: Vec<i64>,
}

impl Cascades {
    /// Takes a user whom the target did not know after the run.
    pub fn missing_after(&mut self, user: &str) {
        self.missing.insert(user.to_owned());
    }

    /// Takes a request.
    pub fn push(&mut self, entry: &Entry) {
        let intent = &entry.intent;
        let answered = entry.outcome.as_ref().is_some_and(|outcome| outcome.status != 0);
        match (intent.operation, entry.ack()) {
            (Operation::Register, Ack::Acknowledged) => {
                // A later register mends an earlier one.
                self.roots.remove(intent.user.as_str());
                if self.missing.contains(&intent.user) {
                    let cause = "register acknowledged, and the user is not there";
                    self.roots.insert(intent.user.clone(), Root::new(entry, cause.into()));
                }
            }
            (Operation::Register, _) if !self.roots.contains_key(&intent.user) => {
                let cause = format!("register {}", how(entry));
                self.roots.insert(intent.user.clone(), Root::new(entry, cause.into()));
            }
            (Operation::Tweet | Operation::Follow | Operation::Unfollow, ack)
                if ack != Ack::Acknowledged && answered && !self.roots.is_empty() =>
            {
                let named = match intent.operation {
                    Operation::Tweet => None,
                    _ => Some(intent.detail.as_str()),
                };
                let user = [Some(intent.user.as_str()), named]
                    .into_iter()
                    .flatten()
                    .find(|user| self.roots.contains_key(*user));
                if let Some(root) = user.and_then(|user| self.roots.get_mut(user)) {
                    root.caused(intent);
                }
            }
            _ => {}
        }
    }

    /// The cascades, the largest first; a root that caused nothing is left out.
    pub fn finish(self) -> Listed<Cascade> {
        let mut roots: Vec<(String, Root)> =
            self.roots.into_iter().filter(|(_, root)| root.total() > 0).collect();
        roots.sort_by(|(a_user, a), (b_user, b)| {
            let key = |root: &Root| (Reverse(root.total()), root.id);
            key(a).cmp(&key(b)).then_with(|| a_user.cmp(b_user))
        });
        let total = roots.len() as u64;
        roots.truncate(MAX_LISTED);
        let items = roots.into_iter().map(|(user, root)| root.told(user)).collect();
        Listed { items, total }
    }
}

impl Root {
    fn new(entry: &Entry, cause: Box<str>) -> Self {
        Self {
            id: entry.intent.command_id,
            at_ns: entry.outcome.as_ref().map_or(entry.intent.called_ns, |outcome| outcome.done_ns),
            cause,
            tweets: 0,
            follows: 0,
            unfollows: 0,
            examples: Vec::new(),
        }
    }

    fn caused(&mut self, intent: &Intent) {
        match intent.operation {
            Operation::Tweet => self.tweets += 1,
            Operation::Follow => self.follows += 1,
            _ => self.unfollows += 1,
        }
        if self.examples.len() < EXAMPLES {
            self.examples.push(intent.command_id);
        }
    }

    fn total(&self) -> u64 {
        self.tweets + self.follows + self.unfollows
    }

    fn told(self, user: String) -> Cascade {
        let operations = [
            (Operation::Tweet, self.tweets),
            (Operation::Follow, self.follows),
            (Operation::Unfollow, self.unfollows),
        ];
        Cascade {
            root_id: self.id,
            user,
            at_ns: self.at_ns,
            cause: self.cause.to_string(),
            caused: self.total(),
            operations: operations.into_iter().filter(|(_, count)| *count > 0).collect(),
            examples: self.examples,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::Script;

    fn find(script: &Script, missing: &[&str]) -> Vec<Cascade> {
        let mut cascades = Cascades::default();
        missing.iter().for_each(|user| cascades.missing_after(user));
        script.entries().iter().for_each(|entry| cascades.push(entry));
        let Listed { items, total } = cascades.finish();
        assert_eq!(total, items.len() as u64);
        items
    }

    #[test]
    fn a_failed_register_explains_what_fails_after_it() {
        let mut script = Script::new();
        script.register("a").ok();
        let root = script.register("b").refused(500);
        script.tweet("b", "x").refused(404);
        script.follow("a", "b").refused(404);
        script.tweet("a", "y").ok();
        script.tweet("a", "z").refused(500);
        script.tweet("b", "w").not_sent();
        let cascades = find(&script, &[]);
        assert_eq!(cascades.len(), 1);
        assert_eq!(cascades[0].root_id, root);
        assert_eq!(cascades[0].cause, "register answered 500");
        assert_eq!(cascades[0].caused, 2);
        assert_eq!(cascades[0].examples, [2, 3]);
    }

    #[test]
    fn a_lost_register_is_a_root_though_it_was_acknowledged() {
        let mut script = Script::new();
        script.register("b").ok();
        script.tweet("b", "x").refused(404);
        assert_eq!(find(&script, &["b"])[0].root_id, 0);
        assert_eq!(find(&script, &[]), []);
    }

    #[test]
    fn a_register_that_is_repeated_with_success_ends_the_cascade() {
        let mut script = Script::new();
        script.register("b").timed_out();
        script.tweet("b", "x").refused(404);
        script.register("b").ok();
        script.tweet("b", "y").refused(404);
        assert_eq!(find(&script, &[]), []);
    }

    #[test]
    fn the_largest_are_listed_and_all_are_counted() {
        let mut script = Script::new();
        let users: Vec<String> = (0..MAX_LISTED + 5).map(|n| format!("user {n}")).collect();
        for user in &users {
            script.register(user).timed_out();
            script.tweet(user, "x").refused(404);
        }
        let last = users.last().unwrap();
        script.follow(last, last).refused(404);
        let mut cascades = Cascades::default();
        script.entries().iter().for_each(|entry| cascades.push(entry));
        let Listed { items, total } = cascades.finish();
        assert_eq!((items.len(), total), (MAX_LISTED, users.len() as u64));
        assert_eq!((&items[0].user, items[0].caused, items[1].root_id), (last, 2, 0));
    }
}
