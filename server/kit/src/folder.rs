//! Temporary folders that do not pile up.

use crate::{KitError, io};
use std::{fs, path::Path, process};
use tempfile::TempDir;

const PREFIX: &str = "limosa-kit-of-";

/// A folder for a server of this process. Removes those of processes that have ended without doing
/// so, as every process does that keeps a server to its end.
pub(crate) fn folder() -> Result<TempDir, KitError> {
    let place = std::env::temp_dir();
    sweep(&place);
    tempfile::Builder::new()
        .prefix(&format!("{PREFIX}{}-", process::id()))
        .tempdir_in(place)
        .map_err(io("making a temporary folder"))
}

fn sweep(place: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()?.parse::<u32>().ok());
        if owner.is_some_and(|owner| !Path::new("/proc").join(owner.to_string()).exists()) {
            // Another process may be sweeping too, or the folder be another user's.
            let _removed = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on is to stop")]
    use super::*;

    #[test]
    fn what_the_dead_have_left_is_removed_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let mut ended = process::Command::new("true").spawn().unwrap();
        let dead = format!("{PREFIX}{}-a", ended.id());
        ended.wait().unwrap();
        let alive = format!("{PREFIX}{}-b", process::id());
        for name in [dead.as_str(), alive.as_str(), "limosa-kit-of-nobody", "other"] {
            fs::create_dir_all(place.path().join(name).join("data")).unwrap();
        }
        sweep(place.path());
        let mut left: Vec<_> = fs::read_dir(place.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        let mut expected = [alive.as_str(), "limosa-kit-of-nobody", "other"];
        expected.sort_unstable();
        assert_eq!(left, expected);
    }
}
