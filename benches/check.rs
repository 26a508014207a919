//! The checkers over a flawless run: as long as the course's trace, and a million commands.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use limosa::check::audit::{Evidence, audit};
use limosa::check::latest;
use limosa::profile::Profile;
use limosa_benches::{COURSE_COMMANDS, commands, entries, read_back};
use limosa_reports::run::verdict::Verdict;

fn check(criterion: &mut Criterion) {
    let profile = Profile::default();
    let mut group = criterion.benchmark_group("check");
    group.sample_size(10);
    for count in [COURSE_COMMANDS, 1_000_000] {
        let commands = commands(count);
        let entries = entries(&commands);
        let (before, after) = (read_back(&[]), read_back(&commands));
        let evidence = Evidence {
            entries: &entries,
            before: Some(&before),
            after: &after,
            passes: 1,
            profile: &profile,
        };
        group.throughput(Throughput::Elements(count));
        group.bench_function(BenchmarkId::new("audit", count), |bencher| {
            bencher.iter(|| {
                let (audit, check, _) = audit(&evidence);
                assert_eq!(check.verdict, Verdict::Pass);
                audit
            });
        });
        group.bench_function(BenchmarkId::new("latest", count), |bencher| {
            bencher.iter(|| {
                let judgement = latest::strict(&entries, Some(-1), None, &profile).unwrap();
                assert_eq!(judgement.verdict, Verdict::Pass);
                judgement
            });
        });
    }
    group.finish();
}

criterion_group!(benches, check);
criterion_main!(benches);
