//! `latest` in Redis where something goes wrong: a server that dies between the commit and the `SET`,
//! the same in the other order, a Redis that forgets.

use super::crash::wait_for_frames;
use super::matrix::trial::Trial;
use super::*;
use limosa_kit::Redis;
use limosa_reports::run::operation::Ack;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// Tells Redis something.
fn tell(redis: &Redis, command: &str) {
    let mut stream = TcpStream::connect(redis.url.trim_start_matches("redis://")).unwrap();
    write!(stream, "{command}\r\nQUIT\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(!answer.starts_with('-'), "{answer}");
}

fn on(redis: &Redis, folder: &Path) -> Server {
    replicas(folder, 1, &redis.url).remove(0)
}

#[test]
#[cfg_attr(not(has_redis), ignore = "needs Debian's package redis-server")]
fn a_server_that_dies_before_it_names_a_command_leaves_latest_behind_and_breaks_no_promise() {
    let folder = tempfile::tempdir().unwrap();
    let is_wanted = |action: &Action| action.whom().is_none();
    let trace = sifted(&trace(folder.path(), 4_000), "tweets.tsv", is_wanted);
    let run = folder.path().join("run");
    let redis = Redis::start().unwrap();
    let first = on(&redis, folder.path());
    let limosa = replay(&trace, &first, &run)
        .args(["--read-latest", "0.2"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for_frames(&run, 1_000);
    // Reads go on; the next command is committed, and its SET waits.
    tell(&redis, "CLIENT PAUSE 60000 WRITE");
    std::thread::sleep(Duration::from_millis(300));
    first.kill();
    redis.kill().unwrap();
    let output = limosa.wait_with_output().unwrap();
    assert_eq!(code(&output), 1);

    redis.resume_service().unwrap();
    let second = on(&redis, folder.path());
    let from_id = crash::resume_id(&text(&output.stderr));
    let writes = || {
        let calls = RunDir::open(&run).unwrap().calls().unwrap().map(Result::unwrap);
        calls.filter(|entry| entry.intent.operation.is_write()).collect::<Vec<_>>()
    };
    let of = |ack: Ack| {
        let ids = writes().into_iter().filter(|entry| entry.ack() == ack);
        ids.map(|entry| entry.intent.command_id).collect::<Vec<_>>()
    };
    let [unanswered] = of(Ack::Indeterminate)[..] else { panic!("one was under way") };
    let named = of(Ack::Acknowledged).pop();
    assert!(named < Some(unanswered));

    let output = replay(&trace, &second, &run)
        .args(["--read-latest", "0.2", "--from-id", &from_id])
        .output()
        .unwrap();
    assert_eq!(code(&output), 1, "the outage is the server's failure");
    let judgement = judgement(&run);
    // It is there, and `latest` named the one before it when the second server came up.
    assert_eq!(judgement.audit.as_ref().unwrap().count(Class::Recovered), 1);
    assert_eq!(violations(&judgement), []);
    let second_part = RunDir::open(&run).unwrap().calls().unwrap().map(Result::unwrap);
    let first_named = second_part.filter(|entry| entry.part == 1).find_map(|entry| {
        let outcome = entry.outcome?;
        outcome.latest
    });
    assert!(first_named >= named, "{first_named:?} {named:?}");
    assert_eq!(verdict_of(&judgement, "latest"), Verdict::Pass);
}

#[test]
#[cfg_attr(not(has_redis), ignore = "needs Debian's package redis-server")]
fn the_other_order_runs_ahead_of_the_data_and_is_found_out() {
    let redis = Redis::start().unwrap();
    let trial = Trial::new("ahead in Redis", 1);
    let judgement = trial.replay_and_kill(&["--latest", &redis.url], "ahead-latest:ms=400", 2);
    let doomed = trial.hit_commands().pop();
    assert_eq!(violations(&judgement), [(Class::LatestAhead, doomed)]);
}

#[test]
#[cfg_attr(not(has_redis), ignore = "needs Debian's package redis-server")]
fn a_redis_that_forgets_is_found_out_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path(), 3_000);
    let run = folder.path().join("run");
    let redis = Redis::start().unwrap();
    let server = on(&redis, folder.path());
    let mut limosa = replay(&trace, &server, &run)
        .args(["--read-latest", "1"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for_frames(&run, 1_000);
    while limosa.try_wait().unwrap().is_none() {
        tell(&redis, "DEL limosa:latest");
        std::thread::sleep(Duration::from_millis(5));
    }
    let judgement = judgement(&run);
    assert_eq!(violations(&judgement), []);
    assert_eq!(verdict_of(&judgement, "audit"), Verdict::Pass);
    let latest = judgement.latest.unwrap();
    assert_eq!(latest.verdict, Verdict::Fail);
    // There is no read before the first command.
    let forgotten = replicas::entries(&run)
        .into_iter()
        .filter(|entry| entry.outcome.as_ref().is_some_and(|outcome| outcome.latest == Some(-1)))
        .count() as u64;
    assert!(forgotten > 0);
    // What the target names after the run is a read too.
    assert!((forgotten..=forgotten + 1).contains(&latest.wrong), "{} {forgotten}", latest.wrong);
}
