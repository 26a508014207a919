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
    /// How many different command ids the run set out to send; `None`: as many as its time allows.
    pub planned_ids: Option<u64>,
    /// The seed of everything random in the run.
    pub seed: u64,
    /// The target's known deviations that were honoured, as they were given.
    pub profile: serde_json::Value,
    /// Where the generator ran.
    pub machine: Machine,
    /// What the run must keep to, as it was written: `p99 < 50ms`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<String>,
    /// The stretches of the run, one per process that worked on it.
    pub parts: Vec<Part>,
}

impl Manifest {
    /// Whether a phase of this name was only to make the target warm.
    pub fn is_warm_up(&self, phase: &str) -> bool {
        let mut phases = self.parts.iter().flat_map(|part| &part.phases);
        phases.any(|known| known.warm_up && known.name == phase)
    }
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
    /// Whether connections are used again, as far as the target allows.
    #[serde(default = "yes")]
    pub keep_alive: bool,
    /// Which target gets which request: `round-robin`, `random`, `user` or `failover`.
    #[serde(default = "round_robin")]
    pub route: String,
    /// `max` (as fast as the answers come), `speed:K` (the trace's own times, K times faster),
    /// `rate:R` or `poisson:R` (commands a second), or stages of these: `ramp:0:1000:30s,rate:1000`.
    pub pace: String,
    /// The reads in the mix: `latest=0.05` for each command, `messages=20/s` in time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<String>,
    /// The longest wait for a connection, in milliseconds.
    pub connect_timeout_ms: u64,
    /// The longest wait for an answer, in milliseconds.
    pub response_timeout_ms: u64,
}

/// Runs that do not say had one connection, which they kept, to one target.
fn one() -> usize {
    1
}

fn yes() -> bool {
    true
}

fn round_robin() -> String {
    "round-robin".to_owned()
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
    /// Which of how many shares of the users it was to send; `None`: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// Its phases, in order; the first begins with the part.
    #[serde(default = "Phase::whole")]
    pub phases: Vec<Phase>,
    /// Whether connections were used again to the end; `false` where the target was found not to
    /// honour that, so that latencies hold connects.
    #[serde(default)]
    pub gave_up_keep_alive: bool,
}

impl Part {
    /// The number of the phase that a request belongs to which was due (or, in the closed model,
    /// sent) so many nanoseconds after the part began.
    pub fn phase_at(&self, ns: u64) -> usize {
        self.phases.partition_point(|phase| phase.from_ns <= ns).saturating_sub(1)
    }
}

/// A share of a trace's users: those of one process of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Which, from 1.
    pub index: u16,
    /// Of how many.
    pub of: u16,
}

/// A stretch of a part that is reported on its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// Its name: lower-case letters, digits and dashes.
    pub name: String,
    /// Nanoseconds from the part's start to the phase's; it ends where the next one begins.
    pub from_ns: u64,
    /// Whether the target was only to be made warm: its requests are audited like all others, and
    /// their latencies are reported apart.
    pub warm_up: bool,
}

impl Phase {
    /// The name of the phase of a part that has no others.
    pub const MAIN: &str = "main";

    /// One phase for all of a part.
    pub fn whole() -> Vec<Self> {
        vec![Self { name: Self::MAIN.to_owned(), from_ns: 0, warm_up: false }]
    }
}
