//! The ledger: an intent and an outcome, into a mapped segment and by one `write` a frame. The
//! difference is the reason for the project's one `unsafe`.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use criterion::{Criterion, criterion_group, criterion_main};
use limosa_benches::{commands, entries};
use limosa_reports::run::ledger::{Entry, LedgerWriter, Outcome, Record};
use std::fs::File;
use std::io::Write as _;
use std::time::{Duration, Instant};

/// As the ledger's segments.
const SEGMENT_BYTES: usize = 4 << 20;

/// Survives a SIGKILL as a mapping does: what `write` returned from is the kernel's.
struct OneWriteAFrame {
    file: File,
    frame: Vec<u8>,
    unsynced: usize,
}

impl OneWriteAFrame {
    fn append(&mut self, record: &impl Record) {
        self.frame.resize(8 + record.size_hint(), 0);
        let length = record.encode(&mut self.frame[8..]);
        let crc = crc32fast::hash(&self.frame[8..8 + length]);
        self.frame[..4].copy_from_slice(&(length as u32).to_le_bytes());
        self.frame[4..8].copy_from_slice(&crc.to_le_bytes());
        self.file.write_all(&self.frame[..8 + length]).unwrap();
        self.unsynced += 8 + length;
        if self.unsynced > SEGMENT_BYTES {
            self.file.sync_data().unwrap();
            self.unsynced = 0;
        }
    }
}

fn timed(
    iterations: u64,
    records: &[(Entry, Outcome)],
    mut append: impl FnMut(&Entry, &Outcome),
) -> Duration {
    let begun = Instant::now();
    for (entry, outcome) in records.iter().cycle().take(iterations as usize) {
        append(entry, outcome);
    }
    begun.elapsed()
}

fn record(criterion: &mut Criterion) {
    let records: Vec<(Entry, Outcome)> = entries(&commands(10_000))
        .into_iter()
        .map(|entry| (entry.clone(), entry.outcome.unwrap()))
        .collect();
    let mut group = criterion.benchmark_group("record");
    group.bench_function("mapped segment", |bencher| {
        bencher.iter_custom(|iterations| {
            let folder = tempfile::tempdir().unwrap();
            let mut writer = LedgerWriter::create(folder.path(), 0, 0);
            let time = timed(iterations, &records, |entry, outcome| {
                writer.append(&entry.intent).unwrap();
                writer.append(outcome).unwrap();
            });
            writer.finish().unwrap();
            time
        });
    });
    group.bench_function("one write a frame", |bencher| {
        bencher.iter_custom(|iterations| {
            let file = tempfile::tempfile().unwrap();
            let mut writer = OneWriteAFrame { file, frame: Vec::new(), unsynced: 0 };
            timed(iterations, &records, |entry, outcome| {
                writer.append(&entry.intent);
                writer.append(outcome);
            })
        });
    });
    group.finish();
}

criterion_group!(benches, record);
criterion_main!(benches);
