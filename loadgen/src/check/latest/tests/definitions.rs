//! The definitions of `LatestDetails`, each computed from the whole history as it stands.

use super::*;
use limosa_reports::run::verdict::latest::{Anomaly, Staleness};
use std::collections::{BTreeMap, BTreeSet};

const LONG: Shape =
    Shape { operations: 40, values: 30, last_call_ns: 120, longest_ns: 30, unique: true };

/// A history by value: only what happened, and only reads of what was written by their return.
struct History {
    initial: i64,
    operations: Vec<Operation>,
}

impl History {
    fn new(initial: i64, operations: &[Operation]) -> Self {
        let mut operations = operations.to_vec();
        operations.retain(|operation| !operation.failed);
        operations.sort_by_key(|operation| operation.call_ns);
        operations.insert(0, Operation::initial(initial));
        Self { initial, operations }
    }

    fn of(&self, value: i64) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(move |operation| operation.value == value)
    }

    fn writes(&self) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(|operation| operation.kind == Kind::Write)
    }

    fn reads(&self) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(|operation| operation.kind == Kind::Read)
    }

    fn written_ns(&self, value: i64) -> Option<u64> {
        self.writes().find(|write| write.value == value).map(|write| write.call_ns)
    }

    fn is_placed(&self, read: &Operation) -> bool {
        self.written_ns(read.value).is_some_and(|call_ns| call_ns <= read.return_ns)
    }

    /// Only the operations for which it holds.
    fn keep(&self, keeps: impl Fn(&Operation) -> bool) -> Self {
        let operations = self.operations.iter().copied().filter(keeps).collect();
        Self { initial: self.initial, operations }
    }

    /// m(v).
    fn done_ns(&self, value: i64) -> u64 {
        self.of(value).map(|operation| operation.return_ns).min().unwrap()
    }

    /// S(v), where every read is called `earlier_ns` earlier; it begins no sooner than its write.
    fn last_call_ns(&self, value: i64, earlier_ns: u64) -> u64 {
        self.of(value)
            .map(|operation| match operation.kind {
                Kind::Write => operation.call_ns,
                Kind::Read => operation.call_ns.saturating_sub(earlier_ns),
            })
            .max()
            .unwrap()
    }

    fn values(&self) -> BTreeSet<i64> {
        self.operations.iter().map(|operation| operation.value).collect()
    }

    /// Whether no two values come before each other.
    fn is_consistent(&self, earlier_ns: u64) -> bool {
        let zones: Vec<_> = self
            .values()
            .into_iter()
            .map(|value| (self.done_ns(value), self.last_call_ns(value, earlier_ns)))
            .collect();
        zones
            .iter()
            .enumerate()
            .all(|(at, one)| zones[..at].iter().all(|other| one.0 >= other.1 || other.0 >= one.1))
    }

    /// The reads that are wrong: each in contradiction with all writes and the right reads before.
    fn wrong(&self) -> Vec<Operation> {
        let mut right = self.keep(|operation| operation.kind == Kind::Write);
        let mut wrong = Vec::new();
        for read in self.reads() {
            right.operations.push(*read);
            if !self.is_placed(read) || !right.is_consistent(0) {
                right.operations.pop();
                wrong.push(*read);
            }
        }
        wrong
    }

    /// By how long and by how many versions a read is behind.
    fn behind(&self, read: &Operation) -> Option<(u64, u64)> {
        let done_ns = self.done_ns(read.value);
        let newer: Vec<u64> = self
            .writes()
            .filter(|write| write.call_ns > done_ns)
            .map(|write| self.done_ns(write.value))
            .filter(|newer_ns| *newer_ns < read.call_ns)
            .collect();
        Some((read.call_ns - newer.iter().min()?, newer.len() as u64))
    }

    fn legal(&self, read: &Operation) -> usize {
        let is_legal = |value: i64| {
            let done_ns = self.done_ns(value);
            !self
                .writes()
                .any(|write| write.call_ns > done_ns && self.done_ns(write.value) < read.call_ns)
        };
        self.writes()
            .filter(|write| write.call_ns <= read.return_ns && is_legal(write.value))
            .count()
    }
}

fn staleness(history: &History) -> Staleness {
    let mut staleness = Staleness { lags: vec![0; 33], ..Staleness::default() };
    let wrong = history.wrong();
    for read in history.reads() {
        let behind = history.behind(read);
        let (ns, versions) = behind.unwrap_or_default();
        staleness.reads += 1;
        staleness.stale += u64::from(behind.is_some());
        staleness.unordered += u64::from(behind.is_none() && wrong.contains(read));
        staleness.lags[versions.min(32) as usize] += 1;
        staleness.ns.max = staleness.ns.max.max(ns);
        staleness.versions.max = staleness.versions.max.max(versions);
    }
    staleness
}

/// Lanes whose operations do not overlap, as clients are.
fn in_turns(mut operations: Vec<Operation>) -> Vec<Operation> {
    operations.sort_by_key(|operation| operation.call_ns);
    let mut free_ns = [0; 4];
    for operation in &mut operations {
        let client = &mut free_ns[operation.client as usize];
        if operation.client > 0 && operation.call_ns > *client {
            *client = operation.return_ns;
        } else {
            operation.client = 0;
        }
    }
    operations
}

proptest! {
    #[test]
    fn wrong_reads_and_staleness_are_what_they_are_defined_to_be(operations in histories(LONG)) {
        prop_assume!(operations.iter().any(|operation| operation.kind == Kind::Read));
        let history = History::new(-1, &operations);
        let found = judged(Some(-1), &operations, Order::None, 1000);
        prop_assert_eq!(found.wrong, history.wrong().len() as u64);
        let placed = history.keep(|o| o.kind == Kind::Write || history.is_placed(o));
        let details = found.details.unwrap();
        let expected = staleness(&placed);
        prop_assert_eq!(details.staleness.ns.max, expected.ns.max);
        prop_assert_eq!(details.staleness.versions.max, expected.versions.max);
        prop_assert_eq!(details.staleness.lags, expected.lags);
        prop_assert_eq!(details.staleness.stale, expected.stale);
        prop_assert_eq!(details.staleness.unordered, expected.unordered);
        prop_assert_eq!(details.staleness.reads, expected.reads);
        let delta_ns = (0..200).find(|earlier_ns| placed.is_consistent(*earlier_ns));
        prop_assert_eq!(Some(details.delta.ns), delta_ns);
        let legal: usize = history.reads().map(|read| placed.legal(read)).sum();
        let mean = legal as f64 / history.reads().count() as f64;
        prop_assert!((found.mean_legal.unwrap() - mean).abs() < 1e-9, "{:?} {}", found.mean_legal, mean);
    }

    #[test]
    fn a_small_memory_accuses_the_same_reads(operations in histories(LONG)) {
        prop_assume!(operations.iter().any(|operation| operation.kind == Kind::Read));
        let whole = judged(Some(-1), &operations, Order::None, 1000);
        let small = judged(Some(-1), &operations, Order::None, 1);
        prop_assert_eq!((whole.verdict, whole.wrong), (small.verdict, small.wrong));
        prop_assert_eq!(whole.mean_legal, small.mean_legal);
        let (whole, small) = (whole.details.unwrap(), small.details.unwrap());
        prop_assert_eq!(whole.staleness.stale, small.staleness.stale);
        prop_assert_eq!(whole.staleness.unordered, small.staleness.unordered);
        prop_assert!(small.staleness.versions.max <= whole.staleness.versions.max);
        prop_assert!(small.staleness.ns.max <= whole.staleness.ns.max);
        let is_less = small.staleness.ns.max < whole.staleness.ns.max
            || small.staleness.versions.max < whole.staleness.versions.max;
        prop_assert!(!is_less || small.staleness.at_least > 0);
        prop_assert!(small.delta.ns == whole.delta.ns || small.delta.at_least);
        prop_assert!(small.delta.ns <= whole.delta.ns);
        for (whole, small) in whole.contracts.iter().zip(&small.contracts) {
            // Which of several values replaced one, and whether that was read, may be forgotten.
            let replaced = [Anomaly::Inversion, Anomaly::Contained];
            let rest = |anomalies: &BTreeMap<Anomaly, u64>| -> BTreeMap<Anomaly, u64> {
                let kept = anomalies.iter().filter(|(anomaly, _)| !replaced.contains(anomaly));
                kept.map(|(anomaly, count)| (*anomaly, *count)).collect()
            };
            prop_assert_eq!(whole.wrong, small.wrong);
            prop_assert_eq!(rest(&whole.anomalies), rest(&small.anomalies));
        }
    }

    #[test]
    fn sessions_are_what_they_are_defined_to_be(operations in histories(LONG)) {
        prop_assume!(operations.iter().any(|operation| operation.kind == Kind::Read));
        let operations = in_turns(operations);
        let all = History::new(-1, &operations);
        let history = all.keep(|o| o.kind == Kind::Write || all.is_placed(o));
        let reads: Vec<_> = history.reads().filter(|read| read.client > 0).collect();
        let broken = |read: &Operation, kind: Kind| {
            let done_ns = history.done_ns(read.value);
            history
                .operations
                .iter()
                .filter(|o| o.client == read.client && o.kind == kind && o.call_ns < read.call_ns)
                .any(|before| history.written_ns(before.value).is_some_and(|ns| done_ns < ns))
        };
        let sessions = details(Some(-1), &operations).sessions;
        prop_assert_eq!(sessions.reads, reads.len() as u64);
        let count = |kind| reads.iter().filter(|read| broken(read, kind)).count() as u64;
        prop_assert_eq!(sessions.monotonic_reads_broken, count(Kind::Read));
        prop_assert_eq!(sessions.own_writes_missed, count(Kind::Write));
    }
}
