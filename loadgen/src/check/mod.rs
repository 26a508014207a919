//! Checkers: pure functions from what was recorded to what it means. No clock, no network, no file.
//!
//! - [`totals`]: what was sent, and what came of it.
//! - [`answers`]: whether every command got the answer that a correct server gives.
//! - [`audit`]: whether the target holds what it acknowledged.
//! - [`latest`]: whether `GET /latest` named the last command.
//! - [`cascade`]: which failures an earlier one explains.
//! - [`downtime`]: when the target was out of reach.
//! - [`limits`]: whether the run kept to the limits that were set for it.
//! - [`trust`]: whether the measurement itself can be trusted.

pub mod answers;
pub mod audit;
pub mod cascade;
pub mod downtime;
pub mod latest;
pub mod limits;
pub mod totals;
pub mod trust;

#[cfg(test)]
pub(crate) mod testing;
