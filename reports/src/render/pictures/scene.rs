//! A picture as plain shapes, before anything is painted: what stands where can be tested.

use super::palette::Role;

/// A place, in CSS pixels from the upper left corner.
pub(super) type Place = (f64, f64);

/// Shapes on paper of a given size.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::render) struct Scene {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) shapes: Vec<Shape>,
}

/// One shape; later ones lie above earlier ones.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Line {
        points: Vec<Place>,
        role: Role,
        width: f64,
        dashed: bool,
    },
    Rect {
        from: Place,
        to: Place,
        role: Role,
    },
    Area {
        outline: Vec<Place>,
        role: Role,
    },
    Mark {
        kind: MarkKind,
        at: Place,
        size: f64,
        role: Role,
        opacity: f64,
    },
    Text {
        /// Where its baseline begins, is centred, or ends.
        at: Place,
        anchor: Anchor,
        size: f64,
        bold: bool,
        role: Role,
        text: String,
    },
}

/// The second cue beside colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MarkKind {
    Disc,
    Cross,
    Triangle,
    Square,
}

/// Which point of a text its place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Scene {
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self { width, height, shapes: Vec::new() }
    }

    pub(super) fn push(&mut self, shape: Shape) {
        self.shapes.push(shape);
    }

    /// The same with lines of a heading above it, for a picture that stands alone.
    pub(super) fn under(&self, heading: &[String]) -> Self {
        const SIZE: f64 = 16.0;
        const MARGIN: f64 = 16.0;
        let room = MARGIN + 22.0 * heading.len() as f64;
        let mut scene = Self::new(self.width, self.height + room);
        scene.push(Shape::Rect {
            from: (0.0, 0.0),
            to: (scene.width, scene.height),
            role: Role::Paper,
        });
        for (line, y) in
            heading.iter().zip((0..).map(|line| MARGIN + 12.0 + 22.0 * f64::from(line)))
        {
            scene.push(Shape::Text {
                at: (MARGIN, y),
                anchor: Anchor::Start,
                size: SIZE,
                bold: true,
                role: Role::Ink,
                text: line.clone(),
            });
        }
        let lower = |(x, y): Place| (x, y + room);
        scene.shapes.extend(self.shapes.iter().cloned().map(|shape| match shape {
            Shape::Line { points, role, width, dashed } => {
                Shape::Line { points: points.into_iter().map(lower).collect(), role, width, dashed }
            }
            Shape::Rect { from, to, role } => {
                Shape::Rect { from: lower(from), to: lower(to), role }
            }
            Shape::Area { outline, role } => {
                Shape::Area { outline: outline.into_iter().map(lower).collect(), role }
            }
            Shape::Mark { kind, at, size, role, opacity } => {
                Shape::Mark { kind, at: lower(at), size, role, opacity }
            }
            Shape::Text { at, anchor, size, bold, role, text } => {
                Shape::Text { at: lower(at), anchor, size, bold, role, text }
            }
        }));
        scene
    }
}
