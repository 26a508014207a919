//! `limosa trace generate`: a trace from a profile and a seed.

use super::super::exit::Exit;
use super::{sink, source, unless_pipe_broke, write_trace};
use anyhow::Context as _;
use limosa_scenarios::generate::{Generator, Options};
use limosa_scenarios::{Profile, Trace};
use std::convert::Infallible;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  limosa trace generate --seed 7 --commands 3000 --users 60 --output demo.tsv
  limosa trace generate --fit trace.tsv --seed 1 | limosa trace stats trace.tsv -
  limosa trace generate --fit trace.tsv --print-profile > mine.toml
  limosa trace generate --profile mine.toml --commands 14000000 --nonce > large.tsv";

/// Generates a trace that is like another: the same seed gives the same bytes
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The seed
    #[arg(long, env = "LIMOSA_SEED", value_name = "N", default_value_t = 0)]
    seed: u64,
    /// How many commands [default: as the profile]
    #[arg(long, env = "LIMOSA_GENERATE_COMMANDS", value_name = "N")]
    commands: Option<u64>,
    /// How many users [default: as many to a command as in the profile; in a shorter trace more, so
    /// that who follows whom is as dense]
    #[arg(long, env = "LIMOSA_GENERATE_USERS", value_name = "N")]
    users: Option<u64>,
    /// From the first command to the last, in hours [default: as the profile]
    #[arg(long, env = "LIMOSA_GENERATE_SPAN_HOURS", value_name = "HOURS")]
    span_hours: Option<u32>,
    /// End each text in a nonce, so that an audit can tell every message from every other
    #[arg(long, env = "LIMOSA_GENERATE_NONCE")]
    nonce: bool,
    /// A profile in TOML [default: that of the course's trace]
    #[arg(long, env = "LIMOSA_GENERATE_PROFILE", value_name = "FILE", conflicts_with = "fit")]
    profile: Option<PathBuf>,
    /// Fit the profile to this trace; - is standard input
    #[arg(long, env = "LIMOSA_GENERATE_FIT", value_name = "TRACE")]
    fit: Option<PathBuf>,
    /// Print the profile instead of a trace
    #[arg(long)]
    print_profile: bool,
    /// Where to write [default: standard output]
    #[arg(long, short, env = "LIMOSA_OUTPUT", value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<Exit> {
        let profile = self.profile()?;
        if self.print_profile {
            let mut out = sink(self.output.as_deref())?;
            let text = profile.to_toml()?;
            unless_pipe_broke(out.write_all(text.as_bytes()).and_then(|()| out.flush()))?;
            return Ok(Exit::Pass);
        }
        let options = Options {
            seed: self.seed,
            commands: self.commands,
            users: self.users,
            span_ms: self.span_hours.map(|hours| i64::from(hours) * 3_600_000),
            nonce: self.nonce,
        };
        let commands = Generator::new(&profile, options)?;
        write_trace(commands.map(Ok::<_, Infallible>), self.output.as_deref())
    }

    fn profile(&self) -> anyhow::Result<Profile> {
        if let Some(path) = &self.profile {
            let text = fs_err::read_to_string(path).context("--profile")?;
            return Profile::from_toml(&text)
                .with_context(|| format!("--profile {}", path.display()));
        }
        if let Some(path) = &self.fit {
            let (input, name) = source(path)?;
            return Ok(Profile::fit(&Trace::read(input, name)?));
        }
        Ok(Profile::course()?)
    }
}
