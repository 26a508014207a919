//! The history that the checkers judge: one compact record per operation on `latest`.

use crate::profile::Profile;
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::operation::Ack;
use limosa_reports::run::verdict::latest::WitnessedOperation;

/// The return of an operation that may take effect at any later time.
pub const OPEN_NS: u64 = u64::MAX;

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any command: the target keeps its id.
    Write,
    /// `GET /latest`, answered.
    Read,
}

/// Where an operation comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A request of the run: its part, its number in the part, and the replica that was asked.
    Request(u16, u64, u16),
    /// What the target named before the run, or after it.
    Around,
}

/// One operation on `latest`. Times are nanoseconds since the run began; 0 is before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// Write or read.
    pub kind: Kind,
    /// The id that was written or named.
    pub value: i64,
    /// When it was sent.
    pub call_ns: u64,
    /// When it was answered; [`OPEN_NS`] where it was not.
    pub return_ns: u64,
    /// A write that provably had no effect: never sent, or refused by a target that ignores those.
    pub failed: bool,
    /// Operations of one client never overlap; 0 is no client.
    pub client: u64,
    /// Where the ledger has it.
    pub source: Source,
}

impl Operation {
    /// The operation that an entry of the ledger is; `None` where it says nothing about `latest`:
    /// a read without a value, an id that the target is told to ignore or cannot hold.
    ///
    /// A refused command writes too, unless the profile says otherwise: the protocol keeps the id
    /// before it looks at the command. A lane is a client; where `one_client`, all is one.
    pub fn of(entry: &Entry, profile: &Profile, one_client: bool) -> Option<Self> {
        let intent = &entry.intent;
        let outcome = entry.outcome.as_ref();
        let (kind, value, return_ns, failed) = if intent.operation.is_write() {
            let id = intent.command_id;
            if id == -1 || !profile.latest_holds(id) {
                return None;
            }
            let (return_ns, failed) = match (entry.ack(), outcome) {
                (Ack::NotSent, _) => (OPEN_NS, true),
                (Ack::Rejected, Some(outcome)) => (outcome.done_ns, !profile.latest_on_refused),
                (Ack::Acknowledged, Some(outcome)) => (outcome.done_ns, false),
                _ => (OPEN_NS, false),
            };
            (Kind::Write, id, return_ns, failed)
        } else {
            let outcome = outcome?;
            (Kind::Read, outcome.latest?, outcome.done_ns, false)
        };
        Some(Self {
            kind,
            value,
            call_ns: intent.called_ns,
            return_ns,
            failed,
            client: client_of(entry, one_client),
            source: Source::Request(
                entry.part,
                intent.sequence,
                outcome.map_or(0, |outcome| outcome.replica),
            ),
        })
    }

    /// What the target named before the run, as a write before all others.
    pub fn initial(value: i64) -> Self {
        Self {
            kind: Kind::Write,
            value,
            call_ns: 0,
            return_ns: 0,
            failed: false,
            client: 0,
            source: Source::Around,
        }
    }

    /// What the target named after the run, as a read after all others.
    pub fn last(value: i64, at_ns: u64) -> Self {
        let initial = Self::initial(value);
        Self { kind: Kind::Read, call_ns: at_ns, return_ns: at_ns, ..initial }
    }

    /// Whether it has no end.
    pub fn is_open(&self) -> bool {
        self.return_ns == OPEN_NS
    }

    /// The replica that was asked.
    pub fn replica(&self) -> Option<u16> {
        match self.source {
            Source::Request(_, _, replica) => Some(replica),
            Source::Around => None,
        }
    }

    /// The record for the judgement.
    pub(super) fn witnessed(&self) -> WitnessedOperation {
        WitnessedOperation {
            is_read: self.kind == Kind::Read,
            value: self.value,
            called_ns: self.call_ns,
            returned_ns: (!self.is_open()).then_some(self.return_ns),
            replica: self.replica(),
            request: match self.source {
                Source::Request(part, sequence, _) => Some((part, sequence)),
                Source::Around => None,
            },
        }
    }
}

/// The client that sent a request; 0 is no client.
pub fn client_of(entry: &Entry, one_client: bool) -> u64 {
    match (one_client, entry.intent.lane) {
        (true, _) => 1,
        (false, 0) => 0,
        // Every part of a run counts its lanes anew.
        (false, lane) => u64::from(entry.part) << 32 | u64::from(lane),
    }
}

/// An operation in the order of its return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ByReturn(pub(super) Operation);

impl ByReturn {
    fn key(&self) -> (u64, u64, i64) {
        (self.0.return_ns, self.0.call_ns, self.0.value)
    }
}

impl Ord for ByReturn {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for ByReturn {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
