//! `limosa trace slice`: a part of a trace.

use super::super::exit::Exit;
use super::{source, write_trace};
use anyhow::Context as _;
use limosa_scenarios::{Command, Selection, Trace, TraceError, TraceReader, slice_with_registers};
use std::ops::RangeInclusive;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Conditions are met together. Ids stay as they are, so that `limosa trace lint` shows the gaps,
unless --renumber is given.

Examples:
  limosa trace slice trace.tsv --first 1000 > head.tsv
  limosa trace slice trace.tsv --ids 5000..9999 --keep-registers --output part.tsv
  limosa trace slice trace.tsv --user 'Ann Lee' --user 'Bo Dam' --keep-registers --renumber";

/// Cuts a part out of a trace
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The trace; - is standard input
    #[arg(value_name = "TRACE", default_value = "-")]
    trace: PathBuf,
    /// Only ids from A to B, both included; either may be left out
    #[arg(long, env = "LIMOSA_SLICE_IDS", value_name = "A..B", value_parser = range, allow_hyphen_values = true)]
    ids: Option<RangeInclusive<i64>>,
    /// Only times from A to B in milliseconds since the Unix epoch, both included
    #[arg(long, env = "LIMOSA_SLICE_TIMES_MS", value_name = "A..B", value_parser = range, allow_hyphen_values = true)]
    times_ms: Option<RangeInclusive<i64>>,
    /// Only what this user does; give it again for more users
    #[arg(long = "user", value_name = "NAME")]
    users: Vec<String>,
    /// At most so many commands, the first ones
    #[arg(long, env = "LIMOSA_SLICE_FIRST", value_name = "N")]
    first: Option<usize>,
    /// Keep the registrations of all users named in the part, so that it is valid by itself; this
    /// holds the whole trace in memory
    #[arg(long, env = "LIMOSA_SLICE_KEEP_REGISTERS")]
    keep_registers: bool,
    /// Number the ids anew, from 0
    #[arg(long, env = "LIMOSA_SLICE_RENUMBER")]
    renumber: bool,
    /// Where to write [default: standard output]
    #[arg(long, short, env = "LIMOSA_OUTPUT", value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<Exit> {
        let (input, name) = source(&self.trace)?;
        let selection = Selection {
            ids: self.ids,
            times_ms: self.times_ms,
            users: (!self.users.is_empty()).then(|| self.users.into_iter().collect()),
        };
        let first = self.first.unwrap_or(usize::MAX);
        let mut ids = 0..;
        let numbered = |command: Result<Command, TraceError>| {
            command.map(|mut command| {
                if self.renumber
                    && let Some(id) = ids.next()
                {
                    command.id = id;
                }
                command
            })
        };
        let output = self.output.as_deref();
        if self.keep_registers {
            let trace = Trace::read(input, name)?;
            let part = slice_with_registers(&trace.commands, &selection, first);
            return write_trace(part.cloned().map(Ok).map(numbered), output);
        }
        // An error is let through, wherever it stands: half a slice must not pass for a whole one.
        let part = TraceReader::new(input, name)
            .filter(|read| read.as_ref().map_or(true, |command| selection.takes(command)))
            .take(first);
        write_trace(part.map(numbered), output)
    }
}

/// Reads `A..B`, `A..` or `..B`, both ends included.
fn range(text: &str) -> anyhow::Result<RangeInclusive<i64>> {
    let (low, high) = text.split_once("..").context("expected A..B, A.. or ..B")?;
    let end = |end: &str, open: i64| match end {
        "" => Ok(open),
        _ => end.parse().with_context(|| format!("{end:?} is not a whole number")),
    };
    let range = end(low, i64::MIN)?..=end(high, i64::MAX)?;
    anyhow::ensure!(!range.is_empty(), "{text} holds nothing: A must be at most B");
    Ok(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_include_both_ends_and_may_be_open() {
        assert_eq!(range("3..7").unwrap(), 3..=7);
        assert_eq!(range("-3..").unwrap(), -3..=i64::MAX);
        assert_eq!(range("..7").unwrap(), i64::MIN..=7);
        assert!(range("7").is_err());
        assert!(range("7..x").is_err());
        assert!(range("7..3").is_err());
    }
}
