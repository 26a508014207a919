//! Reading the ledger, also one that a crash cut short.

use super::frame::END;
use super::writer::{FRAME_HEADER_BYTES, HEADER_BYTES, HEADER_CRC, MAGIC};
use super::{Frame, LedgerError};
use fs_err as fs;
use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

/// Frames are far smaller; a length above this is damage.
const MAX_FRAME_BYTES: u32 = 16 << 20;

/// Each part that is read at the same time as others has a buffer of its own.
const BUFFER_BYTES: usize = 64 << 10;

/// A place where a segment could not be read on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The segment.
    pub path: PathBuf,
    /// The offset of the first byte that could not be read as a frame.
    pub offset: u64,
}

/// Reads all frames of a ledger, part by part, in the order in which each part was written.
///
/// Yields each frame with its part's number; times are shifted to nanoseconds since the run began.
#[derive(Debug)]
pub struct LedgerReader {
    segments: std::vec::IntoIter<Listed>,
    current: Option<OpenSegment>,
    damage: Vec<Damage>,
}

#[derive(Debug)]
struct Listed {
    part: u16,
    /// Whether no segment of the part comes after it: only such a one can be unfinished.
    is_last: bool,
    path: PathBuf,
}

#[derive(Debug)]
struct OpenSegment {
    part: u16,
    is_last: bool,
    path: PathBuf,
    input: BufReader<fs::File>,
    offset: u64,
    offset_ns: u64,
    payload: Vec<u8>,
}

impl LedgerReader {
    /// Opens the ledger in `directory`; an absent directory is an empty ledger.
    ///
    /// # Errors
    /// [`LedgerError::Io`] where the directory cannot be listed.
    pub fn open(directory: &Path) -> Result<Self, LedgerError> {
        let mut whole = Self::of(Vec::new(), Vec::new());
        let mut segments = Vec::new();
        for (_, part) in Self::parts(directory)? {
            segments.extend(part.segments);
            whole.damage.extend(part.damage);
        }
        whole.segments = segments.into_iter();
        Ok(whole)
    }

    /// Opens each part of the ledger in `directory` by itself, in the order of their numbers.
    ///
    /// # Errors
    /// [`LedgerError::Io`] where the directory cannot be listed.
    pub fn parts(directory: &Path) -> Result<Vec<(u16, Self)>, LedgerError> {
        let mut found: BTreeMap<u16, BTreeMap<u32, PathBuf>> = BTreeMap::new();
        if directory.is_dir() {
            let io = |source| LedgerError::Io { path: directory.to_path_buf(), source };
            for entry in fs::read_dir(directory).map_err(io)? {
                let path = entry.map_err(io)?.path();
                if let Some((part, segment)) = number_of(&path) {
                    found.entry(part).or_default().insert(segment, path);
                }
            }
        }
        let mut parts = Vec::new();
        for (part, paths) in found {
            let mut damage = Vec::new();
            let mut segments = Vec::new();
            let mut expected = 0;
            for (segment, path) in &paths {
                for missing in expected..*segment {
                    let path = directory.join(format!("{part:03}-{missing:05}.ledger"));
                    damage.push(Damage { path, offset: 0 });
                }
                expected = segment + 1;
                let is_last = !paths.contains_key(&expected);
                segments.push(Listed { part, is_last, path: path.clone() });
            }
            parts.push((part, Self::of(segments, damage)));
        }
        Ok(parts)
    }

    fn of(segments: Vec<Listed>, damage: Vec<Damage>) -> Self {
        Self { segments: segments.into_iter(), current: None, damage }
    }

    /// The places that could not be read so far: after the last frame, all of them.
    pub fn damage(&self) -> &[Damage] {
        &self.damage
    }

    /// The next frame as it was written, with its part and when that began.
    pub(super) fn next_raw(&mut self) -> Result<Option<(u16, u64, Frame)>, LedgerError> {
        loop {
            let Some(segment) = &mut self.current else {
                let Some(listed) = self.segments.next() else {
                    return Ok(None);
                };
                let path = listed.path.clone();
                match OpenSegment::open(listed)? {
                    Opened::Segment(segment) => self.current = Some(segment),
                    Opened::Unused => {}
                    Opened::Damaged => self.damage.push(Damage { path, offset: 0 }),
                }
                continue;
            };
            match segment.next_frame() {
                Ok(Some(frame)) => {
                    return Ok(Some((segment.part, segment.offset_ns, frame)));
                }
                Ok(None) => self.current = None,
                Err(source) if source.kind() == io::ErrorKind::InvalidData => {
                    self.damage.push(Damage { path: segment.path.clone(), offset: segment.offset });
                    self.current = None;
                }
                Err(source) => {
                    let path = segment.path.clone();
                    self.current = None;
                    return Err(LedgerError::Io { path, source });
                }
            }
        }
    }
}

impl Iterator for LedgerReader {
    type Item = Result<(u16, Frame), LedgerError>;

    fn next(&mut self) -> Option<Self::Item> {
        let shifted = |(part, offset_ns, frame)| (part, shift(frame, offset_ns));
        self.next_raw().map(|next| next.map(shifted)).transpose()
    }
}

enum Opened {
    Segment(OpenSegment),
    /// The writer was killed before the header was whole.
    Unused,
    Damaged,
}

impl OpenSegment {
    fn open(Listed { part, is_last, path }: Listed) -> Result<Opened, LedgerError> {
        let io = |source| LedgerError::Io { path: path.clone(), source };
        let mut input = BufReader::with_capacity(BUFFER_BYTES, fs::File::open(&path).map_err(io)?);
        let mut header = [0; HEADER_BYTES];
        let read = read_fully(&mut input, &mut header).map_err(io)?;
        if read < HEADER_BYTES || header.iter().all(|byte| *byte == 0) {
            return Ok(if is_last { Opened::Unused } else { Opened::Damaged });
        }
        let Some((version, offset_ns)) = parse_header(&header) else {
            return Err(LedgerError::NotALedger { path });
        };
        if version > crate::run::FORMAT_VERSION {
            return Err(LedgerError::Newer { path, found: version });
        }
        if crc32fast::hash(&header[..HEADER_CRC]).to_le_bytes() != header[HEADER_CRC..] {
            return Ok(Opened::Damaged);
        }
        let offset = HEADER_BYTES as u64;
        let payload = Vec::new();
        Ok(Opened::Segment(Self { part, is_last, path, input, offset, offset_ns, payload }))
    }

    /// The next frame; `None` at the end; `InvalidData` at damage.
    fn next_frame(&mut self) -> io::Result<Option<Frame>> {
        let mut head = [0; FRAME_HEADER_BYTES];
        match read_fully(&mut self.input, &mut head)? {
            FRAME_HEADER_BYTES => {}
            // A segment ends with a frame that says so, or with the zeros that were reserved.
            _ => return Err(io::ErrorKind::InvalidData.into()),
        }
        let [a, b, c, d, crc @ ..] = head;
        let length = u32::from_le_bytes([a, b, c, d]);
        if length == 0 {
            return if self.is_last && self.is_end(&head)? {
                Ok(None)
            } else {
                Err(io::ErrorKind::InvalidData.into())
            };
        }
        if length > MAX_FRAME_BYTES {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.payload.resize(length as usize, 0);
        let read = read_fully(&mut self.input, &mut self.payload)?;
        if read < self.payload.len() || crc32fast::hash(&self.payload) != u32::from_le_bytes(crc) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if self.payload == END {
            return Ok(None);
        }
        let frame = Frame::decode(&self.payload).ok_or(io::ErrorKind::InvalidData)?;
        self.offset += (FRAME_HEADER_BYTES + self.payload.len()) as u64;
        Ok(Some(frame))
    }
}

impl OpenSegment {
    /// Whether a zero length is the end of what a killed writer wrote: nothing follows, or the one
    /// frame that it was about to write, and then the zeros that were reserved. A whole frame behind
    /// it, or no zeros, and it is a length that was lost.
    fn is_end(&mut self, head: &[u8; FRAME_HEADER_BYTES]) -> io::Result<bool> {
        let mut rest = head.to_vec();
        self.input.read_to_end(&mut rest)?;
        if rest.iter().all(|byte| *byte == 0) {
            return Ok(true);
        }
        let is_reserved = rest.ends_with(&[0; 2 * FRAME_HEADER_BYTES]);
        Ok(is_reserved && !(1..rest.len()).any(|at| is_frame(&rest[at..])))
    }
}

/// Whether the bytes begin with a whole frame.
fn is_frame(bytes: &[u8]) -> bool {
    let Some((head, body)) = bytes.split_first_chunk::<FRAME_HEADER_BYTES>() else { return false };
    let [a, b, c, d, crc @ ..] = *head;
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    length > 0
        && body.get(..length).is_some_and(|body| crc32fast::hash(body) == u32::from_le_bytes(crc))
}

/// The numbers of the part and of the segment in it.
fn number_of(path: &Path) -> Option<(u16, u32)> {
    let name = path.file_name()?.to_str()?.strip_suffix(".ledger")?;
    let (part, segment) = name.split_once('-')?;
    Some((part.parse().ok()?, segment.parse().ok()?))
}

fn parse_header(header: &[u8; HEADER_BYTES]) -> Option<(u32, u64)> {
    let rest = header.strip_prefix(MAGIC.as_slice())?;
    let (version, offset_ns) = rest.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*version), u64::from_le_bytes(*offset_ns.first_chunk::<8>()?)))
}

fn read_fully(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn shift(frame: Frame, offset_ns: u64) -> Frame {
    match frame {
        Frame::Intent(mut intent) => {
            intent.intended_ns = intent.intended_ns.map(|ns| ns + offset_ns);
            intent.ready_ns += offset_ns;
            intent.called_ns += offset_ns;
            Frame::Intent(intent)
        }
        Frame::Outcome(mut outcome) => {
            outcome.sent_ns += offset_ns;
            outcome.done_ns += offset_ns;
            Frame::Outcome(outcome)
        }
        Frame::Mark(mut mark) => {
            mark.at_ns += offset_ns;
            Frame::Mark(mark)
        }
    }
}
