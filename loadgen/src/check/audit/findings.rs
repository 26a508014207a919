//! Counting classes, and keeping what went wrong.

use super::Evidence;
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::operation::Ack;
use limosa_reports::run::verdict::{Audit, Class, Entity, Finding};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The classes counted so far, and the findings among them.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: BTreeMap<Entity, BTreeMap<Class, u64>>,
    findings: Vec<Finding>,
    lost: BTreeSet<i64>,
    /// Commands without any answer that left no trace.
    vanished: Vec<(Entity, Finding)>,
}

impl Tally {
    /// Counts `count` entities that need no finding.
    pub(super) fn count(&mut self, class: Class, entity: Entity, count: u64) {
        if count > 0 {
            *self.counts.entry(entity).or_default().entry(class).or_default() += count;
        }
    }

    /// Counts a command, and keeps it as a finding where its class is a violation.
    pub(super) fn command(&mut self, class: Class, entity: Entity, entry: &Entry, note: &str) {
        self.count(class, entity, 1);
        if class == Class::Lost {
            self.lost.insert(entry.intent.command_id);
        }
        // Without an outcome, the generator ended: the target may never have seen the command.
        let unanswered = entry.outcome.as_ref().is_some_and(|outcome| outcome.status == 0);
        if class == Class::Absent && unanswered {
            self.vanished.push((entity, of_command(class, entity, entry, note)));
        }
        if class.is_violation() {
            self.keep(of_command(class, entity, entry, note));
        }
    }

    /// Moves a command that was counted as kept or recovered into another class.
    pub(super) fn reclass(&mut self, class: Class, entity: Entity, entry: &Entry, note: &str) {
        let old = match entry.ack() {
            Ack::Acknowledged => Class::Kept,
            _ => Class::Recovered,
        };
        self.uncount(old, entity);
        self.command(class, entity, entry, note);
    }

    /// Counts, and keeps as a finding, something that no command of the run explains.
    pub(super) fn unsent(
        &mut self,
        class: Class,
        entity: Entity,
        user: &str,
        detail: &str,
        note: &str,
    ) {
        self.count(class, entity, 1);
        self.keep(Finding {
            class,
            entity,
            command_id: None,
            operation: None,
            user: user.to_owned(),
            detail: detail.to_owned(),
            called_ns: None,
            returned_ns: None,
            replica: None,
            status: None,
            note: note.to_owned(),
        });
    }

    /// `latest` must not name a command whose effect is not there. Only commands without any answer
    /// are looked at: an acknowledged one is lost already, and a refused one has no effect.
    pub(super) fn find_latest_ahead(&mut self, evidence: &Evidence<'_>) {
        let acknowledged: HashSet<i64> = evidence
            .entries
            .iter()
            .filter(|entry| entry.ack() == Ack::Acknowledged && entry.intent.operation.is_write())
            .map(|entry| entry.intent.command_id)
            .collect();
        let named: HashSet<i64> = evidence
            .entries
            .iter()
            .filter_map(|entry| entry.outcome.as_ref()?.latest)
            .chain(evidence.after.header.latest)
            // One that was sent again and acknowledged is named for that.
            .filter(|id| !acknowledged.contains(id))
            .collect();
        for (entity, mut finding) in std::mem::take(&mut self.vanished) {
            if finding.command_id.is_some_and(|id| named.contains(&id)) {
                finding.class = Class::LatestAhead;
                "latest named it, and its effect is not there".clone_into(&mut finding.note);
                self.uncount(Class::Absent, entity);
                self.count(Class::LatestAhead, entity, 1);
                self.keep(finding);
            }
        }
    }

    /// The ids of the commands that were lost.
    pub(super) fn lost_ids(&self) -> BTreeSet<i64> {
        self.lost.clone()
    }

    pub(super) fn counts(&self) -> BTreeMap<Entity, BTreeMap<Class, u64>> {
        let mut counts = self.counts.clone();
        for classes in counts.values_mut() {
            classes.retain(|_, count| *count > 0);
        }
        counts
    }

    /// The findings, by command; what nobody sent comes last.
    pub(super) fn into_findings(mut self) -> Vec<Finding> {
        self.findings.sort_by_key(|finding| {
            (finding.command_id.is_none(), finding.command_id, finding.class)
        });
        self.findings
    }

    fn uncount(&mut self, class: Class, entity: Entity) {
        if let Some(count) = self.counts.get_mut(&entity).and_then(|all| all.get_mut(&class)) {
            *count -= 1;
        }
    }

    fn keep(&mut self, finding: Finding) {
        let counted = self.counts.get(&finding.entity).and_then(|all| all.get(&finding.class));
        if counted.is_none_or(|count| *count <= Audit::MAX_FINDINGS as u64) {
            self.findings.push(finding);
        }
    }
}

fn of_command(class: Class, entity: Entity, entry: &Entry, note: &str) -> Finding {
    let outcome = entry.outcome.as_ref();
    Finding {
        class,
        entity,
        command_id: Some(entry.intent.command_id),
        operation: Some(entry.intent.operation),
        user: entry.intent.user.clone(),
        detail: entry.intent.detail.clone(),
        called_ns: Some(entry.intent.called_ns),
        returned_ns: outcome.map(|outcome| outcome.done_ns),
        replica: outcome.map(|outcome| outcome.replica),
        status: outcome.map(|outcome| outcome.status).filter(|status| *status != 0),
        note: note.to_owned(),
    }
}
