//! Judging a run from its directory alone: reads it, runs every checker, writes `verdict.json`.

mod look;
mod shares;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use crate::check::Listed;
use crate::check::answers::Answers;
use crate::check::audit::{Auditor, LossWindows, Survey};
use crate::check::limits::Found;
use crate::profile::Profile;
use jiff::Timestamp;
use limosa_reports::render::{all, count, counted};
use limosa_reports::run::derive::{DeriveError, Extent, derive};
use limosa_reports::run::histograms::{self, Figure, LatencyLogError};
use limosa_reports::run::ledger::LedgerReader;
use limosa_reports::run::manifest::{Manifest, Part};
use limosa_reports::run::operation::Ack;
use limosa_reports::run::readback::{Header, ReadBackReader};
use limosa_reports::run::verdict::{
    Audit, Check, Class, Judgement, LatestJudgement, Totals, Verdict,
};
use limosa_reports::run::{FORMAT_VERSION, RunDir, RunDirError};
use look::Look;
use shares::{Shares, shares_of};
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
/// Memory does not grow with the run, but for the names of its users: the ledger is read in the
/// order of the calls, and the audit is made of a share of the users at a time.
///
/// # Errors
/// [`JudgeError`] where the directory cannot be read or written. A checker that fails is no error:
/// its check is unknown.
pub fn judge(run: &RunDir) -> Result<Judgement, JudgeError> {
    judge_in_shares(run, shares_of(run)?)
}

fn judge_in_shares(run: &RunDir, shares: usize) -> Result<Judgement, JudgeError> {
    let manifest = run.manifest()?;
    let extent = derive(run, &manifest)?;
    let profile: Profile =
        serde_json::from_value(manifest.profile.clone()).map_err(JudgeError::Profile)?;
    let mut damage = Vec::new();
    let before = read_back(run, "before", &mut damage)?;
    let (after, passes) = last_read_back(run, &extent, &mut damage)?;
    let before_header = before.as_ref().map(|state| state.header.clone());
    let after_header = after.as_ref().map(|state| state.header.clone());

    let mut look =
        Look::new(run, shares, &manifest, &profile, before_header.as_ref(), after.is_some())?;
    if let Some(before) = before {
        look.before(before)?;
    }
    if let Some(after) = after {
        look.after(after)?;
    }
    look.calls(run, &mut damage)?;
    damage.extend(missing_parts(run, &manifest)?);

    let mut checks = vec![look.complete.finish(&manifest)];
    checks.push(look.answers.finish(Answers::finish));
    let (audit, audit_check, mut not_checked) =
        audited(run, &look.survey, look.shares, &profile, after_header.as_ref(), passes)?;
    checks.push(audit_check);
    let last = after_header.as_ref().and_then(|header| header.latest);
    let latest = match look.latest.map(|checker| checker.conclude(|latest| latest.finish(last))) {
        Some(Ok(Some(judgement))) => {
            checks.push(latest_check(&judgement));
            Some(judgement)
        }
        Some(Ok(None)) => {
            not_checked.push("latest: it was not read during the run".to_owned());
            None
        }
        Some(Err(name)) => {
            checks.push(checker_failed(name));
            None
        }
        None => {
            not_checked.push(
                "latest: other processes sent their shares at the same time, by clocks of their own"
                    .to_owned(),
            );
            None
        }
    };
    let outages = told(look.outages.finish(), "outage", "longest", &mut not_checked);
    let cascades = told(look.cascades.finish(), "cascade", "largest", &mut not_checked);
    let (mut trust, trust_checks) = look.generator.finish(lateness_p99_ns(run, &manifest)?, damage);
    trust.not_checked = not_checked;
    checks.extend(trust_checks);
    let found = Found { audit: audit.as_ref(), latest: latest.as_ref(), outages: &outages };
    if let Err(name) = look.limits.conclude(|limits| limits.judge(&found, &mut checks)) {
        checks.push(checker_failed(name));
    }
    if !trust.damage.is_empty() {
        checks.iter_mut().for_each(doubt);
    }

    let totals = look.totals.finish(manifest.trace.commands);
    let verdict = checks.iter().map(|check| check.verdict).max().unwrap_or(Verdict::Unknown);
    let judgement = Judgement {
        format_version: FORMAT_VERSION,
        limosa: env!("CARGO_PKG_VERSION").to_owned(),
        judged: Timestamp::now(),
        verdict,
        headline: headline(verdict, &checks, audit.as_ref(), &totals),
        outages,
        cascades,
        checks,
        totals,
        audit,
        latest,
        trust,
    };
    run.write_judgement(&judgement)?;
    Ok(judgement)
}

/// Parts of which no segment is left, though a later one has some: who went on with a run had
/// found it begun.
fn missing_parts(run: &RunDir, manifest: &Manifest) -> Result<Vec<String>, JudgeError> {
    let there: Vec<u16> = LedgerReader::parts(&run.ledger())
        .map_err(RunDirError::from)?
        .into_iter()
        .map(|(part, _)| part)
        .collect();
    let lost =
        |part: &&Part| !there.contains(&part.part) && there.iter().any(|one| *one > part.part);
    let name = |part: &Part| format!("the ledger of part {} is missing", part.part);
    Ok(manifest.parts.iter().filter(lost).map(name).collect())
}

/// What is listed of many; that it is not all is said.
fn told<T>(listed: Listed<T>, what: &str, kept: &str, not_checked: &mut Vec<String>) -> Vec<T> {
    let Listed { items, total } = listed;
    if total > items.len() as u64 {
        not_checked.push(format!(
            "each of {}: only the {} {kept} are listed",
            counted(total, what),
            count(items.len() as u64)
        ));
    }
    items
}

/// A read-back; one that is damaged is as good as none, and is named.
fn read_back(
    run: &RunDir,
    name: &str,
    damage: &mut Vec<String>,
) -> Result<Option<ReadBackReader>, RunDirError> {
    match ReadBackReader::open(&run.readback(name)) {
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
    extent: &Extent,
    damage: &mut Vec<String>,
) -> Result<(Option<ReadBackReader>, u32), RunDirError> {
    for (name, passes) in [("after-2", 2), ("after-1", 1)] {
        if let Some(state) = read_back(run, name, damage)?
            && Some(state.header.taken_ns) >= extent.last_command_ns
        {
            return Ok((Some(state), passes));
        }
    }
    Ok((None, 0))
}

/// What was sent to make the target warm may be late: so may a generator be that is not yet warm.
fn lateness_p99_ns(run: &RunDir, manifest: &Manifest) -> Result<Option<u64>, LatencyLogError> {
    let lateness = histograms::sums(&run.latency_log(), |series| {
        let is_judged = series.figure == Figure::Lateness && !manifest.is_warm_up(&series.phase);
        is_judged.then_some(())
    })?;
    Ok(lateness.get(&()).map(|lateness| lateness.value_at_quantile(0.99)))
}

type Audited = (Option<Audit>, Check, Vec<String>);

fn audited(
    run: &RunDir,
    survey: &Survey,
    shares: Option<Shares>,
    profile: &Profile,
    after: Option<&Header>,
    passes: u32,
) -> Result<Audited, RunDirError> {
    let (Some(shares), Some(after)) = (shares, after) else {
        let summary = "the target was not read back after the last command: `limosa judge --read-back RUN` does it \
                       now";
        return Ok((None, unknown("audit", summary), Vec::new()));
    };
    let audit = || -> Result<Audited, RunDirError> {
        let mut auditor = Auditor::new(survey, profile);
        shares.audit(|users| auditor.audit(users))?;
        let mut windows = LossWindows::of(auditor.lost());
        if !auditor.lost().is_empty() {
            for entry in run.entries()? {
                windows.push(&entry?);
            }
        }
        let windows = windows.finish();
        let (audit, check, not_checked) = auditor.finish(after, passes, windows);
        Ok((Some(audit), check, not_checked))
    };
    catch_unwind(AssertUnwindSafe(audit))
        .unwrap_or_else(|_| Ok((None, checker_failed("audit"), Vec::new())))
}

fn latest_check(judgement: &LatestJudgement) -> Check {
    let details = judgement.details.as_ref();
    let decisive = details.and_then(|details| details.contracts.first());
    let summary = decisive.map_or_else(String::new, |contract| contract.summary.clone());
    let summary = match judgement.mean_legal.filter(|_| judgement.verdict == Verdict::Pass) {
        Some(legal) => {
            format!("{summary} ({legal:.1} answers to a read would have been right, on average)")
        }
        None => summary,
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
            let refused = match totals.commands(Ack::Rejected) {
                0 => "",
                refused if refused + acknowledged == totals.tried() => {
                    "; the others a correct server refuses too"
                }
                _ => "",
            };
            format!("{commands} {were} acknowledged, and nothing of {them} is missing{refused}")
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

fn checker_failed(name: &str) -> Check {
    unknown(name, "the checker itself failed: please report it with this run directory")
}

fn unknown(name: &str, summary: &str) -> Check {
    Check { name: name.to_owned(), verdict: Verdict::Unknown, summary: summary.to_owned() }
}
