//! The checkers over a flawless run: as long as the course's trace, and a million commands. The
//! checker of `latest` also over concurrent requests to three replicas, as they pass.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use limosa::check::audit::{Evidence, audit};
use limosa::check::latest;
use limosa::check::latest::history::{Kind, Operation, Source};
use limosa::profile::Profile;
use limosa::schedule::Order;
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
                let judgement =
                    latest::judge(&entries, Some(-1), None, &profile, Order::Strict).unwrap();
                assert_eq!(judgement.verdict, Verdict::Pass);
                judgement
            });
        });
    }
    group.finish();
}

/// So far apart are the calls of [`concurrent`].
const STEP_NS: u64 = 50_000;
/// One operation in so many is a read; the others write.
const READ_EVERY: u64 = 2;

/// Operations of some 64 connections, which take effect when they are called; reads at the replica
/// `stale` name what was written 2,001 operations before.
fn concurrent(count: u64, stale: Option<u16>) -> impl Iterator<Item = Operation> {
    (0..count).map(move |at| {
        let call_ns = (at + 1) * STEP_NS;
        let replica = (at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as u16 % 3;
        let is_read = at % READ_EVERY == READ_EVERY - 1;
        let value = match (is_read, stale == Some(replica) && at > 3000) {
            (false, _) => at,
            (true, false) => at - 1,
            (true, true) => at - 2001,
        };
        Operation {
            kind: if is_read { Kind::Read } else { Kind::Write },
            value: value as i64,
            call_ns,
            return_ns: call_ns + STEP_NS + at.wrapping_mul(0xD1B5_4A32_D192_ED03) % (64 * STEP_NS),
            failed: false,
            client: 0,
            source: Source::Request(0, at, replica),
        }
    })
}

/// Time by length, which should be hardly more than proportional.
fn register(criterion: &mut Criterion) {
    let profile = Profile::default();
    let mut group = criterion.benchmark_group("latest register");
    group.sample_size(10);
    for count in [100_000, 1_000_000, 10_000_000] {
        group.throughput(Throughput::Elements(count));
        for (name, stale, expected) in
            [("right", None, Verdict::Pass), ("stale", Some(1), Verdict::Fail)]
        {
            group.bench_function(BenchmarkId::new(name, count), |bencher| {
                bencher.iter(|| {
                    let mut checker = latest::Checker::new(Some(-1), &profile, Order::None);
                    concurrent(count, stale).for_each(|operation| checker.take(operation));
                    let judgement = checker.finish(None).unwrap();
                    assert_eq!(judgement.verdict, expected);
                    judgement
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, check, register);
criterion_main!(benches);
