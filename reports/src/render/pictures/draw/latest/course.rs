//! The highest command id that was sent, and what each replica reported.

use super::super::super::axes::Scale;
use super::super::super::palette::Role;
use super::super::super::plot::{Label, Paper, Plot};
use super::super::super::scene::MarkKind;
use super::super::super::{Picture, Section, Table};
use super::super::{backdrop, seconds, span, time_scale};
use super::{Lane, ROWS, Scene, lanes};
use crate::render::course::Bin;
use crate::render::latest;
use crate::render::summary::Summary;
use crate::render::units::{clock, duration, id, offset};

/// What one replica, or several, reported: when, and which id.
struct Reports {
    lane: Lane,
    at: Vec<(u64, i64)>,
}

pub(super) fn picture(summary: &Summary) -> Option<Picture> {
    let reports = reports(summary);
    (!reports.is_empty()).then(|| Picture {
        name: "latest",
        section: Section::Latest,
        title: latest::course_title(summary),
        description: description(summary),
        table: table(summary, &reports),
        wide: scene(summary, &reports, Paper::Wide),
        narrow: scene(summary, &reports, Paper::Narrow),
    })
}

fn description(summary: &Summary) -> String {
    let stretch = duration(stretch_ns(summary));
    let below = match summary.manifest.mode.order.as_str() {
        "strict" => "",
        _ => {
            " Here commands may overtake each other, so that a mark below the line may be right: the \
             pictures of what was behind tell."
        }
    };
    format!(
        "The highest command id that had been sent, as a line, and the last value that latest reported \
         in each {stretch}, as marks, a shape for each replica. Where all keep up, the marks lie on \
         the line.{below}"
    )
}

/// The length of the stretches whose last report is drawn.
fn stretch_ns(summary: &Summary) -> u64 {
    latest::details(summary)
        .and_then(|details| Some(details.course.first()?.width_ns))
        .unwrap_or(summary.course.width_ns)
}

/// Each replica's reports; those of all in one where the judgement does not tell them apart.
fn reports(summary: &Summary) -> Vec<Reports> {
    if let Some(details) = latest::details(summary).filter(|details| !details.course.is_empty()) {
        return lanes(details)
            .into_iter()
            .map(|lane| {
                let own = details.course.iter().filter(|bin| lane.holds(bin));
                let at = own.map(|bin| (bin.start_ns + bin.width_ns, bin.last_reported)).collect();
                Reports { lane, at }
            })
            .collect();
    }
    let at: Vec<(u64, i64)> = summary
        .course
        .bins
        .iter()
        .filter_map(|bin| Some((end_ns(summary, bin), bin.latest_reported?)))
        .collect();
    let lane = Lane {
        name: "reported".to_owned(),
        role: Role::of_series(0),
        mark: MarkKind::Triangle,
        replicas: Vec::new(),
    };
    if at.is_empty() { Vec::new() } else { vec![Reports { lane, at }] }
}

fn end_ns(summary: &Summary, bin: &Bin) -> u64 {
    bin.start_ns + summary.course.width_ns
}

fn scene(summary: &Summary, reports: &[Reports], paper: Paper) -> Scene {
    let bins = &summary.course.bins;
    let sent = || bins.iter().filter_map(|bin| bin.latest_sent);
    let reported = reports.iter().flat_map(|reports| &reports.at).map(|(_, id)| *id);
    let highest = sent().chain(reported).max().unwrap_or(1).max(1) as f64;
    let last_sent = sent().next_back().map(|id| Label {
        value: id as f64,
        text: "sent".to_owned(),
        role: Role::Acknowledged,
        mark: None,
        dashed: false,
    });
    let last_reported = reports.iter().filter_map(|Reports { lane, at }| {
        let (_, id) = at.last()?;
        Some(Label {
            value: *id as f64,
            text: lane.name.clone(),
            role: lane.role,
            mark: Some(lane.mark),
            dashed: false,
        })
    });
    let labels: Vec<Label> = last_sent.into_iter().chain(last_reported).collect();
    let y = Scale::from_zero(highest, 5);
    let mut plot = Plot::new(paper, time_scale(summary), y, &labels);
    backdrop(&mut plot, summary);
    plot.count_axis("command id");
    plot.time_axis(summary.manifest.started, span(summary));
    for Reports { lane, at } in reports {
        for (ns, id) in at {
            let at = plot.at(seconds(*ns).min(span(summary)), *id as f64);
            plot.mark(lane.mark, at, 3.4, lane.role, 0.8);
        }
    }
    // Over the marks, which would hide it where the target keeps up.
    let sent =
        bins.iter().map(|bin| (seconds(end_ns(summary, bin)), bin.latest_sent.map(|id| id as f64)));
    plot.line(sent, Role::Acknowledged, false);
    plot.labels(labels);
    plot.scene
}

fn table(summary: &Summary, reports: &[Reports]) -> Table {
    let bins = &summary.course.bins;
    let cell = |value: Option<i64>| value.map_or_else(|| "–".to_owned(), id);
    let mut head: Vec<String> = ["until", "UTC", "sent"].map(str::to_owned).to_vec();
    head.extend(reports.iter().map(|reports| reports.lane.name.clone()));
    let mut since_ns = 0;
    let rows = bins
        .chunks(bins.len().div_ceil(ROWS).max(1))
        .map(|bins| {
            let last = &bins[bins.len() - 1];
            let until_ns = end_ns(summary, last);
            let stretch = since_ns..until_ns;
            since_ns = until_ns;
            let mut row = vec![
                offset(until_ns),
                clock(summary.manifest.started, until_ns),
                cell(last.latest_sent),
            ];
            row.extend(reports.iter().map(|reports| {
                let within = |(ns, _): &&(u64, i64)| stretch.contains(&(ns - 1));
                cell(reports.at.iter().rev().find(within).map(|(_, id)| *id))
            }));
            row
        })
        .collect();
    Table { head, rows }
}
