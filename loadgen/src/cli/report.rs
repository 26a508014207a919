//! `limosa report`: makes the report of a run again from its directory.

use super::exit::Exit;
use limosa_reports::render;
use limosa_reports::run::RunDir;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

/// The width that every terminal has at least.
const COLUMNS: usize = 80;

/// Writes the report of a run: report.html, report.md, report.json and pictures/ beside it
///
/// Reads only the run directory; no server is needed. Exits with 0 when the report was written,
/// whatever the verdict is: `limosa judge` has the verdict as its exit code.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  limosa report runs/latest
  limosa report runs/latest --json > run.json")]
pub struct Args {
    /// The run directory
    #[arg(default_value = "runs/latest")]
    run: PathBuf,

    /// Print report.json on standard output, and the summary on standard error
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
        if self.json {
            std::io::stdout().write_all(&fs_err::read(&written.json)?)?;
            show(&written.summary, &mut std::io::stderr())?;
        } else {
            show(&written.summary, &mut std::io::stdout())?;
        }
        Ok(Exit::Pass)
    }
}

fn show(summary: &render::Summary, out: &mut (impl Write + IsTerminal)) -> std::io::Result<()> {
    let coloured = out.is_terminal() && std::env::var_os("NO_COLOR").is_none();
    out.write_all(render::terminal(summary, coloured, COLUMNS).as_bytes())
}
