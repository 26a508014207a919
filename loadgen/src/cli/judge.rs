//! `limosa judge`: judges a run again from its directory.

use super::{exit::Exit, outcome};
use crate::client::readback::Reader;
use crate::client::{BaseUrl, Timeouts, Trust};
use crate::judge::judge;
use crate::profile::Profile;
use crate::replay;
use anyhow::Context as _;
use limosa_reports::run::RunDir;
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  limosa judge runs/latest
  limosa judge runs/latest --read-back";

/// Judges a run again from its directory alone, without a server
///
/// The exit code is the verdict's. With --read-back the target is asked once more what it holds:
/// for a run whose limosa was killed before it could look.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", super::exit::HELP))]
pub struct Args {
    /// The run directory
    #[arg(default_value = "runs/latest")]
    run: PathBuf,
    /// Read the target back first, through its API
    #[arg(long)]
    read_back: bool,
    /// The target that --read-back reads [default: the run's last one]
    #[arg(long, env = "LIMOSA_TARGET", value_name = "URL")]
    target: Option<BaseUrl>,
    /// With --read-back, trust the authorities in this PEM file too, for an https target whose
    /// certificate the system does not know
    #[arg(long, env = "LIMOSA_CA_CERT", value_name = "FILE")]
    ca_cert: Option<PathBuf>,
    /// Print the judgement as JSON on standard output
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Judges and reports.
    ///
    /// # Errors
    /// Where the run directory cannot be read or written, or the target not be read back.
    pub fn run(self) -> anyhow::Result<Exit> {
        let mut run = RunDir::open(&self.run)?;
        run.lock()?;
        if self.read_back {
            let trust = match &self.ca_cert {
                Some(file) => Trust::with_ca_cert(file)?,
                None => Trust::default(),
            };
            read_back(&run, self.target, trust)?;
        }
        let judgement = judge(&run)?;
        outcome::show(&run, self.json)?;
        Ok(outcome::exit(judgement.verdict))
    }
}

fn read_back(run: &RunDir, target: Option<BaseUrl>, trust: Trust) -> anyhow::Result<()> {
    let manifest = run.manifest()?;
    let profile: Profile =
        serde_json::from_value(manifest.profile).context("the profile in the manifest")?;
    let target = match target {
        Some(target) => target,
        None => manifest.targets.last().context("the manifest names no target")?.parse()?,
    };
    let timeouts = Timeouts {
        connect: Duration::from_millis(manifest.mode.connect_timeout_ms),
        response: Duration::from_millis(manifest.mode.response_timeout_ms),
    };
    let reader = Reader::new(target.clone().trusting(trust), profile, timeouts);
    let unread = super::runtime()?.block_on(replay::read_back(
        run,
        &reader,
        timeouts.response,
        timeouts.response,
    ))?;
    match unread {
        Some(error) => Err(error).with_context(|| format!("target {target}")),
        None => Ok(()),
    }
}
