//! How the process ends: one exit code per kind of ending.

use std::process::ExitCode;

/// Shown at the foot of every `--help`.
pub const HELP: &str = "\
Exit codes:
  0  pass: nothing was found wrong
  1  fail: the system under test did something wrong
  2  bad usage or input: nothing was judged
  3  unknown: the measurement itself is not to be trusted";

/// How a subcommand ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Nothing was found wrong.
    Pass = 0,
    /// The system under test did something wrong.
    Fail = 1,
    /// Bad usage or bad input: nothing was judged.
    Usage = 2,
    /// The measurement itself is not to be trusted.
    Unknown = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}
