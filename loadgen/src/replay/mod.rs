//! A replay from end to end: look at the targets, send the trace, look again, judge.

mod defaults;
mod directory;
mod error;
mod outline;
mod plan;
mod reading;

use crate::client::readback::{ReadBackError, ReadError};
use crate::client::{ClientKind, KeepAlive};
use crate::clock::Clock;
use crate::engine::{Ending, Engine};
use crate::judge::judge;
use crate::record::{ErrorLog, Live, Recorder};
use crate::schedule::Schedule;
pub use defaults::usual_connections;
use directory::{OpenPart, open_run};
pub use error::ReplayError;
use jiff::Timestamp;
use limosa_reports::run::ledger::LedgerWriter;
use limosa_reports::run::verdict::Judgement;
use limosa_reports::run::{RunDir, RunDirError};
use outline::{Outline, commands, outline};
pub use plan::Plan;
pub use reading::read_back;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often a wait looks whether the user has ended the run.
const GLANCE: Duration = Duration::from_millis(100);
/// Time enough to note in the run directory when sending begins, before it does.
const LEAD: Duration = Duration::from_millis(20);

/// A replay that came to its end.
#[derive(Debug)]
pub struct Finished {
    /// Its directory.
    pub run: RunDir,
    /// How it ended.
    pub ending: Ending,
    /// What was found.
    pub judgement: Judgement,
    /// Why the target could not be read back, where it could not.
    pub unread: Option<ReadError>,
}

/// Carries a plan out. `on_start` is called once sending begins, with the live counts, the number
/// of commands to send, and the run directory.
///
/// # Errors
/// [`ReplayError`].
pub async fn replay(
    plan: &Plan,
    interrupted: &Arc<AtomicBool>,
    on_start: impl FnOnce(Arc<Live>, u64, &Path),
) -> Result<Finished, ReplayError> {
    let outline = outline(plan, &plan.manner(plan.seed))?;
    beginning(plan.start_at)?;
    let reader = reading::before(plan).await?;

    let (run, part) = open_run(plan, &outline)?;
    if run.entries()?.next().is_none() {
        let target = || plan.target_name();
        let path = run.readback("before");
        let before = match reader.read_back(&outline.users, 0, plan.shard.is_none(), &path).await {
            Ok(before) => before,
            Err(ReadBackError::Read(source)) => {
                return Err(ReplayError::Target { target: target(), source });
            }
            Err(ReadBackError::Write(error)) => return Err(error.into()),
        };
        if let Some(gap) = before.gaps.first() {
            fs_err::remove_file(path).map_err(RunDirError::from)?;
            return Err(ReplayError::Baseline { target: target(), gap: gap.clone() });
        }
    }
    reading::forget_read_backs(&run)?;
    let ending = send(plan, &outline, &run, &part, interrupted, on_start).await?;
    if ending == Ending::Complete {
        let mut manifest = run.manifest()?;
        manifest.finished = Some(Timestamp::now());
        run.write_manifest(&manifest)?;
    }
    let reader = reading::after(plan, reader).await;
    let unread = read_back(&run, &reader, plan.timeouts.response, plan.settle).await?;
    let judgement = judge(&run)?;
    Ok(Finished { run, ending, judgement, unread })
}

/// When sending is to begin, by both clocks.
fn beginning(start_at: Option<Timestamp>) -> Result<(Timestamp, Instant), ReplayError> {
    let (now, instant) = (Timestamp::now(), Instant::now());
    let begins = start_at.unwrap_or(now + LEAD);
    let left =
        Duration::try_from(begins.duration_since(now)).map_err(|_| ReplayError::TooLate(begins))?;
    Ok((begins, instant + left))
}

async fn send(
    plan: &Plan,
    outline: &Outline,
    run: &RunDir,
    part: &OpenPart,
    interrupted: &Arc<AtomicBool>,
    on_start: impl FnOnce(Arc<Live>, u64, &Path),
) -> Result<Ending, ReplayError> {
    let errors = match plan.client {
        ClientKind::Limosa => None,
        ClientKind::Simulator => {
            let path = run.path().join("simulator-errors.log");
            let log = ErrorLog::open(&path, &plan.target_name());
            Some(log.map_err(ReplayError::ErrorLog)?)
        }
    };
    let manner = plan.manner(part.seed);
    let schedule = Schedule::new(commands(plan)?, &manner);
    let (began, start) = beginning(plan.start_at)?;
    let offset_ns = part.begin(run, began)?;
    let ledger = LedgerWriter::create(&run.ledger(), part.number, offset_ns);
    let recorder = Recorder::new(ledger, errors);
    on_start(recorder.live(), outline.to_send, run.path());
    let clock = Clock::starting_at(start);
    let keep_alive: Vec<KeepAlive> = plan.targets.iter().map(|_| plan.keep_alive()).collect();
    let engine = Engine {
        clock,
        profile: plan.profile.clone(),
        targets: plan.targets.clone(),
        replicas: part.replicas.clone(),
        route: plan.route,
        client: plan.client,
        keep_alive: keep_alive.clone(),
        timeouts: plan.timeouts,
        order: plan.order,
        is_closed_model: plan.pace.is_closed_model(),
        until_ns: manner.until_ns,
        connections: plan.connections,
        stop: plan.stop,
        interrupted: Arc::clone(interrupted),
    };
    while Instant::now() < start && !interrupted.load(Ordering::Relaxed) {
        let glance = Instant::now() + GLANCE;
        tokio::time::sleep_until(start.min(glance).into()).await;
    }
    let ending = engine.run(schedule, recorder).await?;
    if keep_alive.iter().any(|kept| kept.given_up().is_some()) {
        part.give_up_keep_alive(run)?;
    }
    Ok(ending)
}
