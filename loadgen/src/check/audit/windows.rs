//! When acknowledged writes were lost.

use limosa_reports::run::ledger::Entry;
use limosa_reports::run::operation::Ack;
use limosa_reports::run::verdict::LossWindow;
use std::collections::BTreeSet;

/// Losses less than this apart are of one window.
const GAP_NS: u64 = 1_000_000_000;

/// The stretches of acknowledgement times in which writes were lost, in order.
pub(super) fn find(entries: &[Entry], lost: &BTreeSet<i64>) -> Vec<LossWindow> {
    let mut acknowledged: Vec<(u64, bool)> = entries
        .iter()
        .filter(|entry| entry.intent.operation.is_write() && entry.ack() == Ack::Acknowledged)
        .filter_map(|entry| Some((entry.answered_ns()?, lost.contains(&entry.intent.command_id))))
        .collect();
    acknowledged.sort_unstable();
    let mut windows: Vec<LossWindow> = Vec::new();
    let mut kept_since = 0;
    for (at_ns, is_lost) in acknowledged {
        if !is_lost {
            kept_since += 1;
            continue;
        }
        match windows.last_mut() {
            Some(window) if at_ns - window.last_ns <= GAP_NS => {
                window.last_ns = at_ns;
                window.lost += 1;
                window.kept += kept_since;
            }
            _ => windows.push(LossWindow { first_ns: at_ns, last_ns: at_ns, lost: 1, kept: 0 }),
        }
        kept_since = 0;
    }
    windows
}
