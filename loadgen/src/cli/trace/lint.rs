//! `limosa trace lint`: what is wrong with a trace.

use super::super::exit::Exit;
use super::{grouped, source, unless_pipe_broke};
use limosa_scenarios::lint::{self, Report, Severity};
use std::io::{self, Write};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  limosa trace lint trace.tsv
  limosa trace generate --seed 7 | limosa trace lint --strict -

Exit codes:
  0  no errors (and with --strict no warnings)
  1  errors in the trace: each is named with what it will cause on a replay
  2  the trace could not be read";

/// Finds what is wrong with a trace, before a server is blamed for it
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The trace; - is standard input
    #[arg(value_name = "TRACE", default_value = "-")]
    trace: PathBuf,
    /// The longest text that is not warned of, in characters
    #[arg(long, env = "LIMOSA_LINT_TEXT_LIMIT", value_name = "CHARS", default_value_t = lint::Options::default().text_limit)]
    text_limit: usize,
    /// How many examples of each kind are shown; totals are exact all the same
    #[arg(long, env = "LIMOSA_LINT_EXAMPLES", value_name = "N", default_value_t = lint::Options::default().examples)]
    examples: usize,
    /// Let warnings fail too
    #[arg(long, env = "LIMOSA_LINT_STRICT")]
    strict: bool,
    /// Print the findings as JSON
    #[arg(long, env = "LIMOSA_JSON")]
    json: bool,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<Exit> {
        let (input, name) = source(&self.trace)?;
        let options = lint::Options { text_limit: self.text_limit, examples: self.examples };
        let report = lint::lint(input, name.as_str(), options)?;
        let mut out = io::stdout().lock();
        let written = match self.json {
            true => writeln!(out, "{}", serde_json::to_string_pretty(&report)?),
            false => print(&mut out, &name, &report),
        };
        unless_pipe_broke(written)?;
        let warned = self.strict && report.total(Severity::Warning) > 0;
        Ok(match report.total(Severity::Error) > 0 || warned {
            true => Exit::Fail,
            false => Exit::Pass,
        })
    }
}

fn print(out: &mut impl Write, name: &str, report: &Report) -> io::Result<()> {
    let total = |severity| grouped(report.total(severity));
    writeln!(
        out,
        "{name}: {} lines, {} errors, {} warnings, {} remarks",
        grouped(report.lines),
        total(Severity::Error),
        total(Severity::Warning),
        total(Severity::Info),
    )?;
    for (kind, findings) in &report.findings {
        let (severity, count) = (findings.severity.name(), grouped(findings.total));
        writeln!(out, "\n{severity}: {} ({count})", kind.name())?;
        writeln!(out, "  causes {}", findings.consequence)?;
        for example in &findings.examples {
            writeln!(out, "  line {}: {}", example.line, example.message)?;
        }
    }
    Ok(())
}
