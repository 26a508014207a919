//! How far the reads were behind, who answered them, and when.

use super::history::Operation;
use super::value::Behind;
use hdrhistogram::Histogram;
use limosa_reports::run::verdict::latest::{CourseBin, ReplicaReads, Spread, Staleness};
use std::collections::BTreeMap;

/// Lags from this many versions on are counted together.
const LAGS: usize = 32;
/// A course of more bins than this is halved.
const BINS: u64 = 240;
const FIRST_WIDTH_NS: u64 = 1_000_000;
/// Digits that the spreads are exact to.
const DIGITS: u8 = 3;

/// What became of one read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Judged {
    /// Wrong by the contract of the run.
    pub(super) is_wrong: bool,
    /// Its value had been written.
    pub(super) is_placed: bool,
    /// Of a stale read: how far.
    pub(super) behind: Option<Behind>,
    /// Not stale, and yet it contradicts an earlier read.
    pub(super) is_unordered: bool,
}

/// The measures of all reads so far.
#[derive(Debug)]
pub(super) struct Measures {
    staleness: Staleness,
    versions: Option<Histogram<u64>>,
    ns: Option<Histogram<u64>>,
    replicas: BTreeMap<u16, ReplicaReads>,
    course: BTreeMap<(u64, u16), CourseBin>,
    width_ns: u64,
}

impl Measures {
    pub(super) fn new() -> Self {
        Self {
            staleness: Staleness { lags: vec![0; LAGS + 1], ..Staleness::default() },
            versions: Histogram::new(DIGITS).ok(),
            ns: Histogram::new(DIGITS).ok(),
            replicas: BTreeMap::new(),
            course: BTreeMap::new(),
            width_ns: FIRST_WIDTH_NS,
        }
    }

    /// The longest time by which a read was behind, and whether it may be longer.
    pub(super) fn max_behind(&self) -> (u64, bool) {
        (self.staleness.ns.max, self.staleness.at_least > 0)
    }

    /// Takes a read and what became of it.
    pub(super) fn read(&mut self, read: &Operation, judged: &Judged) {
        if judged.is_placed {
            self.placed(judged);
        }
        if let Some(replica) = read.replica() {
            self.by_replica(replica, judged);
            self.in_course(read, replica, judged);
        }
    }

    fn placed(&mut self, judged: &Judged) {
        let staleness = &mut self.staleness;
        staleness.reads += 1;
        staleness.unordered += u64::from(judged.is_unordered);
        let behind = judged.behind.unwrap_or_default();
        let lag = usize::try_from(behind.versions).unwrap_or(LAGS).min(LAGS);
        staleness.lags[lag] += 1;
        if judged.behind.is_some() {
            staleness.stale += 1;
            staleness.at_least += u64::from(behind.at_least);
            staleness.versions.max = staleness.versions.max.max(behind.versions);
            staleness.ns.max = staleness.ns.max.max(behind.ns);
            for (histogram, value) in
                [(&mut self.versions, behind.versions), (&mut self.ns, behind.ns)]
            {
                if let Some(histogram) = histogram {
                    record(histogram, value);
                }
            }
        }
    }

    fn by_replica(&mut self, replica: u16, judged: &Judged) {
        let behind = judged.behind.unwrap_or_default();
        let reads = self.replicas.entry(replica).or_insert(ReplicaReads {
            replica,
            reads: 0,
            wrong: 0,
            stale: 0,
            max_versions: 0,
            max_ns: 0,
        });
        reads.reads += 1;
        reads.wrong += u64::from(judged.is_wrong);
        reads.stale += u64::from(judged.behind.is_some());
        reads.max_versions = reads.max_versions.max(behind.versions);
        reads.max_ns = reads.max_ns.max(behind.ns);
    }

    fn in_course(&mut self, read: &Operation, replica: u16, judged: &Judged) {
        while read.call_ns / self.width_ns >= BINS {
            self.halve();
        }
        let behind = judged.behind.unwrap_or_default();
        let start_ns = read.call_ns / self.width_ns * self.width_ns;
        let bin = CourseBin {
            start_ns,
            width_ns: self.width_ns,
            replica,
            reads: 1,
            wrong: u64::from(judged.is_wrong),
            max_versions: behind.versions,
            max_ns: behind.ns,
            last_reported: read.value,
        };
        join(&mut self.course, bin);
    }

    fn halve(&mut self) {
        self.width_ns *= 2;
        for bin in std::mem::take(&mut self.course).into_values() {
            let start_ns = bin.start_ns / self.width_ns * self.width_ns;
            join(&mut self.course, CourseBin { start_ns, width_ns: self.width_ns, ..bin });
        }
    }

    /// The staleness, the replicas, the course.
    pub(super) fn finish(self) -> (Staleness, Vec<ReplicaReads>, Vec<CourseBin>) {
        let mut staleness = self.staleness;
        for (histogram, spread) in
            [(self.versions, &mut staleness.versions), (self.ns, &mut staleness.ns)]
        {
            // Without a stale read, a histogram would name a quantile of nothing.
            if let Some(histogram) = histogram.filter(|histogram| !histogram.is_empty()) {
                let at = |quantile| histogram.value_at_quantile(quantile);
                let max = spread.max;
                *spread = Spread { p50: at(0.5).min(max), p99: at(0.99).min(max), max };
            }
        }
        (staleness, self.replicas.into_values().collect(), self.course.into_values().collect())
    }
}

/// Only `record` lets a histogram grow; the saturating way clamps to the range that it has.
fn record(histogram: &mut Histogram<u64>, value: u64) {
    if histogram.record(value).is_err() {
        histogram.saturating_record(value);
    }
}

/// Joins a bin to the one of its start and replica; what `bin` reports is later.
fn join(course: &mut BTreeMap<(u64, u16), CourseBin>, bin: CourseBin) {
    course
        .entry((bin.start_ns, bin.replica))
        .and_modify(|known| {
            *known = CourseBin {
                reads: known.reads + bin.reads,
                wrong: known.wrong + bin.wrong,
                max_versions: known.max_versions.max(bin.max_versions),
                max_ns: known.max_ns.max(bin.max_ns),
                ..bin
            };
        })
        .or_insert(bin);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::latest::history::{Kind, Source};

    #[test]
    fn spreads_hold_values_of_every_size() {
        let mut measures = Measures::new();
        for ns in (1..=100).map(|share| share * 1_000_000) {
            let read = Operation {
                kind: Kind::Read,
                value: 1,
                call_ns: ns,
                return_ns: ns,
                failed: false,
                client: 0,
                source: Source::Around,
            };
            let behind = Some(Behind { ns, versions: ns, at_least: false });
            measures.read(&read, &Judged { is_placed: true, behind, ..Judged::default() });
        }
        let (staleness, ..) = measures.finish();
        for spread in [staleness.ns, staleness.versions] {
            assert!(spread.p50.abs_diff(50_000_000) < 50_000, "{spread:?}");
            assert!(spread.p99.abs_diff(99_000_000) < 100_000, "{spread:?}");
            assert_eq!(spread.max, 100_000_000);
        }
    }
}
