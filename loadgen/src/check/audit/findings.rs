//! Counting classes, and keeping what went wrong.

use super::Survey;
use crate::check::ids::IdSet;
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::operation::Ack;
use limosa_reports::run::verdict::{Audit, Class, Entity, Finding};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

/// The classes counted so far, and the findings among them: of each class and entity the first by
/// command, whatever the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct Tally<'a> {
    /// May be below zero where a command is moved out of a class that another tally counts.
    counts: BTreeMap<(Entity, Class), i64>,
    findings: BTreeMap<(Entity, Class), BinaryHeap<Ranked>>,
    lost: IdSet,
    survey: Option<&'a Survey>,
}

impl<'a> Tally<'a> {
    /// A tally that knows what `latest` named.
    pub(super) fn new(survey: &'a Survey) -> Self {
        Self { survey: Some(survey), ..Self::default() }
    }

    /// Counts a command, and keeps it as a finding where its class is a violation.
    pub(super) fn command(&mut self, class: Class, entity: Entity, entry: &Entry, note: &str) {
        if class == Class::Lost {
            self.lost.insert(entry.intent.command_id);
        }
        let is_ahead = class == Class::Absent && self.is_ahead(entry);
        let (class, note) = match is_ahead {
            true => (Class::LatestAhead, "latest named it, and its effect is not there"),
            false => (class, note),
        };
        self.count(class, entity, 1);
        if class.is_violation() {
            self.keep(of_command(class, entity, entry, note));
        }
    }

    /// `latest` must not name a command whose effect is not there. Only commands without any answer
    /// are looked at: an acknowledged one is lost already, and a refused one has no effect. Without
    /// an outcome, the generator ended: the target may never have seen the command.
    fn is_ahead(&self, entry: &Entry) -> bool {
        let unanswered = entry.outcome.as_ref().is_some_and(|outcome| outcome.status == 0);
        let id = entry.intent.command_id;
        unanswered && self.survey.is_some_and(|survey| survey.is_named_by_latest(id))
    }

    /// Counts `count` entities that need no finding.
    pub(super) fn count(&mut self, class: Class, entity: Entity, count: i64) {
        *self.counts.entry((entity, class)).or_default() += count;
    }

    /// Moves a command that was counted as kept or recovered into another class.
    pub(super) fn reclass(&mut self, class: Class, entity: Entity, entry: &Entry, note: &str) {
        let old = match entry.ack() {
            Ack::Acknowledged => Class::Kept,
            _ => Class::Recovered,
        };
        self.count(old, entity, -1);
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

    /// Adds another tally to this one.
    pub(super) fn add(&mut self, other: Tally<'_>) {
        for ((entity, class), count) in other.counts {
            self.count(class, entity, count);
        }
        let findings = other.findings.into_values().flatten();
        findings.for_each(|Ranked(finding)| self.keep(finding));
    }

    /// The ids of the commands that were lost.
    pub(super) fn lost(&self) -> &IdSet {
        &self.lost
    }

    pub(super) fn counts(&self) -> BTreeMap<Entity, BTreeMap<Class, u64>> {
        let mut counts: BTreeMap<Entity, BTreeMap<Class, u64>> = BTreeMap::new();
        for ((entity, class), count) in &self.counts {
            if let Some(count) = u64::try_from(*count).ok().filter(|count| *count > 0) {
                counts.entry(*entity).or_default().insert(*class, count);
            }
        }
        counts
    }

    /// The findings, by command; what nobody sent comes last.
    pub(super) fn into_findings(self) -> Vec<Finding> {
        let mut findings: Vec<Ranked> = self.findings.into_values().flatten().collect();
        findings.sort_unstable();
        findings.into_iter().map(|Ranked(finding)| finding).collect()
    }

    fn keep(&mut self, finding: Finding) {
        let kept = self.findings.entry((finding.entity, finding.class)).or_default();
        kept.push(Ranked(finding));
        if kept.len() > Audit::MAX_FINDINGS {
            kept.pop();
        }
    }
}

/// A finding by its place in the list: by command, and what nobody sent last.
#[derive(Debug)]
struct Ranked(Finding);

impl Ranked {
    fn key(&self) -> impl Ord {
        let Finding { class, entity, command_id, user, detail, called_ns, note, .. } = &self.0;
        (command_id.is_none(), command_id, class, entity, user, detail, called_ns, note)
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ranked {}

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
