//! When acknowledged writes were lost.

use crate::check::ids::IdSet;
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::operation::Ack;
use limosa_reports::run::verdict::LossWindow;

/// Losses less than this apart are of one window.
const GAP_NS: u64 = 1_000_000_000;

/// The stretches of acknowledgement times in which writes were lost.
#[derive(Debug)]
pub struct LossWindows<'a> {
    lost: &'a IdSet,
    windows: Vec<LossWindow>,
    kept_since: u64,
}

impl<'a> LossWindows<'a> {
    /// Of the commands with these ids.
    pub fn of(lost: &'a IdSet) -> Self {
        Self { lost, windows: Vec::new(), kept_since: 0 }
    }

    /// Takes a request, in the order of the outcomes.
    pub fn push(&mut self, entry: &Entry) {
        if !entry.intent.operation.is_write() || entry.ack() != Ack::Acknowledged {
            return;
        }
        let Some(at_ns) = entry.answered_ns() else { return };
        if !self.lost.contains(entry.intent.command_id) {
            self.kept_since += 1;
            return;
        }
        match self.windows.last_mut() {
            Some(window) if at_ns.saturating_sub(window.last_ns) <= GAP_NS => {
                window.last_ns = at_ns.max(window.last_ns);
                window.lost += 1;
                window.kept += self.kept_since;
            }
            _ => {
                self.windows.push(LossWindow { first_ns: at_ns, last_ns: at_ns, lost: 1, kept: 0 });
            }
        }
        self.kept_since = 0;
    }

    /// The windows, in order.
    pub fn finish(self) -> Vec<LossWindow> {
        self.windows
    }
}
