//! Scenarios: a whole run in one TOML file, from what is sent to what it must keep to.
//!
//! ```toml
//! name = "climb"
//! about = "Up to 1,000 commands a second, and a jolt."
//! order = "user"
//! limits = ["p99 < 200ms", "steady.p99 < 50ms", "errors < 0.1%", "lost = 0"]
//!
//! [generate]              # or: trace = "mine.tsv"
//! seed = 7
//!
//! [server]                # or: targets = ["http://127.0.0.1:5001"]
//! replicas = 3
//!
//! [reads]
//! latest = "5%"           # of the commands
//! user_messages = "20/s"
//!
//! [[phase]]
//! name = "warm-up"
//! for = "5s"
//! rate = 100              # commands a second
//! warm_up = true
//!
//! [[phase]]
//! name = "climb"
//! for = "10s"
//! ramp = [100, 1000]
//!
//! [[phase]]
//! name = "steady"
//! for = "30s"
//! rate = 1000
//! ```
//!
//! Every key has the meaning and the default of the flag of `limosa replay` that has its name. Paths
//! are relative to the file. Without a rate the run goes by the answers (the closed model), and
//! phases are stretches of time. Without targets, servers are started for the run. A generated trace
//! holds as many commands as the phases need, unless `commands` says how many.
//!
//! - [`Scenario::load`] reads a file and finds what is wrong with it, by its line.
//! - [`shipped`] are the scenarios that ship with this program.
//! - [`Scenario::trace`] makes the trace, [`Scenario::plan`] what
//!   [`replay`](crate::replay::replay()) carries out.

mod file;
mod make;
pub mod shipped;
mod timetable;
mod trace;

pub use trace::TraceError;

use crate::client::BaseUrl;
use crate::replay::Plan;
use crate::schedule::{Order, Read};
use crate::small_file;
use limosa_scenarios::Profile as TraceProfile;
use limosa_scenarios::generate::Options;
use std::path::{Path, PathBuf};
use std::time::Duration;
use timetable::Timetable;

/// A whole run, read and found to make sense.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// One sentence on what it is for.
    pub about: String,
    /// The targets; none: servers are to be started.
    pub targets: Vec<BaseUrl>,
    /// The servers to start where there are no targets.
    pub servers: Servers,
    text: String,
    source: Source,
    timetable: Timetable,
    /// All that the rest does not say.
    template: Plan,
}

/// Servers that are started for a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Servers {
    /// How many, on one database.
    pub replicas: usize,
    /// Further flags of `limosa serve`.
    pub flags: Vec<String>,
}

/// Where the commands come from.
#[derive(Debug, Clone)]
enum Source {
    File(PathBuf),
    Generate { profile: Box<TraceProfile>, options: Options, seed: Option<u64> },
}

/// Why there is no scenario.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file cannot be read; the message names it.
    #[error("the scenario cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// The file is not TOML, or no scenario.
    #[error("{name}, line {line}: {message}")]
    Malformed {
        /// The file.
        name: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it, and what would be right.
        message: String,
    },
}

impl Scenario {
    /// Reads a scenario from a TOML file.
    ///
    /// # Errors
    /// [`ScenarioError`] where the file cannot be read, or does not hold a scenario that makes sense.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let text = small_file::read(path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text, &path.display().to_string(), folder)
    }

    /// Reads a scenario from TOML; `name` is what errors call it, and paths in it are relative to
    /// `folder`.
    ///
    /// # Errors
    /// [`ScenarioError::Malformed`].
    pub fn parse(text: &str, name: &str, folder: &Path) -> Result<Self, ScenarioError> {
        make::scenario(text, folder).map_err(|(at, message)| {
            let before = &text.as_bytes()[..at.min(text.len())];
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            ScenarioError::Malformed { name: name.to_owned(), line, message }
        })
    }

    /// The same scenario in another time: every phase keeps its share of it. One that lasts as long
    /// as its trace is cut off instead.
    pub fn lasting(mut self, time: Duration) -> Self {
        self.timetable = self.timetable.lasting(time);
        self
    }

    /// The same scenario with another seed.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.template.seed = seed;
        self
    }

    /// The same scenario, with reads of `latest` that observe: see [`Read::observed`].
    pub fn observing(mut self) -> Self {
        self.template.reads = Read::observed(&self.template.reads);
        self
    }

    /// Whether its commands are sent one at a time.
    pub fn is_strict(&self) -> bool {
        self.template.order == Order::Strict
    }

    /// What is to be carried out: this trace, against these targets.
    pub fn plan(&self, trace: PathBuf, targets: Vec<BaseUrl>) -> Plan {
        Plan {
            name: Some(self.name.clone()),
            scenario: Some(self.text.clone()),
            trace,
            reads: Read::mix(&self.template.reads, targets.len(), self.template.route),
            targets,
            pace: self.timetable.pace(),
            phases: self.timetable.phases(),
            duration: self.timetable.total(),
            ..self.template.clone()
        }
    }
}

#[cfg(test)]
mod tests;
