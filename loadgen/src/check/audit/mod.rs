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
mod survey;
mod users;
mod windows;

use crate::check::ids::IdSet;
use crate::check::scope::Scope;
use crate::profile::Profile;
use findings::Tally;
use limosa_reports::render::{count, counted};
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::readback::{Header, ReadBack, UserState};
use limosa_reports::run::verdict::{Audit, Check, Class, LossWindow, State, Verdict};
use order::Order;
use std::collections::BTreeMap;
pub use survey::Survey;
pub use windows::LossWindows;

/// Some users: all that they sent, and all that the target held of them.
#[derive(Debug, Clone, Copy)]
pub struct Users<'a> {
    /// What they sent, in the order of the calls.
    pub entries: &'a [Entry],
    /// What the target held of them before.
    pub before: &'a BTreeMap<String, UserState>,
    /// What it held of them after.
    pub after: &'a BTreeMap<String, UserState>,
}

/// Audits a run, some users at a time. Into how many shares the users are put, and in which order
/// these come, makes no difference.
#[derive(Debug)]
pub struct Auditor<'a> {
    survey: &'a Survey,
    profile: &'a Profile,
    /// The number of messages that the target lists at most of an author.
    limit: Option<usize>,
    tally: Tally<'a>,
    order: Order,
    /// Messages that the limit hides.
    unseen: u64,
    /// Follow commands that later ones replaced.
    undone: u64,
    state: State,
}

impl<'a> Auditor<'a> {
    /// An auditor of a run of which the survey knows everything. `profile` says what the target is
    /// known to do otherwise.
    pub fn new(survey: &'a Survey, profile: &'a Profile) -> Self {
        Self {
            survey,
            profile,
            limit: survey.listing_limit(),
            tally: Tally::new(survey),
            order: Order::default(),
            unseen: 0,
            undone: 0,
            state: State::default(),
        }
    }

    /// Audits some users, none of whom was audited before.
    pub fn audit(&mut self, users: &Users<'_>) {
        users::audit(users, self.survey, &mut self.tally);
        self.unseen += messages::audit(users, self.limit, &mut self.tally, &mut self.order);
        self.undone += follows::audit(users, self.survey, self.profile, &mut self.tally);
        for user in users.after.values() {
            self.state.users += u64::from(user.exists == Some(true));
            self.state.messages += user.messages.len() as u64;
            self.state.follows += user.follows.len() as u64;
        }
    }

    /// The ids of the commands that were lost, for the [`LossWindows`].
    pub fn lost(&self) -> &IdSet {
        self.tally.lost()
    }

    /// Ends the audit of a target that was read back `passes` times. Besides the audit and its check,
    /// returns what could not be checked.
    pub fn finish(
        mut self,
        after: &Header,
        passes: u32,
        loss_windows: Vec<LossWindow>,
    ) -> (Audit, Check, Vec<String>) {
        let mut not_checked = Vec::new();
        not_checked.extend(self.order.judge(self.profile.message_order, &mut self.tally));
        if self.undone > 0 {
            not_checked.push(format!(
                "{} that a later one of the same pair replaced: they leave no trace of their own, \
                 and are counted with the last one",
                counted(self.undone, "follow command")
            ));
        }
        if !self.survey.has_baseline {
            not_checked.push(
                "what the target held before the run: nobody looked, so what is too much may have \
                 been there already"
                    .to_owned(),
            );
        }
        if let Some(shards) = self.survey.scope().named() {
            not_checked.push(format!("what the target holds of the users outside of {shards}"));
        }
        let unread = Some(self.survey.unread()).filter(|unread| *unread > 0).map(|unread| {
            format!("{} that the read-back does not speak of", counted(unread, "user"))
        });
        let cut_off = self.limit.filter(|_| self.unseen > 0).map(|limit| {
            format!(
                "the target seems to list at most {limit} messages of an author: {} could not be looked for \
                 (a profile's `max_no` says how to ask for all)",
                counted(self.unseen, "older one")
            )
        });
        let has_gaps = !after.gaps.is_empty() || cut_off.is_some() || unread.is_some();
        not_checked.extend(unread.into_iter().chain(cut_off));
        not_checked.extend(after.gaps.iter().chain(&after.limits).cloned());
        let audit = Audit {
            method: after.method.clone(),
            passes,
            loss_windows,
            state: State { latest: after.latest, ..self.state },
            counts: self.tally.counts(),
            findings: self.tally.into_findings(),
        };
        let check = verdict(&audit, self.survey.has_baseline, has_gaps);
        (audit, check, not_checked)
    }
}

/// What an audit of all users at once looks at.
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

impl Evidence<'_> {
    fn survey(&self) -> Survey {
        let mut survey = Survey::new(Scope::whole(), self.before.is_some());
        let before = self.before.into_iter().flat_map(|state| state.users.values());
        before.for_each(|state| survey.before(state));
        self.after.users.values().for_each(|state| survey.after(state));
        survey.latest_after(self.after.header.latest);
        self.entries.iter().for_each(|entry| survey.sent(entry));
        survey
    }

    fn loss_windows(&self, lost: &IdSet) -> Vec<LossWindow> {
        let mut answered: Vec<&Entry> = self.entries.iter().collect();
        answered.sort_by_key(|entry| entry.answered_ns());
        let mut windows = LossWindows::of(lost);
        answered.into_iter().for_each(|entry| windows.push(entry));
        windows.finish()
    }
}

/// Audits a run whose records are all in memory. Besides the audit and its check, returns what could
/// not be checked.
pub fn audit(evidence: &Evidence<'_>) -> (Audit, Check, Vec<String>) {
    let survey = evidence.survey();
    let nobody = BTreeMap::new();
    let mut auditor = Auditor::new(&survey, evidence.profile);
    auditor.audit(&Users {
        entries: evidence.entries,
        before: evidence.before.map_or(&nobody, |state| &state.users),
        after: &evidence.after.users,
    });
    let windows = evidence.loss_windows(auditor.lost());
    auditor.finish(&evidence.after.header, evidence.passes, windows)
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

#[cfg(test)]
mod tests;
