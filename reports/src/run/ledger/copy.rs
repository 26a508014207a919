//! Copying a part into another ledger.

use super::{Damage, Frame, LedgerError, LedgerReader, LedgerWriter};
use std::path::Path;

/// What was met while a part was copied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copied {
    /// When its last command was sent, in nanoseconds since the new run began.
    pub last_command_ns: Option<u64>,
    /// The places that could not be read, and are not in the copy.
    pub damage: Vec<Damage>,
}

/// Copies a part as part `number` into the ledger in `directory`, whose run began `earlier_ns`
/// nanoseconds before the part's own run. `replica` gives each replica its new number.
///
/// # Errors
/// [`LedgerError`] where the part cannot be read or the copy not be written.
pub fn copy_part(
    mut part: LedgerReader,
    directory: &Path,
    number: u16,
    earlier_ns: u64,
    replica: impl Fn(u16) -> u16,
) -> Result<Copied, LedgerError> {
    let mut copied = Copied::default();
    let mut writer: Option<LedgerWriter> = None;
    while let Some((_, offset_ns, mut frame)) = part.next_raw()? {
        let offset_ns = offset_ns + earlier_ns;
        match &mut frame {
            Frame::Outcome(outcome) => outcome.replica = replica(outcome.replica),
            Frame::Intent(intent) if intent.operation.is_write() => {
                let called_ns = Some(intent.called_ns + offset_ns);
                copied.last_command_ns = copied.last_command_ns.max(called_ns);
            }
            Frame::Intent(_) | Frame::Mark(_) => {}
        }
        writer
            .get_or_insert_with(|| LedgerWriter::create(directory, number, offset_ns))
            .append(&frame)?;
    }
    if let Some(writer) = writer {
        writer.finish()?;
    }
    copied.damage = part.damage().to_vec();
    Ok(copied)
}
