//! A trace against the reference server, from the first request to the report.

use super::*;
use limosa_reports::run::operation::Ack;

/// The course's own trace where `LIMOSA_TRACE` names it, else one of the same shape.
pub(super) fn course_trace(folder: &Path) -> PathBuf {
    match std::env::var_os("LIMOSA_TRACE") {
        Some(path) => PathBuf::from(path),
        None => trace(folder, 3_000),
    }
}

fn all_is_kept(arguments: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let trace = course_trace(folder.path());
    let stats =
        limosa_scenarios::Stats::of(&limosa_scenarios::Trace::load(&trace).unwrap().commands);
    let server = server(folder.path(), &[]);
    let run = folder.path().join("run");
    let output = replay(&trace, &server, &run).args(arguments).output().unwrap();
    assert_eq!(code(&output), 0);

    let judgement = judgement(&run);
    assert_eq!(judgement.totals.commands(Ack::Acknowledged), stats.commands);
    let audit = judgement.audit.as_ref().unwrap();
    assert_eq!(audit.count(Class::Kept), stats.commands);
    assert_eq!(audit.state.users, stats.final_users);
    assert_eq!(audit.state.messages, stats.final_messages);
    assert_eq!(audit.state.follows, stats.final_edges);
    assert_eq!(audit.state.latest, Some(stats.last_id));
    assert_eq!(verdict_of(&judgement, "latest"), Verdict::Pass);
    assert!(!judgement.trust.not_checked.iter().any(|text| text.contains("order of messages")));
    for name in ["report.html", "report.md", "report.json", "latency.hlog", "timeline.ndjson"] {
        assert!(run.join(name).is_file(), "{name}");
    }
    server.stop().unwrap();
}

#[test]
fn a_strict_replay_is_kept_whole() {
    all_is_kept(&["--read-latest", "0.2"]);
}

#[test]
fn a_replay_by_the_simulators_client_is_kept_whole() {
    // Its 0.3 s are tested elsewhere: an unoptimised server may need longer for once.
    all_is_kept(&["--client", "simulator", "--response-timeout", "10"]);
}

#[test]
fn a_concurrent_replay_in_the_users_order_is_kept_whole() {
    let folder = tempfile::tempdir().unwrap();
    let trace = course_trace(folder.path());
    let server = server(folder.path(), &[]);
    let run = folder.path().join("run");
    let output = replay(&trace, &server, &run)
        .args(["--order", "user", "--connections", "64"])
        .output()
        .unwrap();
    assert_eq!(code(&output), 0);
    let judgement = judgement(&run);
    let planned = judgement.totals.planned;
    assert_eq!(judgement.audit.as_ref().unwrap().count(Class::Kept), planned);
}

#[test]
fn without_an_order_the_answers_of_the_impossible_are_no_failures() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path(), 600);
    let server = server(folder.path(), &[]);
    let run = folder.path().join("run");
    let output = replay(&trace, &server, &run)
        .args(["--order", "none", "--connections", "64"])
        .output()
        .unwrap();
    assert_eq!(code(&output), 0);
    assert_eq!(violations(&judgement(&run)), []);
}

#[test]
fn a_fixed_rate_is_sent_at_its_instants() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path(), 600);
    let server = server(folder.path(), &[]);
    let run = folder.path().join("run");
    let output =
        replay(&trace, &server, &run).args(["--order", "user", "--rate", "200"]).output().unwrap();
    assert_ne!(code(&output), 1, "nothing fails; only a starved machine makes it unknown");
    for entry in RunDir::open(&run).unwrap().entries().unwrap() {
        let intent = entry.unwrap().intent;
        if intent.operation.is_write() {
            assert_eq!(intent.intended_ns, Some(intent.command_id.unsigned_abs() * 5_000_000));
        }
        assert!(Some(intent.called_ns) >= intent.intended_ns);
    }
}

#[test]
fn a_scaled_replay_keeps_the_traces_times() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path(), 300);
    let commands = limosa_scenarios::Trace::load(&trace).unwrap().commands;
    let span_ms = commands[commands.len() - 1].at_ms - commands[0].at_ms;
    let speed = span_ms as f64 / 3_000.0;
    let server = server(folder.path(), &[]);
    let run = folder.path().join("run");
    let output =
        replay(&trace, &server, &run).args(["--speed", &speed.to_string()]).output().unwrap();
    assert_eq!(code(&output), 0);
    for entry in RunDir::open(&run).unwrap().entries().unwrap() {
        let entry = entry.unwrap();
        let intended_ns = entry.intent.intended_ns.unwrap();
        assert!(entry.intent.called_ns >= intended_ns);
        assert!(intended_ns <= 3_001_000_000);
    }
}

#[test]
fn a_run_is_judged_and_reported_again_without_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path(), 200);
    let run = folder.path().join("run");
    let server = server(folder.path(), &["lose:every=40"]);
    assert_eq!(code(&replay(&trace, &server, &run).output().unwrap()), 1);
    server.stop().unwrap();

    let first = judgement(&run);
    let output = Command::new(LIMOSA).arg("judge").arg(&run).output().unwrap();
    assert_eq!(code(&output), 1);
    let again = judgement(&run);
    assert_eq!(again.audit, first.audit);
    assert_eq!(again.checks, first.checks);
    let output = Command::new(LIMOSA).arg("report").arg(&run).output().unwrap();
    assert_eq!(code(&output), 0);
}

#[test]
fn what_was_there_before_the_run_is_not_counted() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path(), 300);
    let server = server(folder.path(), &[]);
    let first = folder.path().join("first");
    assert_eq!(code(&replay(&trace, &server, &first).output().unwrap()), 0);
    let second = folder.path().join("second");
    assert_eq!(code(&replay(&trace, &server, &second).output().unwrap()), 0);
    let judgement = judgement(&second);
    assert_eq!(violations(&judgement), []);
    assert!(judgement.totals.commands(Ack::Rejected) > 0, "the names are taken");
}
