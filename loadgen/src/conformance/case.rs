//! What a case is, and how it can end.

use super::waiver::Waiver;
use super::walk::Walk;
use serde::Serialize;
use std::pin::Pin;

/// How much a deviation matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// An odd corner that no trace touches.
    Note,
    /// The harness copes, or can be told to.
    Warning,
    /// It breaks the simulator or the audit.
    Error,
}

impl Severity {
    /// The word for it in tables and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One rule of the protocol, and how to try it.
pub(super) struct Case {
    /// `group.rule`; stable, since profiles name it.
    pub(super) id: &'static str,
    /// How much a deviation matters.
    pub(super) severity: Severity,
    /// The rule.
    pub(super) rule: &'static str,
    /// What a deviation means for a replay and its audit.
    pub(super) consequence: &'static str,
    /// Tries it.
    pub(super) run: Run,
}

/// A case's body.
pub(super) type Run =
    for<'a> fn(&'a mut Walk) -> Pin<Box<dyn Future<Output = Result<(), Stop>> + 'a>>;

/// Lists cases: `id, severity, function, rule, consequence;` each.
macro_rules! cases {
    ($($id:literal, $severity:ident, $run:path, $rule:literal, $consequence:literal;)*) => {
        &[$($crate::conformance::case::Case {
            id: $id,
            severity: $crate::conformance::case::Severity::$severity,
            rule: $rule,
            consequence: $consequence,
            run: |walk| Box::pin($run(walk)),
        }),*]
    };
}
pub(super) use cases;

/// Why a case did not come to its good end.
#[derive(Debug)]
pub(super) enum Stop {
    /// The target does otherwise.
    Deviates(Deviation),
    /// The case could not be tried.
    Skipped(String),
    /// The target gave no answer.
    Broken(String),
}

impl Stop {
    /// A deviation that no setting describes.
    pub(super) fn deviates(expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self::Deviates(Deviation {
            expected: expected.into(),
            got: got.into(),
            waivers: Vec::new(),
        })
    }

    /// The same, described by one setting more.
    pub(super) fn waiver(mut self, waiver: Waiver) -> Self {
        if let Self::Deviates(deviation) = &mut self {
            deviation.waivers.push(waiver);
        }
        self
    }
}

/// What was expected and what was got instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deviation {
    /// What the protocol says, for the request that was sent.
    pub expected: String,
    /// What the target did.
    pub got: String,
    /// The settings of a profile that describe it; empty where there is none.
    pub waivers: Vec<Waiver>,
}

/// How a case ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// The target does what the protocol says.
    Conforms,
    /// It does otherwise.
    Deviates(Deviation),
    /// The case could not be tried.
    Skipped {
        /// Why not.
        reason: String,
    },
    /// The target gave no answer that could be judged.
    Broken {
        /// What happened to the connection.
        error: String,
    },
}

impl From<Result<(), Stop>> for Verdict {
    fn from(end: Result<(), Stop>) -> Self {
        match end {
            Ok(()) => Self::Conforms,
            Err(Stop::Deviates(deviation)) => Self::Deviates(deviation),
            Err(Stop::Skipped(reason)) => Self::Skipped { reason },
            Err(Stop::Broken(error)) => Self::Broken { error },
        }
    }
}
