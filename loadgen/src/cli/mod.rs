//! The command line: one small file per subcommand. Only here does Limosa print or exit.

pub mod check;
pub mod completions;
pub mod demo;
pub mod exit;
pub mod export;
mod interrupt;
pub mod judge;
pub mod man;
pub mod merge;
mod outcome;
mod progress;
pub mod replay;
pub mod report;
pub mod run;
mod sending;
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
    Demo(demo::Args),
    Check(check::Args),
    Replay(Box<replay::Args>),
    Run(Box<run::Args>),
    Judge(judge::Args),
    Merge(merge::Args),
    Report(report::Args),
    Export(export::Args),
    Trace(trace::Args),
    Serve(Box<serve::Args>),
    Completions(completions::Args),
    Man(man::Args),
}

impl Cli {
    /// Runs the chosen subcommand and says how the process is to end.
    ///
    /// # Errors
    /// Whatever kept the subcommand from its job.
    pub fn run(self) -> anyhow::Result<Exit> {
        match self.command {
            Command::Demo(args) => args.run(),
            Command::Check(args) => args.run(),
            Command::Replay(args) => args.run(),
            Command::Run(args) => args.run(),
            Command::Judge(args) => args.run(),
            Command::Merge(args) => args.run(),
            Command::Report(args) => args.run(),
            Command::Export(args) => args.run(),
            Command::Trace(args) => args.run(),
            Command::Serve(args) => args.run(),
            Command::Completions(args) => args.run(),
            Command::Man(args) => args.run(),
        }
    }
}

/// A runtime on this thread alone: the generator's own work shall not move between cores.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
