//! `limosa report`: makes the report of a run again from its directory.

use super::exit::Exit;
use limosa_reports::render;
use limosa_reports::run::RunDir;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

/// Writes the report of a run: report.html, report.md, report.json and pictures/ beside it
///
/// Reads only the run directory; no server is needed. Exits with 0 when the report was written,
/// whatever the verdict is: `limosa judge` has the verdict as its exit code.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  limosa report runs/latest")]
pub struct Args {
    /// The run directory
    #[arg(default_value = "runs/latest")]
    run: PathBuf,

    /// Print report.json on standard output instead of the summary
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Writes the report and prints the summary.
    ///
    /// # Errors
    /// Where the run directory cannot be read, or the report not be written or printed.
    pub fn run(self) -> anyhow::Result<Exit> {
        let written = render::report(&RunDir::open(&self.run)?)?;
        let mut out = std::io::stdout().lock();
        if self.json {
            out.write_all(&fs_err::read(&written.json)?)?;
        } else {
            let coloured = out.is_terminal() && std::env::var_os("NO_COLOR").is_none();
            out.write_all(render::terminal(&written.summary, coloured, 80).as_bytes())?;
        }
        Ok(Exit::Pass)
    }
}
