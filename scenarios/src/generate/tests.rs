//! Generated traces are valid whatever is asked for, and like their profile.

use super::*;
use crate::lint;
use crate::read::Trace;
use crate::stats::Stats;
use crate::write::TraceWriter;
use proptest::prelude::*;

fn bytes(profile: &Profile, options: Options) -> Vec<u8> {
    let mut writer = TraceWriter::new(Vec::new());
    for command in Generator::new(profile, options).unwrap() {
        writer.write(&command).unwrap();
    }
    writer.finish().unwrap()
}

fn course(options: Options) -> Vec<u8> {
    bytes(&Profile::course().unwrap(), options)
}

#[test]
fn a_seed_gives_the_same_bytes_and_another_seed_others() {
    let options = |seed| Options { seed, commands: Some(500), ..Options::default() };
    assert_eq!(course(options(1)), course(options(1)));
    assert_ne!(course(options(1)), course(options(2)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_trace_has_the_size_asked_for_and_no_finding(
        seed: u64,
        users in 1u64..40,
        more in 0u64..600,
        nonce: bool,
        span_ms in 0i64..100_000_000,
    ) {
        let options = Options {
            seed,
            commands: Some(users + more),
            users: Some(users),
            span_ms: Some(span_ms),
            nonce,
        };
        let trace = course(options);
        let limits = lint::Options { text_limit: 200, ..lint::Options::default() };
        let report = lint::lint(trace.as_slice(), "generated", limits).unwrap();
        prop_assert!(report.findings.is_empty(), "{:#?}", report);
        prop_assert_eq!(report.lines, users + more);
        let trace = Trace::read(trace.as_slice(), "generated").unwrap();
        let stats = Stats::of(&trace.commands);
        prop_assert_eq!(stats.final_users, users);
        if nonce {
            prop_assert_eq!(stats.duplicate_texts, 0);
        }
    }
}

#[test]
fn more_users_than_commands_are_refused() {
    let options = Options { commands: Some(10), users: Some(11), ..Options::default() };
    let error = Generator::new(&Profile::course().unwrap(), options).unwrap_err();
    assert!(error.to_string().starts_with("11 users cannot be registered by 10 commands"));
}

#[test]
fn users_grow_with_commands_unless_given() {
    let stats = |commands| {
        let options = Options { commands: Some(commands), ..Options::default() };
        let generated = Generator::new(&Profile::course().unwrap(), options).unwrap();
        Stats::of(&generated.collect::<Vec<_>>())
    };
    assert_eq!(stats(1).final_users, 1);
    assert_eq!(stats(2592).final_users, 63);
    assert_eq!(stats(51_844).final_users, 400);
    assert!((957..=961).contains(&stats(2592).follows));
}

#[test]
fn few_users_follow_everyone_once_and_then_post() {
    let options = Options { commands: Some(5000), users: Some(5), ..Options::default() };
    let generated = Generator::new(&Profile::course().unwrap(), options).unwrap();
    let stats = Stats::of(&generated.collect::<Vec<_>>());
    assert_eq!((stats.commands, stats.follows), (5000, 5 * 4));
    assert_eq!(stats.duplicate_follows, 0);
}

#[test]
fn a_profile_fitted_to_a_generated_trace_is_that_it_was_generated_from() {
    let course = Profile::course().unwrap();
    let trace = bytes(&course, Options { seed: 11, ..Options::default() });
    let trace = Trace::read(trace.as_slice(), "generated").unwrap();
    let again = Profile::fit(&trace);
    assert_eq!((again.commands, again.users), (course.commands, course.users));
    assert!((again.non_ascii_texts - course.non_ascii_texts).abs() < 0.02);
    assert!((again.unfollows_of_no_edge - course.unfollows_of_no_edge).abs() < 0.03);
    assert!((again.wide_chars - course.wide_chars).abs() < 0.03);
    assert!((again.span_ms - course.span_ms).abs() < course.span_ms / 10);
    for level in [0.1, 0.5, 0.9] {
        let near = |a: f64, b: f64| (a - b).abs() <= 0.1 * b;
        assert!(near(again.text_chars.at(level), course.text_chars.at(level)), "{level}");
        assert!(near(again.gaps.at(level), course.gaps.at(level)), "{level}");
    }
}
