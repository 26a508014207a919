//! `limosa man`: the manual, generated from the same definitions as `--help`.

use super::{Cli, exit::Exit};
use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_mangen::Man;
use std::io::Write as _;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  limosa man | man -l -
  limosa man --directory ~/.local/share/man/man1";

/// Prints the manual page of limosa, or writes those of all its commands into a directory
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Where to write limosa.1, limosa-replay.1 and the others; made where it is missing
    #[arg(long, env = "LIMOSA_MAN_DIRECTORY", value_name = "DIR")]
    directory: Option<PathBuf>,
}

impl Args {
    /// Prints one page, or writes them all.
    ///
    /// # Errors
    /// Where standard output or the directory cannot be written.
    pub fn run(self) -> anyhow::Result<Exit> {
        match self.directory {
            None => {
                let mut page = Vec::new();
                Man::new(Cli::command()).render(&mut page)?;
                std::io::stdout().write_all(&page)?;
            }
            Some(directory) => {
                fs_err::create_dir_all(&directory).context("--directory")?;
                clap_mangen::generate_to(Cli::command(), &directory)
                    .with_context(|| format!("--directory {}", directory.display()))?;
            }
        }
        Ok(Exit::Pass)
    }
}
