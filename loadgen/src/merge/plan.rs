//! What makes runs runs of one plan, and the manifest of several.

use super::Source;
use limosa_reports::run::FORMAT_VERSION;
use limosa_reports::run::manifest::{Manifest, Part};

/// What differs, in the one, and in the other.
pub(super) type Difference = (&'static str, String, String);

/// The first thing in which two runs differ that runs of one plan have in common.
pub(super) fn difference(one: &Manifest, other: &Manifest) -> Option<Difference> {
    let pairs = facts(one).into_iter().zip(facts(other));
    pairs.map(|((what, one), (_, other))| (what, one, other)).find(|(_, one, other)| one != other)
}

fn facts(manifest: &Manifest) -> [(&'static str, String); 16] {
    let mode = &manifest.mode;
    let shards = manifest.parts.first().and_then(|part| part.shard);
    let phases = manifest.parts.first().map(|part| &part.phases);
    [
        ("kind", manifest.kind.clone()),
        ("trace's SHA-256", manifest.trace.sha256.clone()),
        ("seed", manifest.seed.to_string()),
        ("order", mode.order.clone()),
        ("pace", mode.pace.clone()),
        ("number of shards", shards.map_or(1, |shard| shard.of).to_string()),
        ("number of connections", mode.connections.to_string()),
        ("client", mode.client.clone()),
        ("keep-alive", mode.keep_alive.to_string()),
        ("route", mode.route.clone()),
        ("mix of reads", mode.reads.join(", ")),
        ("connect timeout in ms", mode.connect_timeout_ms.to_string()),
        ("response timeout in ms", mode.response_timeout_ms.to_string()),
        ("phases", phases.map_or_else(String::new, |phases| format!("{phases:?}"))),
        ("limits", manifest.limits.join(", ")),
        ("profile", manifest.profile.to_string()),
    ]
}

/// The manifest of all runs, the first one of which lends what only one can have, such as the name.
pub(super) fn united(sources: &[Source], targets: Vec<String>, parts: Vec<Part>) -> Manifest {
    let Some(first) = sources.first() else { unreachable!("at least one run was opened") };
    let manifests = || sources.iter().map(|source| &source.manifest);
    let planned: Option<Vec<u64>> = manifests().map(|manifest| manifest.planned_ids).collect();
    let finished: Option<Vec<_>> = manifests().map(|manifest| manifest.finished).collect();
    Manifest {
        format_version: FORMAT_VERSION,
        limosa: env!("CARGO_PKG_VERSION").to_owned(),
        finished: finished.and_then(|finished| finished.into_iter().max()),
        planned_ids: planned.map(|planned| planned.into_iter().sum()),
        targets,
        parts,
        ..first.manifest.clone()
    }
}
