//! What was sent, and what came of it.

use crate::record::simulator_word;
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::operation::{Ack, Failure, Operation};
use limosa_reports::run::verdict::Totals;

/// Counts requests.
#[derive(Debug, Default)]
pub struct Counter {
    totals: Totals,
}

impl Counter {
    /// Takes a request.
    pub fn push(&mut self, entry: &Entry) {
        let totals = &mut self.totals;
        let outcomes = totals.operations.entry(entry.intent.operation).or_default();
        *outcomes.entry(entry.ack()).or_default() += 1;
        let Some(outcome) = &entry.outcome else {
            return;
        };
        totals.duration_ns = totals.duration_ns.max(outcome.done_ns);
        let replica = totals.replicas.entry(outcome.replica).or_default();
        *replica.entry(outcome.ack).or_default() += 1;
        if outcome.status != 0 {
            *totals.statuses.entry(outcome.status).or_default() += 1;
        }
        if let Some(kind) = error_kind(entry) {
            match totals.errors.get_mut(kind) {
                Some(count) => *count += 1,
                None => _ = totals.errors.insert(kind.to_owned(), 1),
            }
        }
    }

    /// The counts of a run whose plan held `planned` commands.
    pub fn finish(self, planned: u64) -> Totals {
        Totals { planned, ..self.totals }
    }
}

/// The course counts six kinds of errors; a register that is refused with 400 is none of them.
fn error_kind(entry: &Entry) -> Option<&'static str> {
    let operation = entry.intent.operation;
    let outcome = entry.outcome.as_ref()?;
    if !operation.is_write() || outcome.ack == Ack::Acknowledged {
        return None;
    }
    match outcome.failure? {
        Failure::Status if operation == Operation::Register && outcome.status == 400 => None,
        Failure::Status => Some(operation.name()),
        failure => Some(simulator_word(failure)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::Script;

    #[test]
    fn errors_are_of_the_six_kinds() {
        let mut script = Script::new();
        script.register("a").ok();
        script.register("a").refused(400);
        script.tweet("a", "x").refused(404);
        script.tweet("a", "y").timed_out();
        script.follow("a", "b").not_sent();
        script.follow("a", "b").refused(500);
        script.tweet("a", "z").abandoned();
        script.read(3);
        let mut counter = Counter::default();
        script.entries().iter().for_each(|entry| counter.push(entry));
        let totals = counter.finish(6);
        let errors: Vec<(&str, u64)> =
            totals.errors.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
        assert_eq!(
            errors,
            [("ConnectionError", 1), ("ReadTimeout", 1), ("follow", 1), ("tweet", 1)]
        );
        assert_eq!(totals.tried(), 7);
        assert_eq!(totals.commands(Ack::Acknowledged), 1);
        assert_eq!(totals.commands(Ack::Rejected), 2);
        assert_eq!(totals.commands(Ack::Indeterminate), 3);
        assert_eq!(totals.commands(Ack::NotSent), 1);
        assert_eq!(totals.statuses[&200], 1);
        assert_eq!(totals.replicas.len(), 1);
        // What was abandoned was asked of no replica that is known.
        assert_eq!(totals.replicas[&0].values().sum::<u64>(), 7);
        assert_eq!(totals.planned, 6);
    }
}
