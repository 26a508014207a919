//! The report of a run as long as the course's trace: HTML, Markdown, JSON, and every picture as SVG
//! and PNG.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use criterion::{Criterion, criterion_group, criterion_main};
use limosa::judge::judge;
use limosa_benches::{COURSE_COMMANDS, commands, judged_run};
use limosa_reports::render;

fn report(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let run = judged_run(&folder.path().join("run"), &commands(COURSE_COMMANDS));
    let mut group = criterion.benchmark_group("report");
    group.sample_size(10);
    group.bench_function("judge", |bencher| bencher.iter(|| judge(&run).unwrap()));
    group.bench_function("render", |bencher| bencher.iter(|| render::report(&run).unwrap()));
    group.finish();
}

criterion_group!(benches, report);
criterion_main!(benches);
