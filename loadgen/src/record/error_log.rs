//! The simulator's own error lines.
//!
//! `YYYY-MM-DD HH:MM:SS,host,latest,status,command` for an answer that is no success, and
//! `YYYY-MM-DD HH:MM:SS,host,latest,ConnectionError,command` (or `ReadTimeout`) for none, so that
//! tools made for the course's simulator read them.

use fs_err as fs;
use jiff::{Timestamp, tz::TimeZone};
use limosa_reports::run::operation::{Failure, Operation};
use std::io::{self, Write};
use std::path::Path;

/// Appends error lines to a file, each at once.
#[derive(Debug)]
pub struct ErrorLog {
    file: fs::File,
    host: String,
}

impl ErrorLog {
    /// Opens the file, which is made where it is absent. `host` is the target as the user named it.
    ///
    /// # Errors
    /// The operating system's.
    pub fn open(path: &Path, host: &str) -> io::Result<Self> {
        let file = fs::OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { file, host: host.to_owned() })
    }

    /// Appends the line for one failure; nothing for what the simulator takes for success.
    ///
    /// # Errors
    /// The operating system's.
    pub fn push(
        &mut self,
        id: i64,
        operation: Operation,
        status: u16,
        failure: Option<Failure>,
    ) -> io::Result<()> {
        let what = match failure {
            None => return Ok(()),
            Some(Failure::Status) if operation == Operation::Register && status == 400 => {
                return Ok(());
            }
            Some(Failure::Status) => status.to_string(),
            Some(failure) => simulator_word(failure).to_owned(),
        };
        let now = Timestamp::now().to_zoned(TimeZone::UTC);
        let stamp = now.strftime("%Y-%m-%d %H:%M:%S");
        writeln!(self.file, "{stamp},{},{id},{what},{}", self.host, operation.name())
    }
}

/// The simulator's name for a failure without an answer. It knows two kinds: the connect timeout
/// is a `ConnectionError` to it, and so is a connection that closes or breaks the protocol.
pub(crate) fn simulator_word(failure: Failure) -> &'static str {
    match failure {
        Failure::ResponseTimeout => "ReadTimeout",
        _ => "ConnectionError",
    }
}
