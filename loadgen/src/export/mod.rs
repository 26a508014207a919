//! The history of `latest` in the forms that other tools read.
//!
//! - [`history`]: one [`Record`] for each operation, from a run directory.
//! - [`edn`]: the events of a Jepsen history, one map a line, as Knossos and Elle read them.
//!
//! NDJSON holds one record a line, in the order of the calls. Everything streams: memory is that of
//! what was under way at once and, for EDN, of the clients.

pub mod edn;
pub mod history;

#[cfg(test)]
mod tests;

pub use history::{History, Kind, Outcome, Record};

use crate::check::scope::Scope;
use edn::Events;
use limosa_reports::run::ledger::{Damage, LedgerError};
use limosa_reports::run::manifest::Manifest;
use limosa_reports::run::{RunDir, RunDirError};
use std::io::{self, Write};

/// How a history is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Jepsen's history: events in the order of time, one EDN map a line.
    Edn,
    /// One JSON object a line for each operation, in the order of the calls.
    Ndjson,
}

impl Format {
    /// The name in flags and of files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Edn => "edn",
            Self::Ndjson => "ndjson",
        }
    }
}

/// Why a history could not be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The run directory.
    #[error(transparent)]
    RunDir(#[from] RunDirError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The profile in the manifest.
    #[error("the profile in the manifest is none: {0}")]
    Profile(serde_json::Error),
    /// Other processes wrote what this run read.
    #[error(
        "the run holds only {0}: what it read was written by the others too; export what `limosa merge` makes of all shards"
    )]
    Share(String),
    /// It cannot be written.
    #[error("the history cannot be written: {0}")]
    Write(#[from] io::Error),
}

/// What was exported.
#[derive(Debug)]
pub struct Exported {
    /// How many operations.
    pub operations: u64,
    /// The places of the ledger that could not be read: what stood there is missing.
    pub damage: Vec<Damage>,
}

/// Writes the history of a run.
///
/// # Errors
/// [`ExportError`]; what was written until then is no whole history.
pub fn export(run: &RunDir, format: Format, out: impl Write) -> Result<Exported, ExportError> {
    let manifest = run.manifest()?;
    whole(&manifest)?;
    let mut history = History::open(run, &manifest)?;
    match format {
        Format::Edn => edn(&mut history, out)?,
        Format::Ndjson => ndjson(&mut history, out)?,
    }
    Ok(Exported { operations: history.operations(), damage: history.damage() })
}

fn whole(manifest: &Manifest) -> Result<(), ExportError> {
    match Scope::of_run(manifest).named() {
        Some(share) => Err(ExportError::Share(share)),
        None => Ok(()),
    }
}

fn edn(history: &mut History, out: impl Write) -> Result<(), ExportError> {
    let mut events = Events::new(out);
    for record in history {
        events.push(&record?)?;
    }
    Ok(events.finish()?)
}

fn ndjson(history: &mut History, mut out: impl Write) -> Result<(), ExportError> {
    for record in history {
        serde_json::to_writer(&mut out, &record?).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}
