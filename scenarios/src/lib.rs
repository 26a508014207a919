//! Simulator traces: what to send.
//!
//! A trace is a list of [`Command`]s with ids and times.

mod command;

pub use command::{Action, Command};
