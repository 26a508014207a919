//! How many reads were how many commands behind.

use super::super::super::axes::Scale;
use super::super::super::palette::Role;
use super::super::super::plot::{Bar, Paper, Plot};
use super::super::super::{Picture, Section, Table};
use super::Scene;
use crate::render::latest;
use crate::render::summary::Summary;
use crate::render::units::{count, counted, percent};
use crate::run::verdict::latest::Staleness;

/// Between two bars, as a share of a bar's place.
const GAP: f64 = 0.2;
/// So many bars have their name beneath, on wide paper.
const MOST_NAMES: usize = 16;

pub(super) fn picture(summary: &Summary) -> Option<Picture> {
    let staleness = &latest::details(summary)?.staleness;
    // A lag of 0 is not behind.
    let behind = staleness.lags.get(1..)?;
    let shown = behind.iter().rposition(|reads| *reads > 0)? + 1;
    let behind = &behind[..shown];
    let names: Vec<String> = (1..=shown).map(|lag| name(staleness, lag)).collect();
    Some(Picture {
        name: "latest-lags",
        section: Section::Latest,
        title: title(staleness),
        description: format!(
            "How many reads were how many commands behind. {} not behind at all. In a server that \
             keeps latest in the memory of each of R replicas, behind a balancer that draws one at \
             random, each bar has (R - 1)/R of the height of the one before.",
            match staleness.lags[0] {
                1 => "1 read was".to_owned(),
                none => format!("{} were", counted(none, "read")),
            }
        ),
        table: table(staleness, &names),
        wide: scene(behind, &names, Paper::Wide),
        narrow: scene(behind, &names, Paper::Narrow),
    })
}

/// A lag; the last one that is counted holds all beyond.
fn name(staleness: &Staleness, lag: usize) -> String {
    let more = if lag + 1 == staleness.lags.len() { "+" } else { "" };
    format!("{lag}{more}")
}

fn title(staleness: &Staleness) -> String {
    format!(
        "{} of {} were behind, half of them by up to {}",
        count(staleness.stale),
        counted(staleness.reads, "read"),
        counted(staleness.versions.p50, "command"),
    )
}

fn scene(behind: &[u64], names: &[String], paper: Paper) -> Scene {
    let highest = behind.iter().copied().max().unwrap_or(1) as f64;
    let x = Scale::Linear(0.0, behind.len() as f64);
    let mut plot = Plot::new(paper, x, Scale::from_zero(highest, 5), &[]);
    plot.count_axis("reads");
    let most = match paper {
        Paper::Wide => MOST_NAMES,
        Paper::Narrow => MOST_NAMES / 2,
    };
    // The last bar is named in any case: it may hold all that lie beyond.
    let every = names.len().div_ceil(most);
    let ticks: Vec<_> = (0..)
        .zip(names)
        .filter(|(lag, _)| (names.len() - 1 - lag).is_multiple_of(every))
        .map(|(lag, name)| (lag as f64 + 0.5, name.clone(), None))
        .collect();
    plot.horizontal("commands behind", &ticks);
    for (lag, reads) in (0..).zip(behind) {
        let bar = Bar { from: f64::from(lag) + GAP / 2.0, below: 0.0, above: *reads as f64 };
        plot.bars(1.0 - GAP, [bar], Role::Second);
    }
    plot.scene
}

fn table(staleness: &Staleness, names: &[String]) -> Table {
    let all = staleness.lags.iter().sum::<u64>().max(1) as f64;
    let row =
        |name: &str, reads: u64| vec![name.to_owned(), count(reads), percent(reads as f64 / all)];
    let mut rows = vec![row("not behind", staleness.lags[0])];
    rows.extend(names.iter().zip(&staleness.lags[1..]).map(|(name, reads)| row(name, *reads)));
    Table { head: ["commands behind", "reads", "share"].map(str::to_owned).to_vec(), rows }
}
