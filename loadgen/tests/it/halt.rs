//! A replica that is halted for two seconds while the others go on (SIGSTOP, SIGCONT).
//!
//! What waits in its sockets is answered when it wakes, with what it knew before. A `latest` in its
//! memory is two seconds old then; one in the database is read anew, and nobody can be wrong.
//!
//! Two things can hide it, and are tried again: a replica that is halted within its transaction keeps
//! the database's lock, and halts the others with it; and one that wakes may commit what waits before
//! it answers the reads, and a command that was under way all the time is no old one.

use super::crash::wait_for_frames;
use super::replicas::spread_over;
use super::*;
use limosa_reports::run::ledger::{Entry, Outcome};
use limosa_reports::run::operation::Ack;
use limosa_reports::run::verdict::LatestJudgement;
use std::collections::HashMap;
use std::time::Duration;

const HALTED: usize = 1;
const HALT: Duration = Duration::from_secs(2);

/// How often that may happen.
const TRIES: usize = 8;

/// What was found of a run in which the others went on while one was halted, and which shows what is
/// wanted of its ledger.
fn halted(latest: &str, shows: impl Fn(&[Entry]) -> bool) -> LatestJudgement {
    (0..TRIES).find_map(|_| try_halted(latest, &shows)).unwrap()
}

/// Tweets of known users at a steady rate, so that no command waits for another one, over three
/// replicas of which one is halted in between.
fn try_halted(latest: &str, shows: impl Fn(&[Entry]) -> bool) -> Option<LatestJudgement> {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path(), 4_000);
    let registers =
        sifted(&trace, "registers.tsv", |action| matches!(action, Action::Register { .. }));
    let tweets = sifted(&trace, "tweets.tsv", |action| matches!(action, Action::Tweet { .. }));
    let servers = replicas(folder.path(), 3, latest);
    let all: Vec<&Server> = servers.iter().collect();
    let before = folder.path().join("before");
    let output =
        spread_over(&registers, &all, &before, "random").args(["--read-latest", "0"]).output();
    assert_ne!(code(&output.unwrap()), 1, "only a busy machine makes it unknown");

    let run = folder.path().join("run");
    let mut limosa = spread_over(&tweets, &all, &run, "random")
        .args(["--order", "none", "--rate", "150", "--duration", "9s", "--read-latest", "1"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for_frames(&run, 600);
    // The first halt has the client open the connections on which the second one finds requests.
    for halt in [HALT / 2, HALT] {
        servers[HALTED].halt().unwrap();
        std::thread::sleep(halt);
        servers[HALTED].go_on().unwrap();
        std::thread::sleep(HALT / 4);
    }
    limosa.wait().unwrap();
    let judgement = judgement(&run);
    assert_eq!(verdict_of(&judgement, "audit"), Verdict::Pass);
    let entries = super::replicas::entries(&run);
    let others_went_on = longest_pause_of_others(&entries) < HALT / 4;
    (others_went_on && shows(&entries)).then(|| judgement.latest.unwrap())
}

fn acknowledged(entries: &[Entry]) -> impl Iterator<Item = (i64, &Outcome)> {
    entries
        .iter()
        .filter(|entry| entry.intent.operation.is_write() && entry.ack() == Ack::Acknowledged)
        .map(|entry| (entry.intent.command_id, entry.outcome.as_ref().unwrap()))
}

/// The longest time in which no other replica acknowledged a command.
fn longest_pause_of_others(entries: &[Entry]) -> Duration {
    let mut done: Vec<u64> = acknowledged(entries)
        .filter(|(_, outcome)| usize::from(outcome.replica) != HALTED)
        .map(|(_, outcome)| outcome.done_ns)
        .collect();
    done.sort_unstable();
    done.windows(2).map(|pair| Duration::from_nanos(pair[1] - pair[0])).max().unwrap()
}

/// Whether the halted replica named a command that had long been answered when it was asked.
fn names_an_old_command(entries: &[Entry]) -> bool {
    let done: HashMap<i64, u64> =
        acknowledged(entries).map(|(id, outcome)| (id, outcome.done_ns)).collect();
    entries.iter().any(|entry| {
        let outcome =
            entry.outcome.as_ref().filter(|outcome| usize::from(outcome.replica) == HALTED);
        let named = outcome.and_then(|outcome| done.get(&outcome.latest?).copied());
        named.is_some_and(|done_ns| {
            Duration::from_nanos(entry.intent.called_ns.saturating_sub(done_ns)) > HALT * 2 / 3
        })
    })
}

#[test]
fn what_a_halted_replica_answers_when_it_wakes_is_stale_and_attributed_to_it() {
    let judged = halted("memory", names_an_old_command);
    assert_eq!(judged.verdict, Verdict::Fail);
    for replica in &judged.details.as_ref().unwrap().replicas {
        let is_halted = usize::from(replica.replica) == HALTED;
        let age = Duration::from_nanos(replica.max_ns);
        assert_eq!(age > HALT / 2, is_halted, "{replica:?}");
        assert!(age < HALT * 2, "{replica:?}");
    }
}

#[test]
fn with_latest_in_the_database_a_halted_replica_is_late_and_never_wrong() {
    let judged = halted("database", |_| true);
    assert_eq!((judged.verdict, judged.wrong), (Verdict::Pass, 0));
    assert_eq!(judged.details.unwrap().staleness.stale, 0);
}
