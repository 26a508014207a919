//! The run directory of a replay: a new one, or one that is gone on with.

use super::outline::Outline;
use super::{Plan, ReplayError};
use crate::client::ClientKind;
use crate::machine;
use jiff::Timestamp;
use limosa_reports::run::manifest::{Manifest, Mode, Part, Phase};
use limosa_reports::run::{FORMAT_VERSION, RunDir, RunDirError};

/// The part of a run that is to be sent.
#[derive(Debug)]
pub(super) struct OpenPart {
    pub(super) number: u16,
    /// The number of each target in the manifest.
    pub(super) replicas: Vec<u16>,
    pub(super) seed: u64,
}

impl OpenPart {
    /// Notes that sending begins at `now`; returns the nanoseconds from the run's start.
    pub(super) fn begin(&self, run: &RunDir, now: Timestamp) -> Result<u64, ReplayError> {
        let mut manifest = run.manifest()?;
        let offset_ns = if self.number == 0 {
            manifest.started = now;
            0
        } else {
            offset_of(run, manifest.started, now)?
        };
        if let Some(part) = manifest.parts.get_mut(usize::from(self.number)) {
            (part.started, part.offset_ns) = (now, offset_ns);
        }
        run.write_manifest(&manifest)?;
        Ok(offset_ns)
    }

    /// Notes that a target did not honour keep-alive.
    pub(super) fn give_up_keep_alive(&self, run: &RunDir) -> Result<(), RunDirError> {
        let mut manifest = run.manifest()?;
        if let Some(part) = manifest.parts.get_mut(usize::from(self.number)) {
            part.gave_up_keep_alive = true;
        }
        run.write_manifest(&manifest)
    }
}

/// Makes the run directory, or goes on in one that is there.
pub(super) fn open_run(plan: &Plan, outline: &Outline) -> Result<(RunDir, OpenPart), ReplayError> {
    let now = Timestamp::now();
    let part = |number| Part {
        part: number,
        started: now,
        offset_ns: 0,
        from_id: plan.from_id,
        command_line: plan.command_line.clone(),
        shard: plan.shard,
        phases: if plan.phases.is_empty() { Phase::whole() } else { plan.phases.clone() },
        gave_up_keep_alive: false,
    };
    if let (Some(path), Some(_)) = (&plan.run_dir, plan.from_id)
        && path.join("manifest.json").is_file()
    {
        let mut run = RunDir::open(path)?;
        run.lock()?;
        run.be_latest_in(&plan.runs)?;
        let mut manifest = run.manifest()?;
        if manifest.trace.sha256 != outline.info.sha256 {
            let theirs = manifest.trace.source;
            return Err(ReplayError::OtherTrace { path: path.clone(), theirs });
        }
        if let Some(what) = otherwise(plan, &manifest) {
            return Err(ReplayError::OtherManner { path: path.clone(), what });
        }
        // Where time decides what is sent, each part plans for itself.
        if plan.duration.is_some() {
            manifest.planned_ids =
                manifest.planned_ids.zip(outline.planned_ids).map(|(before, now)| before + now);
        }
        let number = manifest.parts.len() as u16;
        let replicas = plan.targets.iter().map(|url| replica(&mut manifest.targets, url)).collect();
        manifest.finished = None;
        manifest.parts.push(part(number));
        run.write_manifest(&manifest)?;
        let seed = manifest.seed.wrapping_add(number.into());
        return Ok((run, OpenPart { number, replicas, seed }));
    }
    let name = plan.name.clone().unwrap_or_else(|| {
        let stem = plan.trace.file_stem().unwrap_or(plan.trace.as_os_str());
        format!("replay-{}", stem.to_string_lossy())
    });
    let run = match &plan.run_dir {
        Some(path) => {
            let run = RunDir::create_at(path)?;
            run.be_latest_in(&plan.runs)?;
            run
        }
        None => RunDir::create_in(&plan.runs, &slug(&name), now)?,
    };
    let mut targets = Vec::new();
    let replicas = plan.targets.iter().map(|url| replica(&mut targets, url)).collect();
    run.write_manifest(&Manifest {
        format_version: FORMAT_VERSION,
        limosa: env!("CARGO_PKG_VERSION").to_owned(),
        name,
        kind: if plan.scenario.is_some() { "scenario" } else { "replay" }.to_owned(),
        started: now,
        finished: None,
        mode: mode(plan),
        targets,
        trace: outline.info.clone(),
        planned_ids: outline.planned_ids,
        seed: plan.seed,
        profile: plan.profile.deviations(),
        machine: machine::describe(),
        limits: plan.limits.clone(),
        parts: vec![part(0)],
    })?;
    if let Some(scenario) = &plan.scenario {
        fs_err::write(run.path().join("scenario.toml"), scenario).map_err(RunDirError::Io)?;
    }
    Ok((run, OpenPart { number: 0, replicas, seed: plan.seed }))
}

/// In what a plan differs from the run that it is to go on with, so that the two could not be judged
/// as one. The target may be another: the server may have moved.
fn otherwise(plan: &Plan, manifest: &Manifest) -> Option<&'static str> {
    let (new, old) = (mode(plan), &manifest.mode);
    let shards = manifest.parts.iter().map(|part| part.shard);
    [
        ("the scenario", plan.scenario.is_some() || manifest.kind == "scenario"),
        ("--order", new.order != old.order),
        ("--connections", new.connections != old.connections),
        ("--client", new.client != old.client),
        ("--no-keep-alive", new.keep_alive != old.keep_alive),
        ("--route", new.route != old.route),
        ("the pace", new.pace != old.pace),
        ("the reads", new.reads != old.reads),
        (
            "the timeouts",
            (new.connect_timeout_ms, new.response_timeout_ms)
                != (old.connect_timeout_ms, old.response_timeout_ms),
        ),
        ("--limit", plan.limits != manifest.limits),
        ("--seed", plan.seed != manifest.seed),
        ("--profile", plan.profile.deviations() != manifest.profile),
        ("--shard", shards.into_iter().any(|shard| shard != plan.shard)),
    ]
    .into_iter()
    .find_map(|(what, differs)| differs.then_some(what))
}

/// The number of a target, which is added where it is new.
fn replica(targets: &mut Vec<String>, url: &crate::client::BaseUrl) -> u16 {
    let url = url.to_string();
    let at = targets.iter().position(|known| *known == url).unwrap_or_else(|| {
        targets.push(url);
        targets.len() - 1
    });
    at as u16
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
        order: plan.order.name().to_owned(),
        connections: plan.connections,
        client: match plan.client {
            ClientKind::Limosa => "limosa".to_owned(),
            ClientKind::Simulator => "simulator".to_owned(),
        },
        keep_alive: plan.keep_alive,
        route: plan.route.name().to_owned(),
        pace: plan.pace.to_string(),
        reads: plan.reads.iter().map(ToString::to_string).collect(),
        connect_timeout_ms: plan.timeouts.connect.as_millis() as u64,
        response_timeout_ms: plan.timeouts.response.as_millis() as u64,
    }
}

/// Letters, digits and dashes only: the name becomes part of a folder's.
fn slug(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(40).collect()
}
