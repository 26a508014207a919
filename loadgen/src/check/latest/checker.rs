//! One pass over a history, for every contract and every measure.

use super::clusters::Clusters;
use super::counting::Counter;
use super::frontier::{Frontier, Named, Rival, Standing};
use super::history::{Kind, OPEN_NS, Operation};
use super::idset::IdSet;
use super::maximum::Maximum;
use super::measures::{Judged, Measures};
use super::sessions::Clients;
use super::strict::Strict;
use super::tally::Tally;
use crate::profile::Profile;
use crate::schedule::Order;
use limosa_reports::render::{all, count, counted};
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::operation::{Ack, Operation as Asked};
use limosa_reports::run::verdict::latest::{
    Anomaly, Bounded, Contract, ContractJudgement, LatestDetails,
};
use limosa_reports::run::verdict::{LatestJudgement, Verdict};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// How many values are kept after they were replaced: as many writes behind a read is measured
/// exactly.
pub(super) const KEPT_VALUES: usize = 1 << 16;
/// For how many values that were read Delta-atomicity is exact.
pub(super) const CLUSTERS: usize = 1 << 18;
/// How many different ids that nobody had sent are kept, in case they are sent later.
const UNSENT: usize = 1 << 16;
/// How many wrong reads are described in words alone.
const SENTENCES: usize = 5;

/// Judges the reads of `latest` of one run, entry by entry, in the order of their calls.
#[derive(Debug)]
pub struct Checker<'a> {
    profile: &'a Profile,
    is_strict: bool,
    knows_initial: bool,
    now_ns: u64,
    end_ns: u64,
    written: IdSet,
    failed: IdSet,
    /// Reads under way of what was not written when they were called.
    waiting: HashMap<i64, Vec<Waiting>>,
    /// Reads under way: their return, the writes called before them, and what they named.
    under_way: BinaryHeap<Reverse<(u64, u64, i64)>>,
    /// How many reads named what nobody had sent when they returned.
    unsent: HashMap<i64, u64>,
    strict: Strict,
    frontier: Frontier,
    maximum: Maximum,
    register_tally: Tally,
    maximum_tally: Tally,
    measures: Measures,
    clusters: Clusters,
    clients: Clients,
    counter: Counter,
    reads: u64,
    legal: u64,
    undecided: u64,
    repeated: u64,
    /// Of the repeated writes: those whose id could still be read of an earlier one.
    left_out: u64,
    is_asked: bool,
    last_sent: Option<i64>,
    last_reported: Option<i64>,
    forgot_a_read_value: bool,
    /// The operations did not come in the order of their calls.
    is_disordered: bool,
    /// An id was written again while a read that named it was under way.
    reread_while_rewritten: bool,
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

    /// Takes the next operation.
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

    fn advance(&mut self, now_ns: u64) {
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

    /// Ends the history. `last` is what the target named after the run. `None` where `latest` was
    /// never read.
    pub fn finish(mut self, last: Option<i64>) -> Option<LatestJudgement> {
        if !self.is_asked && last.is_none() {
            return None;
        }
        if let Some(value) = last {
            self.take(Operation::last(value, self.end_ns.max(self.now_ns) + 1));
        }
        self.advance(u64::MAX);
        let delta = self.delta();
        let doubt = self.doubt();
        let is_wrong = self.register_tally.wrong > 0;
        let (staleness, replicas, course) = self.measures.finish();
        let end = End { names_replicas: replicas.len() > 1, is_disordered: self.is_disordered };
        let strict_legal = self.strict.mean_legal();
        let mut contracts = vec![
            end.judged(Contract::Register, self.register_tally, doubt),
            end.judged(Contract::MaxRegister, self.maximum_tally, None),
        ];
        if let [register, maximum] = contracts.as_mut_slice()
            && (register.verdict, maximum.verdict) == (Verdict::Fail, Verdict::Pass)
        {
            register.summary += "; a target that keeps the largest id would answer so";
        }
        let mut mean_legal = (self.reads > 0).then(|| self.legal as f64 / self.reads as f64);
        if self.is_strict {
            contracts.insert(0, end.judged(Contract::Strict, self.strict.tally, None));
            mean_legal = strict_legal;
        }
        let decisive = &contracts[0];
        Some(LatestJudgement {
            contract: decisive.contract.name().to_owned(),
            verdict: decisive.verdict,
            reads: decisive.reads,
            wrong: decisive.wrong,
            mean_legal,
            last_sent: self.last_sent,
            last_reported: self.last_reported,
            witnesses: decisive
                .witnesses
                .iter()
                .take(SENTENCES)
                .map(|witness| witness.sentence.clone())
                .collect(),
            details: Some(LatestDetails {
                counting: self.counter.finish().filter(|_| is_wrong),
                contracts,
                staleness,
                delta,
                sessions: self.clients.finish(),
                replicas,
                repeated: self.repeated,
                undecided: self.undecided,
                course,
            }),
        })
    }

    fn delta(&self) -> Bounded {
        if self.register_tally.wrong == 0 {
            return Bounded::default();
        }
        let (read_ns, has_more) = self.clusters.delta_ns();
        let (behind_ns, is_longer) = self.measures.max_behind();
        Bounded {
            ns: read_ns.max(behind_ns),
            at_least: has_more || is_longer || self.forgot_a_read_value,
        }
    }

    /// Why the register question has no answer.
    fn doubt(&self) -> Option<String> {
        if self.reread_while_rewritten {
            let why = "an id was sent again while a read that named it was under way, so that nobody \
                       can tell which of the two it named";
            return Some(why.to_owned());
        }
        if self.register_tally.wrong > 0 {
            return None;
        }
        if self.left_out > 0 {
            return Some(format!(
                "{} repeated an id that could still be read of an earlier one, so that nobody can \
                 tell which of the two a read named",
                counted(self.left_out, "write")
            ));
        }
        (self.undecided > 0).then(|| {
            format!(
                "{} cannot be judged: nothing is known of what was there before the run",
                counted(self.undecided, "read")
            )
        })
    }
}

/// What the end of a history means for every contract.
#[derive(Debug)]
struct End {
    names_replicas: bool,
    is_disordered: bool,
}

impl End {
    fn judged(&self, contract: Contract, tally: Tally, doubt: Option<String>) -> ContractJudgement {
        let (reads, wrong) = (tally.reads, tally.wrong);
        let right = match contract {
            Contract::Strict => "the last command",
            Contract::Register => "the last command or one that was under way",
            Contract::MaxRegister => "the largest id or one that was under way",
        };
        let (verdict, summary) = match (reads, wrong, doubt) {
            _ if self.is_disordered => {
                let why = "the requests are not in the order of their calls".to_owned();
                (Verdict::Unknown, why)
            }
            (.., Some(doubt)) => (Verdict::Unknown, doubt),
            (0, ..) => (Verdict::Unknown, "no read could be judged".to_owned()),
            (_, 0, _) => (Verdict::Pass, format!("{} named {right}", all(reads, "read"))),
            _ => {
                let of = counted(reads, "read");
                (Verdict::Fail, format!("{} of {of} did not name {right}", count(wrong)))
            }
        };
        let (anomalies, witnesses) = tally.finish(self.names_replicas);
        ContractJudgement { contract, verdict, summary, reads, wrong, anomalies, witnesses }
    }
}
