//! What the checkers of `latest` found, contract by contract, with the operations that prove it.
//!
//! Every `_ns` is nanoseconds since the run began.

use super::Verdict;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All that was found out about `GET /latest`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LatestDetails {
    /// The verdict of each contract that was checked.
    pub contracts: Vec<ContractJudgement>,
    /// How far the reads were behind.
    pub staleness: Staleness,
    /// The least time by which the reads have to be moved back so that the register contract
    /// holds; reads of values that nobody had written are left out, since no time excuses them.
    pub delta: Bounded,
    /// What each client may expect of its own requests.
    pub sessions: Sessions,
    /// The reads by the replica that answered.
    pub replicas: Vec<ReplicaReads>,
    /// The target seems to count what arrives and to ignore the ids.
    pub counting: Option<Counting>,
    /// Writes of an id that had been written before.
    pub repeated: u64,
    /// Reads that cannot be judged: what they named was written more than once, or before the run.
    pub undecided: u64,
    /// The reads over time, per replica, in the order of time.
    pub course: Vec<CourseBin>,
}

/// What `latest` can be held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contract {
    /// One client, one outstanding operation: the last command, or one whose outcome is open.
    Strict,
    /// A linearizable register, where the last write wins.
    Register,
    /// A linearizable register that keeps the largest id.
    MaxRegister,
}

impl Contract {
    /// Every contract.
    pub const ALL: [Self; 3] = [Self::Strict, Self::Register, Self::MaxRegister];

    /// The contract's name in files and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Register => "register",
            Self::MaxRegister => "max register",
        }
    }

    /// What it is called where people read it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Strict => "strict order",
            Self::Register => "linearizable register",
            Self::MaxRegister => "linearizable register of the largest id",
        }
    }

    /// What it promises, in one line.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Strict => {
                "With one request at a time, a read names the last command that was answered, or \
                 one after it that never was."
            }
            Self::Register => {
                "All requests look as if each took effect at one instant between its sending and \
                 its answer, and a read names the last command before its own instant."
            }
            Self::MaxRegister => {
                "The same for a server that keeps the largest id instead of the last one."
            }
        }
    }
}

/// How the reads stand to one contract.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContractJudgement {
    /// The contract.
    pub contract: Contract,
    /// How it ended.
    pub verdict: Verdict,
    /// One sentence: why.
    pub summary: String,
    /// How many reads were judged.
    pub reads: u64,
    /// How many of them were wrong: each contradicts the writes and the reads before it that were
    /// right.
    pub wrong: u64,
    /// The wrong reads by what is wrong with them.
    pub anomalies: BTreeMap<Anomaly, u64>,
    /// The first wrong reads of each kind.
    pub witnesses: Vec<Witness>,
}

/// What is wrong with a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anomaly {
    /// Nobody wrote what it named.
    Phantom,
    /// What it named was never sent, or was refused by a target that ignores refused commands.
    AbortedRead,
    /// It was answered before what it named was sent.
    Future,
    /// What it named had been replaced, and the replacement had been read: the value went back.
    Inversion,
    /// What it named had been replaced by a write that nobody read.
    Contained,
    /// A larger id had been there (of the register that keeps the largest).
    Smaller,
    /// It is not the last command (of the strict contract).
    NotLast,
}

impl Anomaly {
    /// The anomaly's name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Phantom => "phantom",
            Self::AbortedRead => "aborted read",
            Self::Future => "future",
            Self::Inversion => "inversion",
            Self::Contained => "contained",
            Self::Smaller => "smaller",
            Self::NotLast => "not last",
        }
    }

    /// What the anomaly means, in one line.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Phantom => "named an id that nobody had sent",
            Self::AbortedRead => "named a command that never took effect",
            Self::Future => "was answered before the command that it named was sent",
            Self::Inversion => "went back to a value whose successor had been read",
            Self::Contained => "named a value that a finished command had replaced",
            Self::Smaller => "named a smaller id than had been there",
            Self::NotLast => "did not name the last command",
        }
    }
}

/// A wrong read, and the operations that contradict it.
///
/// Drawn on one line of time: `finished` ends before `followed` begins, so the value of `followed`
/// came later; `seen` ends before `read` begins, so that later value was there; and `read` names the
/// earlier one. Where the write of the later value is enough, it is both `followed` and `seen`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// What is wrong.
    pub anomaly: Anomaly,
    /// The wrong read.
    pub read: WitnessedOperation,
    /// The first operation with the value of `read` that was answered.
    pub finished: Option<WitnessedOperation>,
    /// An operation with another value that began after that.
    pub followed: Option<WitnessedOperation>,
    /// The first operation with that other value that was answered.
    pub seen: Option<WitnessedOperation>,
    /// All of it in one sentence.
    pub sentence: String,
}

/// One operation of a witness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WitnessedOperation {
    /// It read `latest`; otherwise it was a command, which writes it.
    pub is_read: bool,
    /// What it wrote or named.
    pub value: i64,
    /// When it was sent.
    pub called_ns: u64,
    /// When it was answered; `None` where it was not.
    pub returned_ns: Option<u64>,
    /// The replica that was asked; `None` for what the target held before the run and named after
    /// it.
    pub replica: Option<u16>,
    /// The part of the run and the number in it, by which the ledger has it; `None` likewise.
    pub request: Option<(u16, u64)>,
}

/// A figure that is exact, or known to be no less.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounded {
    /// Nanoseconds.
    pub ns: u64,
    /// It may be more: what it depends on lies further back than is kept in memory.
    pub at_least: bool,
}

/// How far the reads were behind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Staleness {
    /// Reads of a value that somebody had written.
    pub reads: u64,
    /// Of these: what they named had been replaced by a finished write before they began.
    pub stale: u64,
    /// Of these: not stale, and yet in contradiction with an earlier read.
    pub unordered: u64,
    /// Of the stale reads: how many finished writes they were behind.
    pub versions: Spread,
    /// Of the stale reads: for how long at least, in nanoseconds, the value had been replaced.
    pub ns: Spread,
    /// How many reads were exactly 0, 1, 2... versions behind; the last entry holds all beyond.
    pub lags: Vec<u64>,
    /// How many of the stale reads were further behind than is kept in memory; they count with what
    /// is certain.
    pub at_least: u64,
}

/// How a figure is spread over the reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    /// Half of them are at most this.
    pub p50: u64,
    /// 99 of 100 are at most this.
    pub p99: u64,
    /// The largest.
    pub max: u64,
}

/// What each client may expect of its own requests (Terry and others, "Session guarantees", 1994).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sessions {
    /// Reads by a client that is known to have one request at a time.
    pub reads: u64,
    /// Of these: named a value that was over before the one that the client had read was written.
    pub monotonic_reads_broken: u64,
    /// Of these: named a value that was over before the client's own write was sent.
    pub own_writes_missed: u64,
    /// Of these: by clients beyond the number whose requests are followed.
    pub not_followed: u64,
}

/// The reads that one replica answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicaReads {
    /// Its number.
    pub replica: u16,
    /// How many.
    pub reads: u64,
    /// Of these: wrong by the contract of the run.
    pub wrong: u64,
    /// Of these: stale.
    pub stale: u64,
    /// The furthest behind, in versions.
    pub max_versions: u64,
    /// The furthest behind, in nanoseconds.
    pub max_ns: u64,
}

/// What a target counts that ignores the ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counting {
    /// The commands.
    Commands,
    /// All requests, reads of `latest` too.
    Requests,
}

/// The reads that one replica answered in one stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseBin {
    /// When the stretch began.
    pub start_ns: u64,
    /// How long it is.
    pub width_ns: u64,
    /// The replica.
    pub replica: u16,
    /// How many reads were sent to it.
    pub reads: u64,
    /// How many were wrong by the contract of the run.
    pub wrong: u64,
    /// The furthest behind, in versions.
    pub max_versions: u64,
    /// The furthest behind, in nanoseconds.
    pub max_ns: u64,
    /// What the last of them named.
    pub last_reported: i64,
}

#[cfg(test)]
mod tests {
    use crate::run::verdict::LatestJudgement;

    #[test]
    fn a_judgement_from_before_there_were_details_reads_as_ever() {
        let old = r#"{"contract":"strict","verdict":"pass","reads":7,"wrong":0,"mean_legal":1.0,
            "last_sent":9,"last_reported":9,"witnesses":[]}"#;
        let judgement: LatestJudgement = serde_json::from_str(old).unwrap();
        assert_eq!((judgement.reads, &judgement.details), (7, &None));
        assert!(!serde_json::to_string(&judgement).unwrap().contains("details"));
        let newer = old.replace("[]}", r#"[],"details":{}}"#);
        let judgement: LatestJudgement = serde_json::from_str(&newer).unwrap();
        assert_eq!(judgement.details, Some(super::LatestDetails::default()));
    }
}
