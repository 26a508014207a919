//! Contract C0, for one client with one outstanding operation.
//!
//! A read must return the id of the last command that was answered, or that of a command whose
//! outcome is open: a write without an answer may take effect at any later time. A command that was
//! never sent must not be named. (Herlihy and Wing's linearizability, 1990, for a register with a
//! single sequential client, reduces to this.)

use super::history::{Kind, Operation};
use super::tally::Tally;
use super::value::Rival;
use limosa_reports::run::verdict::latest::Anomaly;
use std::collections::BTreeSet;

/// The last command, and the open ones.
#[derive(Debug)]
pub(super) struct Strict {
    settled: Option<Operation>,
    open: BTreeSet<i64>,
    pub(super) tally: Tally,
    legal: u64,
}

impl Strict {
    pub(super) fn new(initial: Option<i64>) -> Self {
        Self {
            settled: initial.map(Operation::initial),
            open: BTreeSet::new(),
            tally: Tally::default(),
            legal: 0,
        }
    }

    /// Takes the next operation; returns whether it is a wrong read.
    pub(super) fn push(&mut self, operation: Operation) -> bool {
        let value = operation.value;
        match operation.kind {
            Kind::Write if operation.failed => {}
            Kind::Write if operation.is_open() => {
                self.open.insert(value);
            }
            Kind::Write => {
                self.settled = Some(operation);
                self.open.remove(&value);
            }
            Kind::Read => return self.read(operation),
        }
        false
    }

    fn read(&mut self, read: Operation) -> bool {
        // Without a known start, nothing can be said before the first command.
        let Some(expected) = self.settled else { return false };
        self.tally.reads += 1;
        self.legal += 1 + self.open.len() as u64 - u64::from(self.open.contains(&expected.value));
        let is_wrong = read.value != expected.value && !self.open.contains(&read.value);
        if is_wrong {
            let last = Some(expected);
            let rival = Rival { followed: last, seen: last, ..Rival::default() };
            self.tally.accuse(Anomaly::NotLast, read, rival);
        }
        is_wrong
    }

    /// The mean number of values that a read could have named.
    pub(super) fn mean_legal(&self) -> Option<f64> {
        (self.tally.reads > 0).then(|| self.legal as f64 / self.tally.reads as f64)
    }
}

#[cfg(test)]
mod tests {
    use crate::check::testing::Script;
    use crate::profile::Profile;
    use crate::schedule::Order;
    use limosa_reports::run::ledger::Entry;
    use limosa_reports::run::verdict::{LatestJudgement, Verdict};

    fn strict(
        entries: &[Entry],
        initial: Option<i64>,
        last: Option<i64>,
        profile: &Profile,
    ) -> Option<LatestJudgement> {
        super::super::judge(entries, initial, last, profile, Order::Strict)
    }

    fn judge(script: &Script) -> LatestJudgement {
        strict(&script.entries(), Some(-1), None, &Profile::default()).unwrap()
    }

    #[test]
    fn the_last_answered_command_is_right_and_any_other_is_wrong() {
        let mut script = Script::new();
        script.tweet("a", "0").ok();
        script.read(0);
        script.tweet("a", "1").refused(404);
        script.read(1);
        assert_eq!(judge(&script).verdict, Verdict::Pass);
        assert_eq!(judge(&script).mean_legal, Some(1.0));

        script.tweet("a", "2").ok();
        script.read(1);
        let judgement = judge(&script);
        assert_eq!((judgement.verdict, judgement.wrong, judgement.reads), (Verdict::Fail, 1, 3));
        assert_eq!(
            judgement.witnesses[0],
            "asked at 0.006 s, it named 1; the last command was 2, answered at 0.005 s"
        );
    }

    #[test]
    fn an_open_command_may_be_named_or_not_also_later() {
        let mut script = Script::new();
        script.tweet("a", "0").ok();
        script.tweet("a", "1").timed_out();
        script.read(0);
        script.read(1);
        script.tweet("a", "2").ok();
        script.read(1);
        let judgement = judge(&script);
        assert_eq!(judgement.verdict, Verdict::Pass);
        assert_eq!(judgement.mean_legal, Some(2.0));
    }

    #[test]
    fn a_command_that_was_never_sent_must_not_be_named() {
        let mut script = Script::new();
        script.tweet("a", "0").ok();
        script.tweet("a", "1").not_sent();
        script.read(1);
        assert_eq!(judge(&script).verdict, Verdict::Fail);
    }

    #[test]
    fn a_target_that_ignores_refused_requests_is_held_to_that() {
        let mut script = Script::new();
        script.tweet("a", "0").ok();
        script.tweet("a", "1").refused(404);
        script.read(0);
        let profile = Profile { latest_on_refused: false, ..Profile::default() };
        let verdict = |profile| strict(&script.entries(), Some(-1), None, profile).unwrap().verdict;
        assert_eq!(verdict(&profile), Verdict::Pass);
        assert_eq!(verdict(&Profile::default()), Verdict::Fail);
    }

    #[test]
    fn what_it_names_after_the_run_is_a_read_too() {
        let mut script = Script::new();
        script.tweet("a", "0").ok();
        script.tweet("a", "1").ok();
        let last =
            |last| strict(&script.entries(), Some(-1), Some(last), &Profile::default()).unwrap();
        assert_eq!((last(1).verdict, last(1).reads), (Verdict::Pass, 1));
        assert_eq!((last(0).verdict, last(0).wrong), (Verdict::Fail, 1));
    }

    #[test]
    fn without_reads_there_is_no_judgement_and_without_a_start_only_later_reads_count() {
        let mut script = Script::new();
        script.tweet("a", "0").ok();
        assert_eq!(strict(&script.entries(), Some(-1), None, &Profile::default()), None);
        let mut script = Script::new();
        script.read(17);
        let judgement = strict(&script.entries(), None, None, &Profile::default()).unwrap();
        assert_eq!(judgement.verdict, Verdict::Unknown);
    }
}
