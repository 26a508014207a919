//! What ships in `data/` is what its README says: made by the generator, and flawless.

#![allow(clippy::unwrap_used, reason = "a test says by a panic what failed")]

use limosa_scenarios::generate::{Generator, Options};
use limosa_scenarios::{Profile, TraceWriter, lint};
use std::path::Path;

fn compare(file: &str, options: Options) {
    let shipped =
        fs_err::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(file)).unwrap();
    let mut writer = TraceWriter::new(Vec::new());
    for command in Generator::new(&Profile::course().unwrap(), options).unwrap() {
        writer.write(&command).unwrap();
    }
    let generated = writer.finish().unwrap();
    let differs = shipped.split(|&b| b == b'\n').zip(generated.split(|&b| b == b'\n'));
    let line = differs.clone().position(|(a, b)| a != b).map(|index| index + 1);
    assert!(
        shipped == generated,
        "{file} is not what its command in data/README.md generates; first at line {line:?}"
    );
    let report = lint::lint(shipped.as_slice(), file, lint::Options::default()).unwrap();
    assert!(report.findings.is_empty(), "{report:#?}");
}

#[test]
fn the_demo_trace_is_generated() {
    compare(
        "demo.tsv",
        Options {
            seed: 2020,
            commands: Some(3000),
            users: Some(60),
            span_ms: Some(24 * 3_600_000),
            nonce: false,
        },
    );
}

#[test]
fn the_smoke_trace_is_generated() {
    compare(
        "smoke.tsv",
        Options {
            seed: 1,
            commands: Some(200),
            users: Some(12),
            span_ms: Some(3_600_000),
            nonce: true,
        },
    );
}
