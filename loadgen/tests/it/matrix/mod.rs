//! The detection matrix: every fault that the server can be told to have, planted seed by seed, and
//! what Limosa reports held against what the server says that it did.
//!
//! `docs/detection-matrix.md` is written from this. The test runs the first few seeds and compares
//! them with the page; all of it takes some minutes:
//!
//! ```sh
//! LIMOSA_SEEDS=20 LIMOSA_UPDATE=1 cargo test -p limosa --test it -- matrix
//! ```

mod page;
mod rows;
pub(super) mod trial;

use super::*;
use page::Page;
use rows::{CLEAN, Row, rows};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use trial::Trial;

/// As many runs are under way at once: each is one request at a time, and waits for the disk.
const WORKERS: usize = 3;
/// So many runs of a clean server for each of a faulty one.
const CLEAN_RUNS: u64 = 5;

/// How many seeds: those of `LIMOSA_SEEDS`, else few.
fn seeds() -> u64 {
    std::env::var("LIMOSA_SEEDS").map_or(2, |seeds| seeds.parse().unwrap())
}

/// Carries every row out with so many seeds; what was found, by row and seed.
fn observed(rows: &[Row], seeds: u64) -> Vec<Vec<String>> {
    let runs_of = |row: &Row| if row.name == CLEAN { CLEAN_RUNS * seeds } else { seeds };
    let jobs: Vec<(usize, u64)> = (0..rows.len())
        .flat_map(|row| (1..=runs_of(&rows[row])).map(move |seed| (row, seed)))
        .collect();
    let next = AtomicUsize::new(0);
    let found = Mutex::new(vec![Vec::new(); rows.len()]);
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some((row, seed)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let cell = (rows[*row].run)(&Trial::new(rows[*row].name, *seed));
                    found.lock().unwrap()[*row].push((*seed, cell));
                }
            });
        }
    });
    let sorted = |mut cells: Vec<(u64, String)>| {
        cells.sort_unstable();
        cells.into_iter().map(|(_, cell)| cell).collect()
    };
    found.into_inner().unwrap().into_iter().map(sorted).collect()
}

#[test]
fn every_planted_fault_is_found_and_a_clean_server_is_not_accused() {
    let rows = rows();
    let planted: BTreeSet<&str> = rows.iter().flat_map(|row| row.registered).copied().collect();
    let registry: BTreeSet<&str> =
        limosa_server::faults::registry().iter().map(|fault| fault.name).collect();
    assert_eq!(planted, registry, "each fault of the registry has its row");

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/detection-matrix.md");
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let mut page = Page::read(&committed);
    let cells = observed(&rows, seeds());
    rows.iter().zip(cells).for_each(|(row, cells)| page.observe(row.name, cells));
    let now = page.render(&rows);
    if std::env::var_os("LIMOSA_UPDATE").is_some() {
        std::fs::write(&path, now).unwrap();
    } else {
        assert_eq!(committed, now, "out of date: run it with LIMOSA_SEEDS=20 LIMOSA_UPDATE=1");
    }
}
