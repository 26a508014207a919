//! `report.md`: fit for a comment on a change.

use super::shares::{PhaseFigures, ReplicaFigures};
use super::summary::{Standing, Summary};
use super::units::{clipped, clock, count, counted, duration, quantile, visible};
use super::{latest, words};
use crate::run::operation::{Ack, Operation};
use crate::run::verdict::{Audit, Class, Entity, Verdict};
use std::fmt::Write as _;

const MAX_FINDINGS: usize = 20;
const MAX_ROWS: usize = 10;
const MAX_WITNESSES: usize = 2;

/// The report as GitHub-flavoured Markdown.
pub(super) fn text(summary: &Summary) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line(format!("## {}: {}\n", summary.standing.word(), cell(&summary.what())));
    line(format!("{}\n", cell(&words::headline(summary))));
    for text in words::also_failed(summary) {
        line(format!("{}\n", cell(&text)));
    }
    if let Some(cut) = words::unfinished(summary) {
        line(format!("{cut}\n"));
    }
    if let Some((_, limits)) = words::limits(summary) {
        line(format!("Limits: {}.\n", cell(&limits)));
    }
    line(table(
        &["", "value", "limit and meaning"],
        words::numbers(summary)
            .into_iter()
            .map(|number| {
                vec![number.name.to_owned(), format!("**{}**", number.value), number.meaning]
            })
            .collect(),
    ));
    line(format!("Generator: {}.\n", words::generator(summary)));
    if let Some(judgement) = &summary.judgement {
        for text in &judgement.trust.not_checked {
            line(format!("- not checked: {}", cell(text)));
        }
        line(String::new());
    }
    if matches!(summary.standing, Standing::NotJudged | Standing::Outdated) {
        line(format!("To judge it: {}\n", code(&summary.judge_command())));
    }
    line(latency(summary));
    line(operations(summary));
    line(shares(summary));
    if let Some(judgement) = &summary.judgement {
        if let Some(audit) = &judgement.audit {
            line(classes(audit));
            line(findings(summary, audit));
        }
        line(reads_of_latest(summary));
        line(failures(summary));
        line(checks(summary));
    }
    line(environment(summary));
    while out.contains("\n\n\n") {
        out = out.replace("\n\n\n", "\n\n");
    }
    out.trim_end().to_owned() + "\n"
}

fn latency(summary: &Summary) -> String {
    let latency = &summary.latency;
    let figures = [
        ("service time", &latency.service),
        ("response time", &latency.response),
        ("lateness", &latency.lateness),
        ("reads, service time", &latency.reads),
    ];
    let quantiles = [0.5, 0.9, 0.99, 0.999];
    let rows: Vec<Vec<String>> = figures
        .into_iter()
        .filter_map(|(name, figure)| {
            let figure = figure.as_ref()?;
            let mut row = vec![name.to_owned(), count(figure.count)];
            row.extend(quantiles.map(|quantile| duration(figure.at(quantile))));
            row.push(duration(figure.max_ns));
            Some(row)
        })
        .collect();
    let names: Vec<String> = quantiles.map(quantile).to_vec();
    let mut head = vec!["latency", "measured"];
    head.extend(names.iter().map(String::as_str));
    head.push("longest");
    table(&head, rows)
}

fn operations(summary: &Summary) -> String {
    let rows = Operation::ALL
        .into_iter()
        .filter_map(|operation| {
            let outcomes = summary.totals.operations.get(&operation)?;
            let mut row = vec![operation.name().to_owned()];
            row.extend(Ack::ALL.map(|ack| count(outcomes.get(&ack).copied().unwrap_or(0))));
            Some(row)
        })
        .collect();
    let mut head = vec!["operation"];
    head.extend(Ack::ALL.map(words::outcome));
    table(&head, rows)
}

/// The phases and the replicas, where there are several.
fn shares(summary: &Summary) -> String {
    let escaped = |rows: Vec<Vec<String>>| -> Vec<Vec<String>> {
        rows.into_iter().map(|row| row.iter().map(|text| cell(text)).collect()).collect()
    };
    let phases = summary.latency.phases.iter().map(PhaseFigures::row).collect();
    let replicas = summary.latency.replicas.iter().map(ReplicaFigures::row).collect();
    let tables = [
        table(&PhaseFigures::HEAD, escaped(phases)),
        table(&ReplicaFigures::head(), escaped(replicas)),
    ];
    tables.join("\n")
}

fn classes(audit: &Audit) -> String {
    let rows = Class::ALL
        .into_iter()
        .filter(|class| *class == Class::Kept || audit.count(*class) > 0)
        .map(|class| {
            let of = |entity| audit.counts.get(&entity).and_then(|classes| classes.get(&class));
            let mut row = vec![class.name().to_owned()];
            row.extend(Entity::ALL.map(|entity| count(of(entity).copied().unwrap_or(0))));
            row.push(class.meaning().to_owned());
            row
        })
        .collect();
    let mut head = vec!["audit"];
    head.extend(Entity::ALL.map(Entity::plural));
    head.push("meaning");
    table(&head, rows)
}

fn findings(summary: &Summary, audit: &Audit) -> String {
    let rows = audit
        .findings
        .iter()
        .take(MAX_FINDINGS)
        .map(|finding| {
            let time = |ns: Option<u64>| {
                ns.map_or_else(String::new, |ns| clock(summary.manifest.started, ns))
            };
            vec![
                finding.class.name().to_owned(),
                finding.command_id.map_or_else(String::new, |id| id.to_string()),
                finding.operation.map_or("", Operation::name).to_owned(),
                finding.user.clone(),
                clipped(&finding.detail, 60),
                time(finding.returned_ns),
                finding.note.clone(),
            ]
        })
        .collect();
    let mut out =
        table(&["finding", "id", "command", "user", "text", "answered (UTC)", "found"], rows);
    let more = audit.findings.len().saturating_sub(MAX_FINDINGS);
    if more > 0 {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "and {} in report.html\n", counted(more as u64, "more finding"));
    }
    out
}

/// Each contract of `latest` and, where it was broken, who did so and how.
fn reads_of_latest(summary: &Summary) -> String {
    let Some(judgement) = latest::judgement(summary) else {
        return String::new();
    };
    let mut out = format!("{}.", cell(&latest::finding(judgement)));
    if let Some(mean) = judgement.mean_legal {
        out += &format!(" A {}.", cell(&latest::sharpness_meaning(mean)));
    }
    out += "\n\n";
    let Some(details) = &judgement.details else {
        return out;
    };
    out.extend(latest::counting(details).map(|text| format!("{text}\n\n")));
    let contracts = details.contracts.iter().map(|judged| {
        let (name, verdict) = (judged.contract.title(), latest::kept(judged.verdict));
        vec![name.to_owned(), verdict.to_owned(), judged.summary.clone()]
    });
    out += &table(&["latest", "verdict", "found"], contracts.collect());
    if judgement.wrong > 0 {
        let replicas = details.replicas.iter().map(|replica| latest::replica_row(summary, replica));
        out += &table(&latest::REPLICA_HEAD, replicas.collect());
        for witness in judgement.witnesses.iter().take(MAX_WITNESSES) {
            out += &format!("- {}\n", cell(witness));
        }
    }
    out
}

fn failures(summary: &Summary) -> String {
    let Some(judgement) = &summary.judgement else {
        return String::new();
    };
    let outages = judgement.outages.iter().take(MAX_ROWS).map(|outage| {
        format!(
            "- outage of {}, {}: {} failed from {}",
            duration(outage.least_ns()),
            words::at_most(outage),
            counted(outage.failed, "command"),
            clock(summary.manifest.started, outage.first_failed_call_ns)
        )
    });
    let cascades = judgement
        .cascades
        .iter()
        .take(MAX_ROWS)
        .map(|cascade| format!("- {}: {}", words::cascade(cascade), cell(&cascade.cause)));
    let lines: Vec<String> = outages.chain(cascades).collect();
    lines.join("\n") + "\n"
}

fn checks(summary: &Summary) -> String {
    let Some(judgement) = &summary.judgement else {
        return String::new();
    };
    let rows = judgement
        .checks
        .iter()
        .map(|check| {
            let verdict = match check.verdict {
                Verdict::Pass => "pass",
                Verdict::Unknown => "unknown",
                Verdict::Fail => "**fail**",
            };
            vec![check.name.clone(), verdict.to_owned(), check.summary.clone()]
        })
        .collect();
    table(&["check", "verdict", "why"], rows)
}

fn environment(summary: &Summary) -> String {
    let manifest = &summary.manifest;
    let machine = &manifest.machine;
    format!(
        "{}, {}, {} cores, {} MiB; limosa {}; seed {}; trace {} ({}).\n",
        cell(&machine.os),
        cell(&machine.cpu),
        machine.cores,
        count(machine.memory_mib),
        cell(&manifest.limosa),
        manifest.seed,
        cell(&manifest.trace.source),
        counted(manifest.trace.commands, "command"),
    )
}

/// A table; nothing where it would have no rows. Numbers stand to the right.
fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut out = row(head.iter().map(|name| (*name).to_owned()).collect());
    let numeric = |column: usize| {
        rows.iter().all(|row| row[column].starts_with(|first: char| first.is_ascii_digit()))
    };
    out += &row((0..head.len())
        .map(|column| if numeric(column) { "---:" } else { "---" }.to_owned())
        .collect());
    for cells in &rows {
        out += &row(cells
            .iter()
            .map(|text| if text.starts_with("**") { text.clone() } else { cell(text) })
            .collect());
    }
    out + "\n"
}

/// A text from outside, so that none of it is taken for markup, a link, a mention or HTML.
fn cell(text: &str) -> String {
    let mut out = String::new();
    for character in visible(text).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A name after @ would notify somebody.
            '@' => out.push_str("@\u{200b}"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' => {
                out.push('\\');
                out.push(character);
            }
            _ => out.push(character),
        }
    }
    // So would a bare address become a link.
    out.replace("://", ":\u{200b}//")
}

/// A command as inline code that holds backticks as well.
fn code(text: &str) -> String {
    let text = visible(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    format!("{fence} {text} {fence}")
}
