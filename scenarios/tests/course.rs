//! The course's own trace goes through every part unharmed. It is not ours to ship: `LIMOSA_TRACE`
//! says where it lies; without it a generated trace of the same shape takes its place, and what only
//! the real one can show is left out.

#![allow(clippy::unwrap_used, reason = "a test says by a panic what failed")]

use limosa_scenarios::generate::{Generator, Options};
use limosa_scenarios::{Profile, Stats, Summary, Trace, TraceReader, TraceWriter, digest, lint};
use std::path::PathBuf;
use tempfile::TempDir;

/// A trace on disk; whether it is the course's; and what keeps its directory.
struct Fixture {
    path: PathBuf,
    is_real: bool,
    _directory: Option<TempDir>,
}

fn fixture() -> Fixture {
    if let Some(path) = std::env::var_os("LIMOSA_TRACE").filter(|path| !path.is_empty()) {
        return Fixture { path: path.into(), is_real: true, _directory: None };
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("generated.tsv");
    fs_err::write(&path, written(generated(&Profile::course().unwrap(), 3))).unwrap();
    Fixture { path, is_real: false, _directory: Some(directory) }
}

fn generated(profile: &Profile, seed: u64) -> Generator {
    let options = Options { seed, ..Options::default() };
    Generator::new(profile, options).unwrap()
}

fn written(commands: impl Iterator<Item = limosa_scenarios::Command>) -> Vec<u8> {
    let mut writer = TraceWriter::new(Vec::new());
    commands.for_each(|command| writer.write(&command).unwrap());
    writer.finish().unwrap()
}

#[test]
fn reading_and_writing_give_the_very_same_bytes() {
    let fixture = fixture();
    let before = fs_err::read(&fixture.path).unwrap();
    let after = written(TraceReader::open(&fixture.path).unwrap().map(Result::unwrap));
    assert!(before == after);
    let trace = Trace::load(&fixture.path).unwrap();
    assert_eq!(trace.digest, digest(&fixture.path).unwrap());
    assert_eq!(trace.commands.len(), 25_922);
}

#[test]
fn the_linter_finds_nothing() {
    let file = fs_err::File::open(fixture().path).unwrap();
    let report = lint::lint(file, "course", lint::Options::default()).unwrap();
    assert!(report.findings.is_empty(), "{report:#?}");
    assert_eq!(report.lines, 25_922);
}

#[test]
fn the_figures_of_the_course_are_known() {
    let fixture = fixture();
    let stats = Stats::of(&Trace::load(&fixture.path).unwrap().commands);
    let mix = (stats.registers, stats.tweets, stats.follows, stats.unfollows);
    assert_eq!(mix, (200, 11_306, 9_751, 4_665));
    if fixture.is_real {
        assert_eq!((stats.first_id, stats.last_id), (0, 25_921));
        let end = (stats.final_users, stats.final_messages, stats.final_edges);
        assert_eq!(end, (200, 11_306, 6_265));
        assert_eq!(stats.unfollows_of_no_edge, 1_179);
        assert_eq!((stats.duplicate_texts, stats.duplicate_follows), (43, 0));
        assert_eq!(stats.emails_with_plus, 46);
        assert_eq!(stats.gap_ms.p50 / 1000, 73);
        assert_eq!(stats.gap_ms.max / 360_000, 203);
    }
}

#[test]
fn the_built_in_profile_is_the_fit_of_the_course() {
    let fixture = fixture();
    if fixture.is_real {
        let fit = Profile::fit(&Trace::load(&fixture.path).unwrap());
        assert_eq!(fit, Profile::course().unwrap());
    }
}

/// Generated and original agree: counts that are apportioned exactly, others within a tolerance.
#[test]
fn a_generated_trace_is_like_the_one_that_it_was_fitted_to() {
    let trace = Trace::load(fixture().path).unwrap();
    let profile = Profile::fit(&trace);
    let original = Stats::of(&trace.commands);
    for seed in 1..=3 {
        let commands: Vec<_> = generated(&profile, seed).collect();
        let stats = Stats::of(&commands);
        let exact = |s: &Stats| (s.commands, s.registers, s.final_users, s.duplicate_follows);
        assert_eq!(exact(&stats), exact(&original));
        let near = |what: &str, a: f64, b: f64, tolerance: f64| {
            assert!((a - b).abs() <= tolerance, "seed {seed}: {what}: {a} against {b}");
        };
        let ratio = |what: &str, a: i64, b: i64, tolerance: f64| {
            near(what, a as f64 / b as f64, 1.0, tolerance);
        };
        let count = |what: &str, a: u64, b: u64, tolerance: f64| {
            ratio(what, a as i64, b as i64, tolerance);
        };
        count("tweets", stats.tweets, original.tweets, 0.001);
        count("follows", stats.follows, original.follows, 0.001);
        count("unfollows", stats.unfollows, original.unfollows, 0.001);
        count("edges", stats.final_edges, original.final_edges, 0.03);
        count("of no edge", stats.unfollows_of_no_edge, original.unfollows_of_no_edge, 0.1);
        ratio("span", stats.span_ms, original.span_ms, 0.05);
        let quantiles = |what: &str, a: &Summary, b: &Summary, tolerance: f64| {
            for (a, b) in [(a.p50, b.p50), (a.p90, b.p90), (a.p99, b.p99)] {
                ratio(what, a, b, tolerance);
            }
        };
        quantiles("gap", &stats.gap_ms, &original.gap_ms, 0.15);
        quantiles("text chars", &stats.text_chars, &original.text_chars, 0.05);
        quantiles("text bytes", &stats.text_bytes, &original.text_bytes, 0.05);
        quantiles("per author", &stats.tweets_per_author, &original.tweets_per_author, 0.05);
        near("author Zipf", stats.author_zipf, original.author_zipf, 0.05);
        near("followee Zipf", stats.followee_zipf, original.followee_zipf, 0.4);
        near("non-ASCII", stats.non_ascii_share, original.non_ascii_share, 0.02);
        let (a, b) = (stats.duplicate_texts, original.duplicate_texts);
        near("duplicates", a as f64, b as f64, 40.0);
        let (a, b) = (stats.emails_with_plus, original.emails_with_plus);
        near("plus", a as f64, b as f64, 30.0);
    }
}
