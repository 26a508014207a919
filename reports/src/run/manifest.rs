//! `manifest.json`: what was run, how, where, and from which seed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What was run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format of this file.
    pub format_version: u32,
    /// The version of Limosa that wrote it.
    pub limosa: String,
    /// A short name: what was replayed.
    pub name: String,
    /// What was done: `replay`.
    pub kind: String,
    /// When the first part began.
    pub started: Timestamp,
    /// When the last part ended; `None` where it did not end by itself.
    pub finished: Option<Timestamp>,
    /// How requests were sent.
    pub mode: Mode,
    /// The base URLs, in the order of the replica numbers in the ledger.
    pub targets: Vec<String>,
    /// The trace.
    pub trace: TraceInfo,
    /// How many different command ids the run set out to send.
    pub planned_ids: u64,
    /// The seed of everything random in the run.
    pub seed: u64,
    /// The target's known deviations that were honoured, as they were given.
    pub profile: serde_json::Value,
    /// Where the generator ran.
    pub machine: Machine,
    /// The stretches of the run, one per process that worked on it.
    pub parts: Vec<Part>,
}

/// How requests were sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mode {
    /// `strict`: one outstanding command, in the trace's order; `user`: one of each user, and after
    /// the register of whom it names; `none`: as they come.
    pub order: String,
    /// How many requests were under way at most.
    #[serde(default = "one")]
    pub connections: usize,
    /// `limosa` (keep-alive) or `simulator` (as the course's simulator).
    pub client: String,
    /// `max` (as fast as the answers come), `speed:K` (the trace's own times, K times faster),
    /// `rate:R` or `poisson:R` (commands a second).
    pub pace: String,
    /// The longest wait for a connection, in milliseconds.
    pub connect_timeout_ms: u64,
    /// The longest wait for an answer, in milliseconds.
    pub response_timeout_ms: u64,
}

/// Runs that do not say had one connection.
fn one() -> usize {
    1
}

impl Mode {
    /// Whether sends waited for answers alone, so that there is no intended instant and no
    /// response time.
    pub fn is_closed_model(&self) -> bool {
        self.pace == "max"
    }
}

/// The trace that was replayed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TraceInfo {
    /// The file's name, or how it was generated.
    pub source: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// How many commands it holds.
    pub commands: u64,
    /// The ids of its first and last command.
    pub ids: Option<(i64, i64)>,
}

/// The machine that the generator ran on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Operating system and kernel release.
    pub os: String,
    /// The processor's name.
    pub cpu: String,
    /// How many processors the generator could use.
    pub cores: usize,
    /// Main memory, in MiB.
    pub memory_mib: u64,
}

/// One process's stretch of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Its number, which its ledger segments carry.
    pub part: u16,
    /// When it began.
    pub started: Timestamp,
    /// Nanoseconds from the run's start to the part's.
    pub offset_ns: u64,
    /// The first command id that it was to send.
    pub from_id: Option<i64>,
    /// The command line that began it.
    pub command_line: Vec<String>,
}
