//! All that a report says of a run, gathered once from the run directory.

use super::RenderError;
use super::course::{Course, CourseBuilder};
use super::shares::{self, PhaseFigures, ReplicaFigures};
use super::words;
use crate::run::derive;
use crate::run::histograms::{self, Figure, Histograms, Series};
use crate::run::ledger::{Damage, Mark};
use crate::run::manifest::Manifest;
use crate::run::operation::{Ack, Operation};
use crate::run::verdict::{Class, Judgement, Outage, Totals, Verdict};
use crate::run::{FORMAT_VERSION, RunDir, RunDirError};
use hdrhistogram::Histogram;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The quantiles that tables list.
pub const QUANTILES: [f64; 10] = [0.0, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999, 0.99999];

/// How many marks are kept; a run has a handful.
const MAX_MARKS: usize = 100;

/// What a report says of a run. `report.json` is this, as JSON.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// The format of `report.json`.
    pub format_version: u32,
    /// The version of Limosa that made the report.
    pub limosa: String,
    /// The run directory as a command line would name it: relative where it lies below the
    /// current directory.
    pub run: PathBuf,
    /// Whether the run passed, and if that is not known, why.
    pub standing: Standing,
    /// What was run.
    pub manifest: Manifest,
    /// The judgement; `None` where there is none, or none of the whole run.
    pub judgement: Option<Judgement>,
    /// What the ledger holds.
    pub totals: Totals,
    /// Requests without an outcome, since the generator ended first; `totals` has them as
    /// indeterminate.
    pub abandoned: u64,
    /// Places in the ledger that could not be read.
    pub damage: Vec<String>,
    /// Things that happened around the requests, the first of them: nanoseconds from the run's
    /// start, and what.
    pub marks: Vec<(u64, String)>,
    /// Latencies of the commands (writes) and of the reads.
    pub latency: Latency,
    /// What happened when.
    pub course: Course,
}

/// Whether a run passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nothing wrong was found.
    Pass,
    /// The system under test did something wrong.
    Fail,
    /// The judge could not tell.
    Unknown,
    /// There is no judgement yet.
    NotJudged,
    /// There is one, and the ledger has grown since.
    Outdated,
}

impl Standing {
    /// The word of the banner.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Unknown => "UNKNOWN",
            Self::NotJudged => "NOT JUDGED",
            Self::Outdated => "OUTDATED",
        }
    }
}

/// Latencies of the run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Latency {
    /// Commands: from the first byte sent to the whole answer.
    pub service: Option<Distribution>,
    /// Commands: from the intended instant to the whole answer; `None` in the closed model.
    pub response: Option<Distribution>,
    /// Commands: the generator's own delay.
    pub lateness: Option<Distribution>,
    /// Service time of the reads.
    pub reads: Option<Distribution>,
    /// Service time of each operation.
    pub operations: BTreeMap<Operation, Distribution>,
    /// The phases, where the run has several. All other figures leave out those that only made the
    /// target warm.
    pub phases: Vec<PhaseFigures>,
    /// The replicas, where there are several.
    pub replicas: Vec<ReplicaFigures>,
}

/// How latencies are spread, in nanoseconds.
#[derive(Debug, Clone, Serialize)]
pub struct Distribution {
    /// How many were measured.
    pub count: u64,
    /// The mean.
    pub mean_ns: f64,
    /// The longest.
    pub max_ns: u64,
    /// The values at [`QUANTILES`], as far as `count` can tell them from the longest.
    pub quantiles: Vec<(f64, u64)>,
    /// The values at many quantiles, evenly spaced on the HDR scale.
    #[serde(skip)]
    pub curve: Vec<(f64, u64)>,
}

impl Distribution {
    pub(super) fn of(histogram: &Histogram<u64>) -> Option<Self> {
        let count = histogram.len();
        if count == 0 {
            return None;
        }
        let at = |quantile| (quantile, histogram.value_at_quantile(quantile));
        // Beyond 1 - 1/n a quantile is only another name for the longest.
        let known = |quantile: f64| (1.0 - quantile) * count as f64 >= 0.999;
        const STEPS_PER_DECADE: i32 = 24;
        Some(Self {
            count,
            mean_ns: histogram.mean(),
            max_ns: histogram.max(),
            quantiles: QUANTILES.into_iter().filter(|q| known(*q)).map(at).collect(),
            curve: (0..)
                .map(|step| 1.0 - 10_f64.powf(-f64::from(step) / f64::from(STEPS_PER_DECADE)))
                .take_while(|quantile| known(*quantile))
                .map(at)
                .collect(),
        })
    }

    /// The value at one of [`QUANTILES`]; the longest where there are too few values to tell.
    pub fn at(&self, quantile: f64) -> u64 {
        self.quantiles
            .iter()
            .find(|(known, _)| *known == quantile)
            .map_or(self.max_ns, |(_, ns)| *ns)
    }
}

impl Summary {
    /// Gathers it. Reads the ledger once; memory does not grow with the run. Makes
    /// `latency.hlog` and `timeline.ndjson` where the run ended before it had them.
    ///
    /// # Errors
    /// [`RenderError`] where the run directory cannot be read.
    pub fn gather(run: &RunDir) -> Result<Self, RenderError> {
        let manifest = run.manifest()?;
        let judgement = run.judgement()?;
        let mut counted = Totals { planned: manifest.trace.commands, ..Totals::default() };
        let mut abandoned = 0;
        let mut sent = 0;
        let mut course = CourseBuilder::default();
        let mut entries = run.entries()?;
        for entry in entries.by_ref() {
            let entry = entry.map_err(RunDirError::from)?;
            course.add(&entry);
            let outcomes = counted.operations.entry(entry.intent.operation).or_default();
            *outcomes.entry(entry.ack()).or_default() += 1;
            let ack = entry.ack();
            let Some(outcome) = entry.outcome else {
                abandoned += 1;
                continue;
            };
            let replica = counted.replicas.entry(outcome.replica).or_default();
            *replica.entry(ack).or_default() += 1;
            sent += u64::from(outcome.ack != Ack::NotSent);
            counted.duration_ns = counted.duration_ns.max(outcome.done_ns);
            if outcome.status != 0 {
                *counted.statuses.entry(outcome.status).or_default() += 1;
            }
        }
        let outdated = judgement
            .as_ref()
            .is_some_and(|judgement| judgement.totals.operations != counted.operations);
        let totals = match &judgement {
            Some(judgement) if !outdated => judgement.totals.clone(),
            _ => counted,
        };
        let mut damage: Vec<String> = entries.damage().iter().map(place).collect();
        if entries.strays() > 0 {
            damage.push(format!("{} outcomes without their request", entries.strays()));
        }
        Ok(Self {
            format_version: FORMAT_VERSION,
            limosa: env!("CARGO_PKG_VERSION").to_owned(),
            run: shown_path(run),
            standing: standing(judgement.as_ref(), outdated),
            latency: latency(run, &manifest, &totals, sent)?,
            manifest,
            judgement: judgement.filter(|_| !outdated),
            totals,
            abandoned,
            damage,
            marks: marks(&entries.marks()),
            course: course.finish(),
        })
    }

    /// How many commands were tried and not acknowledged.
    pub fn failed(&self) -> u64 {
        self.totals.tried() - self.totals.commands(Ack::Acknowledged)
    }

    /// How many of a class were found; `None` where the target was not read back.
    pub fn found(&self, class: Class) -> Option<u64> {
        Some(self.judgement.as_ref()?.audit.as_ref()?.count(class))
    }

    /// The longest outage, by the least that it lasted.
    pub fn longest_outage(&self) -> Option<&Outage> {
        self.judgement.as_ref()?.outages.iter().max_by_key(|outage| outage.least_ns())
    }

    /// What was run, in a few words: `strict replay of trace.csv`, `scenario spike, order user, 64
    /// connections`.
    pub fn what(&self) -> String {
        let Manifest { mode, kind, trace, name, .. } = &self.manifest;
        let path = std::path::Path::new(&trace.source);
        let file =
            path.file_name().map_or(trace.source.as_str().into(), |name| name.to_string_lossy());
        let pace = words::pace(&mode.pace);
        let is_scenario = kind == "scenario";
        let what =
            if is_scenario { format!("scenario {name}") } else { format!("{kind} of {file}") };
        match mode.order.as_str() {
            "strict" if is_scenario => format!("{what}{pace}, strict order"),
            "strict" => format!("strict {what}{pace}"),
            order if mode.is_closed_model() => {
                format!("{what}, order {order}, {} connections", mode.connections)
            }
            order => format!("{what}{pace}, order {order}"),
        }
    }

    /// The command that judges the run, again or for the first time.
    pub fn judge_command(&self) -> String {
        format!("limosa judge {}", shell_word(&self.run.to_string_lossy()))
    }
}

fn standing(judgement: Option<&Judgement>, outdated: bool) -> Standing {
    match judgement.map(|judgement| judgement.verdict) {
        None => Standing::NotJudged,
        Some(_) if outdated => Standing::Outdated,
        Some(Verdict::Pass) => Standing::Pass,
        Some(Verdict::Fail) => Standing::Fail,
        Some(Verdict::Unknown) => Standing::Unknown,
    }
}

/// A run that was cut short has no latency log, or that of its earlier parts alone.
fn latency(
    run: &RunDir,
    manifest: &Manifest,
    totals: &Totals,
    sent: u64,
) -> Result<Latency, RenderError> {
    let path = run.latency_log();
    let whole = |log: &Histograms| histograms::merged(log, Figure::Service, |_| true).len() == sent;
    let mut all = match path.is_file().then(|| histograms::totals(&path)) {
        Some(Ok(log)) if whole(&log) => log,
        _ => {
            derive::derive(run, manifest)?;
            histograms::totals(&path)?
        }
    };
    let phases = shares::phases(&all, manifest, totals);
    let replicas = shares::replicas(&all, manifest, totals);
    all.retain(|series, _| !manifest.is_warm_up(&series.phase));
    let commands = |figure| distribution(&all, figure, |series| series.operation.is_write());
    Ok(Latency {
        service: commands(Figure::Service),
        response: commands(Figure::Response),
        lateness: distribution(&all, Figure::Lateness, |_| true),
        reads: distribution(&all, Figure::Service, |series| !series.operation.is_write()),
        operations: Operation::ALL
            .into_iter()
            .filter_map(|operation| {
                let own =
                    distribution(&all, Figure::Service, |series| series.operation == operation)?;
                Some((operation, own))
            })
            .collect(),
        phases,
        replicas,
    })
}

fn distribution(
    all: &Histograms,
    figure: Figure,
    include: impl Fn(&Series) -> bool,
) -> Option<Distribution> {
    Distribution::of(&histograms::merged(all, figure, include))
}

fn place(damage: &Damage) -> String {
    let segment = damage.path.file_name().unwrap_or_default().to_string_lossy();
    format!("{segment} could not be read from byte {} on", damage.offset)
}

fn marks(marks: &[Mark]) -> Vec<(u64, String)> {
    marks.iter().take(MAX_MARKS).map(|mark| (mark.at_ns, mark.name.clone())).collect()
}

fn shown_path(run: &RunDir) -> PathBuf {
    std::env::current_dir()
        .ok()
        .and_then(|here| run.path().strip_prefix(here).ok())
        .filter(|relative| !relative.as_os_str().is_empty())
        .unwrap_or(run.path())
        .to_path_buf()
}

/// A word as a POSIX shell takes it, quoted where it must be.
pub fn shell_word(word: &str) -> String {
    let plain =
        |character: char| character.is_ascii_alphanumeric() || "-_./:=,@%+".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
