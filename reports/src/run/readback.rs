//! `readback/*.ndjson`: what the target held, user by user, as it answered. The last line counts the
//! users and holds the CRC-32 of all lines before it, so that a file that was cut is not taken for a
//! target that lost.
//!
//! A target may hold millions of messages: [`ReadBackWriter`] and [`ReadBackReader`] hold one user at
//! a time, [`ReadBack`] all of them.

use super::{FORMAT_VERSION, RunDirError};
use fs_err as fs;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

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
    /// How many messages of the user the listing of all messages held; `None` where it was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_public: Option<u32>,
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
        let mut writer = ReadBackWriter::create(path)?;
        self.users.values().try_for_each(|state| writer.push(state))?;
        writer.finish(&self.header)
    }

    /// Reads one from `path`; `None` where there is none.
    ///
    /// # Errors
    /// As [`ReadBackReader::open`].
    pub fn read(path: &Path) -> Result<Option<Self>, RunDirError> {
        let Some(mut reader) = ReadBackReader::open(path)? else { return Ok(None) };
        let users = reader
            .by_ref()
            .map(|state| state.map(|state| (state.user.clone(), state)))
            .collect::<Result<_, _>>()?;
        Ok(Some(Self { header: reader.header, users }))
    }
}

/// Writes a read-back user by user. The header, which is known last, stands first: until then the
/// users are in a file of their own.
#[derive(Debug)]
pub struct ReadBackWriter {
    path: PathBuf,
    body_path: PathBuf,
    body: BufWriter<fs::File>,
    crc: crc32fast::Hasher,
    users: u64,
    line: Vec<u8>,
}

impl ReadBackWriter {
    /// Begins the read-back `path`, which is there once it is finished.
    ///
    /// # Errors
    /// [`RunDirError::Io`] where the file system refuses.
    pub fn create(path: &Path) -> Result<Self, RunDirError> {
        let body_path = path.with_extension("users.tmp");
        let file = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&body_path)?;
        Ok(Self {
            path: path.to_path_buf(),
            body_path,
            body: BufWriter::new(file),
            crc: crc32fast::Hasher::new(),
            users: 0,
            line: Vec::new(),
        })
    }

    /// Adds a user, who must not have been added before.
    ///
    /// # Errors
    /// [`RunDirError::Io`] where the file system refuses.
    pub fn push(&mut self, state: &UserState) -> Result<(), RunDirError> {
        self.line.clear();
        push_line(&mut self.line, state)?;
        self.crc.update(&self.line);
        self.users += 1;
        Ok(self.body.write_all(&self.line)?)
    }

    /// Moves it to its place, whole or not at all.
    ///
    /// # Errors
    /// [`RunDirError::Io`] where the file system refuses.
    pub fn finish(mut self, header: &Header) -> Result<(), RunDirError> {
        let mut head = Vec::new();
        push_line(&mut head, header)?;
        let mut crc = crc32fast::Hasher::new();
        crc.update(&head);
        crc.combine(&self.crc);
        let mut tail = Vec::new();
        push_line(&mut tail, &End { users: self.users, crc32: crc.finalize() })?;

        self.body.flush()?;
        let body = self.body.get_mut();
        body.rewind()?;
        let fresh = self.path.with_extension("tmp");
        let mut file = fs::File::create(&fresh)?;
        file.write_all(&head)?;
        io::copy(body, &mut file)?;
        file.write_all(&tail)?;
        file.sync_data()?;
        Ok(fs::rename(&fresh, &self.path)?)
    }
}

impl Drop for ReadBackWriter {
    fn drop(&mut self) {
        let _left_where_refused = fs::remove_file(&self.body_path);
    }
}

/// Reads a read-back user by user, in the order in which they were written.
#[derive(Debug)]
pub struct ReadBackReader {
    path: PathBuf,
    /// How and when it was taken.
    pub header: Header,
    lines: io::Take<BufReader<fs::File>>,
    line: Vec<u8>,
}

impl ReadBackReader {
    /// Opens the read-back `path`, and reads it once to see whether it is whole; `None` where there
    /// is none.
    ///
    /// # Errors
    /// [`RunDirError::Damaged`] where the file was cut short or changed, [`RunDirError::Malformed`]
    /// or [`RunDirError::Newer`] where it does not hold one.
    pub fn open(path: &Path) -> Result<Option<Self>, RunDirError> {
        if !path.is_file() {
            return Ok(None);
        }
        let mut file = fs::File::open(path)?;
        let body = checked(path, &mut file)?;
        file.rewind()?;
        let mut lines = BufReader::with_capacity(BUFFER_BYTES, file).take(body);
        let mut line = Vec::new();
        let header: Header = next_line(path, &mut lines, &mut line)?
            .ok_or_else(|| damaged(path, "it has no first line"))?;
        if header.format_version > FORMAT_VERSION {
            let found = header.format_version.into();
            return Err(RunDirError::Newer { path: path.to_path_buf(), found });
        }
        Ok(Some(Self { path: path.to_path_buf(), header, lines, line }))
    }
}

impl Iterator for ReadBackReader {
    type Item = Result<UserState, RunDirError>;

    fn next(&mut self) -> Option<Self::Item> {
        next_line(&self.path, &mut self.lines, &mut self.line).transpose()
    }
}

const BUFFER_BYTES: usize = 64 << 10;
/// The last line is shorter.
const END_BYTES: u64 = 256;

/// The last line.
#[derive(Serialize, Deserialize)]
struct End {
    users: u64,
    crc32: u32,
}

fn damaged(path: &Path, why: &'static str) -> RunDirError {
    RunDirError::Damaged { path: path.to_path_buf(), why }
}

/// Holds a file against its last line; returns the bytes before that.
fn checked(path: &Path, file: &mut fs::File) -> Result<u64, RunDirError> {
    let length = file.seek(SeekFrom::End(0))?;
    let tail_at = length.saturating_sub(END_BYTES);
    file.seek(SeekFrom::Start(tail_at))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let last = tail.trim_ascii_end();
    let line_at = last
        .iter()
        .rposition(|byte| *byte == b'\n')
        .ok_or_else(|| damaged(path, "it has no last line"))?
        + 1;
    let end: End = serde_json::from_slice(&last[line_at..])
        .map_err(|_| damaged(path, "its last line is missing"))?;
    let body = tail_at + line_at as u64;
    file.rewind()?;
    let mut crc = crc32fast::Hasher::new();
    let mut rest = BufReader::with_capacity(BUFFER_BYTES, file).take(body);
    loop {
        let bytes = rest.fill_buf()?;
        if bytes.is_empty() {
            break;
        }
        crc.update(bytes);
        let count = bytes.len();
        rest.consume(count);
    }
    if crc.finalize() == end.crc32 {
        Ok(body)
    } else {
        Err(damaged(path, "its checksum disagrees"))
    }
}

fn next_line<T: DeserializeOwned>(
    path: &Path,
    lines: &mut impl BufRead,
    line: &mut Vec<u8>,
) -> Result<Option<T>, RunDirError> {
    line.clear();
    if lines.read_until(b'\n', line)? == 0 {
        return Ok(None);
    }
    serde_json::from_slice(line)
        .map(Some)
        .map_err(|source| RunDirError::Malformed { path: path.to_path_buf(), source })
}

fn push_line(bytes: &mut Vec<u8>, value: &impl Serialize) -> Result<(), RunDirError> {
    serde_json::to_writer(&mut *bytes, value).map_err(io::Error::from)?;
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
            in_public: Some(1),
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
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let good = fs::read(&path).unwrap();
        let written = "{\"format_version\":1,\"method\":\"api\",\"taken_ns\":7,\"latest\":3,";
        assert!(good.starts_with(written.as_bytes()));
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
