//! Whether `GET /latest` named the last command.
//!
//! - [`history`]: the operations, from the entries of the ledger.
//! - [`Checker`] takes them in the order of their calls, keeps only what can still matter, and
//!   judges every contract in one pass; [`judge`] does so for a whole run.
//!
//! Three contracts. C0 (strict): one client with one outstanding operation reads the last command.
//! C1 (register): linearizable, the last write wins. C2 (max register): linearizable, the largest id
//! wins. A strict run is decided by C0, any other by C1.
//!
//! Every read is judged against all writes and the reads called before it that were right, so that
//! one wrong read accuses no other: the history is linearizable if and only if no read is wrong. An
//! id that is written again makes the question ill-posed (in general it is NP-complete) where a read
//! may mean either write. Such reads are not judged; what is wrong without them is wrong with them,
//! and if nothing is, the verdict is unknown.
//!
//! Memory: the operations under way, a bit for every id, a few words for every write without an
//! answer, for each of the first 262,144 values that were read (`CLUSTERS`), and for the last 65,536
//! values that were there (`KEPT_VALUES`). A read of an older one is wrong in any case; how far it is
//! behind is then a lower bound, and marked as such.
//!
//! The tests compare the checkers with an exhaustive search over all orders of small random
//! histories, 16 in each case: `PROPTEST_CASES=16000 cargo nextest run -p limosa -E
//! 'test(latest::tests::oracle)'` judges 256,000 in each test.

mod checker;
mod clusters;
mod counting;
mod finish;
mod frontier;
pub mod history;
mod maximum;
mod measures;
mod sessions;
mod strict;
mod tally;
mod value;
mod zones;

#[cfg(test)]
mod tests;

pub use checker::Checker;

use crate::profile::Profile;
use crate::schedule::Order;
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::verdict::LatestJudgement;
use std::borrow::Borrow;

/// Judges the reads of `latest` in a run by every contract. `entries` come in the order of their
/// calls; `initial` is what the target reported before the run, `last` what it reported after.
/// `None` where `latest` was never read.
pub fn judge<E: Borrow<Entry>>(
    entries: impl IntoIterator<Item = E>,
    initial: Option<i64>,
    last: Option<i64>,
    profile: &Profile,
    order: Order,
) -> Option<LatestJudgement> {
    let mut checker = Checker::new(initial, profile, order);
    for entry in entries {
        checker.push(entry.borrow());
    }
    checker.finish(last)
}
