//! Reading a trace: command by command, or whole.

use crate::command::Command;
use crate::error::{LineFault, TraceError};
use crate::line::{LINE_LIMIT, Lines, Next, parse};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// Bytes asked for in one read of the file.
const BUFFER: usize = 64 << 10;

/// Reads a trace command by command, in memory that does not depend on the input.
///
/// A byte order mark at the very start is passed over; everywhere else U+FEFF is text. A line that
/// ends in CR LF is refused, since its CR would be sent as part of the last field. The iterator
/// ends after its first error: what follows a broken line cannot be trusted to be a trace.
#[derive(Debug)]
pub struct TraceReader<R> {
    lines: Lines<BufReader<R>>,
    name: String,
    done: bool,
}

impl TraceReader<File> {
    /// Opens the trace at `path`.
    ///
    /// # Errors
    /// [`TraceError::Open`] when the file cannot be opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, TraceError> {
        let path = path.as_ref();
        Ok(Self::new(open(path)?, path.display().to_string()))
    }
}

impl<R: Read> TraceReader<R> {
    /// Reads from any source of bytes; `name` is what messages call it.
    pub fn new(source: R, name: impl Into<String>) -> Self {
        Self {
            lines: Lines::new(BufReader::with_capacity(BUFFER, source)),
            name: name.into(),
            done: false,
        }
    }

    /// The line read last, from 1; 0 before the first.
    pub fn line(&self) -> u64 {
        self.lines.number()
    }

    fn read(&mut self) -> Result<Option<Command>, TraceError> {
        let advanced = self.lines.advance();
        let line = self.lines.number();
        let fault = match advanced {
            Ok(Next::End) => return Ok(None),
            Ok(Next::Line) => match parse(self.lines.bytes()) {
                Ok(command) => return Ok(Some(command)),
                Err(fault) => fault,
            },
            Ok(Next::TooLong) => LineFault::TooLong { limit: LINE_LIMIT },
            Err(source) => {
                let name = self.name.clone();
                return Err(TraceError::Read { name, line, source });
            }
        };
        let name = self.name.clone();
        Err(TraceError::Line { name, line, fault })
    }
}

impl<R: Read> Iterator for TraceReader<R> {
    type Item = Result<Command, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let item = self.read().transpose();
        self.done = !matches!(item, Some(Ok(_)));
        item
    }
}

/// A whole trace in memory, for those who need it more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The commands in the order of the file; at least one.
    pub commands: Vec<Command>,
    /// SHA-256 of the trace's bytes, in lower-case hexadecimal: names the trace in a manifest.
    pub digest: String,
    /// What the trace is called: its path, or the name given to [`Trace::read`].
    pub source: String,
}

impl Trace {
    /// Reads the whole trace at `path`.
    ///
    /// # Errors
    /// Any [`TraceError`]; [`TraceError::Empty`] when it holds no command.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, TraceError> {
        let path = path.as_ref();
        Self::read(open(path)?, path.display().to_string())
    }

    /// Reads a whole trace from any source of bytes; `name` is what messages call it.
    ///
    /// # Errors
    /// As [`Trace::load`].
    pub fn read(source: impl Read, name: impl Into<String>) -> Result<Self, TraceError> {
        let name = name.into();
        let mut hashed = Hashed { source, hash: Sha256::new() };
        let commands =
            TraceReader::new(&mut hashed, name.as_str()).collect::<Result<Vec<_>, _>>()?;
        if commands.is_empty() {
            return Err(TraceError::Empty { name });
        }
        Ok(Self { commands, digest: hexadecimal(hashed.hash), source: name })
    }
}

/// SHA-256 of the file's bytes, in lower-case hexadecimal.
///
/// # Errors
/// [`TraceError::Open`] or [`TraceError::Read`] when the file cannot be read.
pub fn digest(path: impl AsRef<Path>) -> Result<String, TraceError> {
    let path = path.as_ref();
    let mut hashed = Hashed { source: open(path)?, hash: Sha256::new() };
    let mut buffer = vec![0; BUFFER];
    loop {
        match hashed.read(&mut buffer) {
            Ok(0) => return Ok(hexadecimal(hashed.hash)),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => {
                return Err(TraceError::Read { name: path.display().to_string(), line: 1, source });
            }
        }
    }
}

/// Hashes what passes through, so that the digest is of the very bytes that were parsed.
struct Hashed<R> {
    source: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}

fn hexadecimal(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn open(path: &Path) -> Result<File, TraceError> {
    let refused = |source| TraceError::Open { name: path.display().to_string(), source };
    let file = File::open(path).map_err(refused)?;
    if file.metadata().map_err(refused)?.is_dir() {
        return Err(refused(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory")));
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Action;

    #[test]
    fn quotes_backslashes_and_u_feff_are_plain_characters() {
        let bytes = "7\t0\t5\tregister\tA B\ta+b@c\t\"\\\n8\t1\t6\ttweet\tA B\t\u{feff}\"x\\n\n";
        let trace = Trace::read(bytes.as_bytes(), "t").unwrap();
        assert_eq!(
            trace.commands[0].action,
            Action::Register { user: "A B".into(), email: "a+b@c".into(), password: "\"\\".into() }
        );
        assert_eq!(
            trace.commands[1].action,
            Action::Tweet { user: "A B".into(), text: "\u{feff}\"x\\n".into() }
        );
        assert_eq!((trace.commands[1].id, trace.commands[1].at_ms), (8, 6));
    }

    #[test]
    fn an_error_names_the_line_and_ends_the_reading() {
        let bytes = "0\t0\t5\ttweet\tA B\tx\nrubbish\n1\t0\t5\ttweet\tA B\tx\n";
        let read: Vec<_> = TraceReader::new(bytes.as_bytes(), "t.tsv").collect();
        assert_eq!(read.len(), 2);
        let message = read[1].as_ref().unwrap_err().to_string();
        assert!(message.starts_with("t.tsv:2: 1 fields where 6"), "{message}");
    }

    #[test]
    fn an_endless_line_is_a_clear_error() {
        let mut reader = TraceReader::new(io::repeat(b'x'), "big");
        let message = reader.next().unwrap().unwrap_err().to_string();
        assert!(message.starts_with("big:1: the line is longer than 1048576 bytes"), "{message}");
        assert!(reader.lines.bytes().len() <= LINE_LIMIT);
        assert!(reader.next().is_none());
    }

    #[test]
    fn an_empty_trace_is_refused_whole() {
        let message = Trace::read(io::empty(), "none").unwrap_err().to_string();
        assert!(message.starts_with("none: the trace is empty"), "{message}");
    }

    #[test]
    fn the_digest_is_that_of_the_bytes() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let bytes = "0\t0\t5\ttweet\tA B\tx\n";
        fs_err::write(file.path(), bytes).unwrap();
        let by_hand: String = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(digest(file.path()).unwrap(), by_hand);
        assert_eq!(Trace::load(file.path()).unwrap().digest, by_hand);
    }
}
