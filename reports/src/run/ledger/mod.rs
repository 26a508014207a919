//! The ledger: every command is recorded before it is sent, and its outcome after.
//!
//! A part (one process's stretch of the run) is a sequence of segment files
//! `PPP-SSSSS.ledger`. A segment is a header and frames; a frame is a length, a CRC-32 and a
//! payload, all little-endian. Frames are written into a shared memory mapping of the segment, so
//! that a SIGKILL of the writer loses nothing that was recorded: the pages belong to the kernel.
//! (A power cut of the generator's machine may lose what the kernel had not written back.)
//!
//! The length is written last. A segment that was closed ends with a frame that says so, one whose
//! writer was killed with the zeros that were reserved for it. Anything else, and a checksum that
//! disagrees, is damage, which a reader reports with file and offset.

mod copy;
mod entries;
mod frame;
mod packed;
mod reader;
mod writer;

#[cfg(test)]
mod tests;

pub use copy::{Copied, copy_part};
pub use entries::{Calls, Entries, Entry, Join, Joined};
pub use frame::{Frame, Intent, Mark, Outcome, Record};
pub use packed::{PackedReader, PackedWriter};
pub use reader::{Damage, LedgerReader};
pub use writer::LedgerWriter;

use std::path::PathBuf;

/// Why a ledger could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The operating system refused.
    #[error("ledger {path}: {source}", path = path.display())]
    Io {
        /// The segment.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no ledger segment.
    #[error("{path} is not a ledger segment: it does not begin with {magic:?}", path = path.display(), magic = String::from_utf8_lossy(writer::MAGIC))]
    NotALedger {
        /// The file.
        path: PathBuf,
    },
    /// The segment was written by a newer Limosa.
    #[error("{path} has ledger format {found}, and this limosa reads up to {known}: use a newer limosa", path = path.display(), known = super::FORMAT_VERSION)]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version that it names.
        found: u32,
    },
}
