//! Driving a schedule against a target. The engine sends and records; it judges nothing.

mod strict;

pub use strict::{Ending, EngineError, StopRule, Strict};
