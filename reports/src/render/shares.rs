//! The figures of shares of a run: of its phases, and of its replicas.

use super::summary::Distribution;
use super::units::{count, duration, visible};
use super::words;
use crate::run::histograms::{Figure, Histograms, Series, merged};
use crate::run::manifest::{Manifest, Phase};
use crate::run::operation::Ack;
use crate::run::verdict::Totals;
use serde::Serialize;
use std::collections::BTreeMap;

/// The figures of a phase, in all parts of the run.
#[derive(Debug, Clone, Serialize)]
pub struct PhaseFigures {
    /// Its name.
    pub name: String,
    /// Whether it only made the target warm.
    pub warm_up: bool,
    /// How long it lasted, in nanoseconds.
    pub length_ns: u64,
    /// How many requests were measured, reads too.
    pub requests: u64,
    /// Commands and reads: from the intended instant to the whole answer in the open model, from the
    /// first byte sent in the closed one.
    pub times: Option<Distribution>,
}

/// The figures of a replica.
#[derive(Debug, Clone, Serialize)]
pub struct ReplicaFigures {
    /// Its number in the manifest's targets.
    pub replica: u16,
    /// Its base URL.
    pub target: String,
    /// How many of its requests ended in each way, reads too.
    pub outcomes: BTreeMap<Ack, u64>,
    /// As of a phase, without what was sent to make it warm.
    pub times: Option<Distribution>,
}

/// The figures of the phases, in the order in which they first come; empty where all is one.
pub(super) fn phases(all: &Histograms, manifest: &Manifest, totals: &Totals) -> Vec<PhaseFigures> {
    let mut found: Vec<PhaseFigures> = Vec::new();
    for part in &manifest.parts {
        let part_ns = totals.duration_ns.saturating_sub(part.offset_ns);
        for (at, phase) in part.phases.iter().enumerate() {
            let until_ns =
                part.phases.get(at + 1).map_or(part_ns, |next| next.from_ns.min(part_ns));
            let length_ns = until_ns.saturating_sub(phase.from_ns);
            match found.iter_mut().find(|known| known.name == phase.name) {
                Some(known) => known.length_ns += length_ns,
                None => found.push(of_phase(all, manifest, phase, length_ns)),
            }
        }
    }
    if found.len() > 1 { found } else { Vec::new() }
}

fn of_phase(all: &Histograms, manifest: &Manifest, phase: &Phase, length_ns: u64) -> PhaseFigures {
    let is_of_phase = |series: &Series| *series.phase == *phase.name;
    PhaseFigures {
        name: phase.name.clone(),
        warm_up: phase.warm_up,
        length_ns,
        requests: merged(all, Figure::Service, is_of_phase).len(),
        times: Distribution::of(&merged(all, waited(manifest), is_of_phase)),
    }
}

/// The figures of the replicas; empty where there is only one.
pub(super) fn replicas(
    all: &Histograms,
    manifest: &Manifest,
    totals: &Totals,
) -> Vec<ReplicaFigures> {
    if manifest.targets.len() < 2 {
        return Vec::new();
    }
    let figures = |(replica, target): (u16, &String)| {
        let is_of_replica =
            |series: &Series| series.replica == replica && !manifest.is_warm_up(&series.phase);
        ReplicaFigures {
            replica,
            target: target.clone(),
            outcomes: totals.replicas.get(&replica).cloned().unwrap_or_default(),
            times: Distribution::of(&merged(all, waited(manifest), is_of_replica)),
        }
    };
    (0..).zip(&manifest.targets).map(figures).collect()
}

/// The time that a user would have waited.
fn waited(manifest: &Manifest) -> Figure {
    match manifest.mode.is_closed_model() {
        true => Figure::Service,
        false => Figure::Response,
    }
}

/// The name of that time, for a table's head.
pub(super) fn waited_name(manifest: &Manifest) -> &'static str {
    match manifest.mode.is_closed_model() {
        true => "service time",
        false => "response time",
    }
}

impl PhaseFigures {
    /// What stands in a table above [`PhaseFigures::row`].
    pub(super) const HEAD: [&str; 7] =
        ["phase", "lasted", "requests", "requests a second", "p50", "p99", "longest"];

    pub(super) fn row(&self) -> Vec<String> {
        let is_said = self.name.contains("warm");
        let warm_up = if self.warm_up && !is_said { " (warm-up)" } else { "" };
        let rate = self.requests as f64 / (self.length_ns as f64 / 1e9).max(1e-9);
        let mut row = vec![
            format!("{}{warm_up}", visible(&self.name)),
            duration(self.length_ns),
            count(self.requests),
            if self.length_ns > 0 { count(rate.round() as u64) } else { "–".to_owned() },
        ];
        row.extend(times(self.times.as_ref()));
        row
    }
}

impl ReplicaFigures {
    /// What stands in a table above [`ReplicaFigures::row`].
    pub(super) fn head() -> Vec<&'static str> {
        let outcomes = Ack::ALL.map(words::outcome);
        ["replica"].into_iter().chain(outcomes).chain(["p50", "p99", "longest"]).collect()
    }

    pub(super) fn row(&self) -> Vec<String> {
        let mut row = vec![format!("{}: {}", self.replica, visible(&self.target))];
        row.extend(Ack::ALL.map(|ack| count(self.outcomes.get(&ack).copied().unwrap_or(0))));
        row.extend(times(self.times.as_ref()));
        row
    }
}

fn times(times: Option<&Distribution>) -> [String; 3] {
    times.map_or_else(
        || ["–", "–", "–"].map(str::to_owned),
        |times| [times.at(0.5), times.at(0.99), times.max_ns].map(duration),
    )
}
