//! Checkers: from what was recorded to what it means. No clock, no network, no file.
//!
//! Most take the requests one at a time, in the order of their calls, and hold what matters later:
//! the names of users, not what each sent. What a bad run could fill without end is listed as far as
//! it helps, and counted whole ([`Listed`]).
//!
//! - [`totals`]: what was sent, and what came of it.
//! - [`complete`]: whether all that was planned was sent.
//! - [`answers`]: whether every command got the answer that a correct server gives.
//! - [`audit`]: whether the target holds what it acknowledged.
//! - [`latest`]: whether `GET /latest` named the last command.
//! - [`cascade`]: which failures an earlier one explains.
//! - [`downtime`]: when the target was out of reach.
//! - [`limits`]: whether the run kept to the limits that were set for it.
//! - [`trust`]: whether the measurement itself can be trusted.
//!
//! [`ids`] and [`scope`] serve them: which ids there were, and whose commands a run sent.

pub mod answers;
pub mod audit;
pub mod cascade;
pub mod complete;
pub mod downtime;
pub mod ids;
pub mod latest;
pub mod limits;
pub mod scope;
pub mod totals;
pub mod trust;

/// What is listed of something, and how much there was of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed<T> {
    /// What is listed.
    pub items: Vec<T>,
    /// How many there were.
    pub total: u64,
}

#[cfg(test)]
pub(crate) mod testing;
