//! Latency over time: every kind of outcome with its own shape, and the median and the 99th
//! percentile of each bin.

use super::super::axes::Scale;
use super::super::palette::Role;
use super::super::plot::{Label, Paper, Plot};
use super::super::{Picture, Section, Table};
use super::{backdrop, seconds, shape, span, time_scale};
use crate::render::course::Bin;
use crate::render::summary::Summary;
use crate::render::units::{clock, count, duration, offset};
use crate::render::words;
use crate::run::operation::Ack;

pub(in super::super) fn picture(summary: &Summary) -> Option<Picture> {
    if summary.course.points.is_empty() {
        return None;
    }
    Some(Picture {
        name: "latency",
        section: Section::Own("Latency over time"),
        title: words::latency_title(summary),
        description: format!(
            "Service time of the commands, on a logarithmic axis, over time: of each {} the median, \
             the 99th percentile, the slowest command of each outcome, and a sample of the others. \
             Outages are shaded. Commands that were never sent stand on the lower edge.",
            duration(summary.course.width_ns)
        ),
        table: table(summary),
        wide: scene(summary, Paper::Wide),
        narrow: scene(summary, Paper::Narrow),
    })
}

fn scene(summary: &Summary, paper: Paper) -> super::super::Scene {
    let course = &summary.course;
    let sent = || course.points.iter().filter(|point| point.ack != Ack::NotSent);
    let min = sent().map(|point| point.service_ns).min().unwrap_or(1_000_000).max(1) as f64;
    let max = sent().map(|point| point.service_ns).max().unwrap_or(1_000_000).max(1) as f64;
    let y = Scale::log_around(min, max);
    let labels = labels(summary, min);
    let mut plot = Plot::new(paper, time_scale(summary), y, &labels);
    backdrop(&mut plot, summary);
    plot.latency_axis("service time (log scale)");
    plot.time_axis(summary.manifest.started, span(summary));
    // Failures last, so that nothing hides them.
    for failed in [false, true] {
        for point in &course.points {
            if (point.ack != Ack::Acknowledged) != failed {
                continue;
            }
            let value = if point.ack == Ack::NotSent { 0.0 } else { point.service_ns as f64 };
            let at = plot.at(seconds(point.at_ns), value);
            let (size, opacity) = if failed { (3.4, 0.9) } else { (1.5, 0.35) };
            plot.mark(shape(point.ack), at, size, Role::of(point.ack), opacity);
        }
        if !failed {
            let middle = |bin: &Bin| seconds(bin.start_ns + course.width_ns / 2);
            let line = |value: fn(&Bin) -> Option<u64>| -> Vec<(f64, Option<f64>)> {
                let point = |bin| (middle(bin), value(bin).map(|ns| ns as f64));
                course.bins.iter().map(point).collect()
            };
            plot.line(line(|bin| bin.p99_ns), Role::Ink, true);
            plot.line(line(|bin| bin.p50_ns), Role::Ink, false);
        }
    }
    plot.labels(labels);
    plot.scene
}

/// The lines are named where they end; the outcomes where the middle one of them lies.
fn labels(summary: &Summary, lowest: f64) -> Vec<Label> {
    let course = &summary.course;
    let last = |value: fn(&Bin) -> Option<u64>| course.bins.iter().rev().find_map(value);
    let mut labels = Vec::new();
    for (name, value, dashed) in
        [("p99", last(|bin| bin.p99_ns), true), ("p50", last(|bin| bin.p50_ns), false)]
    {
        labels.extend(value.map(|ns| Label {
            value: ns as f64,
            text: name.to_owned(),
            role: Role::Ink,
            mark: None,
            dashed,
        }));
    }
    for ack in Ack::ALL {
        let mut times: Vec<u64> = course
            .points
            .iter()
            .filter(|point| point.ack == ack)
            .map(|point| point.service_ns)
            .collect();
        times.sort_unstable();
        labels.extend(times.get(times.len() / 2).map(|ns| Label {
            value: if ack == Ack::NotSent { lowest } else { *ns as f64 },
            text: words::outcome(ack).to_owned(),
            role: Role::of(ack),
            mark: Some(shape(ack)),
            dashed: false,
        }));
    }
    labels
}

/// The slowest stretches: a table of all of them would be read by nobody.
fn table(summary: &Summary) -> Table {
    const ROWS: usize = 12;
    let mut slowest: Vec<&Bin> =
        summary.course.bins.iter().filter(|bin| bin.max_ns.is_some()).collect();
    slowest.sort_by_key(|bin| std::cmp::Reverse(bin.max_ns));
    slowest.truncate(ROWS);
    slowest.sort_by_key(|bin| bin.start_ns);
    let cell = |value: Option<u64>| value.map_or_else(|| "–".to_owned(), duration);
    Table {
        head: ["slowest stretches: from", "UTC", "commands", "p50", "p99", "longest"]
            .map(str::to_owned)
            .to_vec(),
        rows: slowest
            .into_iter()
            .map(|bin| {
                vec![
                    offset(bin.start_ns),
                    clock(summary.manifest.started, bin.start_ns),
                    count(bin.outcomes.values().sum()),
                    cell(bin.p50_ns),
                    cell(bin.p99_ns),
                    cell(bin.max_ns),
                ]
            })
            .collect(),
    }
}
