//! Appending to the ledger.

use super::frame::END;
use super::{LedgerError, Record};
use fs_err as fs;
use memmap2::MmapMut;
use rustix::fs::FallocateFlags;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{Ordering, compiler_fence};

/// The first bytes of every segment.
pub(super) const MAGIC: &[u8; 12] = b"limosaledger";
/// Magic, format version, the part's start in nanoseconds after the run's, and their CRC-32.
pub(super) const HEADER_BYTES: usize = HEADER_CRC + 4;
/// Where the header's checksum stands.
pub(super) const HEADER_CRC: usize = MAGIC.len() + 4 + 8;
/// Length and checksum before every payload.
pub(super) const FRAME_HEADER_BYTES: usize = 8;
const END_BYTES: usize = FRAME_HEADER_BYTES + END.len();
/// A segment's size unless one frame alone needs more. Small enough that the mapping of the current
/// segment is all that a long run keeps in memory.
const SEGMENT_BYTES: usize = 4 << 20;

/// Appends frames to one part of a run's ledger.
///
/// What [`LedgerWriter::append`] has returned from survives a SIGKILL of this process.
#[derive(Debug)]
pub struct LedgerWriter {
    directory: PathBuf,
    part: u16,
    offset_ns: u64,
    segments: u32,
    current: Option<Segment>,
}

#[derive(Debug)]
struct Segment {
    path: PathBuf,
    file: fs::File,
    map: MmapMut,
    used: usize,
}

impl LedgerWriter {
    /// Begins part `part` in `directory`; the part starts `offset_ns` nanoseconds after the run.
    pub fn create(directory: &Path, part: u16, offset_ns: u64) -> Self {
        Self { directory: directory.to_path_buf(), part, offset_ns, segments: 0, current: None }
    }

    /// Appends one record.
    ///
    /// # Errors
    /// [`LedgerError::Io`] where the next segment cannot be made (a full disk, for one). What was
    /// appended before stays.
    pub fn append(&mut self, record: &impl Record) -> Result<(), LedgerError> {
        let need = FRAME_HEADER_BYTES + record.size_hint();
        let segment = match &mut self.current {
            Some(segment) if segment.used + need + END_BYTES <= segment.map.len() => segment,
            _ => self.rotate(need)?,
        };
        segment.push(record);
        Ok(())
    }

    /// Ends the part: the last segment is cut to its length and synced to the disk.
    ///
    /// # Errors
    /// [`LedgerError::Io`] where the file system refuses.
    pub fn finish(mut self) -> Result<(), LedgerError> {
        let Some(segment) = self.current.take() else { return Ok(()) };
        let path = segment.path.clone();
        let file = segment.close()?;
        file.sync_data().map_err(|source| LedgerError::Io { path, source })
    }

    fn rotate(&mut self, need: usize) -> Result<&mut Segment, LedgerError> {
        if let Some(full) = self.current.take() {
            full.close()?;
        }
        let path = self.directory.join(format!("{:03}-{:05}.ledger", self.part, self.segments));
        let bytes = SEGMENT_BYTES.max(HEADER_BYTES + need + END_BYTES);
        let segment = Segment::create(path.clone(), bytes, self.offset_ns)
            .map_err(|source| LedgerError::Io { path, source })?;
        self.segments += 1;
        Ok(self.current.insert(segment))
    }
}

impl Segment {
    fn create(path: PathBuf, bytes: usize, offset_ns: u64) -> io::Result<Self> {
        let file = fs::OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        reserve(&file, bytes)?;
        let mut map = map_shared(file.file())?;
        map[..MAGIC.len()].copy_from_slice(MAGIC);
        map[MAGIC.len()..MAGIC.len() + 4]
            .copy_from_slice(&crate::run::FORMAT_VERSION.to_le_bytes());
        map[MAGIC.len() + 4..HEADER_CRC].copy_from_slice(&offset_ns.to_le_bytes());
        let crc = crc32fast::hash(&map[..HEADER_CRC]);
        map[HEADER_CRC..HEADER_BYTES].copy_from_slice(&crc.to_le_bytes());
        Ok(Self { path, file, map, used: HEADER_BYTES })
    }

    fn push(&mut self, record: &impl Record) {
        let (head, body) = self.map[self.used..].split_at_mut(FRAME_HEADER_BYTES);
        let length = record.encode(body);
        head[4..].copy_from_slice(&crc32fast::hash(&body[..length]).to_le_bytes());
        // The length makes the frame visible: a kill before this line leaves the old end in place.
        compiler_fence(Ordering::Release);
        head[..4].copy_from_slice(&(length as u32).to_le_bytes());
        self.used += FRAME_HEADER_BYTES + length;
    }

    /// Cuts the segment to its length. Not synced: a run must not wait for a disk between two
    /// requests, and a kill of this process loses nothing that the kernel has.
    fn close(mut self) -> Result<fs::File, LedgerError> {
        self.push(&End);
        let Self { path, file, map, used } = self;
        drop(map);
        file.set_len(used as u64).map_err(|source| LedgerError::Io { path, source })?;
        Ok(file)
    }
}

/// What a segment ends with that was closed.
struct End;

impl Record for End {
    fn size_hint(&self) -> usize {
        END.len()
    }

    fn encode(&self, out: &mut [u8]) -> usize {
        out[..END.len()].copy_from_slice(&END);
        END.len()
    }
}

/// Takes the blocks from the file system before they are mapped: a store to a mapped page that the
/// disk has no room for would end the process with SIGBUS instead of an error.
fn reserve(file: &fs::File, bytes: usize) -> io::Result<()> {
    match rustix::fs::fallocate(file.file(), FallocateFlags::empty(), 0, bytes as u64) {
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
            let mut out = file.file();
            let mut rest = bytes;
            let zeros = [0; 64 << 10];
            while rest > 0 {
                rest -= out.write(&zeros[..rest.min(zeros.len())])?;
            }
            Ok(())
        }
        other => Ok(other?),
    }
}

/// Maps a segment for writing. Measured against one `write` a frame by the `record` benchmark: the
/// mapping is what makes a record before every send affordable.
#[allow(unsafe_code, reason = "a shared mapping is the only way to record without a system call")]
fn map_shared(file: &std::fs::File) -> io::Result<MmapMut> {
    // SAFETY: the file was just created with `create_new` in the run's own, locked directory and no
    // other process writes or cuts it while it is mapped; `close` unmaps before it truncates.
    unsafe { MmapMut::map_mut(file) }
}
