//! Making `latency.hlog` and `timeline.ndjson` from the ledger.
//!
//! Because both come from the recorded outcomes alone, a run that was cut short has them too, and
//! making them again gives the same files.

use super::histograms::{self, Figure, Histograms, LatencyLogError, Series};
use super::ledger::Entry;
use super::manifest::{Manifest, Part, Phase};
use super::operation::Ack;
use super::timeline::{Second, TimelineWriter};
use super::{RunDir, RunDirError};
use hdrhistogram::Histogram;
use std::collections::HashMap;
use std::sync::Arc;

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

/// What was met on the way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    /// When the last command was sent, in nanoseconds since the run began; `None` where none was.
    pub last_command_ns: Option<u64>,
}

/// Makes both files anew. Memory does not grow with the run.
///
/// # Errors
/// [`DeriveError`] where the ledger cannot be read or a file cannot be written.
pub fn derive(run: &RunDir, manifest: &Manifest) -> Result<Extent, DeriveError> {
    let mut extent = Extent::default();
    let phases = Phases::of(manifest);
    let mut timeline = TimelineWriter::create(&run.timeline())?;
    histograms::write::<DeriveError>(&run.latency_log(), manifest.started.into(), |log| {
        let mut second = Second::default();
        let mut latencies = Histograms::new();
        for entry in run.entries()? {
            let entry = entry.map_err(RunDirError::from)?;
            if entry.intent.operation.is_write() {
                extent.last_command_ns = extent.last_command_ns.max(Some(entry.intent.called_ns));
            }
            let Some(outcome) = &entry.outcome else {
                continue;
            };
            // A straggler that is recorded after its second was closed counts in the current one.
            let now = outcome.done_ns / NS_PER_SECOND;
            if now > second.second {
                close(&mut second, now, &mut latencies, &mut timeline, log)?;
            }
            count(&mut second, &entry);
            measure(&mut latencies, &entry, phases.of_request(&entry));
        }
        close(&mut second, u64::MAX, &mut latencies, &mut timeline, log)
    })?;
    timeline.finish()?;
    Ok(extent)
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
    // The next second has nearly the same series: their memory stays.
    latencies.values_mut().for_each(Histogram::reset);
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

fn measure(latencies: &mut Histograms, entry: &Entry, phase: &Arc<str>) {
    let Some(outcome) = &entry.outcome else {
        return;
    };
    let (operation, replica) = (entry.intent.operation, outcome.replica);
    for figure in Figure::ALL {
        if let Some(ns) = latency_ns(entry, figure) {
            let series = Series { phase: Arc::clone(phase), figure, operation, replica };
            histograms::record(latencies, series, ns);
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

/// The phases of a run's parts.
struct Phases<'a> {
    parts: HashMap<u16, (&'a Part, Vec<Arc<str>>)>,
    main: Arc<str>,
}

impl<'a> Phases<'a> {
    fn of(manifest: &'a Manifest) -> Self {
        let names =
            |part: &Part| part.phases.iter().map(|phase| Arc::from(phase.name.as_str())).collect();
        Self {
            parts: manifest.parts.iter().map(|part| (part.part, (part, names(part)))).collect(),
            main: Phase::MAIN.into(),
        }
    }

    /// The phase in which a request was due, or, in the closed model, sent.
    fn of_request(&self, entry: &Entry) -> &Arc<str> {
        let Some((part, names)) = self.parts.get(&entry.part) else { return &self.main };
        let due_ns = entry.intent.intended_ns.unwrap_or(entry.intent.called_ns);
        names.get(part.phase_at(due_ns.saturating_sub(part.offset_ns))).unwrap_or(&self.main)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::ledger::{Intent, LedgerWriter, Outcome};
    use crate::run::operation::Operation;

    #[test]
    fn each_request_counts_in_the_phase_in_which_it_was_due() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create_at(&folder.path().join("run")).unwrap();
        let mut manifest: Manifest = serde_json::from_value(serde_json::json!({
            "format_version": 1, "limosa": "", "name": "", "kind": "replay",
            "started": "2026-11-22T12:04:01Z", "finished": null,
            "mode": {
                "order": "none", "client": "limosa", "pace": "max",
                "connect_timeout_ms": 1, "response_timeout_ms": 1,
            },
            "targets": [], "trace": {"source": "", "sha256": "", "commands": 12, "ids": null},
            "planned_ids": 12, "seed": 1, "profile": {},
            "machine": {"os": "", "cpu": "", "cores": 1, "memory_mib": 1},
            "parts": [{
                "part": 0, "started": "2026-11-22T12:04:01Z", "offset_ns": 0, "from_id": null,
                "command_line": [],
            }],
        }))
        .unwrap();
        let phase = |name: &str, from_ns, warm_up| Phase { name: name.into(), from_ns, warm_up };
        let second = |offset_ns| {
            let phases = vec![phase("warm-up", 0, true), phase(Phase::MAIN, 100, false)];
            Part { part: 1, offset_ns, phases, ..manifest.parts[0].clone() }
        };
        manifest.parts.push(second(1_000));
        for (part, offset_ns) in [(0, 0), (1, 1_000), (2, 2_000)] {
            let mut ledger = LedgerWriter::create(&run.ledger(), part, offset_ns);
            for (sequence, (intended_ns, called_ns)) in
                (0..).zip([(None, 10), (None, 100), (Some(99), 150), (Some(100), 150)])
            {
                ledger
                    .append(&Intent {
                        sequence,
                        command_id: 0,
                        operation: Operation::Tweet,
                        lane: 0,
                        intended_ns,
                        ready_ns: called_ns,
                        called_ns,
                        user: String::new(),
                        detail: String::new(),
                    })
                    .unwrap();
                ledger
                    .append(&Outcome {
                        sequence,
                        sent_ns: called_ns,
                        done_ns: called_ns + 5,
                        replica: part,
                        status: 204,
                        ack: Ack::Acknowledged,
                        failure: None,
                        latest: None,
                    })
                    .unwrap();
            }
            ledger.finish().unwrap();
        }
        derive(&run, &manifest).unwrap();
        let sums = histograms::sums(&run.latency_log(), |series| {
            (series.figure != Figure::Lateness)
                .then(|| (series.replica, series.figure, series.phase.to_string()))
        })
        .unwrap();
        let counts: Vec<_> = sums
            .iter()
            .map(|((replica, figure, phase), sum)| (*replica, figure.name(), &phase[..], sum.len()))
            .collect();
        // The manifest does not speak of part 2.
        assert_eq!(
            counts,
            [
                (0, "service", "main", 4),
                (0, "response", "main", 2),
                (1, "service", "main", 2),
                (1, "service", "warm-up", 2),
                (1, "response", "main", 1),
                (1, "response", "warm-up", 1),
                (2, "service", "main", 4),
                (2, "response", "main", 2),
            ]
        );
        assert!(manifest.is_warm_up("warm-up") && !manifest.is_warm_up(Phase::MAIN));
    }
}
