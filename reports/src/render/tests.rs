use super::fixture;
use super::*;
use crate::run::operation::{Ack, Operation};
use std::fs::read_to_string;
use std::path::Path;

fn made(make: fn(&Path) -> RunDir) -> (tempfile::TempDir, Written) {
    let folder = tempfile::tempdir().unwrap();
    let run = make(&folder.path().join("run"));
    let written = report(&run).unwrap();
    (folder, written)
}

fn summary(make: fn(&Path) -> RunDir) -> Summary {
    let folder = tempfile::tempdir().unwrap();
    let mut summary = Summary::gather(&make(&folder.path().join("run"))).unwrap();
    // The real one is a temporary folder's name, which no snapshot could hold.
    summary.run = "runs/20261122T120401Z-minitwit_scenario".into();
    summary
}

const RUNS: [fn(&Path) -> RunDir; 6] = [
    fixture::clean,
    fixture::spread,
    fixture::troubled,
    fixture::unfinished,
    fixture::empty,
    fixture::forgetful,
];

#[test]
fn the_terminal_shows_a_run_over_forgetful_replicas() {
    insta::assert_snapshot!(terminal(&summary(fixture::forgetful), false, 80));
}

#[test]
fn markdown_of_a_run_over_forgetful_replicas() {
    insta::assert_snapshot!(markdown::text(&summary(fixture::forgetful)));
}

#[test]
fn a_command_that_had_to_be_refused_is_within_its_limit() {
    let mut summary = summary(fixture::clean);
    let registers = summary.totals.operations.entry(Operation::Register).or_default();
    registers.insert(Ack::Rejected, 60);
    let [_, failed, ..] = words::numbers(&summary);
    assert_eq!(failed.tone, words::Tone::Good);
    assert!(failed.meaning.ends_with(": 60 rejected, as they had to be"), "{}", failed.meaning);

    let registers = summary.totals.operations.entry(Operation::Register).or_default();
    registers.insert(Ack::NotSent, 1);
    let [_, failed, ..] = words::numbers(&summary);
    assert_eq!(failed.tone, words::Tone::Bad);
    assert!(failed.meaning.ends_with("limit 0: 60 rejected, 1 not sent"), "{}", failed.meaning);
}

#[test]
fn the_page_shows_what_was_wrong_with_latest() {
    let (_folder, written) = made(fixture::forgetful);
    let page = read_to_string(written.html).unwrap();
    let section = page.split_once("<section id=\"latest\">").unwrap().1;
    let section = section.split_once("</section>").unwrap().0;
    for text in [
        "linearizable register",
        "sharp test",
        "It went back to",
        "&#60;b&#62;",
        "the wrong read named",
        "behind, on replica",
        "2: http://127.0.0.1:5003",
        "broken: 31 of 150 reads (20.7 %)",
        "2 reads could name what was sent twice",
        "at least 4.0 ms",
    ] {
        assert!(section.contains(text), "{text}");
    }
    let first_screen = page.split_once("<main>").unwrap().0;
    for text in ["reads were wrong", "1 of 2 kept", "BROKEN: latest = linearizable"] {
        assert!(first_screen.contains(text), "{text}");
    }
}

#[test]
fn a_target_that_only_counts_is_called_so() {
    let folder = tempfile::tempdir().unwrap();
    let run = fixture::forgetful(&folder.path().join("run"));
    let mut judgement = run.judgement().unwrap().unwrap();
    let details = judgement.latest.as_mut().unwrap().details.as_mut().unwrap();
    details.counting = Some(crate::run::verdict::latest::Counting::Commands);
    run.write_judgement(&judgement).unwrap();
    let written = report(&run).unwrap();
    for file in [written.html, written.markdown] {
        assert!(read_to_string(file).unwrap().contains("The target just counts"));
    }
    assert!(terminal(&written.summary, false, 80).contains("the target just counts"));
}

#[test]
fn a_judgement_without_details_of_latest_still_has_its_section() {
    let (_folder, written) = made(fixture::clean);
    let page = read_to_string(written.html).unwrap();
    assert!(page.contains("latest was right in all 1,296 reads.") && page.contains("strict order"));
    assert_eq!(written.pictures.len(), 8);
}

#[test]
fn the_terminal_shows_a_clean_run() {
    insta::assert_snapshot!(terminal(&summary(fixture::clean), false, 80));
}

#[test]
fn the_terminal_shows_a_run_over_replicas() {
    insta::assert_snapshot!(terminal(&summary(fixture::spread), false, 80));
}

#[test]
fn markdown_of_a_run_over_replicas() {
    insta::assert_snapshot!(markdown::text(&summary(fixture::spread)));
}

#[test]
fn replicas_and_phases_are_told_apart_and_a_warm_up_is_in_no_other_figure() {
    let summary = summary(fixture::spread);
    let [first, second] = &summary.latency.replicas[..] else { panic!("there are two replicas") };
    let p50 = |replica: &ReplicaFigures| replica.times.as_ref().unwrap().at(0.5);
    assert!(p50(second) > p50(first) + 15 * fixture::MS);
    let [warm_up, main] = &summary.latency.phases[..] else { panic!("there are two phases") };
    assert!(warm_up.requests > 1_000 && warm_up.warm_up);
    let figures = summary.latency.service.as_ref().unwrap().count
        + summary.latency.reads.as_ref().map_or(0, |reads| reads.count);
    assert_eq!(figures, main.requests);
    let (_folder, written) = made(fixture::spread);
    let page = read_to_string(&written.html).unwrap();
    for text in ["By replica (response time)", "By phase", "warm-up", "latencies hold connects"] {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn the_terminal_shows_a_troubled_run() {
    insta::assert_snapshot!(terminal(&summary(fixture::troubled), false, 80));
}

#[test]
fn the_terminal_shows_a_run_that_was_killed() {
    insta::assert_snapshot!(terminal(&summary(fixture::unfinished), false, 80));
}

#[test]
fn the_terminal_shows_an_empty_run() {
    insta::assert_snapshot!(terminal(&summary(fixture::empty), false, 80));
}

#[test]
fn the_terminal_keeps_to_its_size_and_lets_nothing_steer_it() {
    for make in RUNS {
        let summary = summary(make);
        for width in [60, 80, 120] {
            let text = terminal(&summary, false, width);
            assert!(text.lines().count() <= 24, "{text}");
            // The last two lines are to be copied, so they are never cut.
            let cut = text.lines().take(text.lines().count() - 2);
            assert!(cut.into_iter().all(|line| units::columns(line) <= width), "{text}");
            assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
            assert!(text.contains("report.html") && text.contains("limosa judge"));
        }
    }
}

#[test]
fn colour_adds_nothing_but_colour() {
    let summary = summary(fixture::troubled);
    let mut coloured = terminal(&summary, true, 80);
    for code in ["\u{1b}[1;31m", "\u{1b}[1;32m", "\u{1b}[2m", "\u{1b}[0m"] {
        coloured = coloured.replace(code, "");
    }
    assert_eq!(coloured, terminal(&summary, false, 80));
}

#[test]
fn markdown_of_a_clean_run() {
    insta::assert_snapshot!(markdown::text(&summary(fixture::clean)));
}

#[test]
fn markdown_of_a_troubled_run() {
    insta::assert_snapshot!(markdown::text(&summary(fixture::troubled)));
}

/// Walks the tags: every element that is opened is closed, in order, and no attribute loads
/// anything from outside.
fn check_page(page: &str) {
    const VOID: [&str; 4] = ["meta", "input", "br", "img"];
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page.split_once("<html").map(|(_, rest)| rest).unwrap();
    open.push("html");
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let end = rest.find('>').unwrap();
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        let name = tag.trim_start_matches('/').split([' ', '\n', '/']).next().unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "</{name}> closes another element");
        } else if !tag.ends_with('/') && !VOID.contains(&name) {
            open.push(name);
        }
        for loads in [" src=", " srcset=", " xlink:href=", " data=", " action=", " poster="] {
            assert!(!tag.contains(loads), "<{tag}> loads something");
        }
        for (_, target) in tag.match_indices(" href=").map(|(at, _)| tag.split_at(at + 6)) {
            assert!(target.starts_with("\"#"), "<{tag}> leads outside");
        }
        if matches!(name, "style" | "script") && !tag.starts_with('/') {
            let (text, after) = rest.split_once(&format!("</{name}>")).unwrap();
            assert!(
                !text.contains("url(") && !text.contains("@import") && !text.contains("fetch(")
            );
            rest = after;
            open.pop();
        }
    }
    assert!(open.is_empty(), "{open:?} never closed");
}

#[test]
fn pages_are_whole_and_load_nothing() {
    for make in RUNS {
        let (_folder, written) = made(make);
        check_page(&read_to_string(written.html).unwrap());
    }
}

#[test]
#[should_panic(expected = "loads something")]
fn the_check_of_pages_finds_a_load() {
    check_page("<html><body><p><img src=\"a.png\"></p></body></html>");
}

#[test]
#[should_panic(expected = "closes another element")]
fn the_check_of_pages_finds_a_broken_element() {
    check_page("<html><body><p><b>bold</p></b></body></html>");
}

#[test]
fn hostile_texts_stay_texts() {
    let (_folder, written) = made(fixture::troubled);
    let page = read_to_string(written.html).unwrap();
    assert!(page.contains("&#60;script&#62;alert(1)&#60;/script&#62;"));
    assert!(!page.contains("<script>alert") && !page.contains("<img"));
    assert!(page.contains("\\u{202e}txet\\u{0}") && !page.contains(['\u{202e}', '\0', '\u{1b}']));
    let markdown = read_to_string(written.markdown).unwrap();
    assert!(!markdown.contains("<script") && !markdown.contains("<img"));
    assert!(!markdown.contains("@someone") && !markdown.contains("http://example"));
    assert!(markdown.contains("\\[x\\](http"));
}

#[test]
fn the_page_names_what_was_lost() {
    let (_folder, written) = made(fixture::troubled);
    let page = read_to_string(written.html).unwrap();
    for text in ["FAIL", "4711", "not in /msgs", "Mellie &#60;b&#62;Yost", "status 204"] {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn a_run_without_an_end_or_a_judgement_says_so() {
    let (_folder, written) = made(fixture::unfinished);
    let page = read_to_string(written.html).unwrap();
    assert!(page.contains("NOT JUDGED") && page.contains("did not end by itself"));
    assert!(page.contains("3,001 of 25,922 planned commands were tried"));
    assert_eq!(written.summary.abandoned, 1);
    assert_eq!(written.summary.latency.service.as_ref().unwrap().count, 3_000);
}

#[test]
fn a_judgement_that_the_run_outgrew_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let (run, mut totals) =
        fixture::write(&folder.path().join("run"), fixture::manifest(), fixture::steady(50));
    run.write_judgement(&fixture::passed(totals.clone())).unwrap();
    assert_eq!(Summary::gather(&run).unwrap().standing, Standing::Pass);
    totals.operations.clear();
    run.write_judgement(&fixture::passed(totals)).unwrap();
    let summary = Summary::gather(&run).unwrap();
    assert_eq!(summary.standing, Standing::Outdated);
    assert_eq!(summary.found(crate::run::verdict::Class::Lost), None);
}

#[test]
fn a_latency_log_of_an_earlier_part_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let other =
        fixture::write(&folder.path().join("a"), fixture::manifest(), fixture::steady(10)).0;
    let run = fixture::write(&folder.path().join("b"), fixture::manifest(), fixture::steady(50)).0;
    let count = || Summary::gather(&run).unwrap().latency.service.unwrap().count;
    std::fs::copy(other.latency_log(), run.latency_log()).unwrap();
    assert_eq!(count(), 50);
    std::fs::write(run.latency_log(), "cut short").unwrap();
    assert_eq!(count(), 50);
}

#[test]
fn the_same_run_gives_the_same_report() {
    let folder = tempfile::tempdir().unwrap();
    let run = fixture::troubled(&folder.path().join("run"));
    let files = |written: Written| -> Vec<Vec<u8>> {
        [written.html, written.markdown, written.json]
            .into_iter()
            .chain(written.pictures)
            .map(|path| std::fs::read(path).unwrap())
            .collect()
    };
    assert_eq!(files(report(&run).unwrap()), files(report(&run).unwrap()));
}

#[test]
fn pictures_are_whole_as_svg_and_png() {
    let (_folder, written) = made(fixture::troubled);
    assert_eq!(written.pictures.len(), 8);
    for path in written.pictures {
        let bytes = std::fs::read(&path).unwrap();
        if path.extension().unwrap() == "svg" {
            let text = String::from_utf8(bytes).unwrap();
            assert!(text.starts_with("<svg") && text.trim_end().ends_with("</svg>"));
            assert!(!text.contains("script"));
        } else {
            assert!(bytes.starts_with(b"\x89PNG"));
        }
    }
}

#[test]
fn json_says_its_format() {
    let (_folder, written) = made(fixture::clean);
    let value: serde_json::Value =
        serde_json::from_slice(&std::fs::read(written.json).unwrap()).unwrap();
    assert_eq!(value["format_version"], 1);
    assert_eq!(value["standing"], "pass");
    assert_eq!(value["latency"]["service"]["count"], 25_922);
}

/// Not a check but a measurement:
/// `cargo test --release -p limosa-reports a_million -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn a_million_commands_take_seconds_and_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let (run, totals) =
        fixture::write(&folder.path().join("run"), fixture::manifest(), fixture::steady(1_000_000));
    run.write_judgement(&fixture::passed(totals)).unwrap();
    let begun = std::time::Instant::now();
    report(&run).unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    println!("report in {:.2} s; {peak}", begun.elapsed().as_secs_f64());
}

/// Not a check: leaves reports to look at in the system's folder for temporary files.
/// `cargo test -p limosa-reports reports_to_look_at -- --ignored --nocapture`
#[test]
#[ignore = "for the eye"]
fn reports_to_look_at() {
    let folder = std::env::temp_dir().join("limosa-reports");
    let _ = std::fs::remove_dir_all(&folder);
    for (make, name) in
        RUNS.into_iter().zip(["clean", "spread", "troubled", "unfinished", "empty", "forgetful"])
    {
        println!("{}", report(&make(&folder.join(name))).unwrap().html.display());
    }
}

#[test]
fn every_finding_is_a_row_of_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let written = report(&fixture::troubled(folder.path())).unwrap();
    let mut table = csv::Reader::from_path(&written.findings).unwrap();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    let judgement = written.summary.judgement.unwrap();
    let findings = judgement.audit.unwrap().findings;
    assert_eq!(rows.len(), findings.len());
    for (row, finding) in rows.iter().zip(&findings) {
        assert_eq!(&row[0], finding.class.name());
        assert_eq!((&row[4], &row[5]), (finding.user.as_str(), finding.detail.as_str()));
    }
}
