//! `limosa merge`: joins the runs of shards into one.

use super::{exit::Exit, outcome};
use crate::judge::judge;
use crate::merge::merge;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  limosa merge runs/shard-1 runs/shard-2 --into runs/whole

The runs are those of `limosa replay --shard 1/2` and `--shard 2/2`, with the same trace, flags and
seed. Shards that are missing are named, and the verdict is unknown.";

/// Joins the runs of the shards of one plan into one, and judges that
///
/// Ledgers and read-backs are united request by request and user by user, so that every figure is
/// what one run would have given. The runs themselves stay as they are.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", super::exit::HELP))]
pub struct Args {
    /// The run directories
    #[arg(value_name = "RUN", required = true, num_args = 2..)]
    runs: Vec<PathBuf>,
    /// The new run directory
    #[arg(long, env = "LIMOSA_INTO", value_name = "DIR")]
    into: PathBuf,
    /// Print the judgement as JSON on standard output
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Joins, judges, reports.
    ///
    /// # Errors
    /// Where the runs do not belong together, or cannot be read or written.
    pub fn run(self) -> anyhow::Result<Exit> {
        let run = merge(&self.runs, &self.into)?;
        let judgement = judge(&run)?;
        outcome::show(&run, self.json)?;
        Ok(outcome::exit(judgement.verdict))
    }
}
