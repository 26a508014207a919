//! Reading the ledger, also one that a crash cut short.

use super::writer::{FRAME_HEADER_BYTES, HEADER_BYTES, MAGIC};
use super::{Frame, LedgerError};
use fs_err as fs;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// Frames are far smaller; a length above this is damage.
const MAX_FRAME_BYTES: u32 = 16 << 20;

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
    segments: std::vec::IntoIter<(u16, PathBuf)>,
    current: Option<OpenSegment>,
    damage: Vec<Damage>,
}

#[derive(Debug)]
struct OpenSegment {
    part: u16,
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
        let mut segments = Vec::new();
        if directory.is_dir() {
            let io = |source| LedgerError::Io { path: directory.to_path_buf(), source };
            for entry in fs::read_dir(directory).map_err(io)? {
                let path = entry.map_err(io)?.path();
                if let Some(part) = part_of(&path) {
                    segments.push((part, path));
                }
            }
        }
        segments.sort();
        Ok(Self { segments: segments.into_iter(), current: None, damage: Vec::new() })
    }

    /// The places that could not be read so far: after the last frame, all of them.
    pub fn damage(&self) -> &[Damage] {
        &self.damage
    }

    fn step(&mut self) -> Result<Option<(u16, Frame)>, LedgerError> {
        loop {
            let Some(segment) = &mut self.current else {
                let Some((part, path)) = self.segments.next() else {
                    return Ok(None);
                };
                self.current = OpenSegment::open(part, path)?;
                continue;
            };
            match segment.next_frame() {
                Ok(Some(frame)) => {
                    return Ok(Some((segment.part, shift(frame, segment.offset_ns))));
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
        self.step().transpose()
    }
}

impl OpenSegment {
    /// `None` where the writer was killed before the header was whole.
    fn open(part: u16, path: PathBuf) -> Result<Option<Self>, LedgerError> {
        let io = |source| LedgerError::Io { path: path.clone(), source };
        let mut input = BufReader::with_capacity(1 << 18, fs::File::open(&path).map_err(io)?);
        let mut header = [0; HEADER_BYTES];
        match input.read_exact(&mut header) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(io(error)),
        }
        if header.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let Some((version, offset_ns)) = parse_header(&header) else {
            return Err(LedgerError::NotALedger { path });
        };
        if version > crate::run::FORMAT_VERSION {
            return Err(LedgerError::Newer { path, found: version });
        }
        let offset = HEADER_BYTES as u64;
        Ok(Some(Self { part, path, input, offset, offset_ns, payload: Vec::new() }))
    }

    /// The next frame; `None` at the end; `InvalidData` at damage.
    fn next_frame(&mut self) -> io::Result<Option<Frame>> {
        let mut head = [0; FRAME_HEADER_BYTES];
        match read_fully(&mut self.input, &mut head)? {
            0 => return Ok(None),
            FRAME_HEADER_BYTES => {}
            _ => return Err(io::ErrorKind::InvalidData.into()),
        }
        let [a, b, c, d, crc @ ..] = head;
        let length = u32::from_le_bytes([a, b, c, d]);
        if length == 0 {
            return if crc == [0; 4] && self.rest_is_blank()? {
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
        let frame = Frame::decode(&self.payload).ok_or(io::ErrorKind::InvalidData)?;
        self.offset += (FRAME_HEADER_BYTES + self.payload.len()) as u64;
        Ok(Some(frame))
    }
}

impl OpenSegment {
    /// After the last frame a segment holds zeros only. Anything else is a frame behind a length
    /// that was lost.
    fn rest_is_blank(&mut self) -> io::Result<bool> {
        loop {
            let rest = self.input.fill_buf()?;
            let length = rest.len();
            if length == 0 || rest.iter().any(|byte| *byte != 0) {
                return Ok(length == 0);
            }
            self.input.consume(length);
        }
    }
}

fn part_of(path: &Path) -> Option<u16> {
    let name = path.file_name()?.to_str()?.strip_suffix(".ledger")?;
    name.split_once('-')?.0.parse().ok()
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
