//! `limosa export`: the history of `latest` for other tools.

use super::exit::Exit;
use crate::export::{ExportError, Exported, Format, export};
use limosa_reports::run::RunDir;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  limosa export runs/latest --format edn > history.edn
  limosa export runs/latest --format ndjson --output history.ndjson

Every command is a write of its id, and every GET /latest a read. The first write is what the target
named before the run. EDN is Jepsen's history: Knossos judges it as a `register`. NDJSON tells of
each operation its client, kind, value, call_ns, return_ns, outcome (ok, fail, info), status and
replica. Times are nanoseconds since the run began.";

/// Writes the history of latest in a form that other tools judge
///
/// Reads only the run directory. A history with gaps, from a ledger that is damaged, is written as far
/// as it goes; the exit code is 3 then.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", super::exit::HELP))]
pub struct Args {
    /// The run directory
    #[arg(default_value = "runs/latest")]
    run: PathBuf,
    /// The form: edn (Jepsen's) or ndjson
    #[arg(long, env = "LIMOSA_FORMAT", value_name = "FORMAT", value_enum)]
    format: Format,
    /// Where to write [default: standard output]
    #[arg(long, env = "LIMOSA_OUTPUT", value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Args {
    /// Writes the history.
    ///
    /// # Errors
    /// Where the run directory cannot be read, or the history not be written.
    pub fn run(self) -> anyhow::Result<Exit> {
        let run = RunDir::open(&self.run)?;
        match &self.output {
            Some(path) => to_file(&run, self.format, path),
            None => to(&run, self.format, std::io::stdout().lock()),
        }
    }
}

/// Writes the history of a run into a file.
///
/// # Errors
/// As [`export`].
pub(super) fn to_file(run: &RunDir, format: Format, path: &Path) -> anyhow::Result<Exit> {
    to(run, format, fs_err::File::create(path)?)
}

#[allow(clippy::print_stderr, reason = "people's text belongs on standard error")]
fn to(run: &RunDir, format: Format, out: impl Write) -> anyhow::Result<Exit> {
    let Exported { damage, .. } = match export(run, format, BufWriter::new(out)) {
        // Whoever reads has seen enough, as `head` does.
        Err(ExportError::Write(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            return Ok(Exit::Pass);
        }
        other => other?,
    };
    for place in &damage {
        eprintln!(
            "limosa: {} cannot be read from byte {}: what stood there is missing in the history",
            place.path.display(),
            place.offset
        );
    }
    Ok(if damage.is_empty() { Exit::Pass } else { Exit::Unknown })
}
