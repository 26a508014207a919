//! Three replicas on one PostgreSQL, as a team runs them.

use super::end_to_end::course_trace;
use super::replicas::spread_over;
use super::*;
use limosa_kit::{Postgres, Shutdown};
use std::time::Duration;

const REPLICAS: usize = 3;

#[test]
#[cfg_attr(not(has_postgres), ignore = "needs Debian's package postgresql, or DATABASE_URL")]
fn the_course_passes_in_both_orders() {
    for order in [&["--order", "strict"][..], &["--order", "user", "--connections", "64"]] {
        let database = Postgres::shared().unwrap().database().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let trace = course_trace(folder.path());
        let servers = replicas_with(folder.path(), REPLICAS, &["--database", &database.url]);
        let run = folder.path().join("run");
        let output = spread_over(&trace, &servers.iter().collect::<Vec<_>>(), &run, "random")
            .args(order)
            .output()
            .unwrap();
        assert_ne!(code(&output), 1, "only a busy machine makes it unknown");
        let judgement = judgement(&run);
        assert_eq!(verdict_of(&judgement, "audit"), Verdict::Pass);
        let latest = judgement.latest.unwrap();
        assert_eq!((latest.verdict, latest.wrong), (Verdict::Pass, 0));
        println!("{order:?}: {} reads, |L| {:?}", latest.reads, latest.mean_legal);
    }
}

/// The servers wait for the database, and their clients for them.
#[test]
#[cfg_attr(not(has_postgres), ignore = "needs Debian's package postgresql")]
fn a_database_that_restarts_costs_latency_and_no_write() {
    let postgres = Postgres::start().unwrap();
    let database = postgres.database().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path(), 4_000);
    let servers =
        replicas_with(folder.path(), REPLICAS, &["--database", &database.url, "--retry-for", "60"]);
    let run = folder.path().join("run");
    let mut limosa = spread_over(&trace, &servers.iter().collect::<Vec<_>>(), &run, "random")
        .args(["--order", "user", "--connections", "256", "--rate", "250"])
        .args(["--response-timeout", "60"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut restarts = 0;
    while limosa.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_secs(2));
        if restarts < 5 {
            let shutdown = [Shutdown::Fast, Shutdown::Immediate][restarts % 2];
            postgres.stop(shutdown).unwrap();
            std::thread::sleep(Duration::from_millis(300));
            postgres.resume_service().unwrap();
            restarts += 1;
        }
    }
    assert_eq!(restarts, 5, "the run was over too early");
    let judgement = judgement(&run);
    println!("{}", judgement.headline);
    assert_eq!(violations(&judgement), []);
    assert_eq!(verdict_of(&judgement, "audit"), Verdict::Pass);
    let latest = judgement.latest.unwrap();
    assert_eq!((latest.verdict, latest.wrong), (Verdict::Pass, 0));
    let slowest = super::replicas::entries(&run)
        .iter()
        .filter_map(|entry| entry.outcome.as_ref())
        .map(|outcome| Duration::from_nanos(outcome.done_ns - outcome.sent_ns))
        .max()
        .unwrap();
    assert!(slowest > Duration::from_millis(300), "nobody was held up: {slowest:?}");
}
