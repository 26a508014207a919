//! Real servers whose staleness is known from theory: R replicas with `latest` in the memory of each,
//! one request at a time. The tests of the checkers hold the same for simulated ones.
//!
//! Behind a random balancer a read is k versions behind with probability (1/R)(1-1/R)^k. Behind one
//! that goes round, writes and reads in turns alias: with R = 2 or 4 no write ever reaches a replica
//! that is read, with R = 3 every read is one version behind, with R = 5 two. The routes and the
//! places of the reads are drawn by the seed, so that each run finds the same.

use super::replicas::spread_over;
use super::*;
use limosa_reports::run::verdict::LatestJudgement;

/// Of a normal distribution, one value in 16,000 lies further from its mean than this many standard
/// deviations.
const SIGMAS: f64 = 4.0;

fn judged(count: usize, commands: u64, route: &str, reads: &str) -> LatestJudgement {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path(), commands);
    let servers = replicas(folder.path(), count, "memory");
    let run = folder.path().join("run");
    let output = spread_over(&trace, &servers.iter().collect::<Vec<_>>(), &run, route)
        .args(["--order", "strict", "--read-latest", reads])
        .output()
        .unwrap();
    assert_eq!(code(&output), 1);
    judgement(&run).latest.unwrap()
}

#[test]
fn behind_a_random_balancer_the_lag_is_geometric() {
    for replicas in [2, 3, 5] {
        let judged = judged(replicas, 3_000, "random", "0.7");
        let staleness = judged.details.unwrap().staleness;
        let reads = staleness.reads as f64;
        assert!(reads > 1_500.0);
        let hit = 1.0 / replicas as f64;
        for lag in 0..8 {
            let expected = hit * (1.0 - hit).powi(lag);
            let sigma = (expected * (1.0 - expected) / reads).sqrt();
            let share = staleness.lags.get(lag as usize).map_or(0.0, |count| *count as f64 / reads);
            println!("R = {replicas}, lag {lag}: {share:.4} for {expected:.4} ± {sigma:.4}");
            assert!((share - expected).abs() < SIGMAS * sigma, "R = {replicas}, lag {lag}");
        }
        assert_eq!(judged.wrong, staleness.stale);
    }
}

#[test]
fn behind_a_balancer_that_goes_round_the_lag_aliases() {
    const COMMANDS: u64 = 300;
    for (replicas, lag) in [(3, 1), (5, 2)] {
        let staleness = judged(replicas, COMMANDS, "round-robin", "1").details.unwrap().staleness;
        assert_eq!(staleness.reads, COMMANDS + 1, "one after each command, and one after the run");
        let others = staleness.reads - staleness.lags[lag];
        assert!(others <= replicas as u64, "at first: {:?}", staleness.lags);
    }
    for replicas in [2, 4] {
        let judged = judged(replicas, COMMANDS, "round-robin", "1");
        assert!(judged.wrong >= COMMANDS, "{} wrong", judged.wrong);
        let versions = judged.details.unwrap().staleness.versions;
        assert_eq!(versions.max, COMMANDS, "the last of them still named what was at first");
    }
}
