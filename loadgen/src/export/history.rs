//! The operations on `latest` of a run, one record each.

use super::ExportError;
use crate::check::latest::history::{Kind as Does, Operation, client_of};
use crate::profile::Profile;
use crate::schedule::Order;
use limosa_reports::run::RunDir;
use limosa_reports::run::ledger::{Calls, Damage, Entry};
use limosa_reports::run::manifest::Manifest;
use limosa_reports::run::operation::Operation as Asked;
use limosa_reports::run::readback::ReadBackReader;
use serde::{Deserialize, Serialize};

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A command: its id is to be the last.
    Write,
    /// `GET /latest`.
    Read,
}

/// What came of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It took effect between its call and its return. A command that was refused may be one: the
    /// target keeps its id before it looks at the rest.
    Ok,
    /// It had no effect: it was never sent, the target ignores such ids, or it is a read that
    /// brought no value.
    Fail,
    /// Nobody knows: it may take effect at any time after its call, or never.
    Info,
}

/// One operation. Times are nanoseconds since the run began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Operations of one client never overlap; `None`: of nobody in particular.
    pub client: Option<u64>,
    /// What it does.
    pub kind: Kind,
    /// The id that was written, or read; `None` where a read brought none.
    pub value: Option<i64>,
    /// When it was sent.
    pub call_ns: u64,
    /// When it was answered; `None` where its outcome is not known.
    pub return_ns: Option<u64>,
    /// What came of it.
    pub outcome: Outcome,
    /// The HTTP status; `None` where nobody answered.
    pub status: Option<u16>,
    /// The replica that was asked, an index into the manifest's targets.
    pub replica: Option<u16>,
    /// When the client gave up waiting, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gave_up_ns: Option<u64>,
}

impl Record {
    /// The record of a request; `None` where that is about something else than `latest`. Where
    /// `one_client`, all is one client's.
    pub fn of(entry: &Entry, profile: &Profile, one_client: bool) -> Option<Self> {
        let intent = &entry.intent;
        let kind = match intent.operation {
            operation if operation.is_write() => Kind::Write,
            Asked::Latest => Kind::Read,
            _ => return None,
        };
        let end = entry.outcome.as_ref();
        let outcome = match Operation::of(entry, profile, one_client) {
            Some(operation) if operation.failed => Outcome::Fail,
            Some(operation) if operation.is_open() => Outcome::Info,
            Some(_) => Outcome::Ok,
            None if end.is_none() => Outcome::Info,
            None => Outcome::Fail,
        };
        let ended_ns = end.map(|end| end.done_ns.max(intent.called_ns));
        let is_open = outcome == Outcome::Info;
        Some(Self {
            client: Some(client_of(entry, one_client)).filter(|client| *client != 0),
            kind,
            value: match kind {
                Kind::Write => Some(intent.command_id),
                Kind::Read => end.and_then(|end| end.latest),
            },
            call_ns: intent.called_ns,
            return_ns: ended_ns.filter(|_| !is_open),
            outcome,
            status: end.map(|end| end.status).filter(|status| *status != 0),
            replica: end.map(|end| end.replica),
            gave_up_ns: ended_ns.filter(|_| is_open),
        })
    }

    /// What the target named before the run, as a write, or after it, as a read.
    fn around(operation: &Operation) -> Self {
        Self {
            client: None,
            kind: match operation.kind {
                Does::Write => Kind::Write,
                Does::Read => Kind::Read,
            },
            value: Some(operation.value),
            call_ns: operation.call_ns,
            return_ns: Some(operation.return_ns),
            outcome: Outcome::Ok,
            status: None,
            replica: None,
            gave_up_ns: None,
        }
    }

    /// When the client knew that it was over; `None` where it never did.
    pub fn ended_ns(&self) -> Option<u64> {
        self.return_ns.or(self.gave_up_ns)
    }
}

/// The history of a run, in the order of the calls. It begins with a write of what the target named
/// before the run, at 0, and ends with a read of what it named after it.
#[derive(Debug)]
pub struct History {
    calls: Calls,
    profile: Profile,
    one_client: bool,
    before: Option<i64>,
    /// What it named after the run, and when that was, the later one first.
    after: Vec<(u64, i64)>,
    last_command_ns: u64,
    end_ns: u64,
    is_over: bool,
    operations: u64,
}

impl History {
    /// Opens the history of a run.
    ///
    /// # Errors
    /// [`ExportError`] where the run cannot be read.
    pub fn open(run: &RunDir, manifest: &Manifest) -> Result<Self, ExportError> {
        let named = |name: &str| -> Result<Option<(u64, i64)>, ExportError> {
            let header = ReadBackReader::open(&run.readback(name))?.map(|read| read.header);
            Ok(header.and_then(|header| Some((header.taken_ns, header.latest?))))
        };
        Ok(Self {
            calls: run.calls()?,
            profile: serde_json::from_value(manifest.profile.clone())
                .map_err(ExportError::Profile)?,
            one_client: manifest.mode.order == Order::Strict.name(),
            before: named("before")?.map(|(_, latest)| latest),
            after: [named("after-2")?, named("after-1")?].into_iter().flatten().collect(),
            last_command_ns: 0,
            end_ns: 0,
            is_over: false,
            operations: 0,
        })
    }

    /// How many records there were so far.
    pub fn operations(&self) -> u64 {
        self.operations
    }

    /// The places of the ledger that could not be read so far.
    pub fn damage(&self) -> Vec<Damage> {
        self.calls.damage()
    }

    fn step(&mut self) -> Result<Option<Record>, ExportError> {
        if let Some(latest) = self.before.take() {
            return Ok(Some(Record::around(&Operation::initial(latest))));
        }
        while let Some(entry) = self.calls.next().transpose()? {
            if let Some(record) = Record::of(&entry, &self.profile, self.one_client) {
                if record.kind == Kind::Write {
                    self.last_command_ns = self.last_command_ns.max(record.call_ns);
                }
                self.end_ns = self.end_ns.max(record.ended_ns().unwrap_or(record.call_ns));
                return Ok(Some(record));
            }
        }
        if std::mem::replace(&mut self.is_over, true) {
            return Ok(None);
        }
        // One from before the last command says nothing of what came after it.
        let after = self.after.iter().find(|(taken_ns, _)| *taken_ns >= self.last_command_ns);
        Ok(after.map(|(_, latest)| Record::around(&Operation::last(*latest, self.end_ns + 1))))
    }
}

impl Iterator for History {
    type Item = Result<Record, ExportError>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = self.step().transpose();
        self.operations += u64::from(matches!(record, Some(Ok(_))));
        record
    }
}
