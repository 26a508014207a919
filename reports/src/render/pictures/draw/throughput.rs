//! Commands a second over time, stacked by outcome; whatever failed is marked above as well, since
//! one failure among a thousand commands is thinner than a line.

use super::super::axes::Scale;
use super::super::palette::Role;
use super::super::plot::{Bar, Label, Paper, Plot};
use super::super::{Picture, Section, Table};
use super::{backdrop, seconds, shape, span, time_scale};
use crate::render::course::Bin;
use crate::render::summary::Summary;
use crate::render::units::{clock, count, duration, offset};
use crate::render::words;
use crate::run::operation::Ack;

/// Tables hold this many stretches of time.
const ROWS: usize = 24;

pub(in super::super) fn picture(summary: &Summary) -> Option<Picture> {
    if summary.totals.tried() == 0 {
        return None;
    }
    Some(Picture {
        name: "throughput",
        section: Section::Own("Throughput and errors"),
        title: words::throughput_title(summary),
        description: format!(
            "Commands a second over time, in stretches of {}, by the time of their outcome, stacked \
             by outcome. A mark above the bars shows each stretch in which a command failed. Outages \
             are shaded.",
            duration(summary.course.width_ns)
        ),
        table: table(summary),
        wide: scene(summary, Paper::Wide),
        narrow: scene(summary, Paper::Narrow),
    })
}

fn scene(summary: &Summary, paper: Paper) -> super::super::Scene {
    let course = &summary.course;
    let width = seconds(course.width_ns);
    let rate = |bin: &Bin, ack| bin.count(ack) as f64 / width;
    let all = |bin: &Bin| Ack::ALL.into_iter().map(|ack| rate(bin, ack)).sum::<f64>();
    let highest = course.bins.iter().map(all).fold(0.0, f64::max);
    // Marks stand in the uppermost eighth.
    let y = Scale::from_zero(highest / 0.88, 5);
    let labels = labels(summary, highest);
    let mut plot = Plot::new(paper, time_scale(summary), y, &labels);
    backdrop(&mut plot, summary);
    plot.count_axis("commands a second");
    plot.time_axis(summary.manifest.started, span(summary));
    let mut below = vec![0.0; course.bins.len()];
    for ack in Ack::ALL {
        let bars = course.bins.iter().zip(&mut below).map(|(bin, below)| {
            let bar =
                Bar { from: seconds(bin.start_ns), below: *below, above: *below + rate(bin, ack) };
            *below = bar.above;
            bar
        });
        plot.bars(width, bars, Role::of(ack));
    }
    for bin in &course.bins {
        for (ack, row) in Ack::ALL.into_iter().skip(1).zip(0..) {
            if bin.count(ack) > 0 {
                let (x, _) = plot.at(seconds(bin.start_ns) + width / 2.0, 0.0);
                let y = plot.top() + 6.0 + 8.0 * f64::from(row);
                plot.mark(shape(ack), (x, y), 3.2, Role::of(ack), 0.95);
            }
        }
    }
    plot.labels(labels);
    plot.scene
}

fn labels(summary: &Summary, highest: f64) -> Vec<Label> {
    Ack::ALL
        .into_iter()
        .filter(|ack| summary.totals.commands(*ack) > 0)
        .map(|ack| Label {
            value: if ack == Ack::Acknowledged { highest / 2.0 } else { f64::MAX },
            text: words::outcome(ack).to_owned(),
            role: Role::of(ack),
            mark: Some(if ack == Ack::Acknowledged { super::MarkKind::Square } else { shape(ack) }),
            dashed: false,
        })
        .collect()
}

fn table(summary: &Summary) -> Table {
    let course = &summary.course;
    let each = course.bins.len().div_ceil(ROWS).max(1);
    let mut head = vec!["from".to_owned(), "UTC".to_owned()];
    head.extend(Ack::ALL.map(|ack| words::outcome(ack).to_owned()));
    Table {
        head,
        rows: course
            .bins
            .chunks(each)
            .map(|bins| {
                let start_ns = bins[0].start_ns;
                let sum = |ack| count(bins.iter().map(|bin| bin.count(ack)).sum());
                [offset(start_ns), clock(summary.manifest.started, start_ns)]
                    .into_iter()
                    .chain(Ack::ALL.map(sum))
                    .collect()
            })
            .collect(),
    }
}
