//! Each rule must find the fault that is planted for it, and nothing else.

use super::*;
use crate::error::Field;

const CLEAN: &str = "0\t0\t1000\tregister\tA A\ta@x\tp\n\
                     1\t5\t1005\tregister\tB B\tb@x\tp\n\
                     2\t5\t1010\ttweet\tA A\thello\n\
                     3\t5\t1015\tfollow\tA A\tB B\n\
                     4\t5\t1020\tunfollow\tA A\tB B\n\
                     5\t5\t1025\tunfollow\tA A\tB B\n";

fn run(input: impl AsRef<[u8]>) -> Report {
    lint(input.as_ref(), "t", Options::default()).unwrap()
}

/// The kinds found when `line` is put after the clean trace, with their totals.
fn planted(line: impl AsRef<[u8]>) -> Vec<(Kind, u64, Option<Field>)> {
    let mut input = CLEAN.as_bytes().to_vec();
    input.extend_from_slice(line.as_ref());
    let report = run(input);
    let only_line = |findings: &Findings| findings.examples.iter().all(|one| one.line == 7);
    assert!(report.findings.values().all(only_line), "{report:#?}");
    let found = report.findings.into_iter();
    found.map(|(kind, findings)| (kind, findings.total, findings.examples[0].field)).collect()
}

#[test]
fn a_clean_trace_has_no_findings() {
    let report = run(CLEAN);
    assert_eq!(report.lines, 6);
    assert!(report.findings.is_empty(), "{report:#?}");
}

#[test]
fn every_rule_finds_its_planted_fault_alone() {
    use Kind::*;
    let faults: &[(&[u8], Kind, Option<Field>)] = &[
        (b"6\t5\t1030\ttweet\tA A\n", FieldCount, None),
        (b"\n", FieldCount, None),
        (b"6\t5\t1030\ttweet\tA A\ta\tb\n", FieldCount, None),
        (b"6\t5\t1030\tregister\tC\tc@x\n", FieldCount, None),
        (b"6\t5\t1030\tpoke\tA A\tx\n", UnknownCommand, Some(Field::Command)),
        (b"six\t5\t1030\ttweet\tA A\tx\n", NotANumber, Some(Field::Id)),
        (b"6\t\t1030\ttweet\tA A\tx\n", NotANumber, Some(Field::Delay)),
        (b"6\t5\t1e3\ttweet\tA A\tx\n", NotANumber, Some(Field::Time)),
        (b"6\t5\t1030\ttweet\tA A\t\xff\n", InvalidUtf8, Some(Field::Text)),
        (b"6\t5\t1030\ttweet\tA A\tx\r\n", CarriageReturn, None),
        (b"2\t5\t1030\ttweet\tA A\tx\n", IdRepeats, Some(Field::Id)),
        (b"8\t5\t1030\ttweet\tA A\tx\n", MissingIds, Some(Field::Id)),
        (b"6\t-5\t1020\ttweet\tA A\tx\n", TimeInversion, Some(Field::Time)),
        (b"6\t6\t1030\ttweet\tA A\tx\n", DelayDisagrees, Some(Field::Delay)),
        (b"6\t5\t1030\ttweet\tC C\tx\n", Unregistered, Some(Field::User)),
        (b"6\t5\t1030\tfollow\tA A\tC C\n", Unregistered, Some(Field::Whom)),
        (b"6\t5\t1030\tregister\tA A\ta@x\tp\n", DuplicateRegister, Some(Field::User)),
        (b"6\t5\t1030\ttweet\tA A\t\n", EmptyField, Some(Field::Text)),
        (b"6\t5\t1030\ttweet\t\tx\n", EmptyField, Some(Field::User)),
        (b"6\t5\t1030\tregister\tC\tc@x\t\n", EmptyField, Some(Field::Password)),
        (b"6\t5\t1030\tregister\tC\tc.x\tp\n", EmailWithoutAt, Some(Field::Email)),
        (b"6\t5\t1030\ttweet\tA A\tx\0y\n", Nul, Some(Field::Text)),
        (b"6\t5\t1030\ttweet\tA A\tx", NoFinalNewline, None),
        (b"6\t5\t1030\tregister\tC/D\tc@x\tp\n", UserName, Some(Field::User)),
        (b"6\t5\t1030\tregister\tC\x07\tc@x\tp\n", UserName, Some(Field::User)),
    ];
    for (line, kind, field) in faults {
        let expected = [(*kind, 1, *field)];
        let shown = String::from_utf8_lossy(line);
        if *kind == MissingIds {
            assert_eq!(planted(line), [(MissingIds, 2, *field)], "{shown}");
        } else {
            assert_eq!(planted(line), expected, "{shown}");
        }
    }
}

#[test]
fn an_id_that_goes_back_is_told_from_one_that_repeats() {
    let report = run("5\t0\t0\tregister\tA\ta@x\tp\n4\t0\t0\ttweet\tA\tx\n4\t0\t0\ttweet\tA\tx\n");
    assert_eq!(report.of(Kind::IdGoesBack), 1);
    assert_eq!(report.of(Kind::IdRepeats), 1);
    assert_eq!(report.of(Kind::MissingIds), 0);
    assert_eq!(run("-1\t0\t0\tregister\tA\ta@x\tp\n").of(Kind::NegativeId), 1);
}

#[test]
fn a_second_follow_is_remarked_unless_an_unfollow_came_between() {
    let follow = "\t5\t1030\tfollow\tA A\tB B\n";
    assert!(planted(format!("6{follow}")).is_empty());
    let report = run(format!("{CLEAN}6{follow}7{follow}"));
    assert_eq!(report.of(Kind::DuplicateFollow), 1);
    assert_eq!(report.total(Severity::Error), 0);
    assert_eq!(report.total(Severity::Info), 1);
}

#[test]
fn a_text_is_measured_in_characters() {
    let tweet = |text: String| planted(format!("6\t5\t1030\ttweet\tA A\t{text}\n"));
    assert!(tweet("é".repeat(140)).is_empty());
    assert_eq!(tweet("é".repeat(141)), [(Kind::TextTooLong, 1, Some(Field::Text))]);
}

#[test]
fn the_start_the_end_and_an_endless_line_are_judged() {
    assert_eq!(run("").of(Kind::Empty), 1);
    let marked = run(format!("\u{feff}{CLEAN}"));
    assert_eq!((marked.of(Kind::ByteOrderMark), marked.findings.len()), (1, 1));
    let long = format!("{CLEAN}{}\n6\t5\t1030\ttweet\tA A\tx\n", "x".repeat(3 << 20));
    let report = run(long);
    assert_eq!(report.of(Kind::LineTooLong), 1);
    assert_eq!((report.lines, report.findings.len()), (8, 1));
}

#[test]
fn totals_are_exact_though_examples_are_few() {
    let options = Options { examples: 2, ..Options::default() };
    let report = lint("x\n".repeat(1000).as_bytes(), "t", options).unwrap();
    let findings = &report.findings[&Kind::FieldCount];
    assert_eq!((findings.total, findings.examples.len()), (1000, 2));
    assert_eq!(findings.examples[1].line, 2);
}

#[test]
fn random_bytes_are_reported_and_never_panic() {
    let mut state = 1u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 56) as u8
    })
    .take(100_000)
    .collect();
    assert!(run(noise).total(Severity::Error) > 100);
}
