//! Whether every command got the answer that a correct server gives.

use limosa_reports::render::{all, count, counted};
use limosa_reports::run::ledger::{Entry, Intent};
use limosa_reports::run::operation::{Ack, Operation};
use limosa_reports::run::verdict::{Check, Verdict};
use std::collections::{BTreeMap, HashMap};

/// Judges the answers, in the order of the calls. A refusal is the server's right where the trace
/// asks for the impossible: a register of a name that is taken, a command of or about a user whom
/// nobody registered.
#[derive(Debug, Default)]
pub struct Answers {
    /// Each user, and since when a command of or about it cannot be refused with right.
    known: HashMap<String, u64>,
    acknowledged: u64,
    impossible: u64,
    failed: Kinds,
    reads: u64,
    failed_reads: Kinds,
}

/// How many failed, by what was asked and by how they failed.
type Kinds = BTreeMap<(Operation, String), u64>;

/// How many kinds of failure the summary names, the most frequent first.
const NAMED: usize = 3;

impl Answers {
    /// Takes a user whom the target knew before the run.
    pub fn known_before(&mut self, user: &str) {
        self.known.insert(user.to_owned(), 0);
    }

    /// Takes a request. Returns whether it failed: whether the target should have answered it with
    /// success and did not.
    pub fn push(&mut self, entry: &Entry) -> bool {
        // Without an outcome, the generator ended before the target could answer.
        if entry.outcome.is_none() {
            return false;
        }
        if !entry.intent.operation.is_write() {
            return self.read(entry);
        }
        let possible = self.is_possible(entry);
        match entry.ack() {
            Ack::Acknowledged => self.acknowledged += 1,
            Ack::Rejected if !possible => self.impossible += 1,
            _ => {
                *self.failed.entry((entry.intent.operation, how(entry))).or_default() += 1;
                return true;
            }
        }
        false
    }

    /// A read of a user whom nobody registered yet may be refused.
    fn read(&mut self, entry: &Entry) -> bool {
        let Intent { user, called_ns, .. } = &entry.intent;
        let is_known =
            user.is_empty() || self.known.get(user).is_some_and(|since| since <= called_ns);
        self.reads += 1;
        match entry.ack() {
            Ack::Acknowledged => false,
            Ack::Rejected if !is_known => false,
            _ => {
                *self.failed_reads.entry((entry.intent.operation, how(entry))).or_default() += 1;
                true
            }
        }
    }

    fn is_possible(&mut self, entry: &Entry) -> bool {
        let intent = &entry.intent;
        let is_known =
            |user: &str| self.known.get(user).is_some_and(|since_ns| *since_ns <= intent.called_ns);
        match intent.operation {
            // The first register of a name must succeed. Where it failed, so does what follows.
            Operation::Register if !is_acceptable(intent) => false,
            Operation::Register if self.known.contains_key(&intent.user) => false,
            Operation::Register => {
                let since_ns = entry.answered_ns().unwrap_or(intent.called_ns);
                self.known.insert(intent.user.clone(), since_ns);
                true
            }
            Operation::Tweet => is_known(&intent.user),
            _ => is_known(&intent.user) && is_known(&intent.detail),
        }
    }

    /// The judgement.
    pub fn finish(self) -> Check {
        let Self { acknowledged, impossible, failed, reads, failed_reads, .. } = self;
        let total: u64 = failed.values().sum();
        let unread: u64 = failed_reads.values().sum();
        let tried = acknowledged + impossible + total;
        let (verdict, summary) = if total == 0 && unread > 0 {
            (Verdict::Fail, told(unread, reads, "read", failed_reads))
        } else if tried == 0 {
            (Verdict::Unknown, "no command was sent".to_owned())
        } else if total == 0 && impossible == 0 {
            let were = if acknowledged == 1 { "was" } else { "were" };
            (Verdict::Pass, format!("{} {were} acknowledged", all(acknowledged, "command")))
        } else if total == 0 {
            let summary = format!(
                "{} acknowledged; {} refused as it should be (the name was taken, or a user was \
                 never registered)",
                counted(acknowledged, "command"),
                count(impossible)
            );
            (Verdict::Pass, summary)
        } else {
            let mut summary = told(total, tried, "command", failed);
            if unread > 0 {
                summary += &format!("; {}", told(unread, reads, "read", failed_reads));
            }
            (Verdict::Fail, summary)
        };
        Check { name: "answers".into(), verdict, summary }
    }
}

/// How many failed, and how.
fn told(failed: u64, of: u64, what: &str, kinds: Kinds) -> String {
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    let others = kinds.split_off(kinds.len().min(NAMED));
    let mut kinds: Vec<String> = kinds
        .into_iter()
        .map(|((operation, how), number)| format!("{} {} {how}", count(number), operation.name()))
        .collect();
    if !others.is_empty() {
        let number = others.into_iter().map(|(_, number)| number).sum();
        kinds.push(format!("{} in other ways", count(number)));
    }
    format!("{} of {} failed: {}", count(failed), counted(of, what), kinds.join(", "))
}

/// Whether the protocol lets a register succeed. The recorder leaves out the e-mail address of one
/// with an empty name or password.
fn is_acceptable(register: &Intent) -> bool {
    register.detail.contains('@')
}

/// How a command failed, in two or three words.
pub(super) fn how(entry: &Entry) -> String {
    use limosa_reports::run::operation::Failure;
    let Some(outcome) = &entry.outcome else {
        return "without an outcome".into();
    };
    match outcome.failure {
        Some(Failure::Status) | None => format!("answered {}", outcome.status),
        Some(Failure::ConnectRefused) => "not sent (no connection)".into(),
        Some(Failure::ConnectTimeout) => "not sent (connect timeout)".into(),
        Some(Failure::ResponseTimeout) => "timed out".into(),
        Some(Failure::ConnectionClosed) => "cut off".into(),
        Some(Failure::MalformedAnswer) => "answered with malformed HTTP".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::Script;

    fn check(script: &Script, before: &[&str]) -> Check {
        let mut answers = Answers::default();
        before.iter().for_each(|user| answers.known_before(user));
        for entry in script.entries() {
            answers.push(&entry);
        }
        answers.finish()
    }

    #[test]
    fn refusing_the_impossible_is_right_and_refusing_the_possible_is_not() {
        let mut script = Script::new();
        script.register("a").ok();
        script.register("a").refused(400);
        script.tweet("nobody", "x").refused(404);
        script.follow("a", "nobody").refused(404);
        let check_ = check(&script, &[]);
        assert_eq!(check_.verdict, Verdict::Pass, "{}", check_.summary);

        script.tweet("a", "x").refused(404);
        let check_ = check(&script, &[]);
        assert_eq!(check_.verdict, Verdict::Fail);
        assert_eq!(check_.summary, "1 of 5 commands failed: 1 tweet answered 404");
    }

    #[test]
    fn a_register_that_the_protocol_refuses_may_be_refused_and_so_may_its_user() {
        let mut script = Script::new();
        script.invalid_register("a").refused(400);
        script.tweet("a", "x").refused(404);
        script.register("b").ok();
        assert_eq!(check(&script, &[]).verdict, Verdict::Pass);
    }

    #[test]
    fn reads_that_fail_are_failures_and_those_of_nobody_are_none() {
        let mut script = Script::new();
        script.register("a").ok();
        script.read_of(Operation::UserMessages, "nobody").refused(404);
        script.read_of(Operation::UserMessages, "a").ok();
        assert_eq!(check(&script, &[]).verdict, Verdict::Pass);
        script.read_of(Operation::Public, "").refused(404);
        script.read_of(Operation::UserMessages, "a").refused(500);
        let failed = check(&script, &[]);
        assert_eq!(failed.verdict, Verdict::Fail);
        assert_eq!(
            failed.summary,
            "2 of 4 reads failed: 1 user_messages answered 500, 1 public answered 404"
        );
    }

    #[test]
    fn the_three_most_frequent_kinds_of_failure_are_named() {
        let mut script = Script::new();
        script.register("a").ok();
        for (status, times) in [(500, 4), (404, 3), (503, 2), (400, 2), (502, 1)] {
            for _ in 0..times {
                script.tweet("a", "x").refused(status);
            }
        }
        assert_eq!(
            check(&script, &[]).summary,
            "12 of 13 commands failed: 4 tweet answered 500, 3 tweet answered 404, 2 tweet \
             answered 400, 3 in other ways"
        );
    }

    #[test]
    fn what_follows_a_register_without_an_outcome_may_be_refused() {
        let mut script = Script::new();
        script.register("a").abandoned();
        script.tweet("a", "x").refused(404);
        script.register("b").ok();
        assert_eq!(check(&script, &[]).verdict, Verdict::Pass);
    }

    #[test]
    fn a_user_from_before_the_run_is_known() {
        let mut script = Script::new();
        script.tweet("old", "x").refused(404);
        assert_eq!(check(&script, &["old"]).verdict, Verdict::Fail);
        assert_eq!(check(&script, &[]).verdict, Verdict::Pass);
    }

    #[test]
    fn what_follows_from_a_failed_register_fails_too() {
        let mut script = Script::new();
        script.register("a").timed_out();
        script.tweet("a", "x").refused(404);
        let check = check(&script, &[]);
        assert_eq!(
            check.summary,
            "2 of 2 commands failed: 1 register timed out, 1 tweet answered 404"
        );
    }
}
