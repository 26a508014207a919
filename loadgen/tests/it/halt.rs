//! A replica that is halted for two seconds while the others go on (SIGSTOP, SIGCONT).
//!
//! What waits in its sockets is answered when it wakes, with what it knew before. A `latest` in its
//! memory is two seconds old then; one in the database is read anew, and nobody can be wrong.
//!
//! A replica that is halted within its transaction keeps the database's lock, and halts the others
//! with it. That shows nothing here, and is tried again.

use super::crash::wait_for_frames;
use super::replicas::spread_over;
use super::*;
use limosa_reports::run::operation::Ack;
use limosa_reports::run::verdict::LatestJudgement;
use std::time::Duration;

const HALTED: usize = 1;
const HALT: Duration = Duration::from_secs(2);

/// How often a halt may meet a transaction.
const TRIES: usize = 6;

/// What was found of a run in which the others went on while one was halted.
fn halted(latest: &str) -> LatestJudgement {
    (0..TRIES).find_map(|_| try_halted(latest)).unwrap()
}

/// Tweets of known users at a steady rate, so that no command waits for another one, over three
/// replicas of which one is halted in between.
fn try_halted(latest: &str) -> Option<LatestJudgement> {
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
    assert_eq!(code(&output.unwrap()), 0);

    let run = folder.path().join("run");
    let mut limosa = spread_over(&tweets, &all, &run, "random")
        .args(["--order", "none", "--rate", "150", "--duration", "7s", "--read-latest", "0.5"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for_frames(&run, 600);
    servers[HALTED].halt().unwrap();
    std::thread::sleep(HALT);
    servers[HALTED].go_on().unwrap();
    limosa.wait().unwrap();
    let judgement = judgement(&run);
    assert_eq!(verdict_of(&judgement, "audit"), Verdict::Pass);
    (longest_pause_of_others(&run) < HALT / 4).then(|| judgement.latest.unwrap())
}

/// The longest time in which no other replica acknowledged a command.
fn longest_pause_of_others(run: &Path) -> Duration {
    let mut done: Vec<u64> = super::replicas::entries(run)
        .into_iter()
        .filter(|entry| entry.intent.operation.is_write() && entry.ack() == Ack::Acknowledged)
        .filter_map(|entry| entry.outcome)
        .filter(|outcome| usize::from(outcome.replica) != HALTED)
        .map(|outcome| outcome.done_ns)
        .collect();
    done.sort_unstable();
    done.windows(2).map(|pair| Duration::from_nanos(pair[1] - pair[0])).max().unwrap()
}

#[test]
fn what_a_halted_replica_answers_when_it_wakes_is_stale_and_attributed_to_it() {
    let judged = halted("memory");
    assert_eq!(judged.verdict, Verdict::Fail);
    for replica in &judged.details.as_ref().unwrap().replicas {
        let is_halted = usize::from(replica.replica) == HALTED;
        let age = Duration::from_nanos(replica.max_ns);
        assert_eq!(age > HALT / 2, is_halted, "{replica:?}");
        assert!(!is_halted || age < HALT * 2, "{replica:?}");
    }
}

#[test]
fn with_latest_in_the_database_a_halted_replica_is_late_and_never_wrong() {
    let judged = halted("database");
    assert_eq!((judged.verdict, judged.wrong), (Verdict::Pass, 0));
    assert_eq!(judged.details.unwrap().staleness.stale, 0);
}
