//! How far the reads were behind over time, in commands and in milliseconds: a picture each.

use super::super::super::axes::Scale;
use super::super::super::plot::{Label, Paper, Plot};
use super::super::super::{Picture, Section, Table};
use super::super::{backdrop, seconds, span, time_scale};
use super::{Lane, ROWS, Scene, lanes};
use crate::render::latest;
use crate::render::summary::Summary;
use crate::render::units::{clock, count, counted, duration, offset};
use crate::run::verdict::latest::{CourseBin, LatestDetails};

/// What is measured of a stretch: its worst read.
#[derive(Clone, Copy)]
enum Measure {
    Versions,
    Time,
}

impl Measure {
    fn of(self, bin: &CourseBin) -> u64 {
        match self {
            Self::Versions => bin.max_versions,
            Self::Time => bin.max_ns,
        }
    }

    fn text(self, value: u64) -> String {
        match self {
            Self::Versions => count(value),
            Self::Time => duration(value),
        }
    }
}

/// In commands, and in time; none where no read was behind.
pub(super) fn pictures(summary: &Summary) -> [Option<Picture>; 2] {
    [Measure::Versions, Measure::Time].map(|measure| picture(summary, measure))
}

fn picture(summary: &Summary, measure: Measure) -> Option<Picture> {
    let details = latest::details(summary).filter(|details| details.staleness.stale > 0)?;
    let lanes = lanes(details);
    let stretch = duration(details.course.first()?.width_ns);
    let (name, what) = match measure {
        Measure::Versions => (
            "latest-versions",
            "how many finished commands its value was behind, when it was asked",
        ),
        Measure::Time => {
            ("latest-time", "for how long, at least, its value had been replaced when it was asked")
        }
    };
    Some(Picture {
        name,
        section: Section::Latest,
        title: title(details, measure),
        description: format!(
            "Of each {stretch} and replica the read that was furthest behind: {what}. Marks at the \
             bottom are reads that were not behind."
        ),
        table: table(summary, details, &lanes, measure),
        wide: scene(summary, details, &lanes, measure, Paper::Wide),
        narrow: scene(summary, details, &lanes, measure, Paper::Narrow),
    })
}

fn title(details: &LatestDetails, measure: Measure) -> String {
    let staleness = &details.staleness;
    let least = if staleness.at_least > 0 { "at least " } else { "" };
    let worst = details.replicas.iter().max_by_key(|replica| match measure {
        Measure::Versions => replica.max_versions,
        Measure::Time => replica.max_ns,
    });
    let by = worst
        .filter(|_| details.replicas.len() > 1)
        .map_or_else(String::new, |worst| format!(", on replica {}", worst.replica));
    match measure {
        Measure::Versions => format!(
            "The worst read was {least}{} behind{by}",
            counted(staleness.versions.max, "command")
        ),
        Measure::Time => format!(
            "The worst read named what had been replaced {least}{} before{by}",
            duration(staleness.ns.max)
        ),
    }
}

fn middle(bin: &CourseBin) -> f64 {
    seconds(bin.start_ns + bin.width_ns / 2)
}

fn scene(
    summary: &Summary,
    details: &LatestDetails,
    lanes: &[Lane],
    measure: Measure,
    paper: Paper,
) -> Scene {
    let course = || details.course.iter();
    let highest = course().map(|bin| measure.of(bin)).max().unwrap_or(1) as f64;
    let labels: Vec<Label> = lanes
        .iter()
        .map(|lane| Label {
            value: course()
                .filter(|bin| lane.holds(bin))
                .map(|bin| measure.of(bin) as f64)
                .fold(0.0, f64::max),
            text: if lanes.len() == 1 { "reads".to_owned() } else { lane.name.clone() },
            role: lane.role,
            mark: Some(lane.mark),
            dashed: false,
        })
        .collect();
    let y = Scale::from_zero(highest, 5);
    let mut plot = Plot::new(paper, time_scale(summary), y, &labels);
    backdrop(&mut plot, summary);
    match measure {
        Measure::Versions => plot.count_axis("commands behind"),
        Measure::Time => plot.latency_axis("time behind"),
    }
    plot.time_axis(summary.manifest.started, span(summary));
    for lane in lanes {
        for bin in course().filter(|bin| lane.holds(bin)) {
            let value = measure.of(bin);
            let at = plot.at(middle(bin).min(span(summary)), value as f64);
            let (size, opacity) = if value == 0 { (2.4, 0.35) } else { (3.6, 0.85) };
            plot.mark(lane.mark, at, size, lane.role, opacity);
        }
    }
    plot.labels(labels);
    plot.scene
}

fn table(summary: &Summary, details: &LatestDetails, lanes: &[Lane], measure: Measure) -> Table {
    let last = details.course.iter().map(|bin| bin.start_ns + bin.width_ns).max().unwrap_or(1);
    let width_ns = details.course.first().map_or(1, |bin| bin.width_ns);
    // Whole stretches, so that none lies in two rows.
    let row_ns = last.div_ceil(ROWS as u64).div_ceil(width_ns).max(1) * width_ns;
    let mut head: Vec<String> = ["from", "UTC", "reads", "wrong"].map(str::to_owned).to_vec();
    head.extend(lanes.iter().map(|lane| match lanes.len() {
        1 => "furthest behind".to_owned(),
        _ => lane.name.clone(),
    }));
    let rows = (0..last.div_ceil(row_ns))
        .map(|row| {
            let stretch = row * row_ns..(row + 1) * row_ns;
            let bins: Vec<&CourseBin> =
                details.course.iter().filter(|bin| stretch.contains(&bin.start_ns)).collect();
            let mut cells = vec![
                offset(stretch.start),
                clock(summary.manifest.started, stretch.start),
                count(bins.iter().map(|bin| bin.reads).sum()),
                count(bins.iter().map(|bin| bin.wrong).sum()),
            ];
            cells.extend(lanes.iter().map(|lane| {
                let worst =
                    bins.iter().filter(|bin| lane.holds(bin)).map(|bin| measure.of(bin)).max();
                worst.map_or_else(|| "–".to_owned(), |worst| measure.text(worst))
            }));
            cells
        })
        .collect();
    Table { head, rows }
}
