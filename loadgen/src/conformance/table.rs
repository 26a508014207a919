//! A report as a table for people: at most 100 columns, no colour.

use super::case::{Severity, Verdict};
use super::report::{Finding, LatestAfter, Report};
use std::fmt::Write;

/// The widest line.
const WIDTH: usize = 100;

/// Where the last column begins.
const INDENT: usize = 39;

/// The simulator gives up on an answer after so many milliseconds.
const SIMULATOR_PATIENCE_MS: u64 = 300;

/// The table: what deviates, or every case where `all` is asked for, and a summary.
pub fn table(report: &Report, all: bool) -> String {
    let mut out = String::new();
    let shown: Vec<&Finding> =
        report.findings.iter().filter(|finding| all || is_remarkable(finding)).collect();
    if !shown.is_empty() {
        let _ = writeln!(out, "  {:<9} {:<26} RULE, AND WHAT WAS SEEN", "VERDICT", "CASE");
    }
    for finding in shown {
        let _ = write!(out, "  {:<9} {:<26} ", word(finding), finding.id);
        cell(&mut out, finding.rule);
        match &finding.verdict {
            Verdict::Conforms => {}
            Verdict::Deviates(deviation) => {
                line(&mut out, &format!("expected {}", deviation.expected));
                line(&mut out, &format!("got {}", deviation.got));
                if !finding.waived {
                    line(&mut out, &format!("so: {}", finding.consequence));
                }
            }
            Verdict::Skipped { reason } => line(&mut out, reason),
            Verdict::Broken { error } => line(&mut out, error),
        }
    }
    if !out.is_empty() {
        out.push('\n');
    }
    summary(&mut out, report);
    out
}

/// Whether it is shown without being asked for.
fn is_remarkable(finding: &Finding) -> bool {
    matches!(finding.verdict, Verdict::Deviates(_) | Verdict::Broken { .. })
}

/// The verdict in a word.
fn word(finding: &Finding) -> &'static str {
    match finding.verdict {
        Verdict::Conforms => "ok",
        Verdict::Deviates(_) if finding.waived => "waived",
        Verdict::Deviates(_) => finding.severity.name(),
        Verdict::Skipped { .. } => "skipped",
        Verdict::Broken { .. } => "broken",
    }
}

fn summary(out: &mut String, report: &Report) {
    let deviates = |severity: Severity| {
        report.count(|finding| {
            let counts = matches!(finding.verdict, Verdict::Deviates(_)) && !finding.waived;
            counts && finding.severity == severity
        })
    };
    let verdict = match (report.fails(), report.count(is_remarkable)) {
        (true, _) => "DEVIATES",
        (false, 0) => "conforms",
        (false, _) => "conforms where it matters",
    };
    let _ = writeln!(out, "{} {verdict}", report.target);
    let mut counts = vec![format!("{} cases", report.findings.len())];
    for (count, singular, plural) in [
        (report.count(|f| f.verdict == Verdict::Conforms), "conforms", "conform"),
        (deviates(Severity::Error), "error", "errors"),
        (report.count(|f| matches!(f.verdict, Verdict::Broken { .. })), "broken", "broken"),
        (deviates(Severity::Warning), "warning", "warnings"),
        (deviates(Severity::Note), "note", "notes"),
        (report.count(|f| f.waived), "waived", "waived"),
        (report.count(|f| matches!(f.verdict, Verdict::Skipped { .. })), "skipped", "skipped"),
    ] {
        if count > 0 {
            counts.push(format!("{count} {}", if count == 1 { singular } else { plural }));
        }
    }
    let _ = writeln!(out, "  {}", counts.join("   "));
    if let Some(slowest) = report.slowest.as_ref().filter(|s| s.ms >= SIMULATOR_PATIENCE_MS) {
        let text = "the simulator gives up after 300 ms";
        let _ = writeln!(out, "  slowest answer {} ms, {}: {text}", slowest.ms, slowest.request);
    }
    if let Some(first) = report.users.first() {
        let count = report.users.len();
        let common = first.rsplit_once('-').map_or(first.as_str(), |(common, _)| common);
        let what = format!("{count}, named {common}-..., with messages and edges");
        let _ = writeln!(out, "  users left behind: {what}");
    }
    let LatestAfter { before, after } = report.latest;
    let _ = match after {
        Some(after) if after == before => writeln!(out, "  latest is {after}, as before"),
        Some(after) if before == -1 => {
            writeln!(out, "  latest was -1 and is {after}: no request can say -1")
        }
        Some(after) => {
            writeln!(out, "  latest was {before}, is {after}, and could not be put back")
        }
        None => writeln!(out, "  latest was {before}; what it is now could not be read"),
    };
}

/// One line of the last column.
fn line(out: &mut String, text: &str) {
    let _ = write!(out, "{:INDENT$}", "");
    cell(out, text);
}

/// The last column: wrapped at blanks, within a word where it has to be.
fn cell(out: &mut String, text: &str) {
    let room = WIDTH - INDENT;
    let mut used = 0;
    for word in text.split_whitespace() {
        let mut letters: Vec<char> = word.chars().collect();
        if used > 0 && used + 1 + letters.len() > room {
            let _ = write!(out, "\n{:INDENT$}", "");
            used = 0;
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        while letters.len() > room {
            out.extend(letters.drain(..room));
            let _ = write!(out, "\n{:INDENT$}", "");
        }
        used += letters.len();
        out.extend(letters);
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::super::case::Deviation;
    use super::super::report::Slowest;
    use super::super::waiver::Waiver;
    use super::*;

    fn finding(id: &'static str, severity: Severity, verdict: Verdict, waived: bool) -> Finding {
        Finding {
            id,
            severity,
            rule: "a follow that was acknowledged is listed",
            consequence: "the audit reports every follow as LOST",
            verdict,
            waived,
        }
    }

    fn deviates(got: &str, waivers: Vec<Waiver>) -> Verdict {
        Verdict::Deviates(Deviation { expected: "403".to_owned(), got: got.to_owned(), waivers })
    }

    #[test]
    fn it_fits_the_page_and_shows_what_deviates() {
        let long = "word ".repeat(20) + &"x".repeat(70);
        let skipped = Verdict::Skipped { reason: "needs a follow that is listed".to_owned() };
        let report = Report {
            target: "http://127.0.0.1:5001".to_owned(),
            findings: vec![
                finding("latest.keys", Severity::Warning, Verdict::Conforms, false),
                finding("follow.listed", Severity::Error, deviates(&long, vec![]), false),
                finding(
                    "auth.tweet",
                    Severity::Warning,
                    deviates("401", vec![Waiver::Unauthorized(401)]),
                    true,
                ),
                finding("follow.wins", Severity::Note, skipped, false),
            ],
            users: vec!["limosa-x7-ann".to_owned()],
            latest: LatestAfter { before: -1, after: Some(7) },
            slowest: Some(Slowest { request: "POST /register".to_owned(), ms: 810 }),
        };
        let text = table(&report, true);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(text.contains("  ok "), "{text}");
        insta::assert_snapshot!(table(&report, false));
    }
}
