//! Driving a schedule against a target. The engine sends and records; it judges nothing.
//!
//! All of it runs on one thread: the schedule, the lanes and the records are shared by the
//! connections without a lock. With the pace `max` (the closed model) each connection takes the
//! next request that the order allows as soon as it is free. With a pace that has intended instants
//! (the open model) a request is given to a free connection at its instant, and a new connection is
//! made where none is free, up to the limit; beyond it, requests wait, and the wait counts as the
//! generator's lateness.
//!
//! Reads of `latest` have connections of their own, unless everything goes one after another: what
//! holds the load up shall not keep anybody from looking.
//!
//! Of several targets the schedule chooses one for each request; connections that are not in use
//! wait in a pool.

mod drive;
mod pool;
mod scout;
mod shared;

pub use drive::Engine;

use crate::record::RecordError;
use limosa_scenarios::TraceError;

/// When to give up before the schedule ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StopRule {
    /// After so many commands in a row that could not be sent; `None`: never.
    pub unreachable: Option<u32>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Everything was sent.
    Complete,
    /// The target could not be reached; the lowest command id that was not sent.
    Unreachable {
        /// Where to go on.
        resume_at: i64,
    },
    /// The user ended it; the lowest command id that was not tried, where one is left.
    Interrupted {
        /// Where to go on.
        resume_at: Option<i64>,
    },
}

/// Why a run could not go on.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The trace.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The timer that wakes the generator.
    #[error("the run was ended, since its timer failed: {0}")]
    Timer(#[from] std::io::Error),
    /// The records.
    #[error("the run was ended, since it can no longer be recorded: {0}")]
    Record(#[from] RecordError),
}
