//! When the target was out of reach, as intervals that are sure to hold the truth.

use limosa_reports::run::ledger::Entry;
use limosa_reports::run::operation::Ack;
use limosa_reports::run::verdict::Outage;

/// Finds the outages: maximal runs of commands, in the order of their calls, that were not sent or
/// have no definite answer. A refusal (4xx) is an answer.
pub fn outages(entries: &[Entry]) -> Vec<Outage> {
    let mut outages = Vec::new();
    let mut current: Option<Outage> = None;
    let mut last_ok_call_ns = None;
    for entry in entries.iter().filter(|entry| entry.intent.operation.is_write()) {
        // Without an outcome, it was the generator that ended.
        let Some(outcome) = &entry.outcome else { continue };
        let called_ns = entry.intent.called_ns;
        let id = entry.intent.command_id;
        if matches!(outcome.ack, Ack::Acknowledged | Ack::Rejected) {
            if let Some(mut outage) = current.take() {
                outage.next_ok_return_ns = Some(outcome.done_ns);
                outages.push(outage);
            }
            last_ok_call_ns = Some(called_ns);
            continue;
        }
        let outage = current.get_or_insert(Outage {
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
    outages.extend(current);
    outages
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::Script;

    const MS: u64 = 1_000_000;

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
        let outages = outages(&script.entries());
        assert_eq!(outages.len(), 1);
        let outage = outages[0];
        assert_eq!((outage.failed, outage.ids), (2, (1, 2)));
        assert_eq!(outage.least_ns(), MS + MS / 2);
        assert_eq!(outage.most_ns(), Some(13 * MS + MS / 2));
    }

    #[test]
    fn an_outage_that_never_ended_has_no_upper_bound() {
        let mut script = Script::new();
        script.tweet("a", "0").not_sent();
        script.tweet("a", "1").timed_out();
        let outages = outages(&script.entries());
        assert_eq!(outages.len(), 1);
        assert_eq!(outages[0].most_ns(), None);
        assert_eq!(outages[0].last_ok_call_ns, None);
    }

    #[test]
    fn a_clean_run_has_none_and_a_generator_that_ended_is_none() {
        let mut script = Script::new();
        script.tweet("a", "0").ok();
        script.tweet("a", "1").abandoned();
        assert_eq!(outages(&script.entries()), []);
    }
}
