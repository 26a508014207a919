//! Joining several runs of one plan, above all those of its shards, into one run directory.
//!
//! Nothing is summed up: the ledgers are united, request by request, and the read-backs, user by
//! user, so that what is made from them is what one run with the same outcomes would have.

mod plan;
mod read_backs;

#[cfg(test)]
mod tests;

use crate::check::scope::Scope;
use limosa_reports::run::ledger::{Damage, LedgerError, LedgerReader, copy_part};
use limosa_reports::run::manifest::{Manifest, Part};
use limosa_reports::run::{RunDir, RunDirError};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Why runs could not be joined.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// A run directory.
    #[error(transparent)]
    RunDir(#[from] RunDirError),
    /// A ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The runs are not of one plan.
    #[error("{path} is a run of another plan than {other}: its {what} is {theirs}, not {ours}; join runs of the same trace, flags and seed", path = path.display(), other = other.display())]
    OtherPlan {
        /// The run.
        path: PathBuf,
        /// The first of the others.
        other: PathBuf,
        /// What differs.
        what: &'static str,
        /// In the run.
        theirs: String,
        /// In the other.
        ours: String,
    },
    /// A run of all users has nothing to be joined with.
    #[error("{path} is no shard: what is joined was sent by `--shard 1/2` and `--shard 2/2`, or more of them", path = .0.display())]
    NoShard(PathBuf),
    /// A run is given twice, or two runs sent the same users' commands.
    #[error("{path} and {other} hold the same shard: leave one of them out", path = path.display(), other = other.display())]
    SameShard {
        /// The one.
        path: PathBuf,
        /// The other.
        other: PathBuf,
    },
    /// A part of a ledger is lost, which the joined run would not show.
    #[error("{path} cannot be read from byte {offset}: a damaged run is not joined with others; judge it by itself", path = .0.path.display(), offset = .0.offset)]
    Damaged(Damage),
    /// The joined run would be mixed with what is there.
    #[error("--into: {} is not empty: name a new folder", .0.display())]
    Occupied(PathBuf),
    /// There are more parts than a ledger can number.
    #[error("the runs have more than 65,535 parts together: join fewer of them")]
    TooManyParts,
}

/// One of the runs.
struct Source {
    run: RunDir,
    manifest: Manifest,
    scope: Scope,
    /// How long after the first run it began.
    later_ns: u64,
    /// When its last command was sent, in nanoseconds since the first run began.
    last_command_ns: Option<u64>,
}

/// Joins the runs into the new run directory `into`, which is still to be judged. The runs stay as
/// they are.
///
/// # Errors
/// [`MergeError`]; what was written until then is no run.
pub fn merge(runs: &[PathBuf], into: &Path) -> Result<RunDir, MergeError> {
    let mut sources = open(runs)?;
    let merged = RunDir::create_at(into).map_err(|error| match error {
        RunDirError::Occupied(path) => MergeError::Occupied(path),
        error => error.into(),
    })?;
    let manifest = unite_ledgers(&mut sources, &merged)?;
    read_backs::unite(&sources, &merged)?;
    // Last: until then, the directory is no run.
    merged.write_manifest(&manifest)?;
    Ok(merged)
}

/// Opens the runs, the first one first, and sees to it that they belong together.
fn open(runs: &[PathBuf]) -> Result<Vec<Source>, MergeError> {
    let mut sources: Vec<Source> = Vec::new();
    for path in runs {
        let mut run = RunDir::open(path)?;
        let path = run.path().to_path_buf();
        if sources.iter().any(|source| source.run.path() == path) {
            return Err(MergeError::SameShard { other: path.clone(), path });
        }
        run.lock()?;
        let manifest = run.manifest()?;
        let scope = Scope::of_run(&manifest);
        if scope == Scope::whole() {
            return Err(MergeError::NoShard(path));
        }
        for other in &sources {
            let other_path = other.run.path().to_path_buf();
            if let Some((what, theirs, ours)) = plan::difference(&manifest, &other.manifest) {
                return Err(MergeError::OtherPlan { path, other: other_path, what, theirs, ours });
            }
            if !scope.is_apart_from(&other.scope) {
                return Err(MergeError::SameShard { path, other: other_path });
            }
        }
        sources.push(Source { run, manifest, scope, later_ns: 0, last_command_ns: None });
    }
    sources.sort_by_key(|source| source.manifest.started);
    let first = sources.first().map(|source| source.manifest.started);
    for source in &mut sources {
        let later = first.map(|first| source.manifest.started.duration_since(first).as_nanos());
        source.later_ns = later.unwrap_or(0).max(0) as u64;
    }
    Ok(sources)
}

/// Copies the ledgers, and makes the manifest of all.
fn unite_ledgers(sources: &mut [Source], merged: &RunDir) -> Result<Manifest, MergeError> {
    let mut targets: Vec<String> = Vec::new();
    let mut parts: Vec<Part> = Vec::new();
    let mut numbers = 0..=u16::MAX;
    for source in &mut *sources {
        let replicas: Vec<u16> =
            source.manifest.targets.iter().map(|url| number_of(&mut targets, url)).collect();
        let replica = |old: u16| replicas.get(usize::from(old)).copied().unwrap_or(old);
        let mut recorded = BTreeMap::from_iter(LedgerReader::parts(&source.run.ledger())?);
        let known = source.manifest.parts.iter().map(|part| part.part);
        let old_numbers: BTreeSet<u16> = known.chain(recorded.keys().copied()).collect();
        for old in old_numbers {
            let number = numbers.next().ok_or(MergeError::TooManyParts)?;
            let known = source.manifest.parts.iter().find(|part| part.part == old);
            parts.extend(known.map(|part| Part {
                part: number,
                offset_ns: part.offset_ns + source.later_ns,
                ..part.clone()
            }));
            // A part that was killed before its first request has no record.
            let Some(reader) = recorded.remove(&old) else { continue };
            let copied = copy_part(reader, &merged.ledger(), number, source.later_ns, replica)?;
            if let Some(damage) = copied.damage.into_iter().next() {
                return Err(MergeError::Damaged(damage));
            }
            source.last_command_ns = source.last_command_ns.max(copied.last_command_ns);
        }
    }
    Ok(plan::united(sources, targets, parts))
}

/// The number of a target, which is added where it is new.
fn number_of(targets: &mut Vec<String>, url: &str) -> u16 {
    let at = targets.iter().position(|known| known == url).unwrap_or_else(|| {
        targets.push(url.to_owned());
        targets.len() - 1
    });
    at as u16
}
