//! `limosa trace amplify`: a trace's population, k times.

use super::super::exit::Exit;
use super::{source, write_trace};
use anyhow::Context as _;
use limosa_scenarios::{DEFAULT_SPREAD_MS, Trace, amplify};
use std::convert::Infallible;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Clone c of user \"Ann Lee\" is \"Ann Lee-c\", with -c before the @ of the e-mail address; clone 0 is
the original. Clone c acts c / K of --spread-seconds later. Ids count from 0 in the order of time.

Examples:
  limosa trace amplify trace.tsv 540 > large.tsv
  limosa trace amplify trace.tsv 20 --spread-seconds 86400 --output twenty.tsv";

/// Multiplies a trace: its population cloned K times, interleaved by time
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The trace; - is standard input. It is held in memory, what comes of it is not
    #[arg(value_name = "TRACE")]
    trace: PathBuf,
    /// How many times
    #[arg(value_name = "K")]
    k: u32,
    /// Over which time the clones of a command are spread, in seconds
    #[arg(long, env = "LIMOSA_AMPLIFY_SPREAD_SECONDS", value_name = "SECONDS", default_value_t = (DEFAULT_SPREAD_MS / 1000) as u32)]
    spread_seconds: u32,
    /// Where to write [default: standard output]
    #[arg(long, short, env = "LIMOSA_OUTPUT", value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<Exit> {
        let (input, name) = source(&self.trace)?;
        let trace = Trace::read(input, name)?;
        let spread_ms = i64::from(self.spread_seconds) * 1000;
        let commands = amplify(&trace.commands, self.k, spread_ms).context(trace.source.clone())?;
        write_trace(commands.map(Ok::<_, Infallible>), self.output.as_deref())
    }
}
