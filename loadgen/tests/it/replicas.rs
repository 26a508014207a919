//! Several targets at once, and several generators at once.

use super::*;
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::operation::{Ack, Operation};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

pub(super) fn spread_over(trace: &Path, servers: &[&Server], run: &Path, route: &str) -> Command {
    let mut command = Command::new(LIMOSA);
    command.arg("replay").arg(trace).args(["--quiet", "--settle", "0.2", "--route", route]);
    for server in servers {
        command.arg("--target").arg(server.url().to_string());
    }
    command.arg("--run-dir").arg(run).stdin(Stdio::null());
    command
}

pub(super) fn entries(run: &Path) -> Vec<Entry> {
    RunDir::open(run).unwrap().entries().unwrap().map(Result::unwrap).collect()
}

/// How many requests each replica had.
fn by_replica(run: &Path) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for entry in entries(run) {
        *counts.entry(entry.outcome.unwrap().replica).or_default() += 1;
    }
    counts
}

#[test]
fn two_servers_on_one_database_are_one_service() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path(), 3_000);
    let servers = [server(folder.path(), &[]), server(folder.path(), &[])];
    for (route, order) in [("round-robin", "strict"), ("random", "user"), ("user", "user")] {
        let run = folder.path().join(format!("run-{route}"));
        let mut command = spread_over(&trace, &[&servers[0], &servers[1]], &run, route);
        assert_eq!(code(&command.args(["--order", order]).output().unwrap()), 0, "{route}");
        let counts = by_replica(&run);
        let total: usize = counts.values().sum();
        assert!(counts.values().all(|count| *count > total / 3), "{route}: {counts:?}");
        if route == "user" {
            let mut homes: BTreeMap<String, u16> = BTreeMap::new();
            for entry in entries(&run).into_iter().filter(|one| one.intent.operation.is_write()) {
                let replica = entry.outcome.unwrap().replica;
                assert_eq!(*homes.entry(entry.intent.user).or_insert(replica), replica);
            }
        }
        assert_eq!(RunDir::open(&run).unwrap().manifest().unwrap().targets.len(), 2);
    }
}

#[test]
fn a_failover_goes_on_at_the_next_target_and_nothing_goes_unsent() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path(), 4_000);
    let run = folder.path().join("run");
    let (first, second) = (server(folder.path(), &[]), server(folder.path(), &[]));
    let limosa = spread_over(&trace, &[&first, &second], &run, "failover")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    crash::wait_for_frames(&run, 2_000);
    first.kill();
    let output = limosa.wait_with_output().unwrap();
    code(&output);
    let judgement = judgement(&run);
    assert_eq!(verdict_of(&judgement, "audit"), Verdict::Pass);
    assert_eq!(verdict_of(&judgement, "complete"), Verdict::Pass);
    let counts = by_replica(&run);
    assert!(counts[&0] > 500 && counts[&1] > 500, "{counts:?}");
    let of = |ack: Ack| entries(&run).iter().filter(|entry| entry.ack() == ack).count();
    assert_eq!(of(Ack::NotSent), 0);
    assert!(of(Ack::Indeterminate) <= 1, "only what was under way at the kill");
}

#[test]
fn reads_are_placed_between_the_commands() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path(), 1_500);
    let run = folder.path().join("run");
    let server = server(folder.path(), &[]);
    let output = replay(&trace, &server, &run)
        .args(["--order", "user", "--rate", "500", "--read", "user_messages=0.5,follows=20%"])
        .args(["--read", "messages=20/s", "--warm-up", "500ms"])
        .output()
        .unwrap();
    assert_eq!(code(&output), 0);
    let mut counts: BTreeMap<Operation, usize> = BTreeMap::new();
    for entry in entries(&run) {
        assert_eq!(entry.ack(), Ack::Acknowledged, "{entry:?}");
        *counts.entry(entry.intent.operation).or_default() += 1;
    }
    assert!((650..850).contains(&counts[&Operation::UserMessages]), "{counts:?}");
    assert!((230..370).contains(&counts[&Operation::Follows]), "{counts:?}");
    assert!((25..100).contains(&counts[&Operation::Messages]), "{counts:?}");
    let phases = RunDir::open(&run).unwrap().manifest().unwrap().parts.remove(0).phases;
    assert_eq!(phases.iter().map(|phase| phase.warm_up).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn time_ends_a_run_in_both_models() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path(), 200_000);
    let server = server(folder.path(), &[]);
    for pace in [&["--ramp", "0:400:2s"][..], &[][..]] {
        let run = folder.path().join(format!("run-{}", pace.len()));
        let began = Instant::now();
        let output = replay(&trace, &server, &run)
            .args(["--order", "user", "--duration", "2s"])
            .args(pace)
            .output()
            .unwrap();
        // A second run finds the first one's users there.
        code(&output);
        assert!(began.elapsed() < Duration::from_secs(30));
        let judgement = judgement(&run);
        assert_eq!(verdict_of(&judgement, "complete"), Verdict::Pass);
        assert_eq!(verdict_of(&judgement, "audit"), Verdict::Pass);
        if !pace.is_empty() {
            assert_eq!(judgement.totals.tried(), 400, "the area under the ramp");
        }
    }
}

#[test]
fn shards_that_run_together_send_what_one_would_send() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path(), 3_000);
    let server = server(folder.path(), &[]);
    let runs = [1, 2].map(|index| folder.path().join(format!("run-{index}")));
    let limosas = [1, 2].map(|index| {
        replay(&trace, &server, &runs[index - 1])
            .args(["--order", "user", "--connections", "8", "--shard", &format!("{index}/2")])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    });
    for limosa in limosas {
        assert_eq!(code(&limosa.wait_with_output().unwrap()), 0);
    }
    let mut ids: Vec<i64> = runs
        .iter()
        .flat_map(|run| entries(run))
        .filter(|entry| entry.intent.operation.is_write())
        .map(|entry| entry.intent.command_id)
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..3_000).collect::<Vec<_>>());

    let both = folder.path().join("both");
    let merged = Command::new(LIMOSA).arg("merge").args(&runs).arg("--into").arg(&both).output();
    assert_eq!(code(&merged.unwrap()), 0);
    let judgement = judgement(&both);
    assert_eq!((judgement.totals.tried(), violations(&judgement)), (3_000, vec![]));
    assert_eq!(verdict_of(&judgement, "complete"), Verdict::Pass);
}
