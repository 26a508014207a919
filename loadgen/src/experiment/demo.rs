//! The demonstration: a clean replay, and one in which the server loses a write on purpose.

use super::child::ChildError;
use super::fleet::Fleet;
use crate::replay::{Finished, Plan, ReplayError, replay};
use crate::schedule::Read;
use fs_err as fs;
use limosa_reports::run::verdict::{Class, Entity, Finding, Verdict};
use limosa_scenarios::generate::{Generator, Options};
use limosa_scenarios::{Action, ProfileError, TraceWriter, WriteError};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// What a demonstration is made of.
#[derive(Debug, Clone)]
pub struct Demo {
    /// The program that is started as the server: this one.
    pub program: PathBuf,
    /// Where run directories and the generated trace are put.
    pub runs: PathBuf,
    /// How many commands the trace holds.
    pub commands: u64,
    /// The seed of everything random.
    pub seed: u64,
}

/// Why a demonstration could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The server.
    #[error(transparent)]
    Server(#[from] ChildError),
    /// A replay.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The built-in profile of traces.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The generated trace.
    #[error("the generated trace cannot be written: {0}")]
    Trace(#[from] WriteError),
    /// The operating system refused.
    #[error("demo: {0}")]
    Io(#[from] std::io::Error),
    /// No message to lose.
    #[error("a trace of {0} commands has no message to lose: give --commands 100 or more")]
    TooShort(u64),
}

/// A generated trace, and the message in it that is to be lost.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The trace's file.
    pub trace: PathBuf,
    /// The id of the message to be lost.
    pub doomed: i64,
}

impl Demo {
    /// Generates the trace, and chooses the message in its middle for the planted loss.
    ///
    /// # Errors
    /// [`DemoError`] where the trace cannot be made.
    pub fn prepare(&self) -> Result<Prepared, DemoError> {
        let profile = limosa_scenarios::Profile::course()?;
        let options = Options {
            seed: self.seed,
            commands: Some(self.commands),
            nonce: true,
            ..Options::default()
        };
        fs::create_dir_all(&self.runs)?;
        let trace = self.runs.join("demo.tsv");
        let mut writer = TraceWriter::new(BufWriter::new(fs::File::create(&trace)?));
        let mut doomed = None;
        for command in Generator::new(&profile, options)? {
            let is_past_middle = command.id.unsigned_abs() >= self.commands / 2;
            if doomed.is_none() && is_past_middle && matches!(command.action, Action::Tweet { .. })
            {
                doomed = Some(command.id);
            }
            writer.write(&command)?;
        }
        writer.finish()?;
        Ok(Prepared { trace, doomed: doomed.ok_or(DemoError::TooShort(self.commands))? })
    }

    /// Replays the trace against a fresh server, which is started with the given faults.
    ///
    /// # Errors
    /// [`DemoError`] where the server or the replay fails.
    pub async fn replay(
        &self,
        prepared: &Prepared,
        faults: &[String],
        interrupted: &Arc<AtomicBool>,
        on_start: impl FnOnce(Arc<crate::record::Live>, u64, &Path),
    ) -> Result<Finished, DemoError> {
        let arguments: Vec<String> =
            faults.iter().flat_map(|fault| ["--fault".to_owned(), fault.clone()]).collect();
        let servers = Fleet::start(&self.program, 1, &arguments)?;
        let name = if faults.is_empty() { "demo" } else { "demo-planted-loss" };
        let plan = Plan {
            name: Some(name.to_owned()),
            reads: vec![Read::latest(0.1)],
            seed: self.seed,
            settle: Duration::from_secs(1),
            runs: self.runs.clone(),
            command_line: vec!["limosa".to_owned(), "demo".to_owned()],
            ..Plan::new(prepared.trace.clone(), servers.urls())
        };
        let finished = replay(&plan, interrupted, on_start).await?;
        servers.stop()?;
        Ok(finished)
    }
}

/// Whether a run found the lost message, and accused the server of nothing else.
pub fn found(finished: &Finished, doomed: i64) -> Option<&Finding> {
    let audit = finished.judgement.audit.as_ref()?;
    match &audit.findings[..] {
        [finding]
            if finding.class == Class::Lost
                && finding.entity == Entity::Message
                && finding.command_id == Some(doomed)
                && finished.judgement.verdict == Verdict::Fail =>
        {
            Some(finding)
        }
        _ => None,
    }
}
