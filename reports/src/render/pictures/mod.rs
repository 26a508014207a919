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
    /// What it is about.
    pub(super) heading: &'static str,
    /// The finding.
    pub(super) title: String,
    /// What is drawn how, in words.
    pub(super) description: String,
    /// The same as figures.
    pub(super) table: Table,
    wide: Scene,
    narrow: Scene,
}

/// Figures beneath a picture.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

/// The pictures that the run has something for.
pub(super) fn all(summary: &Summary) -> Vec<Picture> {
    [
        draw::percentiles::picture(summary),
        draw::latency::picture(summary),
        draw::throughput::picture(summary),
        draw::latest::picture(summary),
    ]
    .into_iter()
    .flatten()
    .collect()
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
