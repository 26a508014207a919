//! A value that was written, and how a read of one stands to the others.

use super::history::Operation;

/// A value that was written.
#[derive(Debug)]
pub(super) struct Value {
    pub(super) write: Operation,
    reads: Option<Box<Reads>>,
    /// How many writes had been called when it settled; `None` while it has not.
    pub(super) calls_before: Option<u64>,
}

/// Of a value that was read.
#[derive(Debug)]
struct Reads {
    /// The operation that returned first.
    first: Operation,
    /// The operation that was called last.
    last: Operation,
}

impl Value {
    pub(super) fn new(write: Operation) -> Self {
        Self { write, reads: None, calls_before: None }
    }

    pub(super) fn first(&self) -> Operation {
        self.reads.as_ref().map_or(self.write, |reads| reads.first)
    }

    pub(super) fn last(&self) -> Operation {
        self.reads.as_ref().map_or(self.write, |reads| reads.last)
    }

    /// m(v).
    pub(super) fn done_ns(&self) -> u64 {
        self.first().return_ns
    }

    pub(super) fn add(&mut self, read: Operation) {
        let (mut first, mut last) = (self.first(), self.last());
        if read.return_ns < first.return_ns {
            first = read;
        }
        if read.call_ns >= last.call_ns {
            last = read;
        }
        self.reads = Some(Box::new(Reads { first, last }));
    }
}

/// How a read stands to what came before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing contradicts it.
    Fits,
    /// A finished write had replaced what it names.
    Stale(Behind, Rival),
    /// Not stale, and yet what it names was over when another value was read.
    Unordered(Rival),
    /// What it names was written twice and either may be meant.
    Ambiguous,
}

/// How far a stale read is behind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Behind {
    /// Since when, at the latest, the value had been replaced, up to the call.
    pub(super) ns: u64,
    /// How many writes were called after the value was there and finished before the call.
    pub(super) versions: u64,
    /// The value lies further back than is kept: both are lower bounds.
    pub(super) at_least: bool,
}

/// The operations that contradict a read; see `Witness`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rival {
    pub(super) finished: Option<Operation>,
    pub(super) followed: Option<Operation>,
    pub(super) seen: Option<Operation>,
    /// The other value was read after it was there.
    pub(super) is_forward: bool,
}

/// What is known of the value that a read names, for the measures.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named {
    /// m(v), the read itself left out.
    pub(super) done_ns: u64,
    /// When it was written.
    pub(super) write_call_ns: u64,
    /// Both are upper bounds: the value is no longer kept.
    pub(super) is_forgotten: bool,
}

impl Named {
    /// Of a write that is the first operation with its value.
    pub(super) fn at(write: &Operation) -> Self {
        Self { done_ns: write.return_ns, write_call_ns: write.call_ns, is_forgotten: false }
    }
}
