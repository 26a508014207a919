//! What to replay, against what, and how.

use crate::check::scope::Scope;
use crate::client::{BaseUrl, ClientKind, KeepAlive, Timeouts};
use crate::engine::StopRule;
use crate::profile::Profile;
use crate::schedule::{Manner, Order, Pace, Read, Route, Shard};
use jiff::Timestamp;
use limosa_reports::run::manifest::Phase;
use std::path::PathBuf;
use std::time::Duration;

/// What to replay, against what, and how.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What the run is called; `None`: as the trace.
    pub name: Option<String>,
    /// The scenario that the plan was made from, as TOML; it is kept in the run directory.
    pub scenario: Option<String>,
    /// The trace's file.
    pub trace: PathBuf,
    /// The targets, at least one; the first is the one that is read back.
    pub targets: Vec<BaseUrl>,
    /// Which target gets which request.
    pub route: Route,
    /// What the target is known to do otherwise.
    pub profile: Profile,
    /// Whose requests are sent.
    pub client: ClientKind,
    /// Which commands may be under way together.
    pub order: Order,
    /// How many requests are under way at most.
    pub connections: usize,
    /// Whether connections are used again, as far as the target allows.
    pub keep_alive: bool,
    /// How fast.
    pub pace: Pace,
    /// The stretches that are reported on their own; none: all is one.
    pub phases: Vec<Phase>,
    /// Sends nothing that is due later; `None`: the whole trace.
    pub duration: Option<Duration>,
    /// What is read besides.
    pub reads: Vec<Read>,
    /// Skips the commands with a lower id.
    pub from_id: Option<i64>,
    /// Sends only this share of the users.
    pub shard: Option<Shard>,
    /// When to begin to send; `None`: as soon as the target was read.
    pub start_at: Option<Timestamp>,
    /// The seed of everything random.
    pub seed: u64,
    /// What the run must keep to.
    pub limits: Vec<String>,
    /// How long to wait for connections and answers.
    pub timeouts: Timeouts,
    /// When to give up.
    pub stop: StopRule,
    /// How long a write without an answer may still land before the second read-back.
    pub settle: Duration,
    /// The run directory; `None`: a new one in `runs`.
    pub run_dir: Option<PathBuf>,
    /// Where new run directories are made.
    pub runs: PathBuf,
    /// The command line, for the manifest.
    pub command_line: Vec<String>,
}

impl Plan {
    /// The plan as the schedule sees it.
    pub(super) fn manner(&self, seed: u64) -> Manner {
        Manner {
            pace: self.pace.clone(),
            until_ns: self.duration.map(|duration| duration.as_nanos() as u64),
            reads: self.reads.clone(),
            route: self.route,
            targets: self.targets.len(),
            shard: self.shard,
            seed,
        }
    }

    /// The first target, as messages name it.
    pub(super) fn target_name(&self) -> String {
        self.targets.first().map(ToString::to_string).unwrap_or_default()
    }

    pub(super) fn keep_alive(&self) -> KeepAlive {
        if self.keep_alive { KeepAlive::new(&self.profile) } else { KeepAlive::off() }
    }

    /// Whether a user's state is this plan's to read back: of a shard, its own users'.
    pub(super) fn reads_back(&self, user: &str) -> bool {
        Scope::of([self.shard]).holds(user)
    }
}
