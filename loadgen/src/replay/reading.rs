//! Reading the targets before and after a run.

use super::{Plan, ReplayError};
use crate::check::scope::Scope;
use crate::client::readback::{ReadBackError, ReadError, Reader};
use crate::schedule::Route;
use limosa_reports::run::operation::{Ack, Operation};
use limosa_reports::run::{RunDir, RunDirError};
use std::collections::BTreeSet;
use std::time::Duration;

/// Which targets answered.
struct Looked {
    /// A reader of the first that did.
    answering: Option<Reader>,
    /// The first that did not, and why.
    silent: Option<ReplayError>,
}

async fn look(plan: &Plan) -> Looked {
    let limit = plan.timeouts.connect + plan.timeouts.response;
    let mut looked = Looked { answering: None, silent: None };
    for target in &plan.targets {
        let reader = Reader::new(target.clone(), plan.profile.clone(), plan.timeouts);
        match reader.look(limit).await {
            Ok(()) => _ = looked.answering.get_or_insert(reader),
            Err(source) => {
                let target = target.to_string();
                looked.silent.get_or_insert(ReplayError::Target { target, source });
            }
        }
    }
    looked
}

/// Looks whether the targets answer, and returns a reader of the first one that does. With a
/// failover, one is enough.
pub(super) async fn before(plan: &Plan) -> Result<Reader, ReplayError> {
    match look(plan).await {
        Looked { answering: Some(reader), silent: None } => Ok(reader),
        Looked { answering: Some(reader), .. } if plan.route == Route::Failover => Ok(reader),
        Looked { silent: Some(error), .. } => Err(error),
        Looked { .. } => Err(ReplayError::NoTarget),
    }
}

/// A reader of the first target that still answers; of `first` where none does.
pub(super) async fn after(plan: &Plan, first: Reader) -> Reader {
    match plan.targets.len() {
        1 => first,
        _ => look(plan).await.answering.unwrap_or(first),
    }
}

/// Reads the target back after a run: once, or, where a write has no answer yet may still land,
/// twice. Returns why it could not, where it could not.
///
/// # Errors
/// [`RunDirError`] where the result cannot be written.
pub async fn read_back(
    run: &RunDir,
    reader: &Reader,
    response_timeout: Duration,
    settle: Duration,
) -> Result<Option<ReadError>, RunDirError> {
    let scope = Scope::of_run(&run.manifest()?);
    let mut users = BTreeSet::new();
    let mut open = false;
    let mut last_ns = 0;
    for entry in run.entries()? {
        let entry = entry?;
        last_ns = last_ns.max(entry.intent.called_ns);
        open |= entry.intent.operation.is_write() && entry.ack() == Ack::Indeterminate;
        if entry.intent.operation.is_write() {
            let names_another =
                matches!(entry.intent.operation, Operation::Follow | Operation::Unfollow);
            if names_another && scope.holds(&entry.intent.detail) {
                users.insert(entry.intent.detail);
            }
            users.insert(entry.intent.user);
        }
    }
    forget_read_backs(run)?;
    let waits: &[(&str, Duration)] = if open {
        &[("after-1", response_timeout), ("after-2", settle)]
    } else {
        &[("after-1", Duration::ZERO)]
    };
    for (name, wait) in waits {
        tokio::time::sleep(*wait).await;
        match reader.read_back(&users, last_ns, scope.is_whole(), &run.readback(name)).await {
            Ok(_) => {}
            Err(ReadBackError::Read(error)) => return Ok(Some(error)),
            Err(ReadBackError::Write(error)) => return Err(error),
        }
    }
    Ok(None)
}

/// Removes the read-backs that the run outgrew.
pub(super) fn forget_read_backs(run: &RunDir) -> Result<(), RunDirError> {
    for name in ["after-1", "after-2"] {
        let path = run.readback(name);
        if path.is_file() {
            fs_err::remove_file(path)?;
        }
    }
    Ok(())
}
