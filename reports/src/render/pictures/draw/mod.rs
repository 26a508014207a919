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
