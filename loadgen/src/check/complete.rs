//! Whether the whole plan was carried out.

use super::ids::IdSet;
use super::scope::Scope;
use limosa_reports::render::{count, counted};
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::manifest::Manifest;
use limosa_reports::run::verdict::{Check, Verdict};

/// Counts the command ids that were tried.
#[derive(Debug, Default)]
pub struct Complete {
    tried: IdSet,
}

impl Complete {
    /// Takes a request.
    pub fn push(&mut self, entry: &Entry) {
        if entry.intent.operation.is_write() {
            self.tried.insert(entry.intent.command_id);
        }
    }

    /// Holds what was tried against what was planned.
    pub fn finish(self, manifest: &Manifest) -> Check {
        let tried = self.tried.len();
        let (verdict, summary) = match (manifest.planned_ids, Scope::of_run(manifest).missing()) {
            (_, Some(missing)) => (
                Verdict::Unknown,
                format!("without {missing}: their users' commands are not known here"),
            ),
            (Some(planned), _) if tried < planned => {
                let missing = counted(planned - tried, "command id");
                (Verdict::Unknown, format!("{missing} of {} never tried", count(planned)))
            }
            (Some(planned), _) => (
                Verdict::Pass,
                format!("all that was planned was sent: {}", counted(planned, "command id")),
            ),
            (None, _) if manifest.finished.is_none() => {
                (Verdict::Unknown, "the run was cut short before its time was over".to_owned())
            }
            (None, _) => {
                let sent = counted(tried, "command id");
                (Verdict::Pass, format!("{sent} were sent in the time that was given"))
            }
        };
        Check { name: "complete".into(), verdict, summary }
    }
}
