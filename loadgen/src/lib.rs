//! The load generator: it replays traces, records what came of every command, and judges it.

pub mod cli;
pub mod profile;
