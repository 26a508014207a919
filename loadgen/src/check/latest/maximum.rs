//! Contract C2: a linearizable register that keeps the largest id, for servers that store
//! `max(latest, id)`.
//!
//! In such a register the values come in the order of their size, so a read of v is right if and
//! only if v was written before the read returned, and no operation with a larger value had returned
//! before both the read and the first write of v were called.

use super::history::{ByReturn, Operation};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The largest value that is there, and those that may be next.
#[derive(Debug)]
pub(super) struct Maximum {
    /// Operations whose value is larger than the largest, by their return.
    under_way: BinaryHeap<Reverse<ByReturn>>,
    largest: Option<Operation>,
}

impl Maximum {
    pub(super) fn new(initial: Option<i64>) -> Self {
        Self { under_way: BinaryHeap::new(), largest: initial.map(Operation::initial) }
    }

    /// Takes in what returned before `now_ns`.
    pub(super) fn advance(&mut self, now_ns: u64) {
        while let Some(Reverse(ByReturn(next))) = self.under_way.peek()
            && next.return_ns < now_ns
        {
            let next = *next;
            self.under_way.pop();
            if self.exceeds(next.value) {
                self.largest = Some(next);
            }
        }
    }

    fn exceeds(&self, value: i64) -> bool {
        self.largest.is_none_or(|largest| value > largest.value)
    }

    /// Takes a write.
    pub(super) fn write(&mut self, write: Operation) {
        if !write.is_open() && self.exceeds(write.value) {
            self.under_way.push(Reverse(ByReturn(write)));
        }
    }

    /// Judges a read when it and the first write of its value have been called; returns the larger
    /// operation that contradicts it.
    pub(super) fn read(&mut self, read: Operation) -> Option<Operation> {
        match self.largest {
            Some(largest) if largest.value > read.value => Some(largest),
            Some(largest) if largest.value == read.value => None,
            _ => {
                self.under_way.push(Reverse(ByReturn(read)));
                None
            }
        }
    }
}
