//! Judging a run from its directory alone: reads it, runs every checker, writes `verdict.json`.

use crate::check::answers::Answers;
use crate::check::audit::Evidence;
use crate::check::limits::{Found, Limits};
use crate::check::{audit, cascade, downtime, latest, totals, trust};
use crate::profile::Profile;
use jiff::Timestamp;
use limosa_reports::render::{all, count, counted};
use limosa_reports::run::derive::{DeriveError, derive};
use limosa_reports::run::histograms::{self, Figure, LatencyLogError};
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::manifest::Manifest;
use limosa_reports::run::operation::Ack;
use limosa_reports::run::readback::ReadBack;
use limosa_reports::run::verdict::{
    Audit, Check, Class, Judgement, LatestJudgement, Totals, Verdict,
};
use limosa_reports::run::{FORMAT_VERSION, RunDir, RunDirError};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Why a run could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// The run directory.
    #[error(transparent)]
    RunDir(#[from] RunDirError),
    /// The files made from the ledger.
    #[error(transparent)]
    Derive(#[from] DeriveError),
    /// The latency log.
    #[error(transparent)]
    LatencyLog(#[from] LatencyLogError),
    /// The profile in the manifest.
    #[error("the profile in the manifest is none: {0}")]
    Profile(serde_json::Error),
}

/// Judges the run and writes the judgement, the latency log and the timeline into its directory.
///
/// # Errors
/// [`JudgeError`] where the directory cannot be read or written. A checker that fails is no error:
/// its check is unknown.
pub fn judge(run: &RunDir) -> Result<Judgement, JudgeError> {
    let manifest = run.manifest()?;
    derive(run, &manifest)?;
    let profile: Profile =
        serde_json::from_value(manifest.profile.clone()).map_err(JudgeError::Profile)?;
    let recorded = Recorded::read(run)?;
    let entries = &recorded.entries;
    let mut damage = recorded.damage;
    let before = read_back(run, "before", &mut damage)?;
    let (after, passes) = last_read_back(run, entries, &mut damage)?;

    let mut checks = vec![complete(&manifest, entries)];
    let mut limits = Limits::new(&manifest);
    checks.push(guarded("answers", || {
        let mut answers = Answers::new(before.as_ref());
        for entry in entries {
            limits.push(entry, answers.push(entry));
        }
        answers.finish()
    }));
    let (audit, audit_check, mut not_checked) =
        audited(entries, before.as_ref(), after.as_ref(), passes, &profile);
    checks.push(audit_check);
    let initial = before.as_ref().and_then(|state| state.header.latest);
    let last = after.as_ref().and_then(|state| state.header.latest);
    let (latest, latest_check) = match manifest.mode.order.as_str() {
        "strict" => judged_latest(entries, initial, last, &profile),
        _ => (None, None),
    };
    match latest_check {
        Some(check) => checks.push(check),
        None if manifest.mode.order == "strict" => {
            not_checked.push("latest: it was not read during the run".to_owned());
        }
        None => not_checked.push("latest: it is judged in the strict order only".to_owned()),
    }
    let (mut trust, trust_checks) = trust::check(entries, lateness_p99_ns(run)?, damage);
    trust.not_checked = not_checked;
    checks.extend(trust_checks);
    let outages = downtime::outages(entries);
    let found = Found { audit: audit.as_ref(), latest: latest.as_ref(), outages: &outages };
    if catch_unwind(AssertUnwindSafe(|| limits.judge(&found, &mut checks))).is_err() {
        checks.push(checker_failed("limits"));
    }
    if !trust.damage.is_empty() {
        checks.iter_mut().for_each(doubt);
    }

    let totals = totals::count(entries, manifest.trace.commands);
    let verdict = checks.iter().map(|check| check.verdict).max().unwrap_or(Verdict::Unknown);
    let judgement = Judgement {
        format_version: FORMAT_VERSION,
        limosa: env!("CARGO_PKG_VERSION").to_owned(),
        judged: Timestamp::now(),
        verdict,
        headline: headline(verdict, &checks, audit.as_ref(), &totals),
        outages,
        cascades: cascade::find(entries, after.as_ref()),
        checks,
        totals,
        audit,
        latest,
        trust,
    };
    run.write_judgement(&judgement)?;
    Ok(judgement)
}

struct Recorded {
    entries: Vec<Entry>,
    damage: Vec<String>,
}

impl Recorded {
    fn read(run: &RunDir) -> Result<Self, RunDirError> {
        let mut source = run.entries()?;
        let mut entries: Vec<Entry> = source.by_ref().collect::<Result<_, _>>()?;
        entries.sort_by_key(|entry| entry.intent.called_ns);
        let mut damage: Vec<String> = source
            .damage()
            .iter()
            .map(|place| {
                format!("{} cannot be read from byte {}", place.path.display(), place.offset)
            })
            .collect();
        if source.strays() > 0 {
            damage.push(format!("{} outcomes have no request", source.strays()));
        }
        Ok(Self { entries, damage })
    }
}

/// A read-back; one that is damaged is as good as none, and is named.
fn read_back(
    run: &RunDir,
    name: &str,
    damage: &mut Vec<String>,
) -> Result<Option<ReadBack>, RunDirError> {
    match ReadBack::read(&run.readback(name)) {
        Err(error @ RunDirError::Damaged { .. }) => {
            damage.push(error.to_string());
            Ok(None)
        }
        other => other,
    }
}

/// The last read-back, and how many there were. One that was taken before the last command says
/// nothing of what came after it.
fn last_read_back(
    run: &RunDir,
    entries: &[Entry],
    damage: &mut Vec<String>,
) -> Result<(Option<ReadBack>, u32), RunDirError> {
    let last_called_ns = entries
        .iter()
        .filter(|entry| entry.intent.operation.is_write())
        .map(|entry| entry.intent.called_ns)
        .max();
    for (name, passes) in [("after-2", 2), ("after-1", 1)] {
        if let Some(state) = read_back(run, name, damage)?
            && Some(state.header.taken_ns) >= last_called_ns
        {
            return Ok((Some(state), passes));
        }
    }
    Ok((None, 0))
}

fn lateness_p99_ns(run: &RunDir) -> Result<Option<u64>, LatencyLogError> {
    let totals = histograms::totals(&run.latency_log())?;
    let lateness = histograms::merged(&totals, Figure::Lateness, |_| true);
    Ok((!lateness.is_empty()).then(|| lateness.value_at_quantile(0.99)))
}

/// Whether the whole plan was carried out.
fn complete(manifest: &Manifest, entries: &[Entry]) -> Check {
    let mut ids: Vec<i64> = entries
        .iter()
        .filter(|entry| entry.intent.operation.is_write())
        .map(|entry| entry.intent.command_id)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let tried = ids.len() as u64;
    let (verdict, summary) = match manifest.planned_ids {
        Some(planned) if tried < planned => {
            let missing = counted(planned - tried, "command id");
            (Verdict::Unknown, format!("{missing} of {} never tried", count(planned)))
        }
        Some(planned) => (
            Verdict::Pass,
            format!("all that was planned was sent: {}", counted(planned, "command id")),
        ),
        None if manifest.finished.is_none() => {
            (Verdict::Unknown, "the run was cut short before its time was over".to_owned())
        }
        None => {
            let sent = counted(tried, "command id");
            (Verdict::Pass, format!("{sent} were sent in the time that was given"))
        }
    };
    Check { name: "complete".into(), verdict, summary }
}

fn audited(
    entries: &[Entry],
    before: Option<&ReadBack>,
    after: Option<&ReadBack>,
    passes: u32,
    profile: &Profile,
) -> (Option<Audit>, Check, Vec<String>) {
    let Some(after) = after else {
        let summary = "the target was not read back after the last command: `limosa judge --read-back RUN` does it \
                       now";
        return (None, unknown("audit", summary), Vec::new());
    };
    let evidence = Evidence { entries, before, after, passes, profile };
    match catch_unwind(AssertUnwindSafe(|| audit::audit(&evidence))) {
        Ok((audit, check, not_checked)) => (Some(audit), check, not_checked),
        Err(_) => (None, checker_failed("audit"), Vec::new()),
    }
}

fn judged_latest(
    entries: &[Entry],
    initial: Option<i64>,
    last: Option<i64>,
    profile: &Profile,
) -> (Option<LatestJudgement>, Option<Check>) {
    match catch_unwind(AssertUnwindSafe(|| latest::strict(entries, initial, last, profile))) {
        Ok(None) => (None, None),
        Ok(Some(judgement)) => {
            let check = latest_check(&judgement);
            (Some(judgement), Some(check))
        }
        Err(_) => (None, Some(checker_failed("latest"))),
    }
}

fn latest_check(judgement: &LatestJudgement) -> Check {
    let LatestJudgement { reads, wrong, .. } = judgement;
    let summary = match (judgement.verdict, judgement.mean_legal) {
        (Verdict::Fail, _) => {
            let first = judgement.witnesses.first().map_or("", String::as_str);
            format!(
                "{} of {} of latest were wrong; the first: {first}",
                count(*wrong),
                counted(*reads, "read")
            )
        }
        (_, Some(legal)) => format!(
            "{} of latest named the last command ({legal:.1} answers a read would have been \
             right)",
            all(*reads, "read")
        ),
        _ => "latest was read, but nothing is known of its start".to_owned(),
    };
    Check { name: "latest".into(), verdict: judgement.verdict, summary }
}

fn headline(verdict: Verdict, checks: &[Check], audit: Option<&Audit>, totals: &Totals) -> String {
    let lost = audit.map_or(0, |audit| audit.count(Class::Lost));
    let worst = checks.iter().find(|check| check.verdict == verdict);
    match (verdict, worst) {
        (Verdict::Fail, _) if lost > 0 => {
            let were = if lost == 1 { "was" } else { "were" };
            format!("{} {were} lost", counted(lost, "acknowledged write"))
        }
        (Verdict::Pass, _) => {
            let acknowledged = totals.commands(Ack::Acknowledged);
            let (were, them) = if acknowledged == 1 { ("was", "it") } else { ("were", "them") };
            let commands = match totals.tried() {
                tried if tried == acknowledged => all(acknowledged, "command"),
                tried => format!("{} of {}", count(acknowledged), counted(tried, "command")),
            };
            format!("{commands} {were} acknowledged, and nothing of {them} is missing")
        }
        (_, Some(check)) => check.summary.clone(),
        (_, None) => "nothing was checked".to_owned(),
    }
}

/// Takes the accusation out of a check: what cannot be read of a ledger may be the very unfollow,
/// or the very register, that explains what was found.
fn doubt(check: &mut Check) {
    if check.verdict == Verdict::Fail {
        check.verdict = Verdict::Unknown;
        check.summary = format!("not proven by a damaged ledger: {}", check.summary);
    }
}

/// Runs a checker; one that panics has found nothing out.
fn guarded(name: &str, checker: impl FnOnce() -> Check) -> Check {
    catch_unwind(AssertUnwindSafe(checker)).unwrap_or_else(|_| checker_failed(name))
}

fn checker_failed(name: &str) -> Check {
    unknown(name, "the checker itself failed: please report it with this run directory")
}

fn unknown(name: &str, summary: &str) -> Check {
    Check { name: name.to_owned(), verdict: Verdict::Unknown, summary: summary.to_owned() }
}
