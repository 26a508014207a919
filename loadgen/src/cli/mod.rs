//! The command line: one small file per subcommand. Only here does Limosa print or exit.

pub mod check;
pub mod exit;
pub mod serve;
pub mod trace;

use clap::{Parser, Subcommand};
use exit::Exit;

/// Replays simulator traces against microblog servers and tells what was lost, when, and why.
#[derive(Debug, Parser)]
#[command(name = "limosa", version, about, after_help = exit::HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Args),
    Serve(serve::Args),
    Trace(trace::Args),
}

impl Cli {
    /// Runs the chosen subcommand and says how the process is to end.
    ///
    /// # Errors
    /// Whatever kept the subcommand from its job.
    pub fn run(self) -> anyhow::Result<Exit> {
        match self.command {
            Command::Check(args) => args.run(),
            Command::Serve(args) => args.run(),
            Command::Trace(args) => args.run(),
        }
    }
}
