//! `findings.csv`: what went wrong, command by command, for a spreadsheet or a script.

use super::RenderError;
use super::summary::Summary;
use crate::run::verdict::Finding;
use jiff::SignedDuration;
use std::path::Path;

const COLUMNS: [&str; 11] = [
    "class",
    "entity",
    "command_id",
    "operation",
    "user",
    "detail",
    "sent",
    "answered",
    "replica",
    "status",
    "note",
];

/// Writes the findings; a run without any has a file with the column names alone. Times are UTC.
pub(super) fn write(summary: &Summary, path: &Path) -> Result<(), RenderError> {
    let mut out = csv::Writer::from_writer(fs_err::File::create(path)?);
    out.write_record(COLUMNS)?;
    let findings = summary.judgement.iter().flat_map(|judgement| &judgement.audit);
    for finding in findings.flat_map(|audit| &audit.findings) {
        out.write_record(row(summary, finding))?;
    }
    Ok(out.flush()?)
}

fn row(summary: &Summary, finding: &Finding) -> [String; COLUMNS.len()] {
    let at = |ns: Option<u64>| {
        let after = ns.and_then(|ns| i64::try_from(ns).ok()).map(SignedDuration::from_nanos)?;
        summary.manifest.started.checked_add(after).ok()
    };
    let or_empty = |value: Option<String>| value.unwrap_or_default();
    [
        finding.class.name().to_owned(),
        finding.entity.plural().to_owned(),
        or_empty(finding.command_id.map(|id| id.to_string())),
        or_empty(finding.operation.map(|operation| operation.name().to_owned())),
        finding.user.clone(),
        finding.detail.clone(),
        or_empty(at(finding.called_ns).map(|time| time.to_string())),
        or_empty(at(finding.returned_ns).map(|time| time.to_string())),
        or_empty(finding.replica.map(|replica| replica.to_string())),
        or_empty(finding.status.map(|status| status.to_string())),
        finding.note.clone(),
    ]
}
