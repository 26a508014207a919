//! What a progress line shows, shared between the sending thread and the drawing one.

use hdrhistogram::Histogram;
use limosa_reports::run::histograms;
use limosa_reports::run::operation::{Ack, Operation};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

const NS_PER_SECOND: u64 = 1_000_000_000;

/// Counts that are read while they grow.
#[derive(Debug, Default)]
pub struct Live {
    done: AtomicU64,
    errors: AtomicU64,
    last_id: AtomicI64,
    p50_ns: AtomicU64,
    p99_ns: AtomicU64,
}

/// The counts at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    /// Commands that ended.
    pub done: u64,
    /// Those without an acknowledgement; a register that was refused is none: its user is there
    /// already.
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
        Snapshot {
            done: self.done.load(Ordering::Relaxed),
            errors: self.errors.load(Ordering::Relaxed),
            last_id: self.last_id.load(Ordering::Relaxed),
            p50_ns: self.p50_ns.load(Ordering::Relaxed),
            p99_ns: self.p99_ns.load(Ordering::Relaxed),
        }
    }

    pub(super) fn count(&self, operation: Operation, ack: Ack, id: i64) {
        let is_usual =
            ack == Ack::Acknowledged || (operation == Operation::Register && ack == Ack::Rejected);
        self.done.fetch_add(1, Ordering::Relaxed);
        self.errors.fetch_add(u64::from(!is_usual), Ordering::Relaxed);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_register_is_no_error_and_a_refused_tweet_is_one() {
        let live = Live::default();
        for (operation, ack, errors) in [
            (Operation::Register, Ack::Acknowledged, 0),
            (Operation::Register, Ack::Rejected, 0),
            (Operation::Tweet, Ack::Rejected, 1),
            (Operation::Register, Ack::NotSent, 2),
            (Operation::Follow, Ack::Indeterminate, 3),
        ] {
            live.count(operation, ack, 7);
            assert_eq!(live.snapshot().errors, errors, "{operation:?} {ack:?}");
        }
        assert_eq!((live.snapshot().done, live.snapshot().last_id), (5, 7));
    }
}
