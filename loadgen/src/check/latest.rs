//! Whether `GET /latest` named the last command: contract C0, for one client with one outstanding
//! operation.
//!
//! A read must return the id of the last command that was answered, or that of a command whose
//! outcome is open: a write without an answer may take effect at any later time. A command that was
//! never sent must not be named. (Herlihy and Wing's linearizability, 1990, for a register with a
//! single sequential client, reduces to this.)

use crate::profile::Profile;
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::operation::{Ack, Operation};
use limosa_reports::run::verdict::{LatestJudgement, Verdict};
use std::collections::BTreeSet;

/// How many wrong reads are described.
const WITNESSES: usize = 5;
const NS_PER_SECOND: f64 = 1e9;

/// Judges the reads of a strict run. `initial` is what the target reported before the run, `last`
/// what it reported after. `None` where `latest` was never read.
pub fn strict(
    entries: &[Entry],
    initial: Option<i64>,
    last: Option<i64>,
    profile: &Profile,
) -> Option<LatestJudgement> {
    let mut settled = initial;
    let mut settled_ns = None;
    let mut open: BTreeSet<i64> = BTreeSet::new();
    let mut judgement = LatestJudgement {
        contract: "strict".into(),
        verdict: Verdict::Pass,
        reads: 0,
        wrong: 0,
        mean_legal: None,
        last_sent: None,
        last_reported: None,
        witnesses: Vec::new(),
    };
    let mut legal_values = 0_u64;
    for entry in entries {
        let id = entry.intent.command_id;
        if let Some(reported) = entry.outcome.as_ref().and_then(|outcome| outcome.latest) {
            judgement.last_reported = Some(reported);
            // Without a known start, nothing can be said before the first command.
            let Some(expected) = settled else { continue };
            judgement.reads += 1;
            legal_values += 1 + open.iter().filter(|id| **id != expected).count() as u64;
            if reported != expected && !open.contains(&reported) {
                judgement.wrong += 1;
                if judgement.witnesses.len() < WITNESSES {
                    judgement.witnesses.push(witness(entry, reported, expected, settled_ns));
                }
            }
        }
        if !entry.intent.operation.is_write() {
            continue;
        }
        if entry.ack() != Ack::NotSent {
            judgement.last_sent = judgement.last_sent.max(Some(id));
        }
        match entry.ack() {
            // Ids that the protocol tells the target to ignore, or that it cannot hold.
            _ if id == -1 || !profile.latest_holds(id) => {}
            Ack::NotSent => {}
            Ack::Rejected if !profile.latest_on_refused => {}
            Ack::Acknowledged | Ack::Rejected => {
                settled = Some(id);
                settled_ns = entry.answered_ns();
                open.remove(&id);
            }
            Ack::Indeterminate => {
                open.insert(id);
            }
        }
    }
    if let (Some(reported), Some(expected)) = (last, settled) {
        judgement.last_reported = last;
        judgement.reads += 1;
        legal_values += 1 + open.iter().filter(|id| **id != expected).count() as u64;
        if reported != expected && !open.contains(&reported) {
            judgement.wrong += 1;
            judgement.witnesses.push(format!(
                "asked after the run, it named {reported}; the last command was {expected}"
            ));
        }
    }
    let was_read = entries.iter().any(|entry| entry.intent.operation == Operation::Latest);
    if !was_read && last.is_none() {
        return None;
    }
    if judgement.reads > 0 {
        judgement.mean_legal = Some(legal_values as f64 / judgement.reads as f64);
    }
    judgement.verdict = match (judgement.wrong, judgement.reads) {
        (0, 0) => Verdict::Unknown,
        (0, _) => Verdict::Pass,
        _ => Verdict::Fail,
    };
    Some(judgement)
}

fn witness(entry: &Entry, reported: i64, expected: i64, settled_ns: Option<u64>) -> String {
    let seconds = |ns: u64| ns as f64 / NS_PER_SECOND;
    let asked = seconds(entry.intent.called_ns);
    match settled_ns {
        Some(ns) => format!(
            "asked at {asked:.3} s, it named {reported}; the last command was {expected}, answered \
             at {:.3} s",
            seconds(ns)
        ),
        None => format!(
            "asked at {asked:.3} s, it named {reported}; nothing had been sent since it named {expected}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::Script;

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
