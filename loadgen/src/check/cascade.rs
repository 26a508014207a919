//! Which failures an earlier one explains: a user who was never stored makes every later command of
//! and about that user fail.

use super::answers::how;
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::operation::{Ack, Operation};
use limosa_reports::run::readback::ReadBack;
use limosa_reports::run::verdict::Cascade;
use std::collections::HashMap;

/// How many ids of caused failures are listed.
const EXAMPLES: usize = 10;

/// Finds the registers that failed, or that were acknowledged and lost, and what failed after them.
/// The largest cascade comes first; a root that caused nothing is left out.
pub fn find(entries: &[Entry], after: Option<&ReadBack>) -> Vec<Cascade> {
    let lost = |user: &str| {
        after
            .and_then(|state| state.users.get(user))
            .is_some_and(|state| state.exists == Some(false))
    };
    let mut roots: HashMap<&str, Cascade> = HashMap::new();
    for entry in entries {
        let intent = &entry.intent;
        let answered = entry.outcome.as_ref().is_some_and(|outcome| outcome.status != 0);
        match (intent.operation, entry.ack()) {
            (Operation::Register, Ack::Acknowledged) => {
                // A later register mends an earlier one.
                roots.remove(intent.user.as_str());
                if lost(&intent.user) {
                    let cause = "register acknowledged, and the user is not there".to_owned();
                    roots.insert(&intent.user, root(entry, cause));
                }
            }
            (Operation::Register, _) => {
                roots
                    .entry(&intent.user)
                    .or_insert_with(|| root(entry, format!("register {}", how(entry))));
            }
            (Operation::Tweet | Operation::Follow | Operation::Unfollow, ack)
                if ack != Ack::Acknowledged && answered =>
            {
                let named = match intent.operation {
                    Operation::Tweet => None,
                    _ => Some(intent.detail.as_str()),
                };
                let user = [Some(intent.user.as_str()), named]
                    .into_iter()
                    .flatten()
                    .find(|user| roots.contains_key(user));
                if let Some(cascade) = user.and_then(|user| roots.get_mut(user)) {
                    cascade.caused += 1;
                    *cascade.operations.entry(intent.operation).or_default() += 1;
                    if cascade.examples.len() < EXAMPLES {
                        cascade.examples.push(intent.command_id);
                    }
                }
            }
            _ => {}
        }
    }
    let mut cascades: Vec<Cascade> =
        roots.into_values().filter(|cascade| cascade.caused > 0).collect();
    cascades.sort_by_key(|cascade| (std::cmp::Reverse(cascade.caused), cascade.root_id));
    cascades
}

fn root(entry: &Entry, cause: String) -> Cascade {
    Cascade {
        root_id: entry.intent.command_id,
        user: entry.intent.user.clone(),
        at_ns: entry.outcome.as_ref().map_or(entry.intent.called_ns, |outcome| outcome.done_ns),
        cause,
        caused: 0,
        operations: std::collections::BTreeMap::new(),
        examples: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::{Script, State};

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
        let cascades = find(&script.entries(), None);
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
        let after = State::new().missing("b").read_back();
        assert_eq!(find(&script.entries(), Some(&after))[0].root_id, 0);
        assert_eq!(find(&script.entries(), None), []);
    }

    #[test]
    fn a_register_that_is_repeated_with_success_ends_the_cascade() {
        let mut script = Script::new();
        script.register("b").timed_out();
        script.tweet("b", "x").refused(404);
        script.register("b").ok();
        script.tweet("b", "y").refused(404);
        assert_eq!(find(&script.entries(), None), []);
    }
}
