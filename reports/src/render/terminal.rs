//! The summary that a terminal shows when a run has ended: at most 24 lines of 80 columns, whole
//! without colour.

use super::summary::{Standing, Summary, shell_word};
use super::units::{clipped, clock, columns, count, counted, duration, visible};
use super::{latest, words};
use crate::run::operation::Ack;
use crate::run::verdict::{Audit, Class, Finding, LatestJudgement, Verdict};

/// The lines that a terminal has by default, less the one of the prompt.
const MAX_LINES: usize = 23;
const MAX_FINDINGS: usize = 4;
const MAX_SHARES: usize = 4;
/// A longer text is cut.
const MAX_WRAPPED: usize = 3;
const LABEL: usize = 13;

/// The end-of-run summary: did it pass, what was lost, how slow, can it be trusted, what next.
///
/// `width` is in columns; below 60 it is taken as 60. Lines are cut to it, except for the commands
/// and paths at the end, which somebody will copy.
pub fn terminal(summary: &Summary, colour: bool, width: usize) -> String {
    let mut page = Page { lines: Vec::new(), width: width.max(60), colour };
    page.banner(summary);
    page.prose(&words::headline(summary));
    if let Some(cut) = words::unfinished(summary) {
        page.prose(&cut);
    }
    page.gap();
    page.audit(summary);
    page.gap();
    page.figures(summary);
    page.gap();
    page.next(summary);
    page.lines.truncate(MAX_LINES);
    page.lines.join("\n") + "\n"
}

#[derive(Clone, Copy)]
enum Paint {
    Good,
    Bad,
    Faint,
}

struct Page {
    lines: Vec<String>,
    width: usize,
    colour: bool,
}

impl Page {
    fn line(&mut self, text: &str) {
        if !text.is_empty() {
            self.lines.push(clipped(&format!("  {}", visible(text)), self.width));
        }
    }

    /// A sentence, on at most [`MAX_WRAPPED`] lines.
    fn prose(&mut self, text: &str) {
        self.wrapped("", text);
    }

    /// A text after its label; further lines of it begin below the text.
    fn wrapped(&mut self, label: &str, text: &str) {
        let text = visible(text);
        let mut rest = text.as_str();
        let mut label = label.to_owned();
        let room = self.width - 2 - columns(&label);
        for line in 1..=MAX_WRAPPED {
            let spaces = || rest.match_indices(' ').map(|(at, _)| at);
            let fits = |end: &usize| columns(&rest[..*end]) <= room;
            let end = match spaces().take_while(fits).last().or_else(|| spaces().next()) {
                Some(end) if line < MAX_WRAPPED && columns(rest) > room => end,
                _ => rest.len(),
            };
            if end > 0 {
                self.line(&format!("{label}{}", &rest[..end]));
            }
            rest = rest[end..].trim_start();
            label = " ".repeat(columns(&label));
        }
    }

    fn painted(&mut self, paint: Paint, text: &str) {
        let plain = clipped(&format!("  {}", visible(text)), self.width);
        self.lines.push(self.paint(paint, &plain));
    }

    fn labelled(&mut self, label: &str, text: &str) {
        self.wrapped(&format!("{label:<LABEL$}  "), text);
    }

    fn gap(&mut self) {
        if self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.lines.push(String::new());
        }
    }

    fn paint(&self, paint: Paint, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let code = match paint {
            Paint::Good => "1;32",
            Paint::Bad => "1;31",
            Paint::Faint => "2",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    fn banner(&mut self, summary: &Summary) {
        let word = summary.standing.word();
        let targets = match &summary.manifest.targets[..] {
            [target] => target.clone(),
            targets => counted(targets.len() as u64, "target"),
        };
        let what = visible(&format!("{} -> {targets}", summary.what()));
        let what = clipped(&what, self.width - word.len() - 2);
        let pad = " ".repeat(self.width - word.len() - columns(&what));
        let paint = match summary.standing {
            Standing::Pass => Paint::Good,
            Standing::Fail => Paint::Bad,
            _ => Paint::Faint,
        };
        let line = format!("{what}{pad}{}", self.paint(paint, word));
        self.lines.push(line);
        let totals = &summary.totals;
        let mut parts = vec![
            format!("{} tried", count(totals.tried())),
            format!("{} acknowledged", count(totals.commands(Ack::Acknowledged))),
        ];
        let failed = words::unacknowledged(summary);
        parts.extend(failed.split(", ").filter(|part| !part.is_empty()).map(str::to_owned));
        let took = duration(totals.duration_ns);
        let counts = parts.join("   ");
        match self.width.checked_sub(2 + columns(&counts) + columns(&took)) {
            Some(pad) if pad >= 2 => self.line(&format!("{counts}{}{took}", " ".repeat(pad))),
            _ => self.prose(&format!("{} in {took}", parts.join(", "))),
        }
    }

    fn audit(&mut self, summary: &Summary) {
        let Some(judgement) = &summary.judgement else {
            return;
        };
        match &judgement.audit {
            Some(audit) => self.classes(summary, audit),
            None => self.line("the target was not read back: what it holds is not known"),
        }
        if let Some(first) = judgement.cascades.first() {
            self.line(&format!("  cause  {}", words::cascade(first)));
            if judgement.cascades.len() > 1 {
                let more = judgement.cascades.len() as u64 - 1;
                self.line(&format!("         and {} in the report", counted(more, "more cascade")));
            }
        }
        if let Some(outage) = summary.longest_outage() {
            self.line(&format!(
                "outage   {}, {}: {} failed from {}",
                duration(outage.least_ns()),
                words::at_most(outage),
                counted(outage.failed, "command"),
                clock(summary.manifest.started, outage.first_failed_call_ns),
            ));
        }
        if let Some(latest) = &judgement.latest {
            self.latest(latest);
        }
        if let Some((_, limits)) = words::limits(summary) {
            self.wrapped("limits   ", &limits);
        }
    }

    /// The contract, and how much it proves that it was kept, or what was wrong and where.
    fn latest(&mut self, judgement: &LatestJudgement) {
        let reads = counted(judgement.reads, "read");
        let verdict = match (judgement.verdict, judgement.wrong) {
            (Verdict::Pass, _) => format!("{reads}, none wrong"),
            (Verdict::Unknown, _) => format!("{reads}, not known whether right"),
            (Verdict::Fail, wrong) => format!("{} of {reads} WRONG", count(wrong)),
        };
        // What is wrong is wrong, however many answers would have been right.
        let mean_legal = judgement.mean_legal.filter(|_| judgement.verdict == Verdict::Pass);
        let sharp = mean_legal.map_or_else(String::new, |mean| {
            format!("; {} ({mean:.1} legal answers)", latest::sharpness(mean))
        });
        let title = latest::title(judgement);
        self.wrapped("latest   ", &format!("{title}: {verdict}{sharp}"));
        let Some(details) = judgement.details.as_ref().filter(|_| judgement.wrong > 0) else {
            return;
        };
        let behind = latest::behind(details);
        let by = latest::culprits(details).map(|replicas| format!("wrong: {replicas}"));
        let found: Vec<String> = behind.into_iter().chain(by).collect();
        self.wrapped("         ", &found.join("; "));
        if details.counting.is_some() {
            self.line("         the target just counts what arrives and ignores the ids");
        }
    }

    fn classes(&mut self, summary: &Summary, audit: &Audit) {
        let found: Vec<String> = Class::ALL
            .into_iter()
            .filter(|class| *class == Class::Kept || audit.count(*class) > 0)
            .map(|class| {
                let name = if class.is_violation() {
                    class.name().to_uppercase()
                } else {
                    class.name().to_owned()
                };
                format!("{name} {}", count(audit.count(class)))
            })
            .collect();
        let wrong = audit.findings.iter().any(|finding| finding.class.is_violation());
        let paint = if wrong { Paint::Bad } else { Paint::Good };
        self.painted(paint, &found.join("   "));
        for finding in audit.findings.iter().take(MAX_FINDINGS) {
            self.line(&format!("  {}", finding_line(summary, finding)));
        }
        let all: u64 = Class::ALL
            .into_iter()
            .filter(|class| class.is_violation())
            .map(|class| audit.count(class))
            .sum();
        if let Some(more) = all.checked_sub(MAX_FINDINGS as u64).filter(|more| *more > 0) {
            self.line(&format!("  and {} more in the report", count(more)));
        }
    }

    fn figures(&mut self, summary: &Summary) {
        let latency = &summary.latency;
        for (name, times) in
            [("response time", &latency.response), ("service time", &latency.service)]
        {
            let Some(times) = times else { continue };
            let quantiles: Vec<String> = [(0.5, "p50"), (0.9, "p90"), (0.99, "p99")]
                .into_iter()
                .map(|(quantile, name)| format!("{name} {}", duration(times.at(quantile))))
                .collect();
            let max = duration(times.max_ns);
            self.labelled(name, &format!("{}   max {max}", quantiles.join("   ")));
        }
        self.shares(summary);
        if summary.latency.lateness.is_some() {
            self.labelled("generator", &words::generator(summary));
        }
        if let Some(place) = summary.damage.first() {
            self.labelled("ledger", &format!("damaged: {place}"));
        }
        let not_checked =
            summary.judgement.as_ref().map_or(&[][..], |judgement| &judgement.trust.not_checked);
        if let Some(first) = not_checked.first() {
            let more = not_checked.len() - 1;
            let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
            self.labelled("not checked", &format!("{first}{more}"));
        }
    }

    /// The phases and the replicas, where there are several, a line each.
    fn shares(&mut self, summary: &Summary) {
        let mut lines: Vec<(&str, String)> = Vec::new();
        for phase in &summary.latency.phases {
            let row = phase.row();
            lines.push((
                "phase",
                format!(
                    "{}   {} requests a second   p50 {}   p99 {}",
                    row[0], row[3], row[4], row[5]
                ),
            ));
        }
        for replica in &summary.latency.replicas {
            let requests: u64 = replica.outcomes.values().sum();
            let times = replica.times.as_ref();
            let p99 = times.map_or_else(|| "–".to_owned(), |times| duration(times.at(0.99)));
            let target = visible(&replica.target);
            lines.push((
                "replica",
                format!("{target}   {}   p99 {p99}", counted(requests, "request")),
            ));
        }
        for (label, line) in lines.iter().take(MAX_SHARES) {
            self.labelled(label, line);
        }
        if let Some(more) = lines.len().checked_sub(MAX_SHARES).filter(|more| *more > 0) {
            self.labelled("", &format!("and {more} more in the report"));
        }
    }

    fn next(&mut self, summary: &Summary) {
        let page = summary.run.join("report.html");
        let report = shell_word(&page.to_string_lossy());
        let label = match summary.standing {
            Standing::NotJudged | Standing::Outdated => "judge it",
            _ => "again",
        };
        let rows = [("report", report), (label, summary.judge_command())];
        // The end of the page is what is acted on: what stands above makes room for it.
        self.lines.truncate(MAX_LINES - rows.len());
        for (label, text) in rows {
            self.lines.push(format!("  {label:<9}{}", visible(&text)));
        }
    }
}

fn finding_line(summary: &Summary, finding: &Finding) -> String {
    let name = finding.class.name();
    let id = finding.command_id.map(|id| format!("id {id} ")).unwrap_or_default();
    let what = finding.operation.map_or("entry", |operation| operation.name());
    let at = finding
        .returned_ns
        .map(|ns| format!(" at {}", clock(summary.manifest.started, ns)))
        .unwrap_or_default();
    let user = clipped(&visible(&finding.user), 20);
    format!("{name}  {id}{what} \"{user}\"{at}, {}", finding.note)
}
