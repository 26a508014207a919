//! Making `latency.hlog` and `timeline.ndjson` from the ledger.
//!
//! Because both come from the recorded outcomes alone, a run that was cut short has them too, and
//! making them again gives the same files.

use super::histograms::{self, Figure, Histograms, LatencyLogError, Series};
use super::ledger::Entry;
use super::manifest::Manifest;
use super::operation::Ack;
use super::timeline::{Second, TimelineWriter};
use super::{RunDir, RunDirError};

const NS_PER_SECOND: u64 = 1_000_000_000;

/// Why the derived files could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DeriveError {
    /// The run directory.
    #[error(transparent)]
    RunDir(#[from] RunDirError),
    /// The latency log.
    #[error(transparent)]
    LatencyLog(#[from] LatencyLogError),
}

/// Makes both files anew. Memory does not grow with the run.
///
/// # Errors
/// [`DeriveError`] where the ledger cannot be read or a file cannot be written.
pub fn derive(run: &RunDir, manifest: &Manifest) -> Result<(), DeriveError> {
    let mut timeline = TimelineWriter::create(&run.timeline())?;
    histograms::write::<DeriveError>(&run.latency_log(), manifest.started.into(), |log| {
        let mut second = Second::default();
        let mut latencies = Histograms::new();
        for entry in run.entries()? {
            let entry = entry.map_err(RunDirError::from)?;
            let Some(outcome) = &entry.outcome else {
                continue;
            };
            // A straggler that is recorded after its second was closed counts in the current one.
            let now = outcome.done_ns / NS_PER_SECOND;
            if now > second.second {
                close(&mut second, now, &mut latencies, &mut timeline, log)?;
            }
            count(&mut second, &entry);
            measure(&mut latencies, &entry);
        }
        close(&mut second, u64::MAX, &mut latencies, &mut timeline, log)
    })?;
    Ok(timeline.finish()?)
}

/// Writes a second out and goes on at `next`: seconds without an outcome have no line.
fn close(
    second: &mut Second,
    next: u64,
    latencies: &mut Histograms,
    timeline: &mut TimelineWriter,
    log: &mut dyn FnMut(u64, &Histograms) -> Result<(), DeriveError>,
) -> Result<(), DeriveError> {
    timeline.push(second)?;
    log(second.second, latencies)?;
    latencies.clear();
    *second = Second { second: next, latest_sent: second.latest_sent, ..Second::default() };
    Ok(())
}

fn count(second: &mut Second, entry: &Entry) {
    let Some(outcome) = &entry.outcome else {
        return;
    };
    if entry.intent.operation.is_write() {
        *second.outcomes.entry(outcome.ack).or_default() += 1;
        if outcome.ack != Ack::NotSent {
            second.latest_sent = second.latest_sent.max(Some(entry.intent.command_id));
        }
    }
    if outcome.latest.is_some() {
        second.latest_reported = outcome.latest;
    }
}

fn measure(latencies: &mut Histograms, entry: &Entry) {
    let operation = entry.intent.operation;
    for figure in Figure::ALL {
        if let Some(ns) = latency_ns(entry, figure) {
            histograms::record(latencies, Series { figure, operation }, ns);
        }
    }
}

/// One of a request's times, in nanoseconds. A request that never reached the target has none; one
/// without an answer has the time that was spent on it.
pub fn latency_ns(entry: &Entry, figure: Figure) -> Option<u64> {
    let outcome = entry.outcome.as_ref().filter(|outcome| outcome.ack != Ack::NotSent)?;
    Some(match figure {
        Figure::Service => outcome.done_ns.saturating_sub(outcome.sent_ns),
        Figure::Response => outcome.done_ns.saturating_sub(entry.intent.intended_ns?),
        Figure::Lateness => outcome.sent_ns.saturating_sub(entry.intent.ready_ns),
    })
}
