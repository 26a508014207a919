//! What of a history can still matter, as its operations pass in the order of their calls.
//!
//! Of every value v two times count: m(v), when the first operation that wrote or read it had
//! returned, and S(v), when the last one was called. A value is *settled* once an operation is
//! called after m(v): from then on m(v) cannot change. Two values contradict each other if
//! m(v) < S(w) and m(w) < S(v), for each then comes before the other; and a history of unique
//! values is linearizable if no two do and no value is read before its write is called (Gibbons and
//! Korach, "Testing shared memories", 1997).
//!
//! So of the settled values only the two largest S are needed to judge a read, and a value whose
//! m lies below the call of a settled write is over for good: every later read of it is wrong. It is
//! kept for a while all the same, so that the report can tell how far such a read is behind.

use super::history::{OPEN_NS, Operation};
use super::value::{Behind, Named, Rival, Standing, Value};
use crate::check::ids::IdSet;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

/// A value that has settled.
#[derive(Debug, Clone, Copy)]
struct Settled {
    value: i64,
    /// m(v).
    done_ns: u64,
    /// How many writes had been called by then.
    calls_before: u64,
}

/// A settled write that was called after all that settled before it.
#[derive(Debug, Clone, Copy)]
struct Overwriter {
    call_ns: u64,
    done_ns: u64,
    value: i64,
}

/// The part of a history that can still matter.
#[derive(Debug)]
pub(super) struct Frontier {
    keep: usize,
    values: HashMap<i64, Value>,
    /// Written and not settled, by m; an entry whose m is no longer that of its value is void.
    unsettled: BinaryHeap<Reverse<(u64, i64)>>,
    /// Open writes that nobody has read, in the order of their calls.
    open: Vec<Operation>,
    open_ids: IdSet,
    /// What has settled, by m; the oldest are forgotten.
    settled: VecDeque<Settled>,
    forgotten: u64,
    /// The last that was forgotten.
    horizon: Option<Settled>,
    /// How many of the settled values are stale, the forgotten included.
    stale: u64,
    overwriters: VecDeque<Overwriter>,
    /// The operations of two different settled values that were called last.
    newest: [Option<Operation>; 2],
    ambiguous: IdSet,
    writes_called: u64,
    writes_settled: u64,
}

impl Frontier {
    /// `keep` is how many settled values are kept beyond those that can still be read.
    pub(super) fn new(initial: Option<i64>, keep: usize) -> Self {
        let mut frontier = Self {
            keep: keep.max(1),
            values: HashMap::new(),
            unsettled: BinaryHeap::new(),
            open: Vec::new(),
            open_ids: IdSet::default(),
            settled: VecDeque::new(),
            forgotten: 0,
            horizon: None,
            stale: 0,
            overwriters: VecDeque::new(),
            newest: [None; 2],
            ambiguous: IdSet::default(),
            writes_called: 0,
            writes_settled: 0,
        };
        if let Some(value) = initial {
            let write = Operation::initial(value);
            let mut held = Value::new(write);
            held.calls_before = Some(0);
            frontier.values.insert(value, held);
            frontier.settled.push_back(Settled { value, done_ns: 0, calls_before: 0 });
            frontier.newest[0] = Some(write);
        }
        frontier
    }

    /// How many writes have been called.
    pub(super) fn writes_called(&self) -> u64 {
        self.writes_called
    }

    /// Whether a write of the run has settled.
    pub(super) fn has_settled(&self) -> bool {
        self.writes_settled > 0
    }

    /// How many values a read that is called now may name.
    pub(super) fn legal(&self) -> u64 {
        let settled = self.forgotten + self.settled.len() as u64;
        self.writes_called - self.writes_settled + settled - self.stale
    }

    /// Settles what was there before `now_ns`.
    pub(super) fn advance(&mut self, now_ns: u64) {
        while let Some(Reverse((done_ns, value))) = self.unsettled.peek().copied()
            && done_ns < now_ns
        {
            self.unsettled.pop();
            self.settle(done_ns, value);
        }
    }

    fn settle(&mut self, done_ns: u64, id: i64) {
        let Some(value) = self.values.get_mut(&id) else { return };
        if value.calls_before.is_some() || value.done_ns() != done_ns {
            return;
        }
        value.calls_before = Some(self.writes_called);
        let (call_ns, last) = (value.write.call_ns, value.last());
        self.writes_settled += 1;
        let calls_before = self.writes_called;
        self.settled.push_back(Settled { value: id, done_ns, calls_before });
        if self.overwriters.back().is_none_or(|newest| call_ns > newest.call_ns) {
            self.overwriters.push_back(Overwriter { call_ns, done_ns, value: id });
            while self.oldest_legal().is_some_and(|done_ns| done_ns < call_ns) {
                self.stale += 1;
            }
        }
        self.touch(last);
        self.forget();
    }

    /// The m of the oldest settled value that is not stale.
    fn oldest_legal(&self) -> Option<u64> {
        let at = (self.stale - self.forgotten) as usize;
        self.settled.get(at).map(|settled| settled.done_ns)
    }

    /// Notes the call of an operation of a settled value.
    fn touch(&mut self, operation: Operation) {
        let at = |slot: Option<Operation>| slot.map(|newest| newest.call_ns);
        let is =
            |slot: Option<Operation>| slot.is_some_and(|newest| newest.value == operation.value);
        let call_ns = Some(operation.call_ns);
        if is(self.newest[0]) {
            if call_ns >= at(self.newest[0]) {
                self.newest[0] = Some(operation);
            }
        } else if call_ns > at(self.newest[0]) {
            self.newest = [Some(operation), self.newest[0]];
        } else if call_ns > at(self.newest[1]) {
            self.newest[1] = Some(operation);
        }
    }

    fn forget(&mut self) {
        while self.settled.len() > self.keep
            && self.forgotten < self.stale
            && let Some(settled) = self.settled.pop_front()
        {
            let Settled { value, done_ns, .. } = settled;
            self.forgotten += 1;
            self.horizon = Some(settled);
            if self.overwriters.front().is_some_and(|oldest| oldest.done_ns <= done_ns) {
                self.overwriters.pop_front();
            }
            // Its id may have been written again.
            if self.values.get(&value).is_some_and(|value| value.done_ns() == done_ns) {
                self.values.remove(&value);
            }
        }
    }

    /// Takes a write of an id that was never written before; `joined` are the reads under way that
    /// name it. All before its call must have been settled.
    pub(super) fn write(&mut self, write: Operation, joined: &[Operation]) {
        self.writes_called += 1;
        if write.is_open() && joined.is_empty() {
            self.open_ids.insert(write.value);
            self.open.push(write);
            return;
        }
        let mut value = Value::new(write);
        for read in joined {
            value.add(*read);
        }
        self.unsettled.push(Reverse((value.done_ns(), write.value)));
        self.values.insert(write.value, value);
    }

    /// Takes a write of an id that was written before. Where the earlier one is over for good, no
    /// read can mean it any more. Else the write is left out, and so is every read of the id from now
    /// on: without them the history is no worse, so whatever is still wrong with it is wrong. Returns
    /// whether the write was taken.
    pub(super) fn rewrite(&mut self, write: Operation) -> bool {
        let is_over = match self.values.get(&write.value) {
            Some(value) => {
                value.calls_before.is_some()
                    && self.overwriters.back().is_some_and(|w| w.call_ns > value.done_ns())
            }
            None => !self.open_ids.contains(write.value),
        };
        let is_taken = is_over && !self.ambiguous.contains(write.value);
        if is_taken {
            self.write(write, &[]);
        } else {
            self.ambiguous.insert(write.value);
        }
        is_taken
    }

    /// What is known of the value of a read, which must have been written.
    pub(super) fn named(&self, id: i64) -> Option<Named> {
        if self.ambiguous.contains(id) {
            return None;
        }
        let open = || self.open.iter().find(|write| write.value == id).copied();
        let value = match self.values.get(&id) {
            Some(value) => Some((value.done_ns(), value.write.call_ns)),
            None if self.open_ids.contains(id) => open().map(|write| (OPEN_NS, write.call_ns)),
            None => None,
        };
        let horizon = self.horizon.map_or(0, |settled| settled.done_ns);
        let (done_ns, write_call_ns) = value.unwrap_or((horizon, horizon));
        Some(Named { done_ns, write_call_ns, is_forgotten: value.is_none() })
    }

    /// Judges a read of a value that was written. One that fits becomes part of the history; one
    /// that does not is left out, so that it accuses no other.
    pub(super) fn read(&mut self, read: Operation) -> Standing {
        if self.ambiguous.contains(read.value) {
            return Standing::Ambiguous;
        }
        if self.open_ids.contains(read.value) {
            self.take_open(read.value);
        }
        let Some(value) = self.values.get(&read.value) else { return self.forgotten(read) };
        let (done_ns, first) = (value.done_ns(), value.first());
        if let Some(calls_before) = value.calls_before
            && let Some(overwriter) = self.overwriter_after(done_ns)
        {
            let behind = Behind {
                ns: read.call_ns - overwriter.done_ns,
                versions: self.versions_since(done_ns, calls_before),
                at_least: false,
            };
            return Standing::Stale(behind, self.rival(Some(first), overwriter));
        }
        let rival = self.newest.into_iter().flatten().find(|newest| newest.value != read.value);
        if let Some(followed) = rival
            && followed.call_ns > done_ns
        {
            let seen = self.values.get(&followed.value).map(Value::first);
            let followed = Some(followed);
            let first = Some(first);
            return Standing::Unordered(Rival {
                finished: first,
                followed,
                seen,
                is_forward: true,
            });
        }
        self.accept(read);
        Standing::Fits
    }

    fn accept(&mut self, read: Operation) {
        let Some(value) = self.values.get_mut(&read.value) else { return };
        let before_ns = value.done_ns();
        value.add(read);
        if value.calls_before.is_some() {
            self.touch(read);
        } else if read.return_ns < before_ns {
            self.unsettled.push(Reverse((read.return_ns, read.value)));
        }
    }

    fn forgotten(&self, read: Operation) -> Standing {
        let Some(Settled { done_ns, calls_before, .. }) = self.horizon else {
            return Standing::Ambiguous;
        };
        let Some(overwriter) = self.overwriter_after(done_ns) else { return Standing::Ambiguous };
        let behind = Behind {
            ns: read.call_ns - overwriter.done_ns,
            versions: self.versions_since(done_ns, calls_before),
            at_least: true,
        };
        Standing::Stale(behind, self.rival(None, overwriter))
    }

    /// Of the settled writes called after `done_ns`, the one that was there first.
    fn overwriter_after(&self, done_ns: u64) -> Option<Overwriter> {
        let at = self.overwriters.partition_point(|writer| writer.call_ns <= done_ns);
        self.overwriters.get(at).copied()
    }

    fn rival(&self, finished: Option<Operation>, overwriter: Overwriter) -> Rival {
        let value = self
            .values
            .get(&overwriter.value)
            .filter(|value| value.done_ns() == overwriter.done_ns);
        Rival {
            finished,
            followed: value.map(|value| value.write),
            seen: value.map(Value::first),
            is_forward: value.is_some_and(|value| value.last().call_ns > value.done_ns()),
        }
    }

    /// How many settled writes were called after `done_ns`, before which `calls_before` were: all
    /// that have settled, less those called before, of which those under way have not settled.
    fn versions_since(&self, done_ns: u64, calls_before: u64) -> u64 {
        let under_way = self
            .unsettled
            .iter()
            .filter_map(|Reverse((m, id))| {
                self.values.get(id).filter(|value| value.done_ns() == *m)
            })
            .filter(|value| value.calls_before.is_none() && value.write.call_ns <= done_ns)
            .count();
        let open = self.open.partition_point(|write| write.call_ns <= done_ns);
        let settled_before = calls_before - (under_way + open) as u64;
        self.writes_settled - settled_before
    }

    /// An open write that is read is there.
    fn take_open(&mut self, id: i64) {
        self.open_ids.remove(id);
        if let Some(at) = self.open.iter().position(|write| write.value == id) {
            let write = self.open.remove(at);
            self.values.insert(id, Value::new(write));
        }
    }
}
