//! One pass over a history, for every contract and every measure.

use super::clusters::Clusters;
use super::counting::Counter;
use super::frontier::Frontier;
use super::history::{Kind, OPEN_NS, Operation};
use super::maximum::Maximum;
use super::measures::{Judged, Measures};
use super::sessions::Clients;
use super::strict::Strict;
use super::tally::Tally;
use super::value::{Named, Rival, Standing};
use crate::check::ids::IdSet;
use crate::profile::Profile;
use crate::schedule::Order;
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::operation::{Ack, Operation as Asked};
use limosa_reports::run::verdict::latest::Anomaly;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// How many values are kept after they were replaced: as many writes behind a read is measured
/// exactly.
pub(super) const KEPT_VALUES: usize = 1 << 16;
/// For how many values that were read Delta-atomicity is exact.
pub(super) const CLUSTERS: usize = 1 << 18;
/// How many different ids that nobody had sent are kept, in case they are sent later.
const UNSENT: usize = 1 << 16;

/// Judges the reads of `latest` of one run, entry by entry, in the order of their calls.
#[derive(Debug)]
pub struct Checker<'a> {
    profile: &'a Profile,
    pub(super) is_strict: bool,
    knows_initial: bool,
    pub(super) now_ns: u64,
    pub(super) end_ns: u64,
    written: IdSet,
    failed: IdSet,
    /// Reads under way of what was not written when they were called.
    waiting: HashMap<i64, Vec<Waiting>>,
    /// Reads under way: their return, the writes called before them, and what they named.
    under_way: BinaryHeap<Reverse<(u64, u64, i64)>>,
    /// How many reads named what nobody had sent when they returned.
    unsent: HashMap<i64, u64>,
    pub(super) strict: Strict,
    frontier: Frontier,
    maximum: Maximum,
    pub(super) register_tally: Tally,
    pub(super) maximum_tally: Tally,
    pub(super) measures: Measures,
    pub(super) clusters: Clusters,
    pub(super) clients: Clients,
    pub(super) counter: Counter,
    pub(super) reads: u64,
    pub(super) legal: u64,
    pub(super) undecided: u64,
    pub(super) repeated: u64,
    /// Of the repeated writes: those whose id could still be read of an earlier one.
    pub(super) left_out: u64,
    pub(super) is_asked: bool,
    pub(super) last_sent: Option<i64>,
    pub(super) last_reported: Option<i64>,
    pub(super) forgot_a_read_value: bool,
    /// The operations did not come in the order of their calls.
    pub(super) is_disordered: bool,
    /// An id was written again while a read that named it was under way.
    pub(super) reread_while_rewritten: bool,
}

/// A read under way of what was not written when it was called.
#[derive(Debug)]
struct Waiting {
    read: Operation,
    is_not_last: bool,
}

impl<'a> Checker<'a> {
    /// Begins a history. `initial` is what the target named before the run.
    pub fn new(initial: Option<i64>, profile: &'a Profile, order: Order) -> Self {
        Self::with_memory(initial, profile, order, KEPT_VALUES, CLUSTERS)
    }

    pub(super) fn with_memory(
        initial: Option<i64>,
        profile: &'a Profile,
        order: Order,
        kept_values: usize,
        clusters: usize,
    ) -> Self {
        let mut written = IdSet::default();
        if let Some(id) = initial {
            written.insert(id);
        }
        Self {
            profile,
            is_strict: order == Order::Strict,
            knows_initial: initial.is_some(),
            now_ns: 0,
            end_ns: 0,
            written,
            failed: IdSet::default(),
            waiting: HashMap::new(),
            under_way: BinaryHeap::new(),
            unsent: HashMap::new(),
            strict: Strict::new(initial),
            frontier: Frontier::new(initial, kept_values),
            maximum: Maximum::new(initial),
            register_tally: Tally::default(),
            maximum_tally: Tally::default(),
            measures: Measures::new(),
            clusters: Clusters::new(clusters),
            clients: Clients::default(),
            counter: Counter::new(initial),
            reads: 0,
            legal: 0,
            undecided: 0,
            repeated: 0,
            left_out: 0,
            is_asked: false,
            last_sent: None,
            last_reported: None,
            forgot_a_read_value: false,
            is_disordered: false,
            reread_while_rewritten: false,
        }
    }

    /// Takes the next request.
    pub fn push(&mut self, entry: &Entry) {
        let intent = &entry.intent;
        let is_write = intent.operation.is_write();
        self.is_asked |= intent.operation == Asked::Latest;
        if is_write && entry.ack() != Ack::NotSent {
            self.last_sent = self.last_sent.max(Some(intent.command_id));
        }
        if entry.ack() != Ack::NotSent {
            let return_ns = entry.answered_ns().unwrap_or(OPEN_NS);
            let named = entry.outcome.as_ref().and_then(|outcome| outcome.latest);
            self.counter.request(intent.called_ns, return_ns, named, is_write);
        }
        if let Some(operation) = Operation::of(entry, self.profile, self.is_strict) {
            self.take(operation);
        }
    }

    /// Takes the next operation. What else an entry tells is not known then: which id was sent last,
    /// and whether the target merely counts.
    pub fn take(&mut self, operation: Operation) {
        if operation.call_ns < self.now_ns {
            self.is_disordered = true;
            return;
        }
        self.now_ns = operation.call_ns;
        let known_end_ns =
            if operation.is_open() { operation.call_ns } else { operation.return_ns };
        self.end_ns = self.end_ns.max(known_end_ns);
        self.advance(operation.call_ns);
        let is_not_last = self.is_strict && self.strict.push(operation);
        match operation.kind {
            Kind::Write if operation.failed => {
                self.failed.insert(operation.value);
            }
            Kind::Write => self.write(operation),
            Kind::Read => self.read(operation, is_not_last),
        }
    }

    pub(super) fn advance(&mut self, now_ns: u64) {
        self.frontier.advance(now_ns);
        self.maximum.advance(now_ns);
        while let Some(Reverse((return_ns, called_before, value))) = self.under_way.peek().copied()
            && return_ns < now_ns
        {
            self.under_way.pop();
            self.legal += self.frontier.writes_called() - called_before;
            let Some(waiting) = self.waiting.get_mut(&value) else { continue };
            let (over, rest) =
                waiting.drain(..).partition(|waiting| waiting.read.return_ns < now_ns);
            *waiting = rest;
            if waiting.is_empty() {
                self.waiting.remove(&value);
            }
            let over: Vec<Waiting> = over;
            over.iter().for_each(|waiting| self.never_written(waiting));
        }
    }

    /// A read returned, and what it named was not written.
    fn never_written(&mut self, waiting: &Waiting) {
        let Waiting { read, is_not_last } = *waiting;
        let anomaly = if self.failed.contains(read.value) {
            Anomaly::AbortedRead
        } else {
            if self.unsent.len() < UNSENT || self.unsent.contains_key(&read.value) {
                *self.unsent.entry(read.value).or_default() += 1;
            }
            Anomaly::Phantom
        };
        for tally in [&mut self.register_tally, &mut self.maximum_tally] {
            tally.reads += 1;
            tally.accuse(anomaly, read, Rival::default());
        }
        let is_wrong = is_not_last || !self.is_strict;
        self.measures.read(&read, &Judged { is_wrong, ..Judged::default() });
    }

    fn write(&mut self, write: Operation) {
        self.clients.write(&write);
        let id = write.value;
        if !self.written.insert(id) {
            self.repeated += 1;
            self.reread_while_rewritten |=
                self.under_way.iter().any(|Reverse((_, _, named))| *named == id);
            self.clusters.rewrite(id);
            self.left_out += u64::from(!self.frontier.rewrite(write));
            self.maximum.write(write);
            return;
        }
        if let Some(count) = self.unsent.remove(&id) {
            self.register_tally.written_later(write, count);
            self.maximum_tally.written_later(write, count);
        }
        let joined = self.waiting.remove(&id).unwrap_or_default();
        let reads: Vec<Operation> = joined.iter().map(|waiting| waiting.read).collect();
        self.frontier.write(write, &reads);
        self.maximum.write(write);
        for Waiting { read, is_not_last, .. } in joined {
            self.clusters.read(&read, write.call_ns, write.return_ns);
            self.clients.read(&read, &Named::at(&write));
            self.register_tally.reads += 1;
            self.by_maximum(read);
            let judged = Judged { is_wrong: is_not_last, is_placed: true, ..Judged::default() };
            self.measures.read(&read, &judged);
        }
    }

    fn read(&mut self, read: Operation, is_not_last: bool) {
        self.is_asked = true;
        self.last_reported = Some(read.value);
        // It may name what was there before the run, whatever that was.
        if !self.knows_initial && !self.frontier.has_settled() {
            self.undecided += 1;
            let judged = Judged { is_wrong: is_not_last, ..Judged::default() };
            self.measures.read(&read, &judged);
            return;
        }
        self.reads += 1;
        self.legal += self.frontier.legal();
        self.under_way.push(Reverse((read.return_ns, self.frontier.writes_called(), read.value)));
        if !self.written.contains(read.value) {
            let waiting = Waiting { read, is_not_last };
            self.waiting.entry(read.value).or_default().push(waiting);
            return;
        }
        self.by_maximum(read);
        if let Some(named) = self.frontier.named(read.value) {
            self.clients.read(&read, &named);
            if named.is_forgotten && !self.clusters.has(read.value) {
                self.forgot_a_read_value = true;
            } else {
                self.clusters.read(&read, named.write_call_ns, named.done_ns);
            }
        }
        let mut judged = self.by_register(read);
        if self.is_strict {
            judged.is_wrong = is_not_last;
        }
        self.measures.read(&read, &judged);
    }

    fn by_maximum(&mut self, read: Operation) {
        self.maximum_tally.reads += 1;
        if let Some(larger) = self.maximum.read(read) {
            let rival = Rival { seen: Some(larger), ..Rival::default() };
            self.maximum_tally.accuse(Anomaly::Smaller, read, rival);
        }
    }

    fn by_register(&mut self, read: Operation) -> Judged {
        let standing = self.frontier.read(read);
        let (rival, behind) = match standing {
            Standing::Ambiguous => {
                self.undecided += 1;
                return Judged::default();
            }
            Standing::Fits => {
                self.register_tally.reads += 1;
                return Judged { is_placed: true, ..Judged::default() };
            }
            Standing::Stale(behind, rival) => (rival, Some(behind)),
            Standing::Unordered(rival) => (rival, None),
        };
        self.register_tally.reads += 1;
        let anomaly = if rival.is_forward { Anomaly::Inversion } else { Anomaly::Contained };
        self.register_tally.accuse(anomaly, read, rival);
        Judged { is_wrong: true, is_placed: true, behind, is_unordered: behind.is_none() }
    }
}
