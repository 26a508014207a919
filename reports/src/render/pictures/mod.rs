//! The pictures of a report.
//!
//! Each is built as a `Scene` of plain shapes, once for a wide page and once for a phone, and
//! then painted. Titles state the finding; a table holds the same for whoever cannot see it. No
//! text from outside stands in a picture.

mod axes;
mod draw;
mod paint;
mod palette;
mod plot;
mod scene;

pub(super) use draw::latest::drawn_witnesses;
pub(super) use palette::dark_rules;

use super::RenderError;
use super::summary::Summary;
use fs_err as fs;
use paint::text_width;
use scene::Scene;
use std::path::{Path, PathBuf};

/// One picture, with all that is said of it.
#[derive(Debug)]
pub(super) struct Picture {
    /// Its name in files and anchors.
    pub(super) name: &'static str,
    /// Where in a report it stands.
    pub(super) section: Section,
    /// The finding.
    pub(super) title: String,
    /// What is drawn how, in words.
    pub(super) description: String,
    /// The same as figures.
    pub(super) table: Table,
    wide: Scene,
    narrow: Scene,
}

/// The section of a report that a picture stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// One of its own, with this heading.
    Own(&'static str),
    /// The one about `latest`.
    Latest,
}

/// Figures beneath a picture.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

/// The pictures that the run has something for.
pub(super) fn all(summary: &Summary) -> Vec<Picture> {
    let of_commands = [
        draw::percentiles::picture(summary),
        draw::latency::picture(summary),
        draw::throughput::picture(summary),
    ];
    of_commands.into_iter().flatten().chain(draw::latest::pictures(summary)).collect()
}

impl Picture {
    /// Writes it into `folder`, as SVG and as PNG, with its title.
    pub(super) fn write(&self, folder: &Path) -> Result<[PathBuf; 2], RenderError> {
        let scene = self.wide.under(&wrapped(&self.title, self.wide.width - 32.0));
        let svg = folder.join(format!("{}.svg", self.name));
        fs::write(&svg, paint::svg(&scene).map_err(|reason| self.failed(reason))?)?;
        let png = folder.join(format!("{}.png", self.name));
        paint::png(&scene, &png).map_err(|reason| self.failed(reason))?;
        Ok([svg, png])
    }

    /// The picture as elements of a page: one for wide windows, one for narrow ones.
    pub(super) fn inline(&self) -> Result<String, RenderError> {
        let mut out = String::new();
        for (scene, paper) in [(&self.wide, "wide"), (&self.narrow, "narrow")] {
            let document = paint::svg(scene).map_err(|reason| self.failed(reason))?;
            let shapes = document.split_once('>').map_or("", |(_, shapes)| shapes);
            let name = self.name;
            out.push_str(&format!(
                r#"<svg class="{paper}" role="img" aria-labelledby="{name}-title {name}-{paper}" viewBox="0 0 {} {}"><desc id="{name}-{paper}">"#,
                scene.width * 2.0,
                scene.height * 2.0,
            ));
            out.push_str(&self.description);
            out.push_str("</desc>");
            out.push_str(shapes);
        }
        Ok(out)
    }

    fn failed(&self, reason: String) -> RenderError {
        RenderError::Picture { name: self.name, reason }
    }
}

/// A title in lines of at most `width` pixels.
fn wrapped(title: &str, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in title.split(' ') {
        match lines.last_mut() {
            Some(line) if text_width(&format!("{line} {word}"), 16.0, true) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::scene::{Anchor, Shape};
    use super::*;
    use crate::render::fixture;

    /// Left, right, top and bottom of each text.
    fn boxes(scene: &Scene) -> Vec<(f64, f64, f64, f64, &str)> {
        let shapes = scene.shapes.iter();
        shapes
            .filter_map(|shape| match shape {
                Shape::Text { at: (x, y), anchor, size, bold, text, .. } => {
                    let width = text_width(text, *size, *bold);
                    let left = match anchor {
                        Anchor::Start => *x,
                        Anchor::Middle => x - width / 2.0,
                        Anchor::End => x - width,
                    };
                    Some((left, left + width, y - 0.75 * size, y + 0.2 * size, text.as_str()))
                }
                _ => None,
            })
            .collect()
    }

    fn check_texts(scene: &Scene) {
        let boxes = boxes(scene);
        for (index, one) in boxes.iter().enumerate() {
            let inside = one.0 >= 0.0 && one.1 <= scene.width && one.3 <= scene.height;
            assert!(inside && one.2 >= 0.0, "{one:?} is cut off");
            for other in &boxes[index + 1..] {
                let apart =
                    one.1 <= other.0 || other.1 <= one.0 || one.3 <= other.2 || other.3 <= one.2;
                assert!(apart, "{one:?} touches {other:?}");
            }
        }
    }

    #[test]
    fn no_text_touches_another_or_the_edge() {
        for make in [
            fixture::clean,
            fixture::spread,
            fixture::troubled,
            fixture::unfinished,
            fixture::forgetful,
        ] {
            let folder = tempfile::tempdir().unwrap();
            let summary = Summary::gather(&make(&folder.path().join("run"))).unwrap();
            for picture in all(&summary) {
                check_texts(&picture.wide);
                check_texts(&picture.narrow);
                check_texts(&picture.wide.under(&wrapped(&picture.title, 928.0)));
            }
        }
    }

    #[test]
    #[should_panic(expected = "touches")]
    fn a_text_over_another_is_found() {
        let mut scene = Scene::new(200.0, 100.0);
        for x in [20.0, 40.0] {
            scene.push(Shape::Text {
                at: (x, 50.0),
                anchor: Anchor::Start,
                size: 12.0,
                bold: false,
                role: palette::Role::Ink,
                text: "12:04:01".into(),
            });
        }
        check_texts(&scene);
    }

    #[test]
    fn long_titles_are_wrapped_between_words() {
        let lines = wrapped(&"word ".repeat(40), 400.0);
        assert!(lines.len() > 3);
        assert!(lines.iter().all(|line| text_width(line, 16.0, true) <= 400.0));
    }
}
