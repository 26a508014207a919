//! The linter: what is wrong with a trace before a server is blamed for it.
//!
//! It goes through the raw lines once and never stops at a finding. Memory grows with the number
//! of users, follow edges, and gaps between ids, not with the number of lines.

mod check;
mod ids;
mod kind;
mod report;

pub use ids::{Ids, Seen};
pub use kind::{Kind, Severity};
pub use report::{Finding, Findings, Report};

use crate::error::TraceError;
use crate::line::{Lines, Next};
use check::Linter;
use std::io::{BufReader, Read};

/// What to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The longest text that is not remarked on, in characters (Unicode scalar values).
    pub text_limit: usize,
    /// How many examples of each kind are kept; totals are exact whatever it is.
    pub examples: usize,
}

impl Default for Options {
    /// Texts of 140 characters, the longest of the course's trace; five examples.
    fn default() -> Self {
        Self { text_limit: 140, examples: 5 }
    }
}

/// Goes through a whole trace; `name` is what messages call it.
///
/// # Errors
/// [`TraceError::Read`] when the bytes cannot be read. A broken trace is not an error but a report.
pub fn lint(
    source: impl Read,
    name: impl Into<String>,
    options: Options,
) -> Result<Report, TraceError> {
    let name = name.into();
    let mut lines = Lines::new(BufReader::with_capacity(64 << 10, source));
    let mut linter = Linter::new(options);
    loop {
        match lines.advance() {
            Ok(Next::Line) => linter.line(lines.number(), lines.bytes()),
            Ok(Next::TooLong) => linter.line_too_long(lines.number()),
            Ok(Next::End) => break,
            Err(source) => {
                let line = lines.number();
                return Err(TraceError::Read { name, line, source });
            }
        }
    }
    Ok(linter.finish(lines.began_with_mark, lines.ended_with_newline))
}

#[cfg(test)]
mod tests;
