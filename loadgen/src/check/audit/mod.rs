//! Whether the target holds what it acknowledged: every write of the run is looked for in a
//! read-back of the target, and gets a [`Class`].
//!
//! What is compared is only what the target tells, so the audit works on any server. A message is
//! identified by its author and text; where an author sent the same text more than once, the copies
//! are counted. A follow edge is compared with the last acknowledged command of its pair; an
//! indeterminate command may have taken effect, also late, so both states are legal after one.

mod findings;
mod follows;
mod listing;
mod messages;
mod order;
mod similar;
mod users;
mod windows;

use crate::profile::Profile;
use findings::Tally;
use limosa_reports::render::count;
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::readback::ReadBack;
use limosa_reports::run::verdict::{Audit, Check, Class, Entity, State, Verdict};

/// What an audit looks at.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// What was sent, in the order of the calls.
    pub entries: &'a [Entry],
    /// What the target held before; `None` where nobody looked.
    pub before: Option<&'a ReadBack>,
    /// What it held after.
    pub after: &'a ReadBack,
    /// How often it was read after the run.
    pub passes: u32,
    /// What the target is known to do otherwise.
    pub profile: &'a Profile,
}

/// Audits a run. Besides the audit and its check, returns what could not be checked.
pub fn audit(evidence: &Evidence<'_>) -> (Audit, Check, Vec<String>) {
    let mut tally = Tally::default();
    let mut not_checked = Vec::new();
    users::audit(evidence, &mut tally);
    let cut_off = messages::audit(evidence, &mut tally, &mut not_checked);
    follows::audit(evidence, &mut tally, &mut not_checked);
    tally.find_latest_ahead(evidence);
    if evidence.before.is_none() {
        not_checked.push(
            "what the target held before the run: nobody looked, so what is too much may have been \
             there already"
                .to_owned(),
        );
    }
    let header = &evidence.after.header;
    let unread = users::unread(evidence);
    let has_gaps = !header.gaps.is_empty() || cut_off.is_some() || unread.is_some();
    not_checked.extend(unread);
    not_checked.extend(cut_off.into_iter().chain(header.gaps.iter().cloned()));
    not_checked.extend(header.limits.iter().cloned());
    let audit = Audit {
        method: evidence.after.header.method.clone(),
        passes: evidence.passes,
        loss_windows: windows::find(evidence.entries, &tally.lost_ids()),
        state: state(evidence.after),
        counts: tally.counts(),
        findings: tally.into_findings(),
    };
    let check = verdict(&audit, evidence.before.is_some(), has_gaps);
    (audit, check, not_checked)
}

fn state(after: &ReadBack) -> State {
    let mut state = State { latest: after.header.latest, ..State::default() };
    for user in after.users.values() {
        state.users += u64::from(user.exists == Some(true));
        state.messages += user.messages.len() as u64;
        state.follows += user.follows.len() as u64;
    }
    state
}

/// Where nobody looked before the run, what is too much may have been there already.
fn verdict(audit: &Audit, has_baseline: bool, has_gaps: bool) -> Check {
    let violations: Vec<String> = Class::ALL
        .into_iter()
        .filter(|class| class.is_violation() && audit.count(*class) > 0)
        .filter(|class| has_baseline || !is_too_much(*class))
        .map(|class| format!("{} {}", audit.count(class), class.name()))
        .collect();
    let kept = count(audit.count(Class::Kept));
    let (verdict, summary) = if !violations.is_empty() {
        (Verdict::Fail, format!("{} of what was looked for; {kept} kept", violations.join(", ")))
    } else if has_gaps || !has_baseline {
        (Verdict::Unknown, format!("{kept} kept, but not all could be looked for"))
    } else if audit.counts.is_empty() {
        (Verdict::Unknown, "there was nothing to look for".to_owned())
    } else {
        let open = audit.count(Class::Recovered) + audit.count(Class::Absent);
        let rest = if open > 0 {
            format!("; {} without an answer, which may or may not be there", count(open))
        } else {
            String::new()
        };
        (
            Verdict::Pass,
            format!("of {kept} acknowledged writes nothing is missing, doubled or altered{rest}"),
        )
    };
    Check { name: "audit".into(), verdict, summary }
}

fn is_too_much(class: Class) -> bool {
    matches!(class, Class::Foreign | Class::Ghost | Class::Duplicated | Class::Orphan)
}

/// What an entity is called in a finding of something that nobody sent.
fn foreign(tally: &mut Tally, entity: Entity, user: &str, detail: &str, note: &str) {
    tally.unsent(Class::Foreign, entity, user, detail, note);
}

#[cfg(test)]
mod tests;
