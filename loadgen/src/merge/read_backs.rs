//! Uniting what was read back: of each user what the run told that sent the user's commands.

use super::Source;
use limosa_reports::run::readback::{Header, ReadBackReader, ReadBackWriter};
use limosa_reports::run::{FORMAT_VERSION, RunDir, RunDirError};
use std::collections::BTreeSet;

/// Unites the read-backs from before the runs, and the last ones from after them.
pub(super) fn unite(sources: &[Source], merged: &RunDir) -> Result<(), RunDirError> {
    before(sources, merged)?;
    after(sources, merged)
}

/// Where one of the runs has none, nobody looked at some users, and the joined run has none either.
fn before(sources: &[Source], merged: &RunDir) -> Result<(), RunDirError> {
    let mut found = Vec::new();
    for source in sources {
        let Some(reader) = whole(source, "before")? else { return Ok(()) };
        found.push((source, reader));
    }
    let latest = found.first().and_then(|(_, reader)| reader.header.latest);
    let header = header(&found, 0, latest, Vec::new());
    write(found, &header, merged, "before")
}

fn after(sources: &[Source], merged: &RunDir) -> Result<(), RunDirError> {
    let mut found = Vec::new();
    let mut gaps = Vec::new();
    let mut passes = 2;
    for source in sources {
        match last(source)? {
            Some((reader, its_passes)) => {
                passes = passes.min(its_passes);
                found.push((source, reader));
            }
            None => gaps.push(format!(
                "the users of {}: it has no whole read-back from after its last command",
                source.run.path().display()
            )),
        }
    }
    let Some((taken_ns, latest)) = found
        .iter()
        .max_by_key(|one| taken_ns(one))
        .map(|one| (taken_ns(one), one.1.header.latest))
    else {
        return Ok(());
    };
    let header = header(&found, taken_ns, latest, gaps);
    write(found, &header, merged, if passes == 2 { "after-2" } else { "after-1" })
}

type Found<'a> = (&'a Source, ReadBackReader);

/// When it was taken, in nanoseconds since the first run began.
fn taken_ns((source, reader): &Found<'_>) -> u64 {
    reader.header.taken_ns + source.later_ns
}

/// A read-back of a run; one that is damaged is as good as none.
fn whole(source: &Source, name: &str) -> Result<Option<ReadBackReader>, RunDirError> {
    match ReadBackReader::open(&source.run.readback(name)) {
        Err(RunDirError::Damaged { .. }) => Ok(None),
        other => other,
    }
}

/// The last read-back of a run from after its last command, and how many there were.
fn last(source: &Source) -> Result<Option<(ReadBackReader, u32)>, RunDirError> {
    for (name, passes) in [("after-2", 2), ("after-1", 1)] {
        if let Some(reader) = whole(source, name)?
            && Some(reader.header.taken_ns + source.later_ns) >= source.last_command_ns
        {
            return Ok(Some((reader, passes)));
        }
    }
    Ok(None)
}

fn header(found: &[Found<'_>], taken_ns: u64, latest: Option<i64>, gaps: Vec<String>) -> Header {
    let headers = || found.iter().map(|(_, reader)| &reader.header);
    let limits: BTreeSet<String> = headers().flat_map(|header| &header.limits).cloned().collect();
    Header {
        format_version: FORMAT_VERSION,
        method: headers().next().map_or_else(String::new, |header| header.method.clone()),
        taken_ns,
        latest,
        gaps: headers().flat_map(|header| &header.gaps).cloned().chain(gaps).collect(),
        limits: limits.into_iter().collect(),
    }
}

fn write(
    found: Vec<Found<'_>>,
    header: &Header,
    merged: &RunDir,
    name: &str,
) -> Result<(), RunDirError> {
    let mut out = ReadBackWriter::create(&merged.readback(name))?;
    for (source, reader) in found {
        for state in reader {
            let state = state?;
            if source.scope.holds(&state.user) {
                out.push(&state)?;
            }
        }
    }
    out.finish(header)
}
