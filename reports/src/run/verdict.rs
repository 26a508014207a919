//! `verdict.json`: the judgement of a run.

pub mod latest;

use super::operation::{Ack, Operation};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a check ended. The worst of several wins: `Pass` < `Unknown` < `Fail`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing wrong was found.
    Pass,
    /// It cannot be told.
    Unknown,
    /// The system under test did something wrong.
    Fail,
}

/// The judgement of a run: the worst of its checks, and what they found.
///
/// Every `_ns` is nanoseconds since the run began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The format of this file.
    pub format_version: u32,
    /// The version of Limosa that judged.
    pub limosa: String,
    /// When it was judged.
    pub judged: Timestamp,
    /// The worst of the checks.
    pub verdict: Verdict,
    /// One sentence: what was found.
    pub headline: String,
    /// Every check, with its own verdict.
    pub checks: Vec<Check>,
    /// What was sent, and what came of it.
    pub totals: Totals,
    /// What the target holds of what it acknowledged; `None` where it was not read back.
    pub audit: Option<Audit>,
    /// Whether `GET /latest` named the last command; `None` where it was never asked.
    pub latest: Option<LatestJudgement>,
    /// The stretches in which no command was acknowledged and at least one failed.
    pub outages: Vec<Outage>,
    /// Failures that were caused by an earlier one, the largest first.
    pub cascades: Vec<Cascade>,
    /// Whether the measurement itself can be trusted.
    pub trust: Trust,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its name: `answers`, `audit`, `latest`, `generator`, `ledger`.
    pub name: String,
    /// How it ended.
    pub verdict: Verdict,
    /// One sentence: why.
    pub summary: String,
}

/// What was sent, and what came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// From the run's start to its last outcome.
    pub duration_ns: u64,
    /// How many commands the plan held.
    pub planned: u64,
    /// How many requests of each operation ended in each way.
    pub operations: BTreeMap<Operation, BTreeMap<Ack, u64>>,
    /// Commands without success, in the six kinds of the course: `register`, `tweet`, `follow`,
    /// `unfollow` (answered with another status), `ReadTimeout`, `ConnectionError`.
    pub errors: BTreeMap<String, u64>,
    /// How often each HTTP status was answered.
    pub statuses: BTreeMap<u16, u64>,
    /// How many requests of each replica (a number of the manifest's targets) ended in each way.
    #[serde(default)]
    pub replicas: BTreeMap<u16, BTreeMap<Ack, u64>>,
}

impl Totals {
    /// How many commands ended in the given way.
    pub fn commands(&self, ack: Ack) -> u64 {
        self.operations
            .iter()
            .filter(|(operation, _)| operation.is_write())
            .filter_map(|(_, outcomes)| outcomes.get(&ack))
            .sum()
    }

    /// How many commands were tried.
    pub fn tried(&self) -> u64 {
        Ack::ALL.into_iter().map(|ack| self.commands(ack)).sum()
    }
}

/// What a command's effect turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Acknowledged, and there once, as sent.
    Kept,
    /// Acknowledged, and not there.
    Lost,
    /// Acknowledged, and there more than once.
    Duplicated,
    /// Acknowledged, and there in another form.
    Altered,
    /// Indeterminate, and there.
    Recovered,
    /// Indeterminate, and not there.
    Absent,
    /// Refused or never sent, and there all the same.
    Ghost,
    /// There, and sent by nobody in this run.
    Foreign,
    /// Acknowledged before another was sent, and stored after it.
    Misordered,
    /// There, while its author or a user that it names is not.
    Orphan,
    /// `latest` names it, and its effect is not there.
    LatestAhead,
}

impl Class {
    /// Every class, in the order in which reports list them.
    pub const ALL: [Self; 11] = [
        Self::Kept,
        Self::Lost,
        Self::Duplicated,
        Self::Altered,
        Self::Ghost,
        Self::Foreign,
        Self::Misordered,
        Self::Orphan,
        Self::LatestAhead,
        Self::Recovered,
        Self::Absent,
    ];

    /// The class's name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Lost => "lost",
            Self::Duplicated => "duplicated",
            Self::Altered => "altered",
            Self::Recovered => "recovered",
            Self::Absent => "absent",
            Self::Ghost => "ghost",
            Self::Foreign => "foreign",
            Self::Misordered => "misordered",
            Self::Orphan => "orphan",
            Self::LatestAhead => "latest ahead",
        }
    }

    /// What the class means, in one line.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Kept => "acknowledged, and there once, as sent",
            Self::Lost => "acknowledged, and not there",
            Self::Duplicated => "acknowledged, and there more than once",
            Self::Altered => "acknowledged, and there in another form",
            Self::Recovered => "no answer, and there",
            Self::Absent => "no answer, and not there",
            Self::Ghost => "refused or never sent, and there all the same",
            Self::Foreign => "there, and sent by nobody in this run",
            Self::Misordered => "acknowledged before another was sent, and stored after it",
            Self::Orphan => "there, while a user that it names is not",
            Self::LatestAhead => "named by latest, and not there",
        }
    }

    /// Whether a correct server can never cause it. `Foreign` counts: nobody else should write
    /// during a run.
    pub fn is_violation(self) -> bool {
        !matches!(self, Self::Kept | Self::Recovered | Self::Absent)
    }
}

/// What kind of thing was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entity {
    /// An account.
    User,
    /// A message.
    Message,
    /// A follow edge.
    Follow,
}

impl Entity {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::User, Self::Message, Self::Follow];

    /// The plural, for tables.
    pub fn plural(self) -> &'static str {
        match self {
            Self::User => "users",
            Self::Message => "messages",
            Self::Follow => "follows",
        }
    }
}

/// What the target holds of what it acknowledged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// `api`: through the public API alone.
    pub method: String,
    /// How often the target was read; twice where an indeterminate write might still land.
    pub passes: u32,
    /// Commands by what they were about and what became of them.
    pub counts: BTreeMap<Entity, BTreeMap<Class, u64>>,
    /// What went wrong, command by command, in the order of the commands; at most
    /// [`Audit::MAX_FINDINGS`] of a class and entity.
    pub findings: Vec<Finding>,
    /// The stretches of acknowledgements that were lost.
    pub loss_windows: Vec<LossWindow>,
    /// What the target held in the end.
    pub state: State,
}

impl Audit {
    /// How many findings of one class and entity are listed; all are counted.
    pub const MAX_FINDINGS: usize = 1000;

    /// How many commands are of the class.
    pub fn count(&self, class: Class) -> u64 {
        self.counts.values().filter_map(|classes| classes.get(&class)).sum()
    }
}

/// How much the target held in the end, of the users that it was asked about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Accounts.
    pub users: u64,
    /// Messages.
    pub messages: u64,
    /// Follow edges.
    pub follows: u64,
    /// What `GET /latest` reported last.
    pub latest: Option<i64>,
}

/// One thing that went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What became of it.
    pub class: Class,
    /// What it is about.
    pub entity: Entity,
    /// The command; `None` for what nobody sent.
    pub command_id: Option<i64>,
    /// What was asked; `None` for what nobody sent.
    pub operation: Option<Operation>,
    /// The user who acted.
    pub user: String,
    /// The text, or the other user.
    pub detail: String,
    /// When it was sent.
    pub called_ns: Option<u64>,
    /// When it was answered.
    pub returned_ns: Option<u64>,
    /// The replica that answered.
    pub replica: Option<u16>,
    /// The status that was answered.
    pub status: Option<u16>,
    /// What was found instead, or what else there is to say.
    pub note: String,
}

/// A stretch of lost acknowledgements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LossWindow {
    /// When the first of them was acknowledged.
    pub first_ns: u64,
    /// When the last of them was acknowledged.
    pub last_ns: u64,
    /// How many were lost.
    pub lost: u64,
    /// How many were kept in between.
    pub kept: u64,
}

/// Whether `GET /latest` named the last command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LatestJudgement {
    /// The contract that decided: `strict` or `register`.
    pub contract: String,
    /// How it ended.
    pub verdict: Verdict,
    /// How many reads were judged.
    pub reads: u64,
    /// How many of them were wrong.
    pub wrong: u64,
    /// The mean number of values that a read could have returned without being wrong: near 1 is
    /// a sharp test.
    pub mean_legal: Option<f64>,
    /// The last command id that was sent.
    pub last_sent: Option<i64>,
    /// The last value that was reported.
    pub last_reported: Option<i64>,
    /// The first wrong reads, in words.
    pub witnesses: Vec<String>,
    /// Every contract, staleness, replicas; `None` in runs that were judged before there was such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<latest::LatestDetails>,
}

/// A stretch in which no command was acknowledged and at least one failed. Its length lies between
/// `last_failed_return_ns - first_failed_call_ns` and `next_ok_return_ns - last_ok_call_ns`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// When the first command that failed was sent.
    pub first_failed_call_ns: u64,
    /// When the last command that failed was given up.
    pub last_failed_return_ns: u64,
    /// When the last command that succeeded before it was sent; `None` where none had.
    pub last_ok_call_ns: Option<u64>,
    /// When the next command succeeded; `None` where none did.
    pub next_ok_return_ns: Option<u64>,
    /// How many commands failed.
    pub failed: u64,
    /// The ids of the first and last of them.
    pub ids: (i64, i64),
}

impl Outage {
    /// The least that it lasted, in nanoseconds.
    pub fn least_ns(&self) -> u64 {
        self.last_failed_return_ns.saturating_sub(self.first_failed_call_ns)
    }

    /// The most that it can have lasted, in nanoseconds; `None` where it had not ended.
    pub fn most_ns(&self) -> Option<u64> {
        let from = self.last_ok_call_ns.unwrap_or(0);
        self.next_ok_return_ns.map(|until| until.saturating_sub(from))
    }
}

/// A failure, and the later failures that it explains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cascade {
    /// The command that failed first.
    pub root_id: i64,
    /// The user that it should have made.
    pub user: String,
    /// When it was given up or answered.
    pub at_ns: u64,
    /// What became of it, in words.
    pub cause: String,
    /// How many later commands failed because of it.
    pub caused: u64,
    /// How many of each operation.
    pub operations: BTreeMap<Operation, u64>,
    /// The ids of the first of them.
    pub examples: Vec<i64>,
}

/// Whether the measurement itself can be trusted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Trust {
    /// The generator's own delay at the 99th percentile; `None` where nothing was sent.
    pub lateness_p99_ns: Option<u64>,
    /// What it may be at most.
    pub lateness_bound_ns: u64,
    /// How many requests were judged.
    pub requests: u64,
    /// Where none failed: the 95 % upper bound of the failure rate, 3/n (the rule of three).
    pub failure_rate_bound: Option<f64>,
    /// Requests that had no outcome when the generator ended.
    pub abandoned: u64,
    /// Places in the ledger that could not be read.
    pub damage: Vec<String>,
    /// What was not checked, and why.
    pub not_checked: Vec<String>,
}
