//! Whether a run kept to the limits that were set for it: `p99 < 50ms`, `lost = 0`.
//!
//! Each limit becomes a check of its own, with the figure that was found. What a figure is of:
//!
//! - Latencies, `errors` and `throughput` are of commands, unless an operation is named
//!   (`tweet.p99`, `public.errors`), and of the whole run, unless a phase is (`steady.p99`); of the
//!   whole run, warm-up phases count for `errors` only.
//! - A latency is the response time or, in the closed model, the service time, unless one is named
//!   (`service.p99`). A request that was never sent has none; one without an answer has the time that
//!   was spent on it.
//! - `errors` is the share of commands that the server should have acknowledged and did not. A
//!   refusal of the impossible (a register of a name that is taken, a user whom nobody registered) is
//!   no error. Of reads, it is the share without a success.
//! - `throughput` is what was acknowledged, in the time from the first request's instant to the last
//!   one's answer.
//! - `outage` is the longest outage, which is known as an interval: a bound within it is unknown.
//! - A class of the audit (`lost`, `duplicated`…) is the number of commands in it.
//! - `latest` is the verdict of a contract.
//!
//! A limit is never passed in silence: where a figure has no data, or the measurement is not to be
//! trusted, it is unknown.

mod grammar;

pub use grammar::is_reserved;
pub use grammar::{Comparison, Demand, Limit, LimitError, Measure, Scope, Statistic};

use hdrhistogram::Histogram;
use limosa_reports::render::{count, counted};
use limosa_reports::run::derive::latency_ns;
use limosa_reports::run::histograms::{Figure, empty};
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::manifest::{Manifest, Part, Phase};
use limosa_reports::run::operation::Ack;
use limosa_reports::run::verdict::latest::Contract;
use limosa_reports::run::verdict::{Audit, Check, LatestJudgement, Outage, Verdict};

const NS_PER_MS: f64 = 1e6;
const NS_PER_SECOND: f64 = 1e9;

/// The limits of a run, while its requests pass by.
#[derive(Debug)]
pub struct Limits {
    gauges: Vec<Result<Gauge, Check>>,
    parts: Vec<Part>,
}

/// What other checkers found.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// The audit; `None` where the target was not read back.
    pub audit: Option<&'a Audit>,
    /// The judgement of `latest`; `None` where there is none.
    pub latest: Option<&'a LatestJudgement>,
    /// The outages.
    pub outages: &'a [Outage],
}

/// A limit, and what has been measured for it.
#[derive(Debug)]
struct Gauge {
    limit: Limit,
    tally: Tally,
}

#[derive(Debug)]
enum Tally {
    Latency {
        figure: Figure,
        statistic: Statistic,
        histogram: Box<Histogram<u64>>,
    },
    Errors {
        tried: u64,
        failed: u64,
    },
    Throughput {
        acknowledged: u64,
        span_ns: Option<(u64, u64)>,
    },
    /// Others have counted, or judged.
    Elsewhere,
}

impl Limits {
    /// The limits that a manifest names. One that cannot be read is unknown.
    pub fn new(manifest: &Manifest) -> Self {
        let is_closed_model = manifest.mode.pace == "max";
        let phases: Vec<&str> = manifest
            .parts
            .iter()
            .flat_map(|part| &part.phases)
            .map(|phase| phase.name.as_str())
            .collect();
        let gauge = |text: &String| match Limit::parse(text, &phases, is_closed_model) {
            Ok(limit) => Ok(Gauge { tally: Tally::new(&limit.demand, is_closed_model), limit }),
            Err(error) => Err(check(text, Verdict::Unknown, error.to_string())),
        };
        let gauges = manifest.limits.iter().map(gauge).collect();
        Self { gauges, parts: manifest.parts.clone() }
    }

    /// Takes a request in. `failed` says whether the server should have acknowledged it and did not.
    pub fn push(&mut self, entry: &Entry, failed: bool) {
        let Some(phase) = phase_of(&self.parts, entry) else { return };
        for gauge in self.gauges.iter_mut().flatten() {
            let Demand::Bound { measure, scope, .. } = &gauge.limit.demand else { continue };
            if scope.holds(entry, phase, *measure == Measure::Errors) {
                gauge.tally.push(entry, failed);
            }
        }
    }

    /// Judges every limit, and adds its check to those of the run.
    ///
    /// A limit on all errors says how many are allowed: where it holds, the commands that failed do
    /// not fail the run besides.
    pub fn judge(self, found: &Found<'_>, checks: &mut Vec<Check>) {
        let mut judged = Vec::new();
        for gauge in self.gauges {
            match gauge {
                Ok(gauge) => {
                    let check = gauge.judge(found, checks);
                    if check.verdict == Verdict::Pass && gauge.limit.allows_errors() {
                        checks.iter_mut().for_each(|answers| excuse(answers, &check.name));
                    }
                    judged.push(check);
                }
                Err(unreadable) => judged.push(unreadable),
            }
        }
        checks.append(&mut judged);
    }
}

/// The phase that a request belongs to: where it was due or, in the closed model, sent.
fn phase_of<'a>(parts: &'a [Part], entry: &Entry) -> Option<&'a Phase> {
    let part = parts.get(usize::from(entry.part))?;
    let at_ns = entry.intent.intended_ns.unwrap_or(entry.intent.called_ns);
    part.phases.get(part.phase_at(at_ns.saturating_sub(part.offset_ns)))
}

/// Lets failed commands pass that a limit allows.
fn excuse(check: &mut Check, limit: &str) {
    if check.name == "answers" && check.verdict == Verdict::Fail {
        check.verdict = Verdict::Pass;
        check.summary = format!("{}; the {limit} allows it", check.summary);
    }
}

impl Limit {
    /// Whether it says how many of all commands may fail.
    fn allows_errors(&self) -> bool {
        matches!(&self.demand, Demand::Bound {
            measure: Measure::Errors,
            scope,
            comparison: Comparison::Below | Comparison::AtMost,
            ..
        } if *scope == Scope::default())
    }
}

impl Scope {
    fn holds(&self, entry: &Entry, phase: &Phase, with_warm_up: bool) -> bool {
        let operation = entry.intent.operation;
        let is_of_phase = match &self.phase {
            Some(name) => phase.name == *name,
            None => with_warm_up || !phase.warm_up,
        };
        is_of_phase && self.operation.map_or(operation.is_write(), |only| operation == only)
    }
}

impl Tally {
    fn new(demand: &Demand, is_closed_model: bool) -> Self {
        let usual = if is_closed_model { Figure::Service } else { Figure::Response };
        match demand {
            Demand::Bound { measure: Measure::Latency(figure, statistic), .. } => Self::Latency {
                figure: figure.unwrap_or(usual),
                statistic: *statistic,
                histogram: Box::new(empty()),
            },
            Demand::Bound { measure: Measure::Errors, .. } => Self::Errors { tried: 0, failed: 0 },
            Demand::Bound { measure: Measure::Throughput, .. } => {
                Self::Throughput { acknowledged: 0, span_ns: None }
            }
            _ => Self::Elsewhere,
        }
    }

    fn push(&mut self, entry: &Entry, has_failed: bool) {
        match self {
            Self::Latency { figure, histogram, .. } => {
                if let Some(ns) = latency_ns(entry, *figure)
                    && histogram.record(ns).is_err()
                {
                    histogram.saturating_record(ns);
                }
            }
            // Without an outcome, it was the generator that ended.
            Self::Errors { tried, failed } => {
                *tried += u64::from(entry.outcome.is_some());
                *failed += u64::from(entry.outcome.is_some() && has_failed);
            }
            Self::Throughput { acknowledged, span_ns } => {
                let from_ns = entry.intent.intended_ns.unwrap_or(entry.intent.called_ns);
                let done_ns = entry.outcome.as_ref().map_or(from_ns, |outcome| outcome.done_ns);
                let (first_ns, last_ns) = span_ns.unwrap_or((from_ns, done_ns));
                *span_ns = Some((first_ns.min(from_ns), last_ns.max(done_ns)));
                *acknowledged += u64::from(entry.ack() == Ack::Acknowledged);
            }
            Self::Elsewhere => {}
        }
    }

    /// What was measured, and in words of how much; `None` without data.
    fn figure(&self) -> Option<(f64, String)> {
        match self {
            Self::Latency { figure, statistic, histogram } => {
                let ns = match statistic {
                    _ if histogram.is_empty() => return None,
                    Statistic::Quantile(thousandths) => {
                        histogram.value_at_quantile(f64::from(*thousandths) / 1e3) as f64
                    }
                    Statistic::Mean => histogram.mean(),
                    Statistic::Max => histogram.max() as f64,
                };
                let of = match figure {
                    Figure::Lateness => "the generator's lateness at".to_owned(),
                    figure => format!("the {} time of", figure.name()),
                };
                let requests = counted(histogram.len(), "request");
                Some((ns, format!("{}, {of} {requests}", in_words(ns))))
            }
            Self::Errors { tried: 0, .. } => None,
            Self::Errors { tried, failed } => {
                let share = *failed as f64 / *tried as f64;
                let of = counted(*tried, "request");
                Some((share, format!("{:.4} %, {} of {of}", share * 100.0, count(*failed))))
            }
            Self::Throughput { acknowledged, span_ns } => {
                let (from_ns, until_ns) = (*span_ns)?;
                let seconds = until_ns.saturating_sub(from_ns) as f64 / NS_PER_SECOND;
                let rate = *acknowledged as f64 / seconds;
                let words =
                    format!("{rate:.1}/s, {} acknowledged in {seconds:.3} s", count(*acknowledged));
                rate.is_finite().then_some((rate, words))
            }
            Self::Elsewhere => None,
        }
    }
}

impl Gauge {
    fn judge(&self, found: &Found<'_>, checks: &[Check]) -> Check {
        let (verdict, summary) = match &self.limit.demand {
            Demand::Latest(contract) => latest(*contract, found.latest),
            Demand::Bound { measure, comparison, bound, .. } => {
                let holds = |figure: f64| comparison.holds(figure, *bound);
                match measure {
                    Measure::Count(class) => match found.audit {
                        None => unknown("the target was not read back"),
                        Some(audit) => {
                            let number = audit.count(*class);
                            let words = format!("{} {}", counted(number, "command"), class.name());
                            distrust("audit", checks, decide(holds(number as f64), words))
                        }
                    },
                    Measure::Outage => outage(holds, found.outages, checks),
                    Measure::Latency(..) | Measure::Errors | Measure::Throughput => {
                        match self.tally.figure() {
                            None => unknown("no request was measured that it is about"),
                            Some((figure, words)) => {
                                let words = format!("{measure} is {words}");
                                let decided = decide(holds(figure), words);
                                self.trusted(decided, checks)
                            }
                        }
                    }
                }
            }
        };
        check(&self.limit.text, verdict, summary)
    }

    /// What a generator that was late has measured is not to be held against the target, and its own
    /// lateness never is.
    fn trusted(
        &self,
        (verdict, summary): (Verdict, String),
        checks: &[Check],
    ) -> (Verdict, String) {
        match &self.tally {
            Tally::Errors { .. } => (verdict, summary),
            Tally::Latency { figure: Figure::Lateness, .. } if verdict == Verdict::Fail => {
                (Verdict::Unknown, format!("{summary}: the generator's doing, not the target's"))
            }
            Tally::Latency { figure: Figure::Lateness, .. } => (verdict, summary),
            _ => distrust("generator", checks, (verdict, summary)),
        }
    }
}

fn decide(holds: bool, figure: String) -> (Verdict, String) {
    let verdict = if holds { Verdict::Pass } else { Verdict::Fail };
    (verdict, figure)
}

fn unknown(why: &str) -> (Verdict, String) {
    (Verdict::Unknown, why.to_owned())
}

/// Nothing is known where the check that a figure rests on does not know.
fn distrust(
    name: &str,
    checks: &[Check],
    (verdict, summary): (Verdict, String),
) -> (Verdict, String) {
    match checks.iter().find(|check| check.name == name && check.verdict == Verdict::Unknown) {
        Some(check) => (Verdict::Unknown, format!("{summary}; but {}", check.summary)),
        None => (verdict, summary),
    }
}

/// The longest outage lies between what failed and what succeeded around it.
fn outage(holds: impl Fn(f64) -> bool, outages: &[Outage], checks: &[Check]) -> (Verdict, String) {
    let least_ns = outages.iter().map(Outage::least_ns).max().unwrap_or(0) as f64;
    let most_ns = outages
        .iter()
        .map(|outage| outage.most_ns().map_or(f64::INFINITY, |ns| ns as f64))
        .fold(0.0, f64::max);
    let words = match (outages.is_empty(), most_ns.is_finite()) {
        (true, _) => "there was no outage".to_owned(),
        (false, true) => format!(
            "the longest outage took {} at least, {} at most",
            in_words(least_ns),
            in_words(most_ns)
        ),
        (false, false) => {
            format!("an outage of {} at least had not ended", in_words(least_ns))
        }
    };
    match (holds(least_ns), holds(most_ns)) {
        (true, true) => distrust("answers", checks, (Verdict::Pass, words)),
        (false, false) => (Verdict::Fail, words),
        _ => (Verdict::Unknown, format!("{words}: too near the bound to tell")),
    }
}

/// What the judgement of `latest` says of a contract.
fn latest(contract: Contract, judgement: Option<&LatestJudgement>) -> (Verdict, String) {
    let Some(judgement) = judgement else {
        return unknown("latest was not judged");
    };
    let contracts = judgement.details.iter().flat_map(|details| &details.contracts);
    let found = contracts.into_iter().find(|judged| judged.contract == contract);
    found.map_or_else(
        || unknown("latest was not judged by that contract: it is for runs in the strict order"),
        |judged| (judged.verdict, judged.summary.clone()),
    )
}

fn check(limit: &str, verdict: Verdict, summary: String) -> Check {
    let summary = match verdict {
        Verdict::Fail => format!("`{limit}` does not hold: {summary}"),
        Verdict::Unknown => format!("`{limit}` cannot be told: {summary}"),
        Verdict::Pass => summary,
    };
    Check { name: format!("limit {limit}"), verdict, summary }
}

/// A time to the microsecond, so that it can be told from the bound.
fn in_words(ns: f64) -> String {
    if ns < 10.0 * NS_PER_SECOND {
        format!("{:.3} ms", ns / NS_PER_MS)
    } else {
        format!("{:.3} s", ns / NS_PER_SECOND)
    }
}

#[cfg(test)]
mod tests;
