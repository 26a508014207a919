//! What `limosa replay` and `limosa run` have in common: flags, and how a plan is carried out.

use super::interrupt::Interrupt;
use super::replay::shard;
use super::{export, outcome, progress::Progress};
use crate::client::Trust;
use crate::export::Format;
use crate::replay::{Finished, Plan, replay};
use crate::schedule::Shard;
use anyhow::Context as _;
use jiff::Timestamp;
use limosa_reports::run::RunDir;
use std::path::PathBuf;

/// The flags of both.
#[derive(Debug, clap::Args)]
pub(super) struct Sending {
    /// Trust the authorities in this PEM file too, for https targets whose certificates the system
    /// does not know
    #[arg(long, env = "LIMOSA_CA_CERT", value_name = "FILE")]
    pub(super) ca_cert: Option<PathBuf>,
    /// Read `latest` as it takes to judge it: for one command in five, unless it is said how often,
    /// and each time from a replica drawn by the seed, whatever the route (with failover, the one in
    /// use) [default: with several targets, unless it is said how often]
    #[arg(long, env = "LIMOSA_OBSERVE", value_name = "WHAT", value_enum)]
    pub(super) observe: Option<Observe>,
    /// Send only the share I of N of the users, from 1: N processes with the same trace, flags and
    /// seed send all of it. `limosa merge` joins their runs
    #[arg(long, env = "LIMOSA_SHARD", value_name = "I/N", value_parser = shard)]
    pub(super) shard: Option<Shard>,
    /// Begin to send at this instant, such as 2026-01-31T12:00:00Z: for processes that are to begin
    /// together
    #[arg(long, env = "LIMOSA_START_AT", value_name = "TIMESTAMP")]
    pub(super) start_at: Option<Timestamp>,
    /// The run directory [default: runs/TIME-NAME]
    #[arg(long, env = "LIMOSA_RUN_DIR", value_name = "DIR")]
    pub(super) run_dir: Option<PathBuf>,
    /// Write the history of latest into the run directory too, as `limosa export` does
    #[arg(long, env = "LIMOSA_EXPORT", value_name = "FORMAT", value_enum)]
    export: Option<Format>,
    /// Print the judgement as JSON on standard output
    #[arg(long)]
    json: bool,
    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
}

/// What can be observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Observe {
    /// `GET /latest`, the id of the last command.
    Latest,
}

impl Sending {
    /// Whom https targets are trusted by.
    pub(super) fn trust(&self) -> anyhow::Result<Trust> {
        match &self.ca_cert {
            Some(file) => Trust::with_ca_cert(file).context("--ca-cert"),
            None => Ok(Trust::default()),
        }
    }

    /// Sends, audits and reports. `context` says what was being done where that fails.
    pub(super) fn carry_out(&self, plan: &Plan, context: &str) -> anyhow::Result<Finished> {
        let finished = super::runtime()?.block_on(async {
            let interrupt = Interrupt::listen();
            let mut progress = None;
            let finished = replay(plan, interrupt.flag(), |live, total, run| {
                interrupt.is_recorded_in(run);
                progress = Some(Progress::start(live, total, self.quiet));
            })
            .await;
            drop(progress);
            finished.with_context(|| context.to_owned())
        })?;
        outcome::show(&finished.run, self.json)?;
        if let Some(format) = self.export {
            self.export(&finished.run, format)?;
        }
        Ok(finished)
    }

    fn export(&self, run: &RunDir, format: Format) -> anyhow::Result<()> {
        let path = run.path().join(format!("history.{}", format.name()));
        export::to_file(run, format, &path).context("--export")?;
        Ok(())
    }
}
