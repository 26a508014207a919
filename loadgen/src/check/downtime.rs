//! When the target was out of reach, as intervals that are sure to hold the truth.

use super::Listed;
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::operation::Ack;
use limosa_reports::run::verdict::Outage;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// How many outages are listed, the longest.
pub const MAX_LISTED: usize = 1000;

/// Finds the outages: maximal runs of commands, in the order of their calls, that were not sent or
/// have no definite answer. A refusal (4xx) is an answer.
#[derive(Debug, Default)]
pub struct Outages {
    longest: BinaryHeap<Reverse<ByLength>>,
    total: u64,
    current: Option<Outage>,
    last_ok_call_ns: Option<u64>,
}

impl Outages {
    /// Takes a request.
    pub fn push(&mut self, entry: &Entry) {
        if !entry.intent.operation.is_write() {
            return;
        }
        // Without an outcome, it was the generator that ended.
        let Some(outcome) = &entry.outcome else { return };
        let called_ns = entry.intent.called_ns;
        let id = entry.intent.command_id;
        if matches!(outcome.ack, Ack::Acknowledged | Ack::Rejected) {
            if let Some(mut outage) = self.current.take() {
                outage.next_ok_return_ns = Some(outcome.done_ns);
                // One that waited on proves nothing about the time after this answer.
                outage.last_failed_return_ns = outage.last_failed_return_ns.min(outcome.done_ns);
                self.keep(outage);
            }
            self.last_ok_call_ns = Some(called_ns);
            return;
        }
        let last_ok_call_ns = self.last_ok_call_ns;
        let outage = self.current.get_or_insert(Outage {
            first_failed_call_ns: called_ns,
            last_failed_return_ns: outcome.done_ns,
            last_ok_call_ns,
            next_ok_return_ns: None,
            failed: 0,
            ids: (id, id),
        });
        outage.last_failed_return_ns = outcome.done_ns.max(outage.last_failed_return_ns);
        outage.failed += 1;
        outage.ids.1 = id;
    }

    fn keep(&mut self, outage: Outage) {
        self.total += 1;
        self.longest.push(Reverse(ByLength(outage)));
        if self.longest.len() > MAX_LISTED {
            self.longest.pop();
        }
    }

    /// The outages in the order of time: the longest, where there were many.
    pub fn finish(mut self) -> Listed<Outage> {
        if let Some(outage) = self.current.take() {
            self.keep(outage);
        }
        let mut items: Vec<Outage> =
            self.longest.into_iter().map(|Reverse(ByLength(outage))| outage).collect();
        items.sort_by_key(|outage| outage.first_failed_call_ns);
        Listed { items, total: self.total }
    }
}

/// An outage, the longer the greater; of two as long, the earlier one.
#[derive(Debug, PartialEq, Eq)]
struct ByLength(Outage);

impl Ord for ByLength {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |outage: &Outage| (outage.least_ns(), Reverse(outage.first_failed_call_ns));
        key(&self.0).cmp(&key(&other.0))
    }
}

impl PartialOrd for ByLength {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::Script;

    const MS: u64 = 1_000_000;

    fn outages(script: &Script) -> Vec<Outage> {
        let mut outages = Outages::default();
        script.entries().iter().for_each(|entry| outages.push(entry));
        outages.finish().items
    }

    #[test]
    fn an_outage_is_bounded_by_what_failed_and_by_what_did_not() {
        let mut script = Script::new();
        script.tweet("a", "0").ok();
        script.tweet("a", "1").timed_out();
        script.tweet("a", "2").not_sent();
        script.wait_ms(10);
        script.tweet("a", "3").ok();
        script.tweet("a", "4").refused(404);
        script.tweet("a", "5").ok();
        let outages = outages(&script);
        assert_eq!(outages.len(), 1);
        let outage = outages[0];
        assert_eq!((outage.failed, outage.ids), (2, (1, 2)));
        assert_eq!(outage.least_ns(), MS + MS / 2);
        assert_eq!(outage.most_ns(), Some(13 * MS + MS / 2));
    }

    #[test]
    fn an_answer_ends_an_outage_although_another_request_still_waits() {
        let mut script = Script::new();
        script.tweet("a", "0").ok();
        script.tweet("a", "1").timed_out();
        script.tweet("b", "2").ok();
        let mut entries = script.entries();
        let waits = entries[1].outcome.as_mut().unwrap();
        waits.done_ns += 10_000 * MS;
        let mut outages = Outages::default();
        entries.iter().for_each(|entry| outages.push(entry));
        let outage = outages.finish().items[0];
        assert!(Some(outage.least_ns()) <= outage.most_ns(), "{outage:?}");
        assert_eq!(outage.last_failed_return_ns, outage.next_ok_return_ns.unwrap());
    }

    #[test]
    fn an_outage_that_never_ended_has_no_upper_bound() {
        let mut script = Script::new();
        script.tweet("a", "0").not_sent();
        script.tweet("a", "1").timed_out();
        let outages = outages(&script);
        assert_eq!(outages.len(), 1);
        assert_eq!(outages[0].most_ns(), None);
        assert_eq!(outages[0].last_ok_call_ns, None);
    }

    #[test]
    fn a_clean_run_has_none_and_a_generator_that_ended_is_none() {
        let mut script = Script::new();
        script.tweet("a", "0").ok();
        script.tweet("a", "1").abandoned();
        assert_eq!(outages(&script), []);
    }

    #[test]
    fn of_many_the_longest_are_listed_in_the_order_of_time() {
        let mut script = Script::new();
        for number in 0..MAX_LISTED + 3 {
            script.tweet("a", "x").timed_out();
            if [1, 900].contains(&number) {
                script.tweet("a", "x").timed_out();
            }
            script.tweet("a", "x").ok();
        }
        let mut all = Outages::default();
        script.entries().iter().for_each(|entry| all.push(entry));
        let Listed { items, total } = all.finish();
        assert_eq!((items.len(), total), (MAX_LISTED, MAX_LISTED as u64 + 3));
        let longer: Vec<usize> = (0..items.len()).filter(|at| items[*at].failed == 2).collect();
        assert_eq!(longer, [1, 900]);
        assert!(items.is_sorted_by_key(|outage| outage.first_failed_call_ns));
    }
}
