//! A plot: a frame with two axes into which shapes are put by their values.

use super::axes::{Scale, latency_label, time_label, time_ticks};
use super::paint::text_width;
use super::palette::Role;
use super::scene::{Anchor, MarkKind, Place, Scene, Shape};
use crate::render::units;
use jiff::Timestamp;

/// The paper: wide for a desk, narrow for a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paper {
    Wide,
    Narrow,
}

impl Paper {
    fn size(self) -> (f64, f64) {
        match self {
            Self::Wide => (960.0, 380.0),
            Self::Narrow => (370.0, 300.0),
        }
    }

    /// The size of its texts.
    pub(super) fn text(self) -> f64 {
        match self {
            Self::Wide => 13.0,
            Self::Narrow => 11.0,
        }
    }

    fn ticks(self) -> usize {
        match self {
            Self::Wide => 8,
            Self::Narrow => 3,
        }
    }
}

/// A name beside what it names, at the right edge.
#[derive(Debug, Clone)]
pub(super) struct Label {
    /// Where on the vertical axis it would like to stand.
    pub(super) value: f64,
    pub(super) text: String,
    pub(super) role: Role,
    /// The shape of what it names; a stroke where there is none.
    pub(super) mark: Option<MarkKind>,
    pub(super) dashed: bool,
}

/// One bar of a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bar {
    pub(super) from: f64,
    pub(super) below: f64,
    pub(super) above: f64,
}

pub(super) struct Plot {
    pub(super) scene: Scene,
    paper: Paper,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x: Scale,
    y: Scale,
}

impl Plot {
    /// An empty frame; the names at its right edge are known beforehand, since they need room.
    pub(super) fn new(paper: Paper, x: Scale, y: Scale, labels: &[Label]) -> Self {
        let (_, height) = paper.size();
        Self::framed(paper, height, paper.text() * 2.4, x, y, labels)
    }

    /// A frame of the given height without a vertical axis, for rows that say themselves what they
    /// are.
    pub(super) fn of_rows(paper: Paper, rows: f64, x: Scale, y: Scale) -> Self {
        let size = paper.text();
        Self::framed(paper, rows + size * (0.4 + 4.4), size * 0.4, x, y, &[])
    }

    fn framed(paper: Paper, height: f64, top: f64, x: Scale, y: Scale, labels: &[Label]) -> Self {
        let (width, _) = paper.size();
        let size = paper.text();
        let room = labels
            .iter()
            .map(|label| text_width(&label.text, size, false) + 26.0)
            .fold(14.0, f64::max);
        Self {
            scene: Scene::new(width, height),
            paper,
            left: size * 4.6,
            right: width - room,
            top,
            bottom: height - size * 4.4,
            x,
            y,
        }
    }

    pub(super) fn at(&self, x: f64, y: f64) -> Place {
        (
            self.left + (self.right - self.left) * self.x.place(x),
            self.bottom - (self.bottom - self.top) * self.y.place(y).clamp(0.0, 1.0),
        )
    }

    pub(super) fn text(&mut self, at: Place, anchor: Anchor, role: Role, text: &str) {
        self.scene.push(Shape::Text {
            at,
            anchor,
            size: self.paper.text(),
            bold: false,
            role,
            text: text.to_owned(),
        });
    }

    pub(super) fn rule(&mut self, from: Place, to: Place, role: Role) {
        self.scene.push(Shape::Line { points: vec![from, to], role, width: 1.0, dashed: false });
    }

    /// The vertical axis: what it measures above it, and a grid line at each tick.
    fn vertical(&mut self, title: &str, label: impl Fn(f64) -> String) {
        let size = self.paper.text();
        self.text((size * 0.4, size * 1.2), Anchor::Start, Role::Faint, title);
        for tick in self.y.ticks(5) {
            let (_, y) = self.at(0.0, tick);
            self.rule((self.left, y), (self.right, y), Role::Grid);
            let at = (self.left - size * 0.5, y + size * 0.35);
            self.text(at, Anchor::End, Role::Faint, &label(tick));
        }
    }

    pub(super) fn latency_axis(&mut self, title: &str) {
        self.vertical(title, latency_label);
    }

    pub(super) fn count_axis(&mut self, title: &str) {
        let label = |tick: f64| match tick {
            tick if tick >= 1e7 => format!("{} M", tick / 1e6),
            tick => units::count(tick.round() as u64),
        };
        self.vertical(title, label);
    }

    /// The horizontal axis with the given ticks and one or two rows of names, without those that
    /// would touch their neighbour.
    pub(super) fn horizontal(&mut self, title: &str, ticks: &[(f64, String, Option<String>)]) {
        let size = self.paper.text();
        let (left, right, bottom) = (self.left, self.right, self.bottom);
        self.rule((left, bottom), (right, bottom), Role::Faint);
        let mut free_from = [f64::MIN; 2];
        for (value, first, second) in ticks {
            let (x, _) = self.at(*value, 0.0);
            self.rule((x, bottom), (x, bottom + size * 0.35), Role::Faint);
            let rows = [(Some(first), 1.5), (second.as_ref(), 2.7)];
            for ((text, down), free_from) in rows.into_iter().zip(&mut free_from) {
                let Some(text) = text else { continue };
                let half = text_width(text, size, false) / 2.0;
                let x = x.clamp(half + 2.0, self.scene.width - half - 2.0);
                if x - half > *free_from {
                    self.text((x, bottom + size * down), Anchor::Middle, Role::Faint, text);
                    *free_from = x + half + size * 0.7;
                }
            }
        }
        self.text((left, bottom + size * 4.0), Anchor::Start, Role::Faint, title);
    }

    /// The horizontal axis of time: seconds from the start above the time of day.
    pub(super) fn time_axis(&mut self, started: Timestamp, span_s: f64) {
        let ticks: Vec<_> = time_ticks(span_s, self.paper.ticks())
            .into_iter()
            .map(|seconds| {
                let ns = (seconds * 1e9) as u64;
                let clock = if span_s < 4.0 {
                    units::clock(started, ns)
                } else {
                    units::clock_seconds(started, ns)
                };
                (seconds, time_label(seconds, span_s), Some(clock))
            })
            .collect();
        self.horizontal("time from the start, and time of day (UTC)", &ticks);
    }

    /// A stretch of time, shaded from top to bottom and at least a pixel and a half wide.
    pub(super) fn band(&mut self, from: f64, to: f64) {
        let (x0, _) = self.at(from, 0.0);
        let (x1, _) = self.at(to, 0.0);
        self.scene.push(Shape::Rect {
            from: (x0.min(self.right), self.top),
            to: (x1.max(x0 + 1.5).min(self.right), self.bottom),
            role: Role::Band,
        });
    }

    /// A stretch of time that has a name: shaded, so that it can be told from its neighbours, and
    /// named above the plot where there is room.
    pub(super) fn phase(&mut self, from: f64, to: f64, name: &str, is_shaded: bool) {
        let size = self.paper.text();
        let (x0, _) = self.at(from, 0.0);
        let x1 = self.at(to, 0.0).0.min(self.right);
        if is_shaded && x0 < x1 {
            let (from, to) = ((x0, self.top), (x1, self.bottom));
            self.scene.push(Shape::Rect { from, to, role: Role::Phase });
        }
        if text_width(name, size, false) + size * 0.6 < x1 - x0 {
            self.text((x0, self.top - size * 0.2), Anchor::Start, Role::Faint, name);
        }
    }

    /// A line through the values that are there, broken where one is missing.
    pub(super) fn line(
        &mut self,
        values: impl IntoIterator<Item = (f64, Option<f64>)>,
        role: Role,
        dashed: bool,
    ) {
        let mut points = Vec::new();
        let mut pieces = Vec::new();
        for (x, y) in values {
            match y {
                Some(y) => points.push(self.at(x, y)),
                None => pieces.push(std::mem::take(&mut points)),
            }
        }
        pieces.push(points);
        for mut points in pieces {
            // A single value between two gaps would be an invisible line.
            if let [(x, y)] = points[..] {
                points = vec![(x - 1.5, y), (x + 1.5, y)];
            }
            if !points.is_empty() {
                self.scene.push(Shape::Line { points, role, width: 1.8, dashed });
            }
        }
    }

    /// Bars that touch each other, each `width` wide from its place on, between two values: one
    /// outline for each row of them without a gap, so that no seam shows between two.
    pub(super) fn bars(&mut self, width: f64, bars: impl IntoIterator<Item = Bar>, role: Role) {
        let mut row: Vec<Bar> = Vec::new();
        for bar in bars {
            if bar.above > bar.below {
                row.push(bar);
            } else {
                self.row(width, &std::mem::take(&mut row), role);
            }
        }
        self.row(width, &row, role);
    }

    fn row(&mut self, width: f64, row: &[Bar], role: Role) {
        let edge = |bar: &Bar, value: fn(&Bar) -> f64| {
            [self.at(bar.from, value(bar)), self.at(bar.from + width, value(bar))]
        };
        let over = row.iter().flat_map(|bar| edge(bar, |bar| bar.above));
        let under = row.iter().rev().flat_map(|bar| {
            let [left, right] = edge(bar, |bar| bar.below);
            [right, left]
        });
        let outline: Vec<Place> = over.chain(under).collect();
        if !outline.is_empty() {
            self.scene.push(Shape::Area { outline, role });
        }
    }

    pub(super) fn mark(&mut self, kind: MarkKind, at: Place, size: f64, role: Role, opacity: f64) {
        self.scene.push(Shape::Mark { kind, at, size, role, opacity });
    }

    /// The upper edge of the plot.
    pub(super) fn top(&self) -> f64 {
        self.top
    }

    /// The left and the right edge of the plot.
    pub(super) fn sides(&self) -> (f64, f64) {
        (self.left, self.right)
    }

    /// Puts the names at the right edge, each as near to its value as the others let it.
    pub(super) fn labels(&mut self, mut labels: Vec<Label>) {
        let size = self.paper.text();
        labels.sort_by(|one, other| other.value.total_cmp(&one.value));
        let wanted: Vec<f64> = labels.iter().map(|label| self.at(0.0, label.value).1).collect();
        let places = spread(&wanted, size * 1.35, self.top + size * 0.5, self.bottom - size * 0.2);
        for (label, y) in labels.into_iter().zip(places) {
            let x = self.right + 6.0;
            match label.mark {
                Some(kind) => self.mark(kind, (x + 6.0, y), 3.8, label.role, 1.0),
                None => self.scene.push(Shape::Line {
                    points: vec![(x, y), (x + 13.0, y)],
                    role: label.role,
                    width: 2.4,
                    dashed: label.dashed,
                }),
            }
            self.text((x + 17.0, y + size * 0.35), Anchor::Start, Role::Ink, &label.text);
        }
    }
}

/// Moves places, given from top to bottom, apart until `gap` lies between neighbours, and keeps
/// them between `top` and `bottom` as far as there is room.
fn spread(wanted: &[f64], gap: f64, top: f64, bottom: f64) -> Vec<f64> {
    let mut places: Vec<f64> = wanted.to_vec();
    let mut least = top;
    for place in &mut places {
        *place = place.max(least);
        least = *place + gap;
    }
    let mut most = bottom;
    for place in places.iter_mut().rev() {
        *place = place.min(most);
        most = *place - gap;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn names_never_touch(mut wanted in prop::collection::vec(0.0..300.0f64, 1..8)) {
            wanted.sort_by(f64::total_cmp);
            let places = spread(&wanted, 17.0, 20.0, 280.0);
            for pair in places.windows(2) {
                prop_assert!(pair[1] - pair[0] >= 16.999, "{:?}", places);
            }
            prop_assert!(places[0] >= 19.999 && places[places.len() - 1] <= 280.001);
        }
    }
}
