//! Recording a run: the one writer of the run directory while requests are sent.
//!
//! [`Recorder`] appends every request to the ledger before it is sent and its outcome after, keeps
//! the [`Live`] counts that a progress line shows, and writes the simulator's own error lines.

mod error_log;
mod live;
mod recorder;

pub use error_log::ErrorLog;
pub(crate) use error_log::simulator_word;
pub use live::{Live, Snapshot};
pub use recorder::{RecordError, Recorder};
