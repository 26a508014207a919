//! Simulator traces: what to send.
//!
//! A trace is a list of [`Command`]s with ids and times, kept as tab-separated text without header
//! and without quoting: `id  delay_ms  unix_ms  command  user  arguments…`.

mod command;
mod distribution;
mod error;
mod line;
pub mod lint;
mod read;
mod stats;
mod world;
mod write;

pub use command::{Action, Command};
pub use distribution::Summary;
pub use error::{Field, LineFault, TraceError};
pub use line::LINE_LIMIT;
pub use read::{Trace, TraceReader, digest};
pub use stats::{Gatherer, Stats};
pub use write::{TraceWriter, WriteError};
