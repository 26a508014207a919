//! The report of a run: one HTML page, the same in Markdown and JSON, its pictures, and the
//! summary that a terminal shows.
//!
//! [`Summary::gather`] reads the run directory, once; everything else draws from the [`Summary`].
//! - [`course`](Course): what happened when, in a bounded number of bins and drawn requests.
//! - `words`: the sentences and numbers that all faces share.
//! - `latest`: the same of `GET /latest`.
//! - `pictures`: scenes of plain shapes, painted as SVG and PNG.
//! - `html`, `markdown`, [`terminal()`]: the faces.
//!
//! Texts from outside (names, messages, targets) are escaped by each face and stand in no picture.

mod course;
mod html;
mod latest;
mod markdown;
mod pictures;
mod shares;
mod summary;
mod table;
mod terminal;
mod units;
mod words;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

pub use course::{Bin, Course};
pub use shares::{PhaseFigures, ReplicaFigures};
pub use summary::{Distribution, Latency, QUANTILES, Standing, Summary, shell_word};
pub use terminal::terminal;
pub use units::{all, count, counted};

use crate::run::derive::DeriveError;
use crate::run::histograms::LatencyLogError;
use crate::run::{RunDir, RunDirError};
use fs_err as fs;
use std::io;
use std::path::PathBuf;

/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The run directory.
    #[error(transparent)]
    RunDir(#[from] RunDirError),
    /// The latency log.
    #[error(transparent)]
    LatencyLog(#[from] LatencyLogError),
    /// The files that are made from the ledger.
    #[error(transparent)]
    Derive(#[from] DeriveError),
    /// The operating system refused; the message names the path.
    #[error("report: {0}")]
    Io(#[from] io::Error),
    /// The summary as JSON.
    #[error("report.json: {0}")]
    Json(#[from] serde_json::Error),
    /// The findings as a table.
    #[error("findings.csv: {0}")]
    Table(#[from] csv::Error),
    /// The page.
    #[error("report.html: {0}")]
    Page(#[from] askama::Error),
    /// A picture.
    #[error("picture {name}: {reason}")]
    Picture {
        /// The picture's name.
        name: &'static str,
        /// What the drawing library said.
        reason: String,
    },
}

/// What [`report`] wrote, and from what.
#[derive(Debug)]
pub struct Written {
    /// The page.
    pub html: PathBuf,
    /// The same, fit for a comment on a change.
    pub markdown: PathBuf,
    /// The summary for machines.
    pub json: PathBuf,
    /// What went wrong, command by command, as a table.
    pub findings: PathBuf,
    /// The pictures, each as SVG and as PNG.
    pub pictures: Vec<PathBuf>,
    /// What all of them say.
    pub summary: Summary,
}

/// Writes `report.html`, `report.md`, `report.json`, `findings.csv` and `pictures/` into the run
/// directory.
///
/// The run need not have ended nor been judged; the report says so. The same run directory gives
/// the same report.
///
/// # Errors
/// [`RenderError`] where the run cannot be read or a file cannot be written.
pub fn report(run: &RunDir) -> Result<Written, RenderError> {
    let summary = Summary::gather(run)?;
    let scenes = pictures::all(&summary);
    let folder = run.path().join("pictures");
    if folder.is_dir() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let mut pictures = Vec::new();
    for picture in &scenes {
        pictures.extend(picture.write(&folder)?);
    }
    let html = run.path().join("report.html");
    fs::write(&html, html::page(&summary, &scenes)?)?;
    let markdown = run.path().join("report.md");
    fs::write(&markdown, markdown::text(&summary))?;
    let json = run.path().join("report.json");
    let mut bytes = serde_json::to_vec_pretty(&summary)?;
    bytes.push(b'\n');
    fs::write(&json, bytes)?;
    let findings = run.path().join("findings.csv");
    table::write(&summary, &findings)?;
    Ok(Written { html, markdown, json, findings, pictures, summary })
}
