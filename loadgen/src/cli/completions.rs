//! `limosa completions`: what a shell needs to complete Limosa's commands and flags.

use super::{Cli, exit::Exit};
use clap::CommandFactory as _;
use clap_complete::Shell;
use std::io::Write as _;

const EXAMPLES: &str = "\
Examples:
  limosa completions bash > ~/.local/share/bash-completion/completions/limosa
  limosa completions fish > ~/.config/fish/completions/limosa.fish
  limosa completions zsh > \"${fpath[1]}/_limosa\"";

/// Prints a shell's completion script on standard output
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The shell that is to complete
    shell: Shell,
}

impl Args {
    /// Prints the script.
    ///
    /// # Errors
    /// Where standard output cannot be written.
    pub fn run(self) -> anyhow::Result<Exit> {
        // The generator panics where it cannot write, as it could not into a pipe that was closed.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "limosa", &mut script);
        std::io::stdout().write_all(&script)?;
        Ok(Exit::Pass)
    }
}
