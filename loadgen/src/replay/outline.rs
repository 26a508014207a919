//! What a trace holds, found out before anything is sent.

use super::{Plan, ReplayError};
use crate::check::ids::IdSet;
use crate::schedule::{Manner, Payload, Schedule, Step};
use limosa_reports::run::manifest::TraceInfo;
use limosa_scenarios::{Command, TraceError, TraceReader, digest};
use std::cell::Cell;
use std::collections::BTreeSet;

/// What a first look at a trace tells.
#[derive(Debug)]
pub(super) struct Outline {
    pub(super) info: TraceInfo,
    /// The users who act or are named in what is to be sent.
    pub(super) users: BTreeSet<String>,
    /// How many commands are to be sent, at most.
    pub(super) to_send: u64,
    /// How many different ids they have; `None` where time decides.
    pub(super) planned_ids: Option<u64>,
}

/// The commands of a plan's trace that are to be sent.
pub(super) fn commands(
    plan: &Plan,
) -> Result<impl Iterator<Item = Result<Command, TraceError>> + 'static, TraceError> {
    let from_id = plan.from_id;
    Ok(TraceReader::open(&plan.trace)?.filter(move |command| match (command, from_id) {
        (Ok(command), Some(from)) => command.id >= from,
        _ => true,
    }))
}

/// Reads the whole trace before anything is sent: a bad line in the middle must not end a run.
pub(super) fn outline(plan: &Plan, manner: &Manner) -> Result<Outline, ReplayError> {
    // Opening a pipe would wait for its writer.
    if fs_err::metadata(&plan.trace).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return Err(ReplayError::NoFile(plan.trace.clone()));
    }
    let ids: Cell<Option<(i64, i64)>> = Cell::new(None);
    let in_trace = Cell::new(0_u64);
    let from_id = plan.from_id.unwrap_or(i64::MIN);
    let counted = TraceReader::open(&plan.trace)?
        .inspect(|command| {
            if let Ok(command) = command {
                in_trace.set(in_trace.get() + 1);
                ids.set(Some((ids.get().map_or(command.id, |(first, _)| first), command.id)));
            }
        })
        .filter(|command| command.as_ref().map_or(true, |command| command.id >= from_id));
    let mut users = BTreeSet::new();
    let mut ids_to_send = IdSet::default();
    let mut to_send = 0;
    let mut schedule = Schedule::new(counted, manner);
    for step in &mut schedule {
        let Step::Send(request) = step? else { continue };
        let Payload::Command(action) = &request.payload else { continue };
        to_send += 1;
        ids_to_send.insert(request.command_id);
        for name in [Some(action.user()), action.whom()].into_iter().flatten() {
            if plan.reads_back(name) && !users.contains(name) {
                users.insert(name.to_owned());
            }
        }
    }
    schedule.finish()?;
    let source = plan.trace.display().to_string();
    let Some((_, last)) = ids.get() else { return Err(TraceError::Empty { name: source }.into()) };
    if to_send == 0 {
        return Err(match (plan.from_id, plan.shard) {
            (Some(from_id), _) if from_id > last => {
                ReplayError::NothingToSend { from_id, trace: plan.trace.clone(), last }
            }
            (_, Some(shard)) => ReplayError::EmptyShard { shard, trace: plan.trace.clone() },
            _ => ReplayError::NoTime,
        });
    }
    let sha256 = digest(&plan.trace)?;
    let info = TraceInfo { source, sha256, commands: in_trace.get(), ids: ids.get() };
    let ends_by_time = plan.pace.is_closed_model() && plan.duration.is_some();
    let planned_ids = (!ends_by_time).then_some(ids_to_send.len());
    Ok(Outline { info, users, to_send, planned_ids })
}
