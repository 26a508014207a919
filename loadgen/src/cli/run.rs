//! `limosa run`: a scenario, from its file to its exit code.

use super::exit::Exit;
use super::outcome;
use super::replay::{command_line, time};
use super::sending::{Observe, Sending};
use crate::client::BaseUrl;
use crate::experiment::fleet::Fleet;
use crate::nearest::nearest;
use crate::replay::Plan;
use crate::scenario::{Scenario, shipped};
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  limosa run smoke
  limosa run --print steady > mine.toml
  limosa run mine.toml --target http://127.0.0.1:5001 --run-dir runs/mine
  limosa run soak --duration 1m

Without targets, in the file or by --target, reference servers are started for the run, with a
temporary database, and ended after it.";

/// Runs a scenario: a file that says what is sent, how fast, and what the run must keep to
///
/// A scenario is a TOML file: a trace or what to generate, the order, the phases with their rates, the
/// targets or the servers to start, reads, and limits. Each limit is a check of the run, so the exit
/// code tells whether all of them hold. `--print` writes one out to start from.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", super::exit::HELP))]
pub struct Args {
    /// The scenario: a file, or the name of one that ships (see --list)
    #[arg(required_unless_present_any = ["list", "print"])]
    scenario: Option<PathBuf>,
    /// The target's base URL instead of the scenario's; once for each replica
    #[arg(long, env = "LIMOSA_TARGET", value_name = "URL", value_delimiter = ',')]
    target: Vec<BaseUrl>,
    /// Run for TIME (such as 30s) instead: every phase keeps its share of it. A scenario that lasts as
    /// long as its trace is cut off
    #[arg(long, env = "LIMOSA_DURATION", value_name = "TIME", value_parser = time)]
    duration: Option<Duration>,
    /// The seed of everything random instead of the scenario's
    #[arg(long, env = "LIMOSA_SEED", value_name = "N")]
    seed: Option<u64>,
    /// List the scenarios that ship
    #[arg(long, conflicts_with = "scenario")]
    list: bool,
    /// Print a scenario that ships
    #[arg(long, value_name = "NAME", conflicts_with_all = ["scenario", "list"])]
    print: Option<String>,
    #[command(flatten)]
    sending: Sending,
}

impl Args {
    /// Runs, audits, reports; or lists or prints.
    ///
    /// # Errors
    /// Where the scenario, its trace, a target or the run directory cannot be used.
    pub fn run(self) -> anyhow::Result<Exit> {
        if self.list {
            return list();
        }
        if let Some(name) = &self.print {
            let text = shipped::text(name).with_context(|| none_ships(name))?;
            say(text.trim_end());
            return Ok(Exit::Pass);
        }
        let scenario = self.scenario()?;
        let mut targets =
            if self.target.is_empty() { &scenario.targets } else { &self.target }.clone();
        if self.sending.ca_cert.is_some() {
            let trust = self.sending.trust()?;
            targets = targets.into_iter().map(|url| url.trusting(trust.clone())).collect();
        }
        if targets.is_empty() && self.sending.shard.is_some() {
            anyhow::bail!("--shard: every process would start servers of its own: add --target");
        }
        if self.sending.shard.is_some() && scenario.is_strict() {
            anyhow::bail!("--shard: the strict order is one process's: use another order");
        }
        let trace = scenario.trace(self.runs())?;
        let fleet = match targets.is_empty() {
            true => {
                let servers = &scenario.servers;
                let program = std::env::current_exe()?;
                Some(Fleet::start(&program, servers.replicas, &servers.flags).context("[server]")?)
            }
            false => None,
        };
        let targets = fleet.as_ref().map_or(targets, Fleet::urls);
        let plan = Plan {
            shard: self.sending.shard,
            start_at: self.sending.start_at,
            run_dir: self.sending.run_dir.clone(),
            command_line: command_line(),
            ..scenario.plan(trace, targets)
        };
        self.carry_out(&plan, fleet)
    }

    fn carry_out(&self, plan: &Plan, fleet: Option<Fleet>) -> anyhow::Result<Exit> {
        let finished = self.sending.carry_out(plan, "run")?;
        match fleet {
            // The servers are gone when this ends, so there is nothing to go on with.
            Some(fleet) => {
                outcome::explain_unread(&finished);
                fleet.stop()?;
            }
            None => outcome::explain(plan, &finished),
        }
        Ok(outcome::exit(finished.judgement.verdict))
    }

    fn scenario(&self) -> anyhow::Result<Scenario> {
        let path = self.scenario.as_deref().unwrap_or(Path::new(""));
        let name = path.to_string_lossy();
        let mut scenario = match shipped::scenario(&name)? {
            Some(scenario) if !path.is_file() => scenario,
            // What has neither a slash nor a dot was meant as a name.
            None if !path.exists() && !name.contains(['/', '.']) => {
                anyhow::bail!("there is no file {name}, and {}", none_ships(&name))
            }
            _ => Scenario::load(path)?,
        };
        if let Some(duration) = self.duration {
            scenario = scenario.lasting(duration);
        }
        if let Some(seed) = self.seed {
            scenario = scenario.with_seed(seed);
        }
        if let Some(Observe::Latest) = self.sending.observe {
            scenario = scenario.observing();
        }
        Ok(scenario)
    }

    /// Where a generated trace is put: beside the run directory.
    fn runs(&self) -> &Path {
        match self.sending.run_dir.as_deref().map(Path::parent) {
            Some(Some(parent)) => parent,
            _ => Path::new("runs"),
        }
    }
}

fn list() -> anyhow::Result<Exit> {
    for (name, _) in shipped::ALL {
        if let Some(scenario) = shipped::scenario(name)? {
            say(&format!("{name:<10}{}", scenario.about));
        }
    }
    Ok(Exit::Pass)
}

fn none_ships(name: &str) -> String {
    let nearest = nearest(name, shipped::ALL.map(|(name, _)| name)).unwrap_or_default();
    format!(
        "no scenario that ships is called `{name}`; the nearest is `{nearest}`: `limosa run --list` \
         shows them"
    )
}

#[allow(clippy::print_stdout, reason = "this is what was asked for")]
fn say(text: &str) {
    println!("{text}");
}
