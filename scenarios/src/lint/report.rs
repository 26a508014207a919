//! What a linter found: exact totals, and a bounded number of examples.

use super::kind::{Kind, Severity};
use crate::error::Field;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The kind of finding; it determines severity and consequence.
    pub kind: Kind,
    /// The line on which it was found, from 1.
    pub line: u64,
    /// The field at fault, where there is one.
    #[serde(serialize_with = "field_name")]
    pub field: Option<Field>,
    /// What was found, in words.
    pub message: String,
}

fn field_name<S: Serializer>(field: &Option<Field>, to: S) -> Result<S::Ok, S::Error> {
    field.map(Field::name).serialize(to)
}

/// All findings of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// How much it matters.
    pub severity: Severity,
    /// What it will cause on a replay.
    pub consequence: &'static str,
    /// How many there are; of missing ids, how many ids.
    pub total: u64,
    /// The first of them.
    pub examples: Vec<Finding>,
}

/// Everything that was found in a trace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How many lines were read.
    pub lines: u64,
    /// The findings by kind, the gravest first. A kind that was not found is absent.
    pub findings: BTreeMap<Kind, Findings>,
}

impl Report {
    /// How many findings have this severity.
    pub fn total(&self, severity: Severity) -> u64 {
        self.findings
            .values()
            .filter(|findings| findings.severity == severity)
            .map(|findings| findings.total)
            .sum()
    }

    /// How many findings are of this kind.
    pub fn of(&self, kind: Kind) -> u64 {
        self.findings.get(&kind).map_or(0, |findings| findings.total)
    }

    pub(super) fn add(&mut self, finding: Finding, weight: u64, most_examples: usize) {
        let kind = finding.kind;
        let findings = self.findings.entry(kind).or_insert_with(|| Findings {
            severity: kind.severity(),
            consequence: kind.consequence(),
            total: 0,
            examples: Vec::new(),
        });
        findings.total = findings.total.saturating_add(weight);
        if findings.examples.len() < most_examples {
            findings.examples.push(finding);
        }
    }
}
