//! What keeps a replay from being carried out.

use crate::client::readback::ReadError;
use crate::engine::EngineError;
use crate::judge::JudgeError;
use crate::record::RecordError;
use crate::schedule::Shard;
use jiff::Timestamp;
use limosa_reports::run::RunDirError;
use limosa_scenarios::TraceError;
use std::path::PathBuf;

/// Why a replay could not be carried out. What was sent before is in the run directory.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The trace.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// No command is left to send.
    #[error("--from-id {from_id}: {trace} ends at id {last}", trace = trace.display())]
    NothingToSend {
        /// The id asked for.
        from_id: i64,
        /// The trace.
        trace: PathBuf,
        /// The last id in it.
        last: i64,
    },
    /// No user of the trace is of the shard.
    #[error("--shard {}/{}: no user of {} belongs to it: use fewer shards", shard.index, shard.of, trace.display())]
    EmptyShard {
        /// The shard.
        shard: Shard,
        /// The trace.
        trace: PathBuf,
    },
    /// Nothing is due in the time given.
    #[error("no command is due before the run's time is over: give it more time, or a higher rate")]
    NoTime,
    /// The instant to begin at is over.
    #[error("--start-at {0} is past: give an instant that leaves time to read the target first")]
    TooLate(Timestamp),
    /// The trace can be read only once, or for ever.
    #[error(
        "the trace {} is no regular file, and it is read several times: write it to a file first",
        .0.display()
    )]
    NoFile(PathBuf),
    /// The plan has no target.
    #[error("there is no target to send to: give at least one")]
    NoTarget,
    /// The target cannot be judged, so nothing was sent.
    #[error("target {target}: {source}; nothing was sent: {}", .source.advice())]
    Target {
        /// The target.
        target: String,
        /// Why.
        source: ReadError,
    },
    /// What the target holds before the run cannot be told, so nothing was sent.
    #[error(
        "target {target}: it could not be read whole before the run, so that nothing could be proven after it: {gap}; nothing was sent: mend the target, or describe it by --profile"
    )]
    Baseline {
        /// The target.
        target: String,
        /// The first thing that could not be read.
        gap: String,
    },
    /// The run directory holds a run of another trace.
    #[error("{path} holds a run of another trace ({theirs}): only the same trace can go on there", path = path.display())]
    OtherTrace {
        /// The run directory.
        path: PathBuf,
        /// The digest of the other trace.
        theirs: String,
    },
    /// The run directory holds a run that was sent in another manner.
    #[error(
        "{path} holds a run that differs in {what}, so that the two could not be judged as one: go on with the flags that it began with (its manifest.json has the command line), or begin a new run",
        path = path.display()
    )]
    OtherManner {
        /// The run directory.
        path: PathBuf,
        /// The first difference.
        what: &'static str,
    },
    /// The run directory.
    #[error(transparent)]
    RunDir(#[from] RunDirError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The records.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The simulator's error log.
    #[error("error log: {0}")]
    ErrorLog(std::io::Error),
    /// The judge.
    #[error(transparent)]
    Judge(#[from] JudgeError),
}
