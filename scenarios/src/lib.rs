//! Simulator traces: what to send.
//!
//! A trace is a list of [`Command`]s with ids and times, kept as tab-separated text without header
//! and without quoting: `id  delay_ms  unix_ms  command  user  arguments…`.

mod amplify;
mod command;
mod distribution;
mod error;
pub mod generate;
mod line;
pub mod lint;
mod profile;
mod read;
mod slice;
mod stats;
mod world;
mod write;

pub use amplify::{Amplified, AmplifyError, DEFAULT_SPREAD_MS, amplify};
pub use command::{Action, Command};
pub use distribution::Summary;
pub use error::{Field, LineFault, TraceError};
pub use generate::Generator;
pub use line::LINE_LIMIT;
pub use profile::{Profile, ProfileError, Quantiles, Skew};
pub use read::{Trace, TraceReader, digest};
pub use slice::{Selection, slice_with_registers};
pub use stats::{Gatherer, Stats};
pub use write::{TraceWriter, WriteError};
