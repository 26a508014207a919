//! `docs/detection-matrix.md`: written from the rows and from what was found.

use super::*;
use std::collections::BTreeMap;

const HEAD: &str = "\
# What Limosa finds

Every fault that the reference server can be told to have (`limosa serve --fault`, `--latest`), planted
in runs of about 300 commands, one after the other, with a `GET /latest` after three commands in ten;
another seed is another trace, another rate of the fault and other places for the reads. The server logs
each command that it does wrong, and the report must name these and no others. A fault of whose hits the
exact number depends on the clock is held against what the ledger of the run shows; its column then says
`all`.

This page is written by a test, `loadgen/tests/it/matrix`, and compared with what happens now each time
the tests are run. To write it anew:

    LIMOSA_SEEDS=20 LIMOSA_UPDATE=1 cargo test -p limosa --test it -- matrix

| fault | planted by | what is reported | found, seed by seed |
|---|---|---|---|
";

/// What was found, by row and seed.
pub(super) struct Page(BTreeMap<String, Vec<String>>);

impl Page {
    /// The figures of a page as it stands.
    pub(super) fn read(text: &str) -> Self {
        let rows = text.lines().filter_map(|line| {
            let columns: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [name, _, _, found] = columns[..] else { return None };
            let (_, found) = found.split_once(": ")?;
            let cells = match found.split_once(" in each of ") {
                Some((cell, runs)) => vec![cell.to_owned(); runs.parse().unwrap()],
                None => found.split(' ').map(str::to_owned).collect(),
            };
            Some((name.to_owned(), cells))
        });
        Self(rows.collect())
    }

    /// Takes what was found with the first seeds; of the others, what was found before stands.
    pub(super) fn observe(&mut self, row: &str, cells: Vec<String>) {
        let known = self.0.entry(row.to_owned()).or_default();
        let rest = known.split_off(known.len().min(cells.len()));
        *known = cells.into_iter().chain(rest).collect();
    }

    pub(super) fn render(&self, rows: &[Row]) -> String {
        let mut text = HEAD.to_owned();
        for row in rows {
            let cells = &self.0[row.name];
            let is_constant = cells.iter().all(|cell| *cell == cells[0]);
            let found = match is_constant {
                true => format!("{} in each of {}", cells[0], cells.len()),
                false => cells.join(" "),
            };
            let Row { name, flags, reports, counted, .. } = row;
            text += &format!("| {name} | {flags} | {reports} | {counted}: {found} |\n");
        }
        text
    }
}
