//! `readback/*.ndjson`: what the target held, user by user, as it answered. The last line counts the
//! users and holds the CRC-32 of all lines before it, so that a file that was cut is not taken for a
//! target that lost.

use super::directory::write_whole;
use super::{FORMAT_VERSION, RunDirError};
use fs_err as fs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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
    /// Writes it to `path`, whole or not at all.
    ///
    /// # Errors
    /// [`RunDirError::Io`] where the file system refuses.
    pub fn write(&self, path: &Path) -> Result<(), RunDirError> {
        let mut bytes = Vec::new();
        push_line(&mut bytes, &self.header)?;
        for state in self.users.values() {
            push_line(&mut bytes, state)?;
        }
        let end = End { users: self.users.len() as u64, crc32: crc32fast::hash(&bytes) };
        push_line(&mut bytes, &end)?;
        Ok(write_whole(path, &bytes)?)
    }

    /// Reads one from `path`; `None` where there is none.
    ///
    /// # Errors
    /// [`RunDirError::Damaged`] where the file was cut short or changed, [`RunDirError::Malformed`]
    /// or [`RunDirError::Newer`] where it does not hold one.
    pub fn read(path: &Path) -> Result<Option<Self>, RunDirError> {
        if !path.is_file() {
            return Ok(None);
        }
        let malformed = |source| RunDirError::Malformed { path: path.to_path_buf(), source };
        let damaged = |why| RunDirError::Damaged { path: path.to_path_buf(), why };
        let bytes = fs::read(path)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| damaged("it is not UTF-8"))?;
        let body = text.trim_end_matches('\n');
        let (body, last) = body.rsplit_once('\n').ok_or(damaged("it has no last line"))?;
        let end: End =
            serde_json::from_str(last).map_err(|_| damaged("its last line is missing"))?;
        if crc32fast::hash(&bytes[..body.len() + 1]) != end.crc32 {
            return Err(damaged("its checksum disagrees"));
        }
        let mut lines = body.lines();
        let header: Header =
            serde_json::from_str(lines.next().unwrap_or_default()).map_err(malformed)?;
        if header.format_version > FORMAT_VERSION {
            let found = header.format_version.into();
            return Err(RunDirError::Newer { path: path.to_path_buf(), found });
        }
        let mut users = BTreeMap::new();
        for line in lines {
            let state: UserState = serde_json::from_str(line).map_err(malformed)?;
            users.insert(state.user.clone(), state);
        }
        Ok(Some(Self { header, users }))
    }
}

/// The last line.
#[derive(Serialize, Deserialize)]
struct End {
    users: u64,
    crc32: u32,
}

fn push_line(bytes: &mut Vec<u8>, value: &impl Serialize) -> Result<(), RunDirError> {
    serde_json::to_writer(&mut *bytes, value).map_err(std::io::Error::from)?;
    bytes.push(b'\n');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> ReadBack {
        let header = Header {
            format_version: FORMAT_VERSION,
            method: "api".into(),
            taken_ns: 7,
            latest: Some(3),
            gaps: Vec::new(),
            limits: Vec::new(),
        };
        let user = |name: &str| UserState {
            user: name.into(),
            exists: Some(true),
            messages: vec![Message { content: "a\nb\u{2028}".into(), pub_date: Some(1) }],
            follows: vec!["b".into()],
        };
        ReadBack { header, users: ["a", "b"].map(|name| (name.into(), user(name))).into() }
    }

    #[test]
    fn what_was_written_is_read_and_any_cut_or_flip_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("after-1.ndjson");
        assert_eq!(ReadBack::read(&path).unwrap(), None);
        some().write(&path).unwrap();
        assert_eq!(ReadBack::read(&path).unwrap(), Some(some()));
        let good = fs::read(&path).unwrap();
        for cut in 0..good.len() - 1 {
            fs::write(&path, &good[..cut]).unwrap();
            assert!(ReadBack::read(&path).is_err(), "cut at {cut}");
        }
        let end = good.iter().rposition(|byte| *byte == b'{').unwrap();
        for bit in 0..end * 8 {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, bytes).unwrap();
            assert!(ReadBack::read(&path).is_err(), "bit {bit}");
        }
    }
}
