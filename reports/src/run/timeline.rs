//! `timeline.ndjson`: what happened in each second of the run, one JSON object a line.

use super::operation::Ack;
use super::{FORMAT_VERSION, RunDirError};
use fs_err as fs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

/// One second of the run. Counts are of commands (not of reads), by the time their outcome came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Second {
    /// The second's number, from the run's start.
    pub second: u64,
    /// How many commands ended in each way; a way that did not occur is left out.
    pub outcomes: BTreeMap<Ack, u64>,
    /// The highest command id that had been sent by then.
    pub latest_sent: Option<i64>,
    /// The last value that `GET /latest` reported in this second.
    pub latest_reported: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    format_version: u32,
}

/// Writes a timeline line by line.
#[derive(Debug)]
pub struct TimelineWriter {
    out: BufWriter<fs::File>,
}

impl TimelineWriter {
    /// Begins the file `path`.
    ///
    /// # Errors
    /// [`RunDirError::Io`] where the file system refuses.
    pub fn create(path: &Path) -> Result<Self, RunDirError> {
        let mut writer = Self { out: BufWriter::new(fs::File::create(path)?) };
        writer.line(&Header { format_version: FORMAT_VERSION })?;
        Ok(writer)
    }

    /// Adds a second.
    ///
    /// # Errors
    /// [`RunDirError::Io`] where the file system refuses.
    pub fn push(&mut self, second: &Second) -> Result<(), RunDirError> {
        self.line(second)
    }

    /// Hands what was written to the system.
    ///
    /// # Errors
    /// [`RunDirError::Io`] where the file system refuses.
    pub fn finish(mut self) -> Result<(), RunDirError> {
        Ok(self.out.flush()?)
    }

    fn line(&mut self, value: &impl Serialize) -> Result<(), RunDirError> {
        serde_json::to_writer(&mut self.out, value).map_err(std::io::Error::from)?;
        Ok(self.out.write_all(b"\n")?)
    }
}

/// Reads the timeline `path`.
///
/// # Errors
/// [`RunDirError::Malformed`] or [`RunDirError::Newer`] where it does not hold one.
pub fn read(path: &Path) -> Result<Vec<Second>, RunDirError> {
    let malformed = |source| RunDirError::Malformed { path: path.to_path_buf(), source };
    let mut lines = BufReader::new(fs::File::open(path)?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let header: Header = serde_json::from_str(&first).map_err(malformed)?;
    if header.format_version > FORMAT_VERSION {
        let found = header.format_version.into();
        return Err(RunDirError::Newer { path: path.to_path_buf(), found });
    }
    lines.map(|line| serde_json::from_str(&line?).map_err(malformed)).collect()
}
