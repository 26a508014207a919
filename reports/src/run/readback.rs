//! `readback/*.ndjson`: what the target held, user by user, as it answered.

use super::{FORMAT_VERSION, RunDirError};
use fs_err as fs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

/// How and when a read-back was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The format of this file.
    pub format_version: u32,
    /// `api`: through the public API alone.
    pub method: String,
    /// When it ended, in nanoseconds since the run began; 0 for one taken before the run.
    pub taken_ns: u64,
    /// What `GET /latest` reported.
    pub latest: Option<i64>,
    /// Why something of the run's users could not be read; empty where all was.
    pub gaps: Vec<String>,
    /// What was not looked for, and why.
    #[serde(default)]
    pub limits: Vec<String>,
}

/// What the target held of one user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserState {
    /// The user's name.
    pub user: String,
    /// Whether the target knows the user; `None` where it would not say.
    pub exists: Option<bool>,
    /// The user's messages, newest first, as the target listed them.
    pub messages: Vec<Message>,
    /// Whom the user follows, as the target listed them; a name may stand twice.
    pub follows: Vec<String>,
}

/// A message as the target told it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The text.
    pub content: String,
    /// Epoch seconds, where the target gave a number.
    pub pub_date: Option<i64>,
}

/// A whole read-back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadBack {
    /// How and when it was taken.
    pub header: Header,
    /// The users by name: those of the run, and any other whose messages were seen.
    pub users: BTreeMap<String, UserState>,
}

impl ReadBack {
    /// Writes it to `path`.
    ///
    /// # Errors
    /// [`RunDirError::Io`] where the file system refuses.
    pub fn write(&self, path: &Path) -> Result<(), RunDirError> {
        let mut out = BufWriter::new(fs::File::create(path)?);
        let mut line = |value: serde_json::Result<String>| -> std::io::Result<()> {
            out.write_all(value.map_err(std::io::Error::from)?.as_bytes())?;
            out.write_all(b"\n")
        };
        line(serde_json::to_string(&self.header))?;
        for state in self.users.values() {
            line(serde_json::to_string(state))?;
        }
        Ok(out.flush()?)
    }

    /// Reads one from `path`; `None` where there is none.
    ///
    /// # Errors
    /// [`RunDirError::Malformed`] or [`RunDirError::Newer`] where the file does not hold one.
    pub fn read(path: &Path) -> Result<Option<Self>, RunDirError> {
        if !path.is_file() {
            return Ok(None);
        }
        let malformed = |source| RunDirError::Malformed { path: path.to_path_buf(), source };
        let mut lines = BufReader::new(fs::File::open(path)?).lines();
        let first = lines.next().transpose()?.unwrap_or_default();
        let header: Header = serde_json::from_str(&first).map_err(malformed)?;
        if header.format_version > FORMAT_VERSION {
            let found = header.format_version.into();
            return Err(RunDirError::Newer { path: path.to_path_buf(), found });
        }
        let mut users = BTreeMap::new();
        for line in lines {
            let state: UserState = serde_json::from_str(&line?).map_err(malformed)?;
            users.insert(state.user.clone(), state);
        }
        Ok(Some(Self { header, users }))
    }
}
