//! A replay from end to end: look at the targets, send the trace, look again, judge.

mod defaults;
mod directory;
mod outline;

use crate::check::scope::Scope;
use crate::client::readback::{ReadBackError, ReadError, Reader};
use crate::client::{BaseUrl, ClientKind, KeepAlive, Timeouts};
use crate::clock::Clock;
use crate::engine::{Ending, Engine, EngineError, StopRule};
use crate::judge::{JudgeError, judge};
use crate::profile::Profile;
use crate::record::{ErrorLog, Live, RecordError, Recorder};
use crate::schedule::{Manner, Order, Pace, Read, Route, Schedule, Shard};
pub use defaults::usual_connections;
use directory::{OpenPart, open_run};
use jiff::Timestamp;
use limosa_reports::run::ledger::LedgerWriter;
use limosa_reports::run::manifest::Phase;
use limosa_reports::run::operation::{Ack, Operation};
use limosa_reports::run::verdict::Judgement;
use limosa_reports::run::{RunDir, RunDirError};
use limosa_scenarios::TraceError;
use outline::{Outline, commands, outline};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What to replay, against what, and how.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What the run is called; `None`: as the trace.
    pub name: Option<String>,
    /// The scenario that the plan was made from, as TOML; it is kept in the run directory.
    pub scenario: Option<String>,
    /// The trace's file.
    pub trace: PathBuf,
    /// The targets, at least one; the first is the one that is read back.
    pub targets: Vec<BaseUrl>,
    /// Which target gets which request.
    pub route: Route,
    /// What the target is known to do otherwise.
    pub profile: Profile,
    /// Whose requests are sent.
    pub client: ClientKind,
    /// Which commands may be under way together.
    pub order: Order,
    /// How many requests are under way at most.
    pub connections: usize,
    /// Whether connections are used again, as far as the target allows.
    pub keep_alive: bool,
    /// How fast.
    pub pace: Pace,
    /// The stretches that are reported on their own; none: all is one.
    pub phases: Vec<Phase>,
    /// Sends nothing that is due later; `None`: the whole trace.
    pub duration: Option<Duration>,
    /// What is read besides.
    pub reads: Vec<Read>,
    /// Skips the commands with a lower id.
    pub from_id: Option<i64>,
    /// Sends only this share of the users.
    pub shard: Option<Shard>,
    /// When to begin to send; `None`: as soon as the target was read.
    pub start_at: Option<Timestamp>,
    /// The seed of everything random.
    pub seed: u64,
    /// What the run must keep to.
    pub limits: Vec<String>,
    /// How long to wait for connections and answers.
    pub timeouts: Timeouts,
    /// When to give up.
    pub stop: StopRule,
    /// How long a write without an answer may still land before the second read-back.
    pub settle: Duration,
    /// The run directory; `None`: a new one in `runs`.
    pub run_dir: Option<PathBuf>,
    /// Where new run directories are made.
    pub runs: PathBuf,
    /// The command line, for the manifest.
    pub command_line: Vec<String>,
}

/// How often a wait looks whether the user has ended the run.
const GLANCE: Duration = Duration::from_millis(100);
/// Time enough to note in the run directory when sending begins, before it does.
const LEAD: Duration = Duration::from_millis(20);

impl Plan {
    /// The plan as the schedule sees it.
    fn manner(&self, seed: u64) -> Manner {
        Manner {
            pace: self.pace.clone(),
            until_ns: self.duration.map(|duration| duration.as_nanos() as u64),
            reads: self.reads.clone(),
            route: self.route,
            targets: self.targets.len(),
            shard: self.shard,
            seed,
        }
    }

    fn keep_alive(&self) -> KeepAlive {
        if self.keep_alive { KeepAlive::new(&self.profile) } else { KeepAlive::off() }
    }

    /// Whether a user's state is this plan's to read back: of a shard, its own users'.
    fn reads_back(&self, user: &str) -> bool {
        Scope::of([self.shard]).holds(user)
    }

    /// The target that is read back.
    fn first_target(&self) -> &BaseUrl {
        self.targets.first().unwrap_or_else(|| unreachable!("a plan has a target"))
    }
}

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
    let reader = answering_reader(plan).await?;

    let (run, part) = open_run(plan, &outline)?;
    if run.entries()?.next().is_none() {
        let target = || plan.first_target().to_string();
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
    forget_read_backs(&run)?;
    let ending = send(plan, &outline, &run, &part, interrupted, on_start).await?;
    if ending == Ending::Complete {
        let mut manifest = run.manifest()?;
        manifest.finished = Some(Timestamp::now());
        run.write_manifest(&manifest)?;
    }
    // The first target may be gone by now.
    let reader = any_reader(plan).await.unwrap_or(reader);
    let unread = read_back(&run, &reader, plan.timeouts.response, plan.settle).await?;
    let judgement = judge(&run)?;
    Ok(Finished { run, ending, judgement, unread })
}

/// Looks whether the targets answer, and returns a reader of the first one that does. With a
/// failover, one is enough.
async fn answering_reader(plan: &Plan) -> Result<Reader, ReplayError> {
    let limit = plan.timeouts.connect + plan.timeouts.response;
    let mut answering = None;
    let mut silent = None;
    for target in &plan.targets {
        let reader = Reader::new(target.clone(), plan.profile.clone(), plan.timeouts);
        match reader.look(limit).await {
            Ok(()) => _ = answering.get_or_insert(reader),
            Err(source) => {
                let target = target.to_string();
                silent.get_or_insert(ReplayError::Target { target, source });
            }
        }
    }
    match (answering, silent) {
        (Some(reader), None) => Ok(reader),
        (Some(reader), Some(_)) if plan.route == Route::Failover => Ok(reader),
        (_, Some(error)) => Err(error),
        (None, None) => unreachable!("a plan has a target"),
    }
}

/// A reader of the first target that answers.
async fn any_reader(plan: &Plan) -> Option<Reader> {
    let limit = plan.timeouts.connect + plan.timeouts.response;
    for target in &plan.targets {
        let reader = Reader::new(target.clone(), plan.profile.clone(), plan.timeouts);
        if reader.look(limit).await.is_ok() {
            return Some(reader);
        }
    }
    None
}

/// When sending is to begin, by both clocks.
fn beginning(start_at: Option<Timestamp>) -> Result<(Timestamp, Instant), ReplayError> {
    let (now, instant) = (Timestamp::now(), Instant::now());
    let begins = start_at.unwrap_or(now + LEAD);
    let left =
        Duration::try_from(begins.duration_since(now)).map_err(|_| ReplayError::TooLate(begins))?;
    Ok((begins, instant + left))
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
fn forget_read_backs(run: &RunDir) -> Result<(), RunDirError> {
    for name in ["after-1", "after-2"] {
        let path = run.readback(name);
        if path.is_file() {
            fs_err::remove_file(path)?;
        }
    }
    Ok(())
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
            let log = ErrorLog::open(&path, &plan.first_target().to_string());
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
