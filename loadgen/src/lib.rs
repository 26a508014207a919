//! The load generator: it replays traces, records what came of every command, and judges it.

pub mod check;
pub mod cli;
pub mod client;
pub mod clock;
pub mod conformance;
pub mod engine;
pub mod experiment;
pub mod export;
pub mod judge;
pub mod machine;
pub mod merge;
pub mod nearest;
pub mod profile;
pub mod record;
pub mod replay;
pub mod scenario;
pub mod schedule;
pub mod small_file;
