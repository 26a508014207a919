//! Whether the measurement itself can be trusted.

use limosa_reports::render::{all, counted};
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::operation::Ack;
use limosa_reports::run::verdict::{Check, Trust, Verdict};

/// Above this delay of its own at the 99th percentile, the generator's lateness would read as the
/// target's latency.
pub const LATENESS_BOUND_NS: u64 = 10_000_000;

/// Without a failure in n requests, the failure rate is below 3/n with 95 % confidence (the rule of
/// three; Hanley and Lippman-Hand 1983).
const RULE_OF_THREE: f64 = 3.0;

/// Judges the generator.
#[derive(Debug, Default)]
pub struct Generator {
    requests: u64,
    failures: u64,
    abandoned: u64,
}

impl Generator {
    /// Takes a request.
    pub fn push(&mut self, entry: &Entry) {
        self.requests += 1;
        self.failures += u64::from(entry.ack() != Ack::Acknowledged);
        self.abandoned += u64::from(entry.outcome.is_none());
    }

    /// The judgement. `damage` names the places of the ledger that could not be read.
    pub fn finish(self, lateness_p99_ns: Option<u64>, damage: Vec<String>) -> (Trust, Vec<Check>) {
        let trust = Trust {
            lateness_p99_ns,
            lateness_bound_ns: LATENESS_BOUND_NS,
            requests: self.requests,
            failure_rate_bound: (self.failures == 0 && self.requests > 0)
                .then(|| RULE_OF_THREE / self.requests as f64),
            abandoned: self.abandoned,
            damage,
            not_checked: Vec::new(),
        };
        let checks = vec![generator(&trust), ledger(&trust)];
        (trust, checks)
    }
}

fn generator(trust: &Trust) -> Check {
    let ms = |ns: u64| ns as f64 / 1e6;
    let (verdict, summary) = match trust.lateness_p99_ns {
        Some(late) if late > trust.lateness_bound_ns => (
            Verdict::Unknown,
            format!(
                "the generator was the bottleneck: its own lateness reached {:.2} ms at p99, above \
                 {:.0} ms; give it a faster or quieter machine",
                ms(late),
                ms(trust.lateness_bound_ns)
            ),
        ),
        Some(late) => {
            (Verdict::Pass, format!("the generator's own lateness is {:.2} ms at p99", ms(late)))
        }
        None => (Verdict::Unknown, "nothing was sent".to_owned()),
    };
    Check { name: "generator".into(), verdict, summary }
}

fn ledger(trust: &Trust) -> Check {
    let (verdict, summary) = if !trust.damage.is_empty() {
        let summary = format!("the ledger is damaged: {}", trust.damage.join("; "));
        (Verdict::Unknown, summary)
    } else if trust.abandoned > 0 {
        let summary = format!(
            "{} had no outcome when the generator ended, and may or may not have landed",
            counted(trust.abandoned, "request")
        );
        (Verdict::Pass, summary)
    } else {
        (Verdict::Pass, format!("the outcome of {} is recorded", all(trust.requests, "request")))
    };
    Check { name: "ledger".into(), verdict, summary }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::Script;

    fn check(script: &Script, late: Option<u64>, damage: Vec<String>) -> (Trust, Vec<Check>) {
        let mut generator = Generator::default();
        script.entries().iter().for_each(|entry| generator.push(entry));
        generator.finish(late, damage)
    }

    #[test]
    fn a_late_generator_and_a_damaged_ledger_make_the_verdict_unknown() {
        let mut script = Script::new();
        script.tweet("a", "0").ok();
        let verdicts = |late, damage: &[&str]| -> Vec<Verdict> {
            let damage = damage.iter().map(|place| (*place).to_owned()).collect();
            let (_, checks) = check(&script, late, damage);
            checks.into_iter().map(|check| check.verdict).collect()
        };
        assert_eq!(verdicts(Some(50_000), &[]), [Verdict::Pass, Verdict::Pass]);
        assert_eq!(verdicts(Some(11_000_000), &[]), [Verdict::Unknown, Verdict::Pass]);
        assert_eq!(verdicts(Some(0), &["x at 7"]), [Verdict::Pass, Verdict::Unknown]);
        assert_eq!(verdicts(None, &[]), [Verdict::Unknown, Verdict::Pass]);
    }

    #[test]
    fn the_rule_of_three_holds_only_without_a_failure() {
        let mut script = Script::new();
        for _ in 0..300 {
            script.tweet("a", "0").ok();
        }
        assert_eq!(check(&script, Some(0), vec![]).0.failure_rate_bound, Some(0.01));
        script.tweet("a", "0").timed_out();
        assert_eq!(check(&script, Some(0), vec![]).0.failure_rate_bound, None);
    }
}
