//! What a limit may say.
//!
//! ```text
//! limit      = { scope "." } statistic sign time       p99 < 50ms, steady.tweet.service.max < 1s
//!            | { scope "." } "errors" sign share       errors < 0.1%
//!            | { scope "." } "throughput" sign rate    throughput > 500/s
//!            | "outage" sign time                      outage < 1s
//!            | class sign number                       lost = 0
//!            | "latest" "=" contract                   latest = linearizable
//! sign       = "<" | "<=" | ">" | ">=", and for what is counted (errors, classes) "="
//! statistic  = "p50" | "p90" | "p95" | "p99" | "p999" | "mean" | "max"
//! scope      = a phase | an operation | before a statistic "service" | "response" | "lateness"
//! class      = a class of the audit: "lost", "duplicated", "altered", "latest_ahead"…
//! contract   = "strict" | "linearizable" | "max"
//! ```

use crate::nearest::nearest;
use crate::schedule::span;
use limosa_reports::run::histograms::Figure;
use limosa_reports::run::operation::Operation;
use limosa_reports::run::verdict::Class;
use limosa_reports::run::verdict::latest::Contract;
use std::fmt;

/// What a run is to keep to.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// As it was written, with single spaces.
    pub text: String,
    /// What is demanded.
    pub demand: Demand,
}

/// What is demanded of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Demand {
    /// A figure lies on the right side of a bound.
    Bound {
        /// The figure.
        measure: Measure,
        /// The requests that it is of.
        scope: Scope,
        /// On which side.
        comparison: Comparison,
        /// Nanoseconds, a share of 1, commands a second, or a number, as the measure has it.
        bound: f64,
    },
    /// `GET /latest` keeps a contract.
    Latest(Contract),
}

/// A figure of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// A latency: of the named figure; else the response time or, in the closed model, the service
    /// time.
    Latency(Option<Figure>, Statistic),
    /// The share of commands that failed.
    Errors,
    /// Acknowledged commands a second.
    Throughput,
    /// The longest outage.
    Outage,
    /// How many commands the audit found to be of a class.
    Count(Class),
}

/// What is asked of a distribution of latencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// A quantile, in thousandths: 990 is p99.
    Quantile(u16),
    /// The mean.
    Mean,
    /// The largest.
    Max,
}

/// Which requests are meant: without an operation, all commands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Those of one phase alone.
    pub phase: Option<String>,
    /// Those of one operation alone.
    pub operation: Option<Operation>,
}

/// On which side of the bound a figure is to lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `=`
    Equal,
    /// `>=`
    AtLeast,
    /// `>`
    Above,
}

/// Why a text is no limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no limit: {why}")]
pub struct LimitError {
    text: String,
    why: String,
}

const STATISTICS: [(&str, Statistic); 7] = [
    ("p50", Statistic::Quantile(500)),
    ("p90", Statistic::Quantile(900)),
    ("p95", Statistic::Quantile(950)),
    ("p99", Statistic::Quantile(990)),
    ("p999", Statistic::Quantile(999)),
    ("mean", Statistic::Mean),
    ("max", Statistic::Max),
];

const CONTRACTS: [(&str, Contract); 3] = [
    ("strict", Contract::Strict),
    ("linearizable", Contract::Register),
    ("max", Contract::MaxRegister),
];

/// The longest signs first: the first that fits is meant.
const COMPARISONS: [(&str, Comparison); 5] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("<", Comparison::Below),
    (">", Comparison::Above),
    ("=", Comparison::Equal),
];

impl Limit {
    /// Reads a limit of a run that has these phases and, in the closed model, no intended instants.
    ///
    /// # Errors
    /// [`LimitError`] where the text is no limit, or none that such a run can be held to.
    pub fn parse(text: &str, phases: &[&str], is_closed_model: bool) -> Result<Self, LimitError> {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let demand = demand(&text, phases, is_closed_model);
        demand
            .map(|demand| Self { text: text.clone(), demand })
            .map_err(|why| LimitError { text, why })
    }
}

fn demand(text: &str, phases: &[&str], is_closed_model: bool) -> Result<Demand, String> {
    let (subject, comparison, value) =
        split(text).ok_or("compare a figure with a bound, such as `p99 < 50ms`")?;
    if subject == "latest" {
        let known = CONTRACTS.into_iter().find(|(name, _)| *name == value);
        return match known {
            Some((_, contract)) if comparison == Comparison::Equal => Ok(Demand::Latest(contract)),
            _ => Err("of `latest` a contract is demanded, such as `latest = linearizable`; \
                      the others are `strict` and `max`"
                .to_owned()),
        };
    }
    let mut words: Vec<&str> = subject.split('.').map(str::trim).collect();
    let (mut measure, is_scoped) = measure(words.pop().unwrap_or_default())?;
    let mut scope = Scope::default();
    for word in words {
        if !is_scoped {
            return Err(format!("it is of the whole run: leave out `{word}.`"));
        }
        qualify(word, &mut measure, &mut scope, phases)?;
    }
    if is_closed_model && matches!(measure, Measure::Latency(Some(Figure::Response), _)) {
        return Err("a run without a pace has no intended instants, and so no response time: use \
                    `service`, or give it a rate"
            .to_owned());
    }
    let is_counted = matches!(measure, Measure::Count(_) | Measure::Errors);
    if comparison == Comparison::Equal && !is_counted {
        return Err("only what is counted can be equal to something: use `<` or `>`".to_owned());
    }
    let bound = bound(measure, value)?;
    Ok(Demand::Bound { measure, scope, comparison, bound })
}

fn split(text: &str) -> Option<(&str, Comparison, &str)> {
    let at = text.find(['<', '>', '='])?;
    let (subject, rest) = text.split_at(at);
    let (sign, comparison) = COMPARISONS.into_iter().find(|(sign, _)| rest.starts_with(sign))?;
    Some((subject.trim(), comparison, rest[sign.len()..].trim()))
}

/// The measure of that name, and whether it can be of some requests alone.
fn measure(name: &str) -> Result<(Measure, bool), String> {
    let statistic = STATISTICS.into_iter().find(|(known, _)| *known == name);
    let class = Class::ALL.into_iter().find(|class| class_name(*class) == name);
    match (name, statistic, class) {
        (_, Some((_, statistic)), _) => Ok((Measure::Latency(None, statistic), true)),
        (_, _, Some(class)) => Ok((Measure::Count(class), false)),
        ("errors", ..) => Ok((Measure::Errors, true)),
        ("throughput", ..) => Ok((Measure::Throughput, true)),
        ("outage", ..) => Ok((Measure::Outage, false)),
        _ => {
            let names = measure_names();
            let nearest = nearest(name, names.iter().map(String::as_str)).unwrap_or_default();
            Err(format!("nothing that is measured is called `{name}`; the nearest is `{nearest}`"))
        }
    }
}

/// Every name that can stand on the left of a comparison.
fn measure_names() -> Vec<String> {
    let statistics = STATISTICS.iter().map(|(name, _)| (*name).to_owned());
    let others = ["errors", "throughput", "outage", "latest"].map(str::to_owned);
    statistics.chain(others).chain(Class::ALL.into_iter().map(class_name)).collect()
}

/// Whether a word means something in a limit, so that no phase can be called that.
pub fn is_reserved(word: &str) -> bool {
    measure_names().iter().any(|name| name == word)
        || Operation::ALL.iter().any(|operation| operation.name() == word)
        || Figure::ALL.iter().any(|figure| figure.name() == word)
}

fn qualify(
    word: &str,
    measure: &mut Measure,
    scope: &mut Scope,
    phases: &[&str],
) -> Result<(), String> {
    let operation = Operation::ALL.into_iter().find(|known| known.name() == word);
    let figure = Figure::ALL.into_iter().find(|known| known.name() == word);
    match (operation, figure, &mut *measure) {
        (Some(operation), _, _) if scope.operation.is_none() => scope.operation = Some(operation),
        (_, Some(figure), Measure::Latency(named @ None, _)) => *named = Some(figure),
        _ if phases.contains(&word) && scope.phase.is_none() => {
            scope.phase = Some(word.to_owned());
        }
        _ => {
            let operations = Operation::ALL.iter().map(|operation| operation.name());
            let figures = Figure::ALL.iter().map(|figure| figure.name());
            let names = phases.iter().copied().chain(operations).chain(figures);
            return Err(match nearest(word, names) {
                Some(same) if same == word => format!("`{word}.` has no place in it"),
                Some(nearest) => format!(
                    "no phase, operation or figure is called `{word}`; the nearest is `{nearest}`"
                ),
                None => format!("no phase, operation or figure is called `{word}`"),
            });
        }
    }
    Ok(())
}

fn bound(measure: Measure, value: &str) -> Result<f64, String> {
    let number = |text: &str| {
        text.trim().parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
    };
    let (bound, example) = match measure {
        Measure::Latency(..) | Measure::Outage => (
            span(&value.replace(' ', "")).map(|span| span.as_nanos() as f64),
            "a time, such as 50ms",
        ),
        Measure::Errors => (
            match value.strip_suffix('%') {
                Some(percent) => number(percent).map(|percent| percent / 100.0),
                None => number(value),
            }
            .filter(|share| *share <= 1.0),
            "a share, such as 0.1%",
        ),
        Measure::Throughput => (value.strip_suffix("/s").and_then(number), "a rate, such as 500/s"),
        Measure::Count(_) => {
            (number(value).filter(|count| count.fract() == 0.0), "a whole number, such as 0")
        }
    };
    bound.ok_or_else(|| format!("`{value}` is not {example}"))
}

fn class_name(class: Class) -> String {
    class.name().replace(' ', "_")
}

impl Comparison {
    /// Whether a figure lies on the right side of the bound.
    pub fn holds(self, figure: f64, bound: f64) -> bool {
        match self {
            Self::Below => figure < bound,
            Self::AtMost => figure <= bound,
            Self::Equal => figure == bound,
            Self::AtLeast => figure >= bound,
            Self::Above => figure > bound,
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latency(_, statistic) => {
                let known = STATISTICS.into_iter().find(|(_, known)| known == statistic);
                f.write_str(known.map_or("", |(name, _)| name))
            }
            Self::Errors => f.write_str("the share of errors"),
            Self::Throughput => f.write_str("the throughput"),
            Self::Outage => f.write_str("the longest outage"),
            Self::Count(class) => f.write_str(class.name()),
        }
    }
}
