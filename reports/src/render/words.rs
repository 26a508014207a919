//! The sentences and numbers that all faces share.

use super::course::Point;
use super::summary::{Standing, Summary};
use super::units::{clock, count, counted, duration, percent};
use crate::run::operation::Ack;
use crate::run::verdict::{Cascade, Check, Class, Outage, Verdict};

/// How a figure is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// Within its limit.
    Good,
    /// Beyond its limit.
    Bad,
    /// Not known.
    Unknown,
}

impl Tone {
    /// The tone's name in class attributes.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Unknown => "unknown",
        }
    }

    fn limit(value: u64) -> Self {
        if value == 0 { Self::Good } else { Self::Bad }
    }
}

/// One of the four numbers of the first screen.
#[derive(Debug, Clone)]
pub(super) struct Number {
    pub(super) name: &'static str,
    pub(super) value: String,
    /// Its limit, and what it means.
    pub(super) meaning: String,
    pub(super) tone: Tone,
}

/// One sentence: what was found, or why nothing is known.
pub(super) fn headline(summary: &Summary) -> String {
    match (&summary.judgement, summary.standing) {
        (_, Standing::NotJudged) => {
            "Nobody has judged this run yet: what the target holds of it is not known.".to_owned()
        }
        (_, Standing::Outdated) => {
            "The run went on after it was judged, so the judgement does not hold.".to_owned()
        }
        (Some(judgement), _) => judgement.headline.clone(),
        (None, _) => String::new(),
    }
}

/// What else failed, beside what the headline says; limits have a line of their own.
pub(super) fn also_failed(summary: &Summary) -> Vec<String> {
    let Some(judgement) = &summary.judgement else {
        return Vec::new();
    };
    judgement
        .checks
        .iter()
        .filter(|check| check.verdict == Verdict::Fail && limit(check).is_none())
        .filter(|check| check.summary != judgement.headline)
        .map(|check| format!("{}: {}", check.name, check.summary))
        .collect()
}

/// The limit that a check is about.
fn limit(check: &Check) -> Option<&str> {
    check.name.strip_prefix("limit ")
}

/// How the run stands to its limits: `2 of 3 kept`, and those that were not, with the worst of their
/// verdicts; `None` where it has none.
pub(super) fn limits(summary: &Summary) -> Option<(Verdict, String)> {
    let judgement = summary.judgement.as_ref()?;
    let limits =
        || judgement.checks.iter().filter_map(|check| Some((limit(check)?, check.verdict)));
    let worst = limits().map(|(_, verdict)| verdict).max()?;
    let of = |verdict| -> Vec<&str> {
        limits().filter(|(_, own)| *own == verdict).map(|(limit, _)| limit).collect()
    };
    let (kept, all) = (of(Verdict::Pass), limits().count());
    let mut parts = vec![match kept.len() {
        0 => format!("none of {all} kept"),
        number if number == all => format!("{number} of {all} kept: {}", kept.join(", ")),
        number => format!("{number} of {all} kept"),
    }];
    for (verdict, what) in [(Verdict::Fail, "BROKEN"), (Verdict::Unknown, "not known")] {
        let limits = of(verdict);
        if !limits.is_empty() {
            parts.push(format!("{what}: {}", limits.join(", ")));
        }
    }
    Some((worst, parts.join("; ")))
}

/// Whether the run ended by itself.
pub(super) fn unfinished(summary: &Summary) -> Option<String> {
    let cut = summary.manifest.finished.is_none();
    let without = match summary.abandoned {
        0 => String::new(),
        n => format!(" {} had no outcome by then.", counted(n, "request")),
    };
    cut.then(|| {
        format!(
            "The run did not end by itself: {} of {} planned commands were tried.{without}",
            count(summary.totals.tried()),
            count(summary.totals.planned),
        )
    })
}

/// Lost, failed, p99, longest outage.
pub(super) fn numbers(summary: &Summary) -> [Number; 4] {
    [lost(summary), failed(summary), p99(summary), outage(summary)]
}

fn lost(summary: &Summary) -> Number {
    let (value, meaning, tone) = match summary.found(Class::Lost) {
        Some(lost) => {
            let kept = summary.found(Class::Kept).unwrap_or(0);
            let meaning = format!("acknowledged, and not there; limit 0, kept {}", count(kept));
            (count(lost), meaning, Tone::limit(lost))
        }
        None => (
            "?".to_owned(),
            "acknowledged, and not there; the target was not read back".to_owned(),
            Tone::Unknown,
        ),
    };
    Number { name: "lost", value, meaning, tone }
}

fn failed(summary: &Summary) -> Number {
    let tried = summary.totals.tried();
    let failed = summary.failed();
    let meaning = if tried == 0 {
        "no command was tried".to_owned()
    } else if failed == 0 {
        format!(
            "of {}; limit 0, true rate below {} (95 %)",
            counted(tried, "command"),
            percent((3.0 / tried as f64).min(1.0)),
        )
    } else if rightly_refused(summary) {
        format!("of {}: {}, as they had to be", counted(tried, "command"), unacknowledged(summary))
    } else {
        format!("of {}; limit 0: {}", counted(tried, "command"), unacknowledged(summary))
    };
    let tone = match failed {
        _ if tried == 0 => Tone::Unknown,
        _ if rightly_refused(summary) => Tone::Good,
        failed => Tone::limit(failed),
    };
    Number { name: "failed", value: count(failed), meaning, tone }
}

/// Whether whatever failed is what a correct server refuses too, such as a name that is taken.
fn rightly_refused(summary: &Summary) -> bool {
    let refused = summary.totals.commands(Ack::Rejected) == summary.failed();
    refused
        && summary
            .judgement
            .iter()
            .flat_map(|judgement| &judgement.checks)
            .any(|check| check.name == "answers" && check.verdict == Verdict::Pass)
}

/// `1 rejected, 2 not sent, 3 unknown`, without what did not occur.
pub(super) fn unacknowledged(summary: &Summary) -> String {
    [Ack::Rejected, Ack::NotSent, Ack::Indeterminate]
        .into_iter()
        .map(|ack| (summary.totals.commands(ack), ack))
        .filter(|(count, _)| *count > 0)
        .map(|(number, ack)| format!("{} {}", count(number), outcome(ack)))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The time that a user would have waited: in the open model the response time.
fn p99(summary: &Summary) -> Number {
    let limit_ns = summary.manifest.mode.response_timeout_ms.saturating_mul(1_000_000);
    let (what, times) = match &summary.latency.response {
        Some(response) => ("response time", Some(response)),
        None => ("service time", summary.latency.service.as_ref()),
    };
    let Some(times) = times else {
        return Number {
            name: "p99",
            value: "?".to_owned(),
            meaning: format!("of the {what}; nothing was measured"),
            tone: Tone::Unknown,
        };
    };
    let p99 = times.at(0.99);
    Number {
        name: "p99",
        value: duration(p99),
        meaning: format!(
            "of the {what}; limit {}, where the client gives up; longest {}",
            duration(limit_ns),
            duration(times.max_ns),
        ),
        tone: if p99 < limit_ns { Tone::Good } else { Tone::Bad },
    }
}

fn outage(summary: &Summary) -> Number {
    let judged = !matches!(summary.standing, Standing::NotJudged | Standing::Outdated);
    let (value, meaning, tone) = match summary.longest_outage() {
        _ if !judged => ("?".to_owned(), "not judged".to_owned(), Tone::Unknown),
        None => (
            "none".to_owned(),
            "limit 0: no stretch in which commands failed and none was acknowledged".to_owned(),
            Tone::Good,
        ),
        Some(outage) => (
            duration(outage.least_ns()),
            format!("limit 0; {}, {} failed", at_most(outage), counted(outage.failed, "command")),
            Tone::Bad,
        ),
    };
    Number { name: "longest outage", value, meaning, tone }
}

/// `at most 0.44 s`, or that it had not ended.
pub(super) fn at_most(outage: &Outage) -> String {
    outage.most_ns().map_or_else(
        || "not over when the run ended".to_owned(),
        |most| format!("at most {}", duration(most)),
    )
}

/// The generator's own part in the figures, in one sentence.
pub(super) fn generator(summary: &Summary) -> String {
    let bound = summary.judgement.as_ref().map(|judgement| judgement.trust.lateness_bound_ns);
    match (&summary.latency.lateness, bound) {
        (None, _) => "nothing was sent".to_owned(),
        (Some(lateness), Some(bound)) if lateness.at(0.99) > bound => format!(
            "lateness p99 {}, above its bound of {}: the figures are partly the generator's",
            duration(lateness.at(0.99)),
            duration(bound)
        ),
        (Some(lateness), _) => {
            format!("lateness p99 {}: the figures are the server's", duration(lateness.at(0.99)))
        }
    }
}

/// A pace, as it goes on after the name of a trace: ` at 500 commands a second`.
pub(super) fn pace(pace: &str) -> String {
    let number = |text: &str| text.parse().map_or_else(|_| text.to_owned(), count);
    match pace.split_once(':') {
        _ if pace.contains(',') || pace.contains("ramp:") => " at changing rates".to_owned(),
        Some(("speed", factor)) => format!(" at {} times its speed", number(factor)),
        Some(("rate", rate)) => format!(" at {} commands a second", number(rate)),
        Some(("poisson", rate)) => format!(" at {} commands a second (Poisson)", number(rate)),
        _ => String::new(),
    }
}

/// What was reported apart, and from when to when.
pub(super) fn warm_up(summary: &Summary) -> String {
    let spans: Vec<String> = summary
        .manifest
        .parts
        .iter()
        .flat_map(|part| {
            part.phases.iter().enumerate().filter(|(_, phase)| phase.warm_up).map(|(at, phase)| {
                match part.phases.get(at + 1) {
                    Some(next) => duration(next.from_ns.saturating_sub(phase.from_ns)),
                    None => "all of it".to_owned(),
                }
            })
        })
        .collect();
    if spans.is_empty() {
        "none left out: every request is in the figures".to_owned()
    } else {
        format!("{}: audited like all the rest, and in figures of its own", spans.join(", "))
    }
}

/// Whether connections were used again.
pub(super) fn keep_alive(summary: &Summary) -> &'static str {
    let mode = &summary.manifest.mode;
    if mode.client == "simulator" || !mode.keep_alive {
        "a new one for each request"
    } else if summary.manifest.parts.iter().any(|part| part.gave_up_keep_alive) {
        "kept at first; then a new one for each request, since the target did not honour keep-alive: \
         latencies hold connects"
    } else {
        "kept and used again"
    }
}

/// What a command's outcome is called.
pub(super) fn outcome(ack: Ack) -> &'static str {
    match ack {
        Ack::Acknowledged => "acknowledged",
        Ack::Rejected => "rejected",
        Ack::NotSent => "not sent",
        Ack::Indeterminate => "unknown",
    }
}

/// A cascade in one sentence, without the user's name.
pub(super) fn cascade(cascade: &Cascade) -> String {
    format!(
        "1 failed register (id {}) explains {}",
        cascade.root_id,
        counted(cascade.caused, "later failure")
    )
}

/// The title of the picture of latencies by percentile.
pub(super) fn percentiles_title(summary: &Summary) -> String {
    match &summary.latency.service {
        None => "Nothing was measured".to_owned(),
        Some(service) => {
            format!(
                "Half the commands took up to {}, 99 % up to {}, the longest {}",
                duration(service.at(0.5)),
                duration(service.at(0.99)),
                duration(service.max_ns),
            )
        }
    }
}

/// The title of the picture of latencies over time.
pub(super) fn latency_title(summary: &Summary) -> String {
    let answered = |point: &&Point| matches!(point.ack, Ack::Acknowledged | Ack::Rejected);
    let slowest =
        summary.course.points.iter().filter(answered).max_by_key(|point| point.service_ns);
    match (&summary.latency.service, slowest) {
        (Some(_), None) => "No command was answered".to_owned(),
        (Some(service), Some(slowest)) => {
            let unanswered = match summary.totals.commands(Ack::Indeterminate) {
                0 => String::new(),
                number => format!(", with {} unanswered", count(number)),
            };
            format!(
                "p99 {}{unanswered}; the slowest answer took {} and came {} into the run, at {}",
                duration(service.at(0.99)),
                duration(slowest.service_ns),
                duration(slowest.at_ns),
                clock(summary.manifest.started, slowest.at_ns),
            )
        }
        (None, _) => "Nothing was measured".to_owned(),
    }
}

/// The title of the picture of throughput and errors.
pub(super) fn throughput_title(summary: &Summary) -> String {
    let acknowledged = summary.totals.commands(Ack::Acknowledged);
    let seconds = summary.totals.duration_ns as f64 / 1e9;
    let rate = count((acknowledged as f64 / seconds.max(1e-9)).round() as u64);
    let failing = summary
        .course
        .bins
        .iter()
        .filter(|bin| bin.outcomes.values().sum::<u64>() > bin.count(Ack::Acknowledged))
        .count();
    match summary.failed() {
        0 => format!("{rate} commands acknowledged a second, none failed"),
        failed => format!(
            "{rate} commands acknowledged a second; {} failed, in {} of {} stretches of {}",
            count(failed),
            count(failing as u64),
            count(summary.course.bins.len() as u64),
            duration(summary.course.width_ns),
        ),
    }
}
