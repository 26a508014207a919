//! The run directory: one folder that holds all that is known of one run.
//!
//! | file | what | written |
//! |---|---|---|
//! | `manifest.json` | what was run, how, where, from which seed | at the start, completed at the end |
//! | `ledger/PPP-SSSSS.ledger` | every command before it is sent, its outcome after | during the run |
//! | `readback/*.ndjson` | what the target held before and after | around the run |
//! | `latency.hlog` | HdrHistogram interval log, nanoseconds, one tag per phase, figure, operation and replica | from the ledger |
//! | `timeline.ndjson` | counts per second, `latest` as sent and as reported | from the ledger |
//! | `verdict.json` | the judgement: checks, totals, audit, outages | by the judge |
//!
//! While a large run is judged, `judge.tmp` holds its users in shares.
//!
//! The ledger is the only record of the run itself; `latency.hlog`, `timeline.ndjson` and
//! `verdict.json` can be made from it again at any time.

pub mod derive;
mod directory;
pub mod histograms;
pub mod ledger;
pub mod manifest;
pub mod operation;
pub mod readback;
pub mod timeline;
pub mod verdict;

pub use directory::{RunDir, RunDirError};

/// The version of every format in the run directory that this build writes.
pub const FORMAT_VERSION: u32 = 1;
