//! One look at all that a run left: every checker sees every request, in the order of the calls.

use super::checker_failed;
use super::shares::Shares;
use crate::check::answers::Answers;
use crate::check::audit::Survey;
use crate::check::cascade::Cascades;
use crate::check::complete::Complete;
use crate::check::downtime::Outages;
use crate::check::latest;
use crate::check::limits::Limits;
use crate::check::scope::Scope;
use crate::check::totals::Counter;
use crate::check::trust::Generator;
use crate::profile::Profile;
use crate::schedule::Order;
use clap::ValueEnum as _;
use limosa_reports::run::manifest::Manifest;
use limosa_reports::run::readback::{Header, ReadBackReader, UserState};
use limosa_reports::run::verdict::Check;
use limosa_reports::run::{RunDir, RunDirError};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What all checkers see, in one go over the ledger.
pub(super) struct Look<'a> {
    pub(super) complete: Complete,
    pub(super) totals: Counter,
    pub(super) answers: Guarded<Answers>,
    pub(super) limits: Guarded<Limits>,
    pub(super) cascades: Cascades,
    pub(super) outages: Outages,
    pub(super) generator: Generator,
    pub(super) survey: Survey,
    /// What the audit needs; `None` where there is nothing to hold it against.
    pub(super) shares: Option<Shares>,
    /// `None` where only a share of what the target was sent is known here.
    pub(super) latest: Option<Guarded<latest::Checker<'a>>>,
}

impl<'a> Look<'a> {
    pub(super) fn new(
        run: &RunDir,
        shares: usize,
        manifest: &Manifest,
        profile: &'a Profile,
        before: Option<&Header>,
        is_read_back: bool,
    ) -> Result<Self, RunDirError> {
        let order = Order::from_str(&manifest.mode.order, false).unwrap_or(Order::None);
        let initial = before.and_then(|header| header.latest);
        let is_whole = manifest.parts.iter().all(|part| part.shard.is_none());
        let latest = || Guarded::new("latest", latest::Checker::new(initial, profile, order));
        Ok(Self {
            complete: Complete::default(),
            totals: Counter::default(),
            answers: Guarded::new("answers", Answers::default()),
            limits: Guarded::new("limits", Limits::new(manifest)),
            cascades: Cascades::default(),
            outages: Outages::default(),
            generator: Generator::default(),
            survey: Survey::new(Scope::of_run(manifest), before.is_some()),
            shares: is_read_back.then(|| Shares::new(run, shares)).transpose()?,
            latest: is_whole.then(latest),
        })
    }

    pub(super) fn before(&mut self, states: ReadBackReader) -> Result<(), RunDirError> {
        let mut each = |state: &UserState| {
            self.survey.before(state);
            if state.exists == Some(true) {
                self.answers.see(|answers| answers.known_before(&state.user));
            }
            true
        };
        match &mut self.shares {
            Some(shares) => shares.before(states, each),
            None => states.into_iter().try_for_each(|state| state.map(|state| _ = each(&state))),
        }
    }

    pub(super) fn after(&mut self, states: ReadBackReader) -> Result<(), RunDirError> {
        let Some(shares) = &mut self.shares else { return Ok(()) };
        let scope = self.survey.scope().clone();
        self.survey.latest_after(states.header.latest);
        shares.after(states, |state| {
            self.survey.after(state);
            if state.exists == Some(false) {
                self.cascades.missing_after(&state.user);
            }
            // What other shards made of their users is theirs to judge.
            scope.holds(&state.user)
        })
    }

    pub(super) fn calls(
        &mut self,
        run: &RunDir,
        damage: &mut Vec<String>,
    ) -> Result<(), RunDirError> {
        let mut calls = run.calls()?;
        for entry in calls.by_ref() {
            let entry = entry?;
            self.complete.push(&entry);
            self.totals.push(&entry);
            let mut failed = false;
            self.answers.see(|answers| failed = answers.push(&entry));
            self.limits.see(|limits| limits.push(&entry, failed));
            self.cascades.push(&entry);
            self.outages.push(&entry);
            self.generator.push(&entry);
            self.survey.sent(&entry);
            if let Some(shares) = &mut self.shares
                && entry.intent.operation.is_write()
            {
                shares.sent(&entry)?;
            }
            if let Some(latest) = &mut self.latest {
                latest.see(|latest| latest.push(&entry));
            }
        }
        damage.extend(calls.damage().iter().map(|place| {
            format!("{} cannot be read from byte {}", place.path.display(), place.offset)
        }));
        if calls.strays() > 0 {
            damage.push(format!("{} outcomes have no request", calls.strays()));
        }
        Ok(())
    }
}

/// A checker; one that panics has found nothing out.
pub(super) struct Guarded<T> {
    name: &'static str,
    checker: Option<T>,
}

impl<T> Guarded<T> {
    pub(super) fn new(name: &'static str, checker: T) -> Self {
        Self { name, checker: Some(checker) }
    }

    pub(super) fn see(&mut self, see: impl FnOnce(&mut T)) {
        if let Some(checker) = &mut self.checker
            && catch_unwind(AssertUnwindSafe(|| see(checker))).is_err()
        {
            self.checker = None;
        }
    }

    pub(super) fn finish(self, finish: impl FnOnce(T) -> Check) -> Check {
        self.conclude(finish).unwrap_or_else(checker_failed)
    }

    /// What the checker concludes, or the name of one that could not.
    pub(super) fn conclude<R>(self, conclude: impl FnOnce(T) -> R) -> Result<R, &'static str> {
        self.checker
            .and_then(|checker| catch_unwind(AssertUnwindSafe(|| conclude(checker))).ok())
            .ok_or(self.name)
    }
}
