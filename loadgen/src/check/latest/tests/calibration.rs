//! Simulated targets whose staleness is known from theory: R replicas behind a load balancer, each
//! with its own `latest` in memory, one request at a time.
//!
//! Behind a random balancer a read reaches the replica that took the last write with probability
//! 1/R, the one before with (1/R)(1-1/R), and so on: k versions behind with (1/R)(1-1/R)^k, in the
//! mean R-1. Behind one that goes round, strictly alternating writes and reads alias: with R = 2 or 4
//! no write ever reaches a replica that is read.

use super::*;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// A read after each of so many writes.
const WRITES: u64 = 20_000;
/// Of a normal distribution, one value in 16,000 lies further from its mean than this many standard
/// deviations.
const SIGMAS: f64 = 4.0;

/// Writes and reads in turns; `route` chooses the replica of each request by its number.
fn simulated(replicas: usize, mut route: impl FnMut(u64) -> usize) -> LatestJudgement {
    let mut held = vec![-1; replicas];
    let mut operations = Vec::new();
    for request in 0..2 * WRITES {
        let replica = route(request);
        let call_ns = 1 + 10 * request;
        let id = (request / 2) as i64;
        let operation = if request % 2 == 0 {
            held[replica] = id;
            write(id, call_ns, call_ns + 5)
        } else {
            read(held[replica], call_ns, call_ns + 5)
        };
        let source = Source::Request(0, request, replica as u16);
        operations.push(Operation { source, client: 1, ..operation });
    }
    judged(Some(-1), &operations, Order::None, super::super::checker::KEPT_VALUES)
}

#[test]
fn behind_a_random_balancer_the_lag_is_geometric() {
    for replicas in [2, 3, 5] {
        let mut dice = ChaCha8Rng::seed_from_u64(replicas as u64);
        let judgement = simulated(replicas, |_| dice.random_range(0..replicas));
        let staleness = judgement.details.unwrap().staleness;
        assert_eq!((staleness.reads, staleness.at_least), (WRITES, 0));
        let hit = 1.0 / replicas as f64;
        for lag in 0..12 {
            let expected = hit * (1.0 - hit).powi(lag);
            let sigma = (expected * (1.0 - expected) / WRITES as f64).sqrt();
            let share = staleness.lags[lag as usize] as f64 / WRITES as f64;
            let off = (share - expected).abs() / sigma;
            assert!(off < SIGMAS, "R = {replicas}, lag {lag}: {share} for {expected}");
        }
        assert_eq!(staleness.stale, WRITES - staleness.lags[0]);
        assert_eq!(judgement.wrong, staleness.stale);
        assert_eq!(judgement.mean_legal, Some(1.0));
    }
}

#[test]
fn behind_a_balancer_that_goes_round_the_lag_aliases() {
    for (replicas, lag) in [(3, 1), (5, 2)] {
        let judgement = simulated(replicas, |request| (request % replicas as u64) as usize);
        let details = judgement.details.unwrap();
        let start = details.staleness.lags[..lag].iter().sum::<u64>();
        assert_eq!(details.staleness.lags[lag] + start, WRITES);
        assert!(start <= replicas as u64, "{start}");
        assert_eq!(details.counting, None);
    }
    for replicas in [2, 4] {
        let judgement = simulated(replicas, |request| (request % replicas as u64) as usize);
        assert_eq!((judgement.wrong, judgement.last_reported), (WRITES, Some(-1)));
        let staleness = judgement.details.unwrap().staleness;
        assert_eq!(staleness.versions.max, WRITES);
    }
}

#[test]
fn one_replica_is_never_behind() {
    let judgement = simulated(1, |_| 0);
    assert_eq!((judgement.verdict, judgement.wrong), (Verdict::Pass, 0));
    let sessions = judgement.details.unwrap().sessions;
    assert_eq!(sessions.reads, WRITES);
    assert_eq!((sessions.monotonic_reads_broken, sessions.own_writes_missed), (0, 0));
}
