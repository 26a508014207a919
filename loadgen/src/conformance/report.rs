//! What a walk found.

use super::case::{Severity, Verdict};
use crate::profile::Profile;
use serde::Serialize;

/// One case and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `group.rule`.
    pub id: &'static str,
    /// How much a deviation matters.
    pub severity: Severity,
    /// What the protocol says.
    pub rule: &'static str,
    /// What a deviation means for a replay and its audit.
    pub consequence: &'static str,
    /// How it ended.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// It deviates, and the profile knows.
    pub waived: bool,
}

impl Finding {
    /// Whether `profile` describes or accepts what was found.
    pub(super) fn is_waived(id: &str, verdict: &Verdict, profile: &Profile) -> bool {
        let Verdict::Deviates(deviation) = verdict else {
            return false;
        };
        let described = !deviation.waivers.is_empty()
            && deviation.waivers.iter().all(|waiver| waiver.is_known_to(profile));
        described || profile.accepted.contains(id)
    }

    /// Whether the finding makes the check fail.
    pub fn fails(&self) -> bool {
        match self.verdict {
            Verdict::Deviates(_) => self.severity == Severity::Error && !self.waived,
            Verdict::Broken { .. } => true,
            Verdict::Conforms | Verdict::Skipped { .. } => false,
        }
    }
}

/// What became of the value that `GET /latest` reported before the walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LatestAfter {
    /// What it was.
    pub before: i64,
    /// What it is now; `None` where the target would not say.
    pub after: Option<i64>,
}

/// The answer that took longest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Slowest {
    /// What was asked: `POST /register`.
    pub request: String,
    /// How long it took, in milliseconds.
    pub ms: u64,
}

/// Everything that one walk found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The base URL, with its prefix.
    pub target: String,
    /// Every case, in the order in which it was tried.
    pub findings: Vec<Finding>,
    /// The users that the walk made and left behind.
    pub users: Vec<String>,
    /// Whether `latest` is what it was.
    pub latest: LatestAfter,
    /// The answer that took longest; the simulator gives up after 300 ms.
    pub slowest: Option<Slowest>,
}

impl Report {
    /// Whether an error remains that the profile does not waive.
    pub fn fails(&self) -> bool {
        self.findings.iter().any(Finding::fails)
    }

    /// How many findings `select` picks.
    pub fn count(&self, select: impl Fn(&Finding) -> bool) -> usize {
        self.findings.iter().filter(|finding| select(finding)).count()
    }
}
