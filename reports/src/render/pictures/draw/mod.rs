//! What each picture shows.

pub(super) mod latency;
pub(super) mod latest;
pub(super) mod percentiles;
pub(super) mod throughput;

use super::axes::Scale;
use super::plot::Plot;
use super::scene::MarkKind;
use crate::render::summary::Summary;
use crate::run::operation::Ack;

/// The shape of requests that ended in the given way.
fn shape(ack: Ack) -> MarkKind {
    match ack {
        Ack::Acknowledged => MarkKind::Disc,
        Ack::Rejected => MarkKind::Triangle,
        Ack::NotSent => MarkKind::Square,
        Ack::Indeterminate => MarkKind::Cross,
    }
}

/// The run's length in seconds: all of its bins.
fn span(summary: &Summary) -> f64 {
    let course = &summary.course;
    seconds(course.width_ns * course.bins.len().max(1) as u64)
}

fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}

fn time_scale(summary: &Summary) -> Scale {
    Scale::Linear(0.0, span(summary))
}

/// What lies behind every picture over time: the phases where there are several, and the outages.
fn backdrop(plot: &mut Plot, summary: &Summary) {
    phases(plot, summary);
    outages(plot, summary);
}

/// Shades every second phase, and names all.
fn phases(plot: &mut Plot, summary: &Summary) {
    let mut begins: Vec<(f64, &str)> = Vec::new();
    for part in &summary.manifest.parts {
        for phase in &part.phases {
            begins.push((seconds(part.offset_ns + phase.from_ns), &phase.name));
        }
    }
    // A run that was gone on with has its phases once more; shares that ran at once have the same.
    begins.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    begins.dedup_by_key(|(_, name)| *name);
    if begins.len() < 2 {
        return;
    }
    for (index, (from, name)) in begins.iter().enumerate() {
        let to = begins.get(index + 1).map_or_else(|| span(summary), |(next, _)| *next);
        // A phase's name comes from outside, and no text from there stands in a picture.
        let is_a_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let name = if name.chars().all(is_a_name) { name } else { "" };
        plot.phase(*from, to, name, index % 2 == 1);
    }
}

/// Shades the outages, the most that each can have lasted.
fn outages(plot: &mut Plot, summary: &Summary) {
    let Some(judgement) = &summary.judgement else {
        return;
    };
    for outage in &judgement.outages {
        let until = outage.next_ok_return_ns.unwrap_or(summary.totals.duration_ns);
        plot.band(seconds(outage.last_ok_call_ns.unwrap_or(0)), seconds(until));
    }
}
