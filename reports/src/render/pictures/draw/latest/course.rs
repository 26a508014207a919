//! The highest command id that was sent, and what `GET /latest` reported.

use super::super::axes::Scale;
use super::super::palette::Role;
use super::super::plot::{Label, Paper, Plot};
use super::super::scene::MarkKind;
use super::super::{Picture, Table};
use super::{outages, seconds, span, time_scale};
use crate::render::course::Bin;
use crate::render::summary::Summary;
use crate::render::units::{clock, duration, id, offset};
use crate::render::words;

/// Tables hold this many stretches of time.
const ROWS: usize = 24;

pub(in super::super) fn picture(summary: &Summary) -> Option<Picture> {
    let asked = summary.course.bins.iter().any(|bin| bin.latest_reported.is_some());
    asked.then(|| Picture {
        name: "latest",
        heading: "latest, sent and reported",
        title: words::latest_title(summary),
        description: format!(
            "The highest command id that had been sent, as a line, and the last value that latest \
             reported in each {}, as marks. Where the target keeps up, the marks lie on the line.",
            duration(summary.course.width_ns)
        ),
        table: table(summary),
        wide: scene(summary, Paper::Wide),
        narrow: scene(summary, Paper::Narrow),
    })
}

fn scene(summary: &Summary, paper: Paper) -> super::super::Scene {
    let bins = &summary.course.bins;
    let ids = || bins.iter().flat_map(|bin| [bin.latest_sent, bin.latest_reported]).flatten();
    let highest = ids().max().unwrap_or(1).max(1) as f64;
    let last = |value: fn(&Bin) -> Option<i64>| bins.iter().rev().find_map(value);
    let labels: Vec<Label> = [
        ("sent", last(|bin| bin.latest_sent), Role::Acknowledged, None),
        ("reported", last(|bin| bin.latest_reported), Role::Second, Some(MarkKind::Triangle)),
    ]
    .into_iter()
    .filter_map(|(name, value, role, mark)| {
        Some(Label { value: value? as f64, text: name.to_owned(), role, mark, dashed: false })
    })
    .collect();
    let y = Scale::from_zero(highest, 5);
    let mut plot = Plot::new(paper, time_scale(summary), y, &labels);
    outages(&mut plot, summary);
    plot.count_axis("command id");
    plot.time_axis(summary.manifest.started, span(summary));
    let end = |bin: &Bin| seconds(bin.start_ns + summary.course.width_ns);
    for bin in bins {
        if let Some(reported) = bin.latest_reported {
            let at = plot.at(end(bin), reported as f64);
            plot.mark(MarkKind::Triangle, at, 3.4, Role::Second, 0.8);
        }
    }
    // Over the marks, which would hide it where the target keeps up.
    let sent = bins.iter().map(|bin| (end(bin), bin.latest_sent.map(|id| id as f64)));
    plot.line(sent, Role::Acknowledged, false);
    plot.labels(labels);
    plot.scene
}

fn table(summary: &Summary) -> Table {
    let bins = &summary.course.bins;
    let cell = |value: Option<i64>| value.map_or_else(|| "–".to_owned(), id);
    Table {
        head: ["until", "UTC", "sent", "reported"].map(str::to_owned).to_vec(),
        rows: bins
            .chunks(bins.len().div_ceil(ROWS).max(1))
            .map(|bins| {
                let last = &bins[bins.len() - 1];
                let until = last.start_ns + summary.course.width_ns;
                vec![
                    offset(until),
                    clock(summary.manifest.started, until),
                    cell(last.latest_sent),
                    cell(bins.iter().rev().find_map(|bin| bin.latest_reported)),
                ]
            })
            .collect(),
    }
}
