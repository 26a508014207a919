//! What comes before a send: the schedule, and the request's bytes. A whole trace an iteration.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use limosa::client::{BaseUrl, ClientKind, RequestEncoder};
use limosa::profile::Profile;
use limosa::schedule::{Manner, Pace, Read, Schedule};
use limosa_benches::{COURSE_COMMANDS, commands};
use std::convert::Infallible;
use std::hint::black_box;

fn send(criterion: &mut Criterion) {
    let commands = commands(COURSE_COMMANDS);
    let mut group = criterion.benchmark_group("send");
    group.throughput(Throughput::Elements(commands.len() as u64));
    let manner =
        Manner { pace: Pace::Speed(1e5), reads: vec![Read::latest(0.05)], ..Manner::default() };
    group.bench_function("schedule", |bencher| {
        bencher.iter(|| {
            let source = commands.iter().cloned().map(Ok::<_, Infallible>);
            Schedule::new(source, &manner).map(black_box).count()
        });
    });
    let target: BaseUrl = "http://127.0.0.1:5001".parse().unwrap();
    for kind in [ClientKind::Limosa, ClientKind::Simulator] {
        let encoder = RequestEncoder::new(kind, &target, &Profile::default());
        let mut bytes = Vec::new();
        group.bench_function(format!("encode {kind:?}"), |bencher| {
            bencher.iter(|| {
                for command in &commands {
                    encoder.command(command.id, &command.action, &mut bytes);
                    black_box(&bytes);
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, send);
criterion_main!(benches);
