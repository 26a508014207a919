//! A replay from end to end: look at the target, send the trace, look again, judge.

use crate::client::readback::{ReadError, Reader};
use crate::client::{BaseUrl, ClientKind, Timeouts};
use crate::clock::Clock;
use crate::engine::{Ending, Engine, EngineError, StopRule};
use crate::judge::{JudgeError, judge};
use crate::machine;
use crate::profile::Profile;
use crate::record::{ErrorLog, Live, RecordError, Recorder};
use crate::schedule::{Order, Pace, Schedule};
use jiff::Timestamp;
use limosa_reports::run::ledger::LedgerWriter;
use limosa_reports::run::manifest::{Manifest, Mode, Part, TraceInfo};
use limosa_reports::run::operation::{Ack, Operation};
use limosa_reports::run::verdict::Judgement;
use limosa_reports::run::{FORMAT_VERSION, RunDir, RunDirError};
use limosa_scenarios::lint::{Ids, Seen};
use limosa_scenarios::{TraceError, TraceReader, digest};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// What to replay, against what, and how.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What the run is called; `None`: as the trace.
    pub name: Option<String>,
    /// The trace's file.
    pub trace: PathBuf,
    /// The target.
    pub target: BaseUrl,
    /// What the target is known to do otherwise.
    pub profile: Profile,
    /// Whose requests are sent.
    pub client: ClientKind,
    /// Which commands may be under way together.
    pub order: Order,
    /// How many requests are under way at most.
    pub connections: usize,
    /// How fast.
    pub pace: Pace,
    /// Skips the commands with a lower id.
    pub from_id: Option<i64>,
    /// How often `latest` is read: the probability of a read after a command.
    pub read_share: f64,
    /// The seed of the reads' places.
    pub seed: u64,
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
    /// The trace can be read only once, or for ever.
    #[error(
        "the trace {} is no regular file, and it is read several times: write it to a file first",
        .0.display()
    )]
    NoFile(PathBuf),
    /// The target cannot be judged, so nothing was sent.
    #[error(
        "target {target}: {source}; nothing was sent: is it running? start it, or correct --target"
    )]
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

/// What a first look at a trace tells.
#[derive(Debug)]
struct Outline {
    info: TraceInfo,
    users: BTreeSet<String>,
    to_send: u64,
    ids_to_send: u64,
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
    let outline = outline(plan)?;
    let reader = Reader::new(plan.target.clone(), plan.profile.clone(), plan.timeouts);
    let unusable = |source| ReplayError::Target { target: plan.target.to_string(), source };
    reader.look(plan.timeouts.connect + plan.timeouts.response).await.map_err(unusable)?;

    let (run, part) = open_run(plan, &outline)?;
    if run.entries()?.next().is_none() {
        let before = reader.read_back(&outline.users, 0).await.map_err(unusable)?;
        if let Some(gap) = before.header.gaps.first() {
            let target = plan.target.to_string();
            return Err(ReplayError::Baseline { target, gap: gap.clone() });
        }
        before.write(&run.readback("before"))?;
    }
    forget_read_backs(&run)?;
    let ending = send(plan, &outline, &run, &part, interrupted, on_start).await?;
    let mut manifest = run.manifest()?;
    manifest.finished = Some(Timestamp::now());
    run.write_manifest(&manifest)?;

    let unread = read_back(&run, &reader, plan.timeouts.response, plan.settle).await?;
    let judgement = judge(&run)?;
    Ok(Finished { run, ending, judgement, unread })
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
    let mut users = BTreeSet::new();
    let mut open = false;
    let mut last_ns = 0;
    for entry in run.entries()? {
        let entry = entry?;
        last_ns = last_ns.max(entry.intent.called_ns);
        open |= entry.intent.operation.is_write() && entry.ack() == Ack::Indeterminate;
        if entry.intent.operation.is_write() {
            if matches!(entry.intent.operation, Operation::Follow | Operation::Unfollow) {
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
        match reader.read_back(&users, last_ns).await {
            Ok(state) => state.write(&run.readback(name))?,
            Err(error) => return Ok(Some(error)),
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

/// Reads the whole trace before anything is sent: a bad line in the middle must not end a run.
fn outline(plan: &Plan) -> Result<Outline, ReplayError> {
    // Opening a pipe would wait for its writer.
    if fs_err::metadata(&plan.trace).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return Err(ReplayError::NoFile(plan.trace.clone()));
    }
    let mut users = BTreeSet::new();
    let mut ids: Option<(i64, i64)> = None;
    let mut commands = 0;
    let mut to_send = 0;
    let mut seen = Ids::default();
    let mut ids_to_send = 0;
    for command in TraceReader::open(&plan.trace)? {
        let command = command?;
        commands += 1;
        if plan.from_id.is_none_or(|from| command.id >= from) {
            to_send += 1;
            ids_to_send += u64::from(seen.insert(command.id, commands) != Seen::Repeated);
        }
        ids = Some(ids.map_or((command.id, command.id), |(first, _)| (first, command.id)));
        for name in [Some(command.action.user()), command.action.whom()].into_iter().flatten() {
            if !users.contains(name) {
                users.insert(name.to_owned());
            }
        }
    }
    let source = plan.trace.display().to_string();
    let Some((_, last)) = ids else { return Err(TraceError::Empty { name: source }.into()) };
    if let (0, Some(from_id)) = (to_send, plan.from_id) {
        return Err(ReplayError::NothingToSend { from_id, trace: plan.trace.clone(), last });
    }
    let sha256 = digest(&plan.trace)?;
    let info = TraceInfo { source, sha256, commands, ids };
    Ok(Outline { info, users, to_send, ids_to_send })
}

#[derive(Debug)]
struct PartPlan {
    number: u16,
    offset_ns: u64,
    replica: u16,
    seed: u64,
}

/// Makes the run directory, or goes on in one that is there.
fn open_run(plan: &Plan, outline: &Outline) -> Result<(RunDir, PartPlan), ReplayError> {
    let now = Timestamp::now();
    let part = |number, offset_ns| Part {
        part: number,
        started: now,
        offset_ns,
        from_id: plan.from_id,
        command_line: plan.command_line.clone(),
    };
    if let (Some(path), Some(_)) = (&plan.run_dir, plan.from_id)
        && path.join("manifest.json").is_file()
    {
        let mut run = RunDir::open(path)?;
        run.lock()?;
        let mut manifest = run.manifest()?;
        if manifest.trace.sha256 != outline.info.sha256 {
            let theirs = manifest.trace.source;
            return Err(ReplayError::OtherTrace { path: path.clone(), theirs });
        }
        let number = manifest.parts.len() as u16;
        let offset_ns = offset_of(&run, manifest.started, now)?;
        let target = plan.target.to_string();
        let replica = match manifest.targets.iter().position(|known| *known == target) {
            Some(at) => at,
            None => {
                manifest.targets.push(target);
                manifest.targets.len() - 1
            }
        };
        manifest.finished = None;
        manifest.parts.push(part(number, offset_ns));
        run.write_manifest(&manifest)?;
        let seed = manifest.seed.wrapping_add(number.into());
        return Ok((run, PartPlan { number, offset_ns, replica: replica as u16, seed }));
    }
    let name = plan.name.clone().unwrap_or_else(|| {
        let stem = plan.trace.file_stem().unwrap_or(plan.trace.as_os_str());
        format!("replay-{}", stem.to_string_lossy())
    });
    let run = match &plan.run_dir {
        Some(path) => RunDir::create_at(path)?,
        None => RunDir::create_in(&plan.runs, &slug(&name), now)?,
    };
    run.write_manifest(&Manifest {
        format_version: FORMAT_VERSION,
        limosa: env!("CARGO_PKG_VERSION").to_owned(),
        name,
        kind: "replay".to_owned(),
        started: now,
        finished: None,
        mode: mode(plan),
        targets: vec![plan.target.to_string()],
        trace: outline.info.clone(),
        planned_ids: outline.ids_to_send,
        seed: plan.seed,
        profile: plan.profile.deviations(),
        machine: machine::describe(),
        parts: vec![part(0, 0)],
    })?;
    Ok((run, PartPlan { number: 0, offset_ns: 0, replica: 0, seed: plan.seed }))
}

/// The new part begins when the wall clock says, and never before the last record.
fn offset_of(run: &RunDir, started: Timestamp, now: Timestamp) -> Result<u64, ReplayError> {
    let by_clock = now.duration_since(started).as_nanos().max(0) as u64;
    let mut last_ns = 0;
    for entry in run.entries()? {
        let entry = entry.map_err(RunDirError::from)?;
        let end = entry.outcome.map_or(entry.intent.called_ns, |outcome| outcome.done_ns);
        last_ns = last_ns.max(end);
    }
    Ok(by_clock.max(last_ns + 1))
}

fn mode(plan: &Plan) -> Mode {
    Mode {
        order: match plan.order {
            Order::Strict => "strict".to_owned(),
            Order::User => "user".to_owned(),
            Order::None => "none".to_owned(),
        },
        connections: plan.connections,
        client: match plan.client {
            ClientKind::Limosa => "limosa".to_owned(),
            ClientKind::Simulator => "simulator".to_owned(),
        },
        pace: plan.pace.to_string(),
        connect_timeout_ms: plan.timeouts.connect.as_millis() as u64,
        response_timeout_ms: plan.timeouts.response.as_millis() as u64,
    }
}

/// Letters, digits and dashes only: the name becomes part of a folder's.
fn slug(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(40).collect()
}

async fn send(
    plan: &Plan,
    outline: &Outline,
    run: &RunDir,
    part: &PartPlan,
    interrupted: &Arc<AtomicBool>,
    on_start: impl FnOnce(Arc<Live>, u64, &Path),
) -> Result<Ending, ReplayError> {
    let errors = match plan.client {
        ClientKind::Limosa => None,
        ClientKind::Simulator => {
            let path = run.path().join("simulator-errors.log");
            let log = ErrorLog::open(&path, &plan.target.to_string());
            Some(log.map_err(ReplayError::ErrorLog)?)
        }
    };
    let ledger = LedgerWriter::create(&run.ledger(), part.number, part.offset_ns);
    let recorder = Recorder::new(ledger, errors);
    let from_id = plan.from_id;
    let commands =
        TraceReader::open(&plan.trace)?.filter(move |command| match (command, from_id) {
            (Ok(command), Some(from)) => command.id >= from,
            _ => true,
        });
    let schedule = Schedule::new(commands, plan.pace, plan.read_share, part.seed);
    on_start(recorder.live(), outline.to_send, run.path());
    let engine = Engine {
        clock: Clock::start(),
        profile: plan.profile.clone(),
        target: plan.target.clone(),
        replica: part.replica,
        client: plan.client,
        timeouts: plan.timeouts,
        order: plan.order,
        pace: plan.pace,
        connections: plan.connections,
        stop: plan.stop,
        interrupted: Arc::clone(interrupted),
    };
    Ok(engine.run(schedule, recorder).await?)
}
