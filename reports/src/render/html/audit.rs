//! The audit as the page shows it: every class, and the first findings of each.

use super::MAX_ROWS;
use crate::render::summary::Summary;
use crate::render::units::{clock, count, duration, id, visible};
use crate::run::operation::Operation;
use crate::run::verdict::{Audit, Class, Entity, Finding, LossWindow};
use std::collections::BTreeMap;

/// How many findings of a class and entity the page lists; `verdict.json` has more.
const MAX_EXAMPLES: usize = 25;
pub(super) struct AuditView {
    pub(super) method: String,
    pub(super) entities: Vec<&'static str>,
    pub(super) classes: Vec<ClassRow>,
    pub(super) findings: Vec<FindingRow>,
    pub(super) left_out: u64,
    pub(super) windows: Vec<Vec<String>>,
    pub(super) state: String,
}

pub(super) struct ClassRow {
    pub(super) name: &'static str,
    pub(super) meaning: &'static str,
    pub(super) tone: &'static str,
    pub(super) counts: Vec<String>,
    pub(super) sum: String,
}

pub(super) struct FindingRow {
    pub(super) class: &'static str,
    pub(super) id: String,
    pub(super) operation: &'static str,
    pub(super) user: String,
    pub(super) detail: String,
    pub(super) called: String,
    pub(super) returned: String,
    pub(super) answer: String,
    pub(super) note: String,
}

impl AuditView {
    pub(super) fn of(summary: &Summary, audit: &Audit) -> Self {
        let examples = examples(audit);
        let listed = examples.len() as u64;
        let state = audit.state;
        Self {
            method: format!(
                "read back {} {}",
                match audit.method.as_str() {
                    "api" => "through its public API".to_owned(),
                    other => format!("by {}", visible(other)),
                },
                match audit.passes {
                    1 => "once".to_owned(),
                    2 => "twice".to_owned(),
                    passes => format!("{passes} times"),
                }
            ),
            entities: Entity::ALL.map(Entity::plural).to_vec(),
            classes: Class::ALL.into_iter().map(|class| class_row(audit, class)).collect(),
            findings: examples.into_iter().map(|finding| finding_row(summary, finding)).collect(),
            left_out: violations(audit).saturating_sub(listed),
            windows: audit
                .loss_windows
                .iter()
                .take(MAX_ROWS)
                .map(|window| window_row(summary, window))
                .collect(),
            state: format!(
                "{} users, {} messages, {} follows; latest {}",
                count(state.users),
                count(state.messages),
                count(state.follows),
                state.latest.map_or_else(|| "not reported".to_owned(), id)
            ),
        }
    }
}

fn violations(audit: &Audit) -> u64 {
    Class::ALL
        .into_iter()
        .filter(|class| class.is_violation())
        .map(|class| audit.count(class))
        .sum()
}

fn class_row(audit: &Audit, class: Class) -> ClassRow {
    let of = |entity| {
        audit.counts.get(&entity).and_then(|classes| classes.get(&class)).copied().unwrap_or(0)
    };
    ClassRow {
        name: class.name(),
        meaning: class.meaning(),
        tone: match (audit.count(class), class.is_violation()) {
            (0, _) => "none",
            (_, true) => "bad",
            (_, false) => "good",
        },
        counts: Entity::ALL.map(|entity| count(of(entity))).to_vec(),
        sum: count(audit.count(class)),
    }
}

/// The first findings of each class and entity, in the order of the audit.
fn examples(audit: &Audit) -> Vec<&Finding> {
    let mut listed = BTreeMap::<(Class, Entity), usize>::new();
    audit
        .findings
        .iter()
        .filter(|finding| {
            let number = listed.entry((finding.class, finding.entity)).or_default();
            *number += 1;
            *number <= MAX_EXAMPLES
        })
        .collect()
}

fn finding_row(summary: &Summary, finding: &Finding) -> FindingRow {
    let started = summary.manifest.started;
    let time = |ns: Option<u64>| ns.map_or_else(|| "–".to_owned(), |ns| clock(started, ns));
    let answer = [
        finding.status.map(|status| format!("status {status}")),
        finding
            .replica
            .filter(|_| summary.manifest.targets.len() > 1)
            .map(|replica| format!("replica {replica}")),
    ];
    FindingRow {
        class: finding.class.name(),
        id: finding.command_id.map_or_else(|| "–".to_owned(), id),
        operation: finding.operation.map_or("–", Operation::name),
        user: visible(&finding.user),
        detail: visible(&finding.detail),
        called: time(finding.called_ns),
        returned: time(finding.returned_ns),
        answer: answer.into_iter().flatten().collect::<Vec<_>>().join(", "),
        note: visible(&finding.note),
    }
}

fn window_row(summary: &Summary, window: &LossWindow) -> Vec<String> {
    let started = summary.manifest.started;
    vec![
        clock(started, window.first_ns),
        clock(started, window.last_ns),
        duration(window.last_ns.saturating_sub(window.first_ns)),
        count(window.lost),
        count(window.kept),
    ]
}
