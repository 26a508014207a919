//! Simulator traces: what to send.
//!
//! A trace is a list of [`Command`]s with ids and times, kept as tab-separated UTF-8 without header
//! and without quoting, one command a line: `id  delay_ms  unix_ms  command  user  arguments…`.
//!
//! - [`TraceReader`] and [`TraceWriter`] stream it, [`Trace`] holds it whole with its [`digest`].
//!   What is written is, byte for byte, what was read.
//! - [`mod@lint`] tells what is wrong with a trace and what that will cause, [`Stats`] describe it.
//! - [`Profile`] says what a trace is like, and [`Generator`] makes another like it from a seed.
//! - [`amplify()`] multiplies its population, [`Selection`] and [`slice_with_registers`] cut it.
//!
//! Nothing here holds more in memory than it must: readers, writers and the amplifier a line,
//! linter, statistics and generator the users and follow edges.

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
