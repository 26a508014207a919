//! `report.html`: one page that needs nothing from outside.

mod audit;
mod latest;

use super::RenderError;
use super::latest as latest_words;
use super::pictures::{Picture, Section, dark_rules};
use super::shares::{self, PhaseFigures, ReplicaFigures};
use super::summary::{Standing, Summary, shell_word};
use super::units::{clock, count, counted, date, duration, id, offset, percent, visible};
use super::words::{self, Number};
use crate::run::operation::{Ack, Operation};
use crate::run::verdict::{Cascade, Outage, Verdict};
use askama::Template;
use audit::AuditView;
use latest::LatestView;

/// How many outages, cascades and loss windows the page lists.
const MAX_ROWS: usize = 50;

/// The page of a run.
pub(super) fn page(summary: &Summary, pictures: &[Picture]) -> Result<String, RenderError> {
    let judgement = summary.judgement.as_ref();
    let page = Page {
        dark_rules: dark_rules(),
        tone: tone(summary.standing),
        word: summary.standing.word(),
        headline: visible(&words::headline(summary)),
        unfinished: words::unfinished(summary),
        judge_command: visible(&summary.judge_command()),
        judged: !matches!(summary.standing, Standing::NotJudged | Standing::Outdated),
        what: visible(&summary.what()),
        targets: summary.manifest.targets.iter().map(|target| visible(target)).collect(),
        started: date(summary.manifest.started),
        took: duration(summary.totals.duration_ns),
        numbers: words::numbers(summary),
        trust: trust(summary),
        not_checked: not_checked(summary),
        also_failed: words::also_failed(summary).iter().map(|text| visible(text)).collect(),
        limits: words::limits(summary).map(|(worst, text)| (verdict(worst).0, visible(&text))),
        figures: pictures.iter().filter_map(figure).collect::<Result<_, _>>()?,
        operations: operations(summary),
        shares: [ShareTable::phases(summary), ShareTable::replicas(summary)],
        outcomes: outcomes(summary),
        audit: judgement
            .and_then(|judgement| judgement.audit.as_ref())
            .map(|audit| AuditView::of(summary, audit)),
        latest: LatestView::of(summary, pictures)?,
        outages: judgement.map_or_else(Vec::new, |judgement| {
            judgement
                .outages
                .iter()
                .take(MAX_ROWS)
                .map(|outage| outage_row(summary, outage))
                .collect()
        }),
        cascades: judgement.map_or_else(Vec::new, |judgement| {
            judgement
                .cascades
                .iter()
                .take(MAX_ROWS)
                .map(|cascade| cascade_row(summary, cascade))
                .collect()
        }),
        checks: judgement.map_or_else(Vec::new, |judgement| {
            judgement
                .checks
                .iter()
                .map(|check| CheckRow {
                    name: visible(&check.name),
                    verdict: verdict(check.verdict),
                    summary: visible(&check.summary),
                })
                .collect()
        }),
        marks: summary
            .marks
            .iter()
            .map(|(at, name)| {
                vec![offset(*at), clock(summary.manifest.started, *at), visible(name)]
            })
            .collect(),
        environment: environment(summary),
        commands: commands(summary),
        limosa: summary.limosa.clone(),
    };
    Ok(page.render()?)
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    dark_rules: String,
    tone: &'static str,
    word: &'static str,
    headline: String,
    unfinished: Option<String>,
    judge_command: String,
    judged: bool,
    what: String,
    targets: Vec<String>,
    started: String,
    took: String,
    numbers: [Number; 4],
    trust: Vec<(&'static str, String)>,
    not_checked: Vec<String>,
    figures: Vec<(&'static str, FigureView)>,
    also_failed: Vec<String>,
    limits: Option<(&'static str, String)>,
    operations: Vec<Vec<String>>,
    shares: [ShareTable; 2],
    outcomes: Vec<Vec<String>>,
    audit: Option<AuditView>,
    latest: Option<LatestView>,
    outages: Vec<Vec<String>>,
    cascades: Vec<CascadeRow>,
    checks: Vec<CheckRow>,
    marks: Vec<Vec<String>>,
    environment: Vec<(&'static str, String)>,
    commands: Vec<String>,
    limosa: String,
}

/// The figures of the phases or of the replicas; no rows where there is only one.
struct ShareTable {
    title: String,
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl ShareTable {
    fn phases(summary: &Summary) -> Self {
        Self {
            title: format!("By phase ({})", shares::waited_name(&summary.manifest)),
            head: PhaseFigures::HEAD.to_vec(),
            rows: summary.latency.phases.iter().map(PhaseFigures::row).collect(),
        }
    }

    fn replicas(summary: &Summary) -> Self {
        Self {
            title: format!("By replica ({})", shares::waited_name(&summary.manifest)),
            head: ReplicaFigures::head(),
            rows: summary.latency.replicas.iter().map(ReplicaFigures::row).collect(),
        }
    }
}

struct FigureView {
    name: &'static str,
    title: String,
    description: String,
    svg: String,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl FigureView {
    fn of(picture: &Picture) -> Result<Self, RenderError> {
        Ok(Self {
            name: picture.name,
            title: picture.title.clone(),
            description: picture.description.clone(),
            svg: picture.inline()?,
            head: picture.table.head.clone(),
            rows: picture.table.rows.clone(),
        })
    }
}

struct CascadeRow {
    root: String,
    user: String,
    at: String,
    cause: String,
    caused: String,
    examples: String,
}

struct CheckRow {
    name: String,
    verdict: (&'static str, &'static str),
    summary: String,
}

fn tone(standing: Standing) -> &'static str {
    match standing {
        Standing::Pass => "good",
        Standing::Fail => "bad",
        Standing::Unknown | Standing::NotJudged | Standing::Outdated => "unknown",
    }
}

fn verdict(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Pass => ("good", "pass"),
        Verdict::Unknown => ("unknown", "unknown"),
        Verdict::Fail => ("bad", "fail"),
    }
}

/// A picture that has a section of its own, with the section's heading.
fn figure(picture: &Picture) -> Option<Result<(&'static str, FigureView), RenderError>> {
    match picture.section {
        Section::Own(heading) => Some(FigureView::of(picture).map(|view| (heading, view))),
        Section::Latest => None,
    }
}

fn trust(summary: &Summary) -> Vec<(&'static str, String)> {
    let tried = summary.totals.tried();
    let mut rows = vec![
        ("generator", words::generator(summary)),
        ("commands", format!("{} of {} planned", count(tried), count(summary.totals.planned))),
        ("warm-up", words::warm_up(summary)),
    ];
    if summary.manifest.mode.is_closed_model() {
        rows.push((
            "model",
            "closed: commands waited for answers, not for a clock, so there is a service time and \
             no response time"
                .to_owned(),
        ));
    }
    if tried > 0 && summary.failed() == 0 {
        let bound = percent((3.0 / tried as f64).min(1.0));
        rows.push((
            "95 % bound",
            format!(
                "none of {} failed, so the true rate of failure is below {bound} (3/n)",
                count(tried)
            ),
        ));
    }
    if let Some(mean) = latest_words::judgement(summary).and_then(|latest| latest.mean_legal) {
        rows.push(("latest", latest_words::sharpness_meaning(mean)));
    }
    rows.push((
        "resolution",
        "an outage shows only between commands: it is given from the least to the most that it can \
         have lasted"
            .to_owned(),
    ));
    let ledger = match (summary.abandoned, summary.damage.len()) {
        (0, 0) => "whole: every request has its outcome".to_owned(),
        (0, damaged) => counted(damaged as u64, "damaged place"),
        (abandoned, 0) => format!("whole; {} without an outcome", counted(abandoned, "request")),
        (abandoned, damaged) => format!(
            "{}; {} without an outcome",
            counted(damaged as u64, "damaged place"),
            counted(abandoned, "request")
        ),
    };
    rows.push(("ledger", ledger));
    rows.extend(summary.damage.iter().map(|place| ("damage", visible(place))));
    rows
}

fn not_checked(summary: &Summary) -> Vec<String> {
    match &summary.judgement {
        Some(judgement) => judgement.trust.not_checked.iter().map(|text| visible(text)).collect(),
        None => vec!["anything: the run was not judged".to_owned()],
    }
}

fn operations(summary: &Summary) -> Vec<Vec<String>> {
    Operation::ALL
        .into_iter()
        .filter_map(|operation| {
            let outcomes = summary.totals.operations.get(&operation)?;
            let mut row = vec![operation.name().to_owned()];
            row.extend(Ack::ALL.map(|ack| count(outcomes.get(&ack).copied().unwrap_or(0))));
            let latency = summary.latency.operations.get(&operation);
            row.extend([0.5, 0.99].map(|quantile| {
                latency.map_or_else(|| "–".to_owned(), |latency| duration(latency.at(quantile)))
            }));
            row.push(latency.map_or_else(|| "–".to_owned(), |latency| duration(latency.max_ns)));
            Some(row)
        })
        .collect()
}

/// Statuses and errors, each with its count.
fn outcomes(summary: &Summary) -> Vec<Vec<String>> {
    let totals = &summary.totals;
    let statuses = totals
        .statuses
        .iter()
        .map(|(status, number)| vec![format!("status {status}"), count(*number)]);
    let errors = totals
        .errors
        .iter()
        .filter(|(_, number)| **number > 0)
        .map(|(kind, number)| vec![format!("error {}", visible(kind)), count(*number)]);
    statuses.chain(errors).collect()
}

fn outage_row(summary: &Summary, outage: &Outage) -> Vec<String> {
    vec![
        offset(outage.first_failed_call_ns),
        clock(summary.manifest.started, outage.first_failed_call_ns),
        duration(outage.least_ns()),
        outage.most_ns().map_or_else(|| "not over".to_owned(), duration),
        count(outage.failed),
        format!("{} to {}", id(outage.ids.0), id(outage.ids.1)),
    ]
}

fn cascade_row(summary: &Summary, cascade: &Cascade) -> CascadeRow {
    let examples: Vec<String> =
        cascade.examples.iter().take(8).map(|example| id(*example)).collect();
    let operations: Vec<String> = cascade
        .operations
        .iter()
        .map(|(operation, number)| format!("{} {}", count(*number), operation.name()))
        .collect();
    CascadeRow {
        root: id(cascade.root_id),
        user: visible(&cascade.user),
        at: clock(summary.manifest.started, cascade.at_ns),
        cause: visible(&cascade.cause),
        caused: format!("{}: {}", count(cascade.caused), operations.join(", ")),
        examples: examples.join(", "),
    }
}

fn environment(summary: &Summary) -> Vec<(&'static str, String)> {
    let manifest = &summary.manifest;
    let machine = &manifest.machine;
    let mode = &manifest.mode;
    let ids = manifest
        .trace
        .ids
        .map_or_else(String::new, |(first, last)| format!(", ids {} to {}", id(first), id(last)));
    let mut rows = vec![
        ("trace", visible(&manifest.trace.source)),
        ("commands", format!("{}{ids}", count(manifest.trace.commands))),
        ("sha-256", visible(&manifest.trace.sha256)),
        ("seed", manifest.seed.to_string()),
        ("order", visible(&mode.order)),
        ("client", visible(&mode.client)),
        ("pace", visible(&mode.pace)),
        (
            "connections",
            format!("at most {}: {}", count(mode.connections as u64), words::keep_alive(summary)),
        ),
        (
            "timeouts",
            format!(
                "connect {} ms, answer {} ms",
                mode.connect_timeout_ms, mode.response_timeout_ms
            ),
        ),
        ("machine", format!("{}, {}", visible(&machine.os), visible(&machine.cpu))),
        ("cores, memory", format!("{}, {} MiB", machine.cores, count(machine.memory_mib))),
        ("limosa", visible(&manifest.limosa)),
        ("began", date(manifest.started)),
        ("ended", manifest.finished.map_or_else(|| "not by itself".to_owned(), date)),
        ("run directory", visible(&summary.run.to_string_lossy())),
    ];
    let plain = match &manifest.profile {
        serde_json::Value::Null => true,
        serde_json::Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    if manifest.targets.len() > 1 {
        rows.push(("route", visible(&mode.route)));
    }
    if !mode.reads.is_empty() {
        rows.push(("reads", visible(&mode.reads.join(", "))));
    }
    let shards: Vec<String> = manifest
        .parts
        .iter()
        .filter_map(|part| part.shard)
        .map(|shard| format!("{} of {}", shard.index, shard.of))
        .collect();
    if !shards.is_empty() {
        rows.push(("shards", shards.join(", ")));
    }
    if !plain {
        rows.push(("known deviations", visible(&manifest.profile.to_string())));
    }
    rows
}

fn commands(summary: &Summary) -> Vec<String> {
    summary
        .manifest
        .parts
        .iter()
        .map(|part| {
            let words: Vec<String> =
                part.command_line.iter().map(|word| shell_word(word)).collect();
            visible(&words.join(" "))
        })
        .collect()
}
