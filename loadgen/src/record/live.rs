//! What a progress line shows, shared between the sending thread and the drawing one.

use hdrhistogram::Histogram;
use limosa_reports::run::histograms;
use limosa_reports::run::operation::Ack;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

const NS_PER_SECOND: u64 = 1_000_000_000;

/// Counts that are read while they grow.
#[derive(Debug, Default)]
pub struct Live {
    outcomes: [AtomicU64; Ack::ALL.len()],
    last_id: AtomicI64,
    p50_ns: AtomicU64,
    p99_ns: AtomicU64,
}

/// The counts at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    /// Commands that ended.
    pub done: u64,
    /// Those without an acknowledgement.
    pub errors: u64,
    /// The id of the last of them.
    pub last_id: i64,
    /// The median service time of the last whole second, in nanoseconds.
    pub p50_ns: u64,
    /// Its 99th percentile.
    pub p99_ns: u64,
}

impl Live {
    /// The counts now.
    pub fn snapshot(&self) -> Snapshot {
        let count = |ack: Ack| self.outcomes[ack as usize].load(Ordering::Relaxed);
        let done = Ack::ALL.into_iter().map(count).sum();
        Snapshot {
            done,
            errors: done - count(Ack::Acknowledged),
            last_id: self.last_id.load(Ordering::Relaxed),
            p50_ns: self.p50_ns.load(Ordering::Relaxed),
            p99_ns: self.p99_ns.load(Ordering::Relaxed),
        }
    }

    pub(super) fn count(&self, ack: Ack, id: i64) {
        self.outcomes[ack as usize].fetch_add(1, Ordering::Relaxed);
        self.last_id.store(id, Ordering::Relaxed);
    }
}

/// The service times of the current second, published when it is over.
#[derive(Debug)]
pub(super) struct LastSecond {
    second: u64,
    histogram: Histogram<u64>,
}

impl LastSecond {
    pub(super) fn new() -> Self {
        Self { second: 0, histogram: histograms::empty() }
    }

    pub(super) fn record(&mut self, done_ns: u64, service_ns: u64, live: &Live) {
        let second = done_ns / NS_PER_SECOND;
        if second != self.second {
            live.p50_ns.store(self.histogram.value_at_quantile(0.5), Ordering::Relaxed);
            live.p99_ns.store(self.histogram.value_at_quantile(0.99), Ordering::Relaxed);
            self.histogram.reset();
            self.second = second;
        }
        self.histogram.saturating_record(service_ns);
    }
}
