//! The few operations that contradict each other, on a line of time.
//!
//! The operations of a witness may last microseconds and lie seconds apart, so time is not drawn to
//! scale: beginnings and ends stand in their order, evenly spaced, each with its time. Their order
//! is all that a contradiction needs.

use super::super::super::axes::Scale;
use super::super::super::paint::text_width;
use super::super::super::palette::Role;
use super::super::super::plot::{Paper, Plot};
use super::super::super::scene::{Anchor, Place, Shape};
use super::super::super::{Picture, Section, Table};
use super::Scene;
use crate::render::latest;
use crate::render::summary::Summary;
use crate::render::units::clock;
use crate::run::verdict::latest::{Anomaly, Witness, WitnessedOperation};

/// So many witnesses are drawn, the first of each kind.
const NAMES: [&str; 3] = ["latest-witness-1", "latest-witness-2", "latest-witness-3"];
/// The room of one operation, in multiples of the size of the texts.
const ROW: f64 = 3.8;
const BAR: f64 = 12.0;
/// What lasts no time is drawn so wide.
const LEAST_BAR: f64 = 8.0;

/// The witnesses that are drawn: of the contract that decided, the first of each kind of which there
/// is something to compare the read with.
pub(in crate::render) fn drawn(summary: &Summary) -> Vec<&Witness> {
    let contract = latest::details(summary).and_then(|details| details.contracts.first());
    let mut drawn: Vec<&Witness> = Vec::new();
    for witness in contract.into_iter().flat_map(|contract| &contract.witnesses) {
        let is_known = drawn.iter().any(|known| known.anomaly == witness.anomaly);
        if !is_known && operations(witness).len() > 1 && drawn.len() < NAMES.len() {
            drawn.push(witness);
        }
    }
    drawn
}

pub(super) fn pictures(summary: &Summary) -> impl Iterator<Item = Picture> {
    drawn(summary).into_iter().zip(NAMES).map(|(witness, name)| Picture {
        name,
        section: Section::Latest,
        title: title(witness),
        description: "A line for each operation, from where it was sent to where it was answered, and a \
                      dashed line from where one ended to where the next began. Time runs to the right, \
                      not to scale: every beginning and end has its time beneath."
            .to_owned(),
        table: table(summary, witness),
        wide: scene(summary, witness, Paper::Wide),
        narrow: scene(summary, witness, Paper::Narrow),
    })
}

/// The contradiction in a sentence, without times.
fn title(witness: &Witness) -> String {
    let value = witness.read.value;
    let other = witness.followed.or(witness.seen).map_or(value, |other| other.value);
    match witness.anomaly {
        Anomaly::Phantom | Anomaly::AbortedRead => {
            format!("A read named {value}, which was never there")
        }
        Anomaly::Future => format!("A read named {value} before {value} was sent"),
        Anomaly::Inversion => {
            format!("A read went back to {value}, which {other} had replaced")
        }
        Anomaly::Contained => format!("A read named {value} after {other} had replaced it"),
        Anomaly::Smaller => format!("A read named {value} after the larger id {other} was there"),
        Anomaly::NotLast => format!("A read named {value} though {other} was the last command"),
    }
}

/// Each operation once: those of a replica together, and else by time.
fn operations(witness: &Witness) -> Vec<WitnessedOperation> {
    let others = [witness.finished, witness.followed, witness.seen];
    let mut all: Vec<WitnessedOperation> = Vec::new();
    for operation in others.into_iter().flatten().chain([witness.read]) {
        if !all.contains(&operation) {
            all.push(operation);
        }
    }
    all.sort_by_key(|operation| (operation.called_ns, operation.returned_ns));
    let first_of = |replica| all.iter().position(|operation| operation.replica == replica);
    let mut grouped = all.clone();
    grouped.sort_by_key(|operation| first_of(operation.replica));
    grouped
}

/// Every instant at which an operation began or ended, in order.
fn instants(operations: &[WitnessedOperation]) -> Vec<u64> {
    let ends = operations.iter().flat_map(|operation| {
        [Some(operation.called_ns), operation.returned_ns].into_iter().flatten()
    });
    let mut instants: Vec<u64> = ends.collect();
    instants.sort_unstable();
    instants.dedup();
    instants
}

/// Seconds, with as many digits as tell all instants apart.
fn times(instants: &[u64]) -> Vec<String> {
    let with = |digits: usize| -> Vec<String> {
        instants.iter().map(|ns| format!("{:.digits$} s", *ns as f64 / 1e9)).collect()
    };
    let are_told_apart = |texts: &Vec<String>| texts.windows(2).all(|pair| pair[0] != pair[1]);
    (3..9).map(with).find(are_told_apart).unwrap_or_else(|| with(9))
}

fn is_around(operation: &WitnessedOperation) -> bool {
    operation.replica.is_none()
}

fn name(witness: &Witness, operation: &WitnessedOperation) -> String {
    let value = operation.value;
    let what = match (operation.is_read, *operation == witness.read) {
        (false, _) if is_around(operation) => return format!("{value} was there before the run"),
        (true, _) if is_around(operation) => return format!("a read after the run named {value}"),
        (false, _) => format!("command {value}"),
        (true, false) => format!("a read named {value}"),
        (true, true) => format!("the wrong read named {value}"),
    };
    let on = operation.replica.map_or_else(String::new, |replica| format!("replica {replica}: "));
    let open = if operation.returned_ns.is_none() { ", no answer" } else { "" };
    format!("{on}{what}{open}")
}

fn scene(summary: &Summary, witness: &Witness, paper: Paper) -> Scene {
    let operations = operations(witness);
    let instants = instants(&operations);
    let size = paper.text();
    let x = Scale::Linear(-0.5, instants.len() as f64 - 0.5);
    let y = Scale::Linear(operations.len() as f64, 0.0);
    let mut plot = Plot::of_rows(paper, size * ROW * operations.len() as f64, x, y);
    let (left, right) = plot.sides();
    let texts = times(&instants);
    let started = summary.manifest.started;
    let ticks: Vec<_> = (0..)
        .zip(instants.iter().zip(texts))
        .map(|(place, (ns, text))| match ns {
            0 => (f64::from(place), "before".to_owned(), None),
            _ => (f64::from(place), text, Some(clock(started, *ns))),
        })
        .collect();
    for (place, ..) in &ticks {
        let (x, top) = plot.at(*place, 0.0);
        let (_, bottom) = plot.at(*place, operations.len() as f64);
        plot.rule((x, top), (x, bottom), Role::Grid);
    }
    plot.horizontal("time from the start, and time of day (UTC); not to scale", &ticks);
    let place_of = |ns: u64| instants.partition_point(|instant| *instant < ns) as f64;
    let bar = |plot: &Plot, operation: &WitnessedOperation| -> (Place, Place) {
        let row = operations.iter().position(|known| known == operation).unwrap_or(0) as f64;
        let (from, top) = plot.at(place_of(operation.called_ns), row);
        let to = operation.returned_ns.map_or(right, |ns| plot.at(place_of(ns), row).0);
        let y = top + size * 1.6;
        let (from, to) = if to - from < LEAST_BAR {
            let middle = f64::midpoint(from, to);
            (middle - LEAST_BAR / 2.0, middle + LEAST_BAR / 2.0)
        } else {
            (from, to)
        };
        ((from, y), (to, y + BAR))
    };
    for (row, pair) in (1..).zip(operations.windows(2)) {
        if pair[0].replica != pair[1].replica {
            let (_, y) = plot.at(0.0, f64::from(row));
            plot.rule((left, y), (right, y), Role::Grid);
        }
    }
    for (ended, began) in followed_by(witness) {
        let (_, (x0, y0)) = bar(&plot, &ended);
        let ((x1, y1), _) = bar(&plot, &began);
        let points = vec![(x0, y0 - BAR / 2.0), (x1, y1 + BAR / 2.0)];
        plot.scene.push(Shape::Line { points, role: Role::Faint, width: 1.2, dashed: true });
    }
    for operation in &operations {
        let is_wrong = *operation == witness.read;
        let role = match (operation.is_read, is_wrong) {
            (_, true) => Role::Indeterminate,
            (true, false) => Role::Second,
            (false, false) => Role::Acknowledged,
        };
        let (from, to) = bar(&plot, operation);
        let text = name(witness, operation);
        let width = text_width(&text, size, is_wrong);
        let x = from.0.min(right - width).max(left);
        let y = from.1 - size * 0.5;
        // Lines pass beneath the texts, as if they were on the paper.
        plot.scene.push(Shape::Rect {
            from: (x, y - size * 0.9),
            to: (x + width, y + size * 0.3),
            role: Role::Paper,
        });
        plot.scene.push(Shape::Rect { from, to, role });
        plot.scene.push(Shape::Text {
            at: (x, y),
            anchor: Anchor::Start,
            size,
            bold: is_wrong,
            role: Role::Ink,
            text,
        });
    }
    plot.scene
}

/// The ends and the beginnings after them that make the contradiction.
fn followed_by(witness: &Witness) -> Vec<(WitnessedOperation, WitnessedOperation)> {
    let seen = witness.seen.or(witness.followed).map(|seen| match witness.anomaly {
        Anomaly::Future => (witness.read, seen),
        _ => (seen, witness.read),
    });
    let replaced = witness.finished.zip(witness.followed);
    replaced.into_iter().chain(seen).filter(|(ended, began)| ended != began).collect()
}

fn table(summary: &Summary, witness: &Witness) -> Table {
    let started = summary.manifest.started;
    let operations = operations(witness);
    let instants = instants(&operations);
    let texts = times(&instants);
    let time = |ns: u64| {
        let place = instants.partition_point(|instant| *instant < ns);
        texts.get(place).cloned().unwrap_or_default()
    };
    let rows = operations
        .iter()
        .map(|operation| {
            let (called, at, returned) = if is_around(operation) {
                ["–"; 3].map(str::to_owned).into()
            } else {
                (
                    time(operation.called_ns),
                    clock(started, operation.called_ns),
                    operation.returned_ns.map_or_else(|| "no answer".to_owned(), time),
                )
            };
            vec![
                name(witness, operation),
                called,
                at,
                returned,
                operation.request.map_or_else(
                    || "–".to_owned(),
                    |(part, sequence)| format!("{sequence} of part {part}"),
                ),
            ]
        })
        .collect();
    Table {
        head: ["operation", "sent", "UTC", "answered", "in the ledger"].map(str::to_owned).to_vec(),
        rows,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(is_read: bool, value: i64, at_ns: u64, replica: u16) -> WitnessedOperation {
        WitnessedOperation {
            is_read,
            value,
            called_ns: at_ns,
            returned_ns: Some(at_ns + 5),
            replica: Some(replica),
            request: Some((0, at_ns)),
        }
    }

    fn contained() -> Witness {
        let replaced = Some(operation(false, 8, 10, 1));
        Witness {
            anomaly: Anomaly::Contained,
            read: operation(true, 7, 20, 0),
            finished: Some(operation(false, 7, 1, 0)),
            followed: replaced,
            seen: replaced,
            sentence: String::new(),
        }
    }

    #[test]
    fn an_operation_that_plays_two_parts_is_drawn_once_and_with_its_replica() {
        let drawn: Vec<(Option<u16>, u64)> = operations(&contained())
            .into_iter()
            .map(|operation| (operation.replica, operation.called_ns))
            .collect();
        assert_eq!(drawn, [(Some(0), 1), (Some(0), 20), (Some(1), 10)]);
    }

    #[test]
    fn a_dashed_line_goes_forward_in_time_alone() {
        let late = Witness {
            anomaly: Anomaly::Future,
            finished: None,
            followed: Some(operation(false, 7, 40, 1)),
            seen: None,
            ..contained()
        };
        for witness in [contained(), late] {
            let pairs = followed_by(&witness);
            assert!(!pairs.is_empty());
            assert!(pairs.iter().all(|(ended, began)| ended.returned_ns < Some(began.called_ns)));
        }
    }

    #[test]
    fn times_have_the_digits_that_tell_them_apart() {
        assert_eq!(times(&[0, 2_000_000_000]), ["0.000 s", "2.000 s"]);
        assert_eq!(times(&[1_000_000_000, 1_000_020_000]), ["1.00000 s", "1.00002 s"]);
    }
}
