//! What remains of a run: the run directory, its statistics, and its pictures.
//!
//! - [`run`] reads and writes the run directory: manifest, ledger, histograms, timeline, verdict.
//!   Every file says its `format_version`; a newer one is refused.
//! - [`render`] makes the report of a run from its directory: HTML, Markdown, JSON, pictures, and
//!   the summary that a terminal shows.
//!
//! Everything after a run reads only the run directory, so that any old run can be judged,
//! reported and compared again.

pub mod render;
pub mod run;
