//! Whether a target merely counts what arrives and ignores the ids.
//!
//! Such a target names at every read its count: no less than it had named before the run and the
//! requests that had ended by the call, and no more than that and the requests that had begun by the
//! return.

use limosa_reports::run::verdict::latest::Counting;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// So few reads show nothing.
const MIN_READS: u64 = 5;

/// A count that may explain the reads.
#[derive(Debug, Default)]
struct Count {
    begun: u64,
    ended: BinaryHeap<Reverse<u64>>,
    ended_before: u64,
    /// Reads under way: their return and what they named.
    reads: BinaryHeap<Reverse<(u64, i64)>>,
    judged: u64,
    range: Option<(i64, i64)>,
    is_refuted: bool,
}

impl Count {
    fn advance(&mut self, now_ns: u64, initial: i64) {
        while self.ended.peek().is_some_and(|Reverse(at_ns)| *at_ns < now_ns) {
            self.ended.pop();
            self.ended_before += 1;
        }
        while let Some(Reverse((return_ns, value))) = self.reads.peek().copied()
            && return_ns < now_ns
        {
            self.reads.pop();
            self.is_refuted |= i128::from(value) > i128::from(initial) + i128::from(self.begun);
        }
    }

    fn request(&mut self, return_ns: u64) {
        self.begun += 1;
        self.ended.push(Reverse(return_ns));
    }

    fn read(&mut self, return_ns: u64, value: i64, initial: i64) {
        self.judged += 1;
        let (least, most) = self.range.unwrap_or((value, value));
        self.range = Some((least.min(value), most.max(value)));
        self.is_refuted |= i128::from(value) < i128::from(initial) + i128::from(self.ended_before);
        self.reads.push(Reverse((return_ns, value)));
    }

    fn explains(&self) -> bool {
        let moves = self.range.is_some_and(|(least, most)| least < most);
        !self.is_refuted && self.judged >= MIN_READS && moves
    }
}

/// Both ways to count.
#[derive(Debug)]
pub(super) struct Counter {
    initial: Option<i64>,
    commands: Count,
    requests: Count,
}

impl Counter {
    pub(super) fn new(initial: Option<i64>) -> Self {
        Self { initial, commands: Count::default(), requests: Count::default() }
    }

    /// Takes a command or a read that may have reached the target.
    pub(super) fn request(
        &mut self,
        call_ns: u64,
        return_ns: u64,
        named: Option<i64>,
        is_write: bool,
    ) {
        let Some(initial) = self.initial else { return };
        for count in [&mut self.commands, &mut self.requests] {
            if !count.is_refuted {
                count.advance(call_ns, initial);
            }
        }
        if !self.requests.is_refuted {
            self.requests.request(return_ns);
        }
        if is_write && !self.commands.is_refuted {
            self.commands.request(return_ns);
        }
        if let Some(value) = named {
            for count in [&mut self.commands, &mut self.requests] {
                if !count.is_refuted {
                    count.read(return_ns, value, initial);
                }
            }
        }
    }

    /// The count that explains every read.
    pub(super) fn finish(mut self) -> Option<Counting> {
        let initial = self.initial?;
        self.commands.advance(u64::MAX, initial);
        self.requests.advance(u64::MAX, initial);
        if self.commands.explains() {
            return Some(Counting::Commands);
        }
        self.requests.explains().then_some(Counting::Requests)
    }
}
