//! Whether a target merely counts what arrives and ignores the ids.
//!
//! Such a target names at every read its count: no less than it had named before the run and the
//! requests that had ended by the call, and no more than that and the requests that had begun by the
//! return.

use super::history::OPEN_NS;
use limosa_reports::run::verdict::latest::Counting;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// So few reads show nothing.
const MIN_READS: u64 = 5;

/// A count that may explain the reads.
#[derive(Debug, Default)]
struct Count {
    begun: u64,
    ended: u64,
    /// When the requests under way return.
    under_way: BinaryHeap<Reverse<u64>>,
    /// Reads under way: their return and what they named.
    reads: BinaryHeap<Reverse<(u64, i64)>>,
    judged: u64,
    /// The least and the largest value that was read.
    range: Option<(i64, i64)>,
}

impl Count {
    /// Takes in what returned before `now_ns`; returns whether the count is still possible.
    fn advance(&mut self, now_ns: u64, initial: i64) -> bool {
        while self.under_way.peek().is_some_and(|Reverse(return_ns)| *return_ns < now_ns) {
            self.under_way.pop();
            self.ended += 1;
        }
        while let Some(Reverse((return_ns, value))) = self.reads.peek().copied()
            && return_ns < now_ns
        {
            self.reads.pop();
            if i128::from(value) > i128::from(initial) + i128::from(self.begun) {
                return false;
            }
        }
        true
    }

    /// Takes a request that is counted.
    fn request(&mut self, return_ns: u64) {
        self.begun += 1;
        if return_ns != OPEN_NS {
            self.under_way.push(Reverse(return_ns));
        }
    }

    /// Takes a read; returns whether the count is still possible.
    fn read(&mut self, return_ns: u64, value: i64, initial: i64) -> bool {
        self.judged += 1;
        let (least, most) = self.range.unwrap_or((value, value));
        self.range = Some((least.min(value), most.max(value)));
        self.reads.push(Reverse((return_ns, value)));
        i128::from(value) >= i128::from(initial) + i128::from(self.ended)
    }

    fn explains(&self) -> bool {
        let moves = self.range.is_some_and(|(least, most)| least < most);
        self.judged >= MIN_READS && moves
    }
}

/// Both ways to count; `None` once a read contradicts it, or where the start is unknown.
#[derive(Debug)]
pub(super) struct Counter {
    initial: i64,
    commands: Option<Count>,
    requests: Option<Count>,
}

impl Counter {
    pub(super) fn new(initial: Option<i64>) -> Self {
        Self {
            initial: initial.unwrap_or_default(),
            commands: initial.map(|_| Count::default()),
            requests: initial.map(|_| Count::default()),
        }
    }

    /// Takes a request that may have reached the target; of an answered read of `latest`, what it
    /// named.
    pub(super) fn request(
        &mut self,
        call_ns: u64,
        return_ns: u64,
        named: Option<i64>,
        is_write: bool,
    ) {
        let initial = self.initial;
        for (slot, is_counted) in [(&mut self.commands, is_write), (&mut self.requests, true)] {
            let Some(count) = slot else { continue };
            let mut is_possible = count.advance(call_ns, initial);
            if is_counted {
                count.request(return_ns);
            }
            if let Some(value) = named {
                is_possible &= count.read(return_ns, value, initial);
            }
            if !is_possible {
                *slot = None;
            }
        }
    }

    /// The count that explains every read.
    pub(super) fn finish(self) -> Option<Counting> {
        [(self.commands, Counting::Commands), (self.requests, Counting::Requests)]
            .into_iter()
            .find_map(|(count, counting)| {
                let mut count = count?;
                (count.advance(OPEN_NS, self.initial) && count.explains()).then_some(counting)
            })
    }
}
