//! Kills in mid-replay: of the server, and of limosa itself.

use super::*;
use limosa_reports::run::ledger::LedgerReader;
use std::process::Child;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until the run has recorded so many frames, without disturbing it.
pub(super) fn wait_for_frames(run: &Path, frames: usize) {
    let began = Instant::now();
    let recorded = || {
        let reader = LedgerReader::open(&run.join("ledger")).unwrap();
        reader.take_while(Result::is_ok).count()
    };
    while recorded() < frames {
        assert!(began.elapsed() < PATIENCE, "the replay does not come forward");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn start(trace: &Path, server: &Server, run: &Path) -> Child {
    let mut command = replay(trace, server, run);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The id that limosa tells to go on from.
pub(super) fn resume_id(said: &str) -> String {
    let after = said.split("--from-id ").nth(1).unwrap_or_else(|| panic!("no --from-id in {said}"));
    after.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn a_server_that_is_killed_loses_nothing_that_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path(), 4_000);
    let run = folder.path().join("run");
    let first = server(folder.path(), &[]);
    let limosa = start(&trace, &first, &run);
    wait_for_frames(&run, 2_000);
    first.kill();
    let output = limosa.wait_with_output().unwrap();
    assert_eq!(code(&output), 1);
    let from_id = resume_id(&text(&output.stderr));

    let second = server(folder.path(), &[]);
    let output = replay(&trace, &second, &run).args(["--from-id", &from_id]).output().unwrap();
    assert_eq!(code(&output), 1, "the outage is the server's failure");
    let judgement = judgement(&run);
    assert_eq!(violations(&judgement), []);
    assert_eq!(verdict_of(&judgement, "audit"), Verdict::Pass);
    assert_eq!(verdict_of(&judgement, "complete"), Verdict::Pass);
    assert_eq!(verdict_of(&judgement, "latest"), Verdict::Pass);
    assert_eq!(judgement.outages.len(), 1);
    let outage = judgement.outages[0];
    assert!(outage.failed >= 10 && outage.next_ok_return_ns.is_some(), "{outage:?}");
    let manifest = RunDir::open(&run).unwrap().manifest().unwrap();
    assert_eq!(manifest.parts.len(), 2);
    assert_eq!(manifest.targets, [first_url(&manifest.targets), second.url().to_string()]);
}

fn first_url(targets: &[String]) -> String {
    targets[0].clone()
}

#[test]
fn a_limosa_that_is_killed_has_recorded_all_that_it_sent() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path(), 4_000);
    let run = folder.path().join("run");
    let server = server(folder.path(), &[]);
    let mut limosa = start(&trace, &server, &run);
    wait_for_frames(&run, 2_000);
    limosa.kill().unwrap();
    limosa.wait().unwrap();

    let judge = |arguments: &[&str]| {
        Command::new(LIMOSA).arg("judge").arg(&run).args(arguments).output().unwrap()
    };
    assert_eq!(code(&judge(&[])), 3, "nobody has looked at the target yet");
    assert_eq!(code(&judge(&["--read-back"])), 3, "the trace was not sent to its end");
    let half = judgement(&run);
    // Foreign is what the server has and the ledger has not: there is none, since every command
    // was recorded before it was sent.
    assert_eq!(violations(&half), []);
    assert_eq!(verdict_of(&half, "audit"), Verdict::Pass);
    assert_eq!(verdict_of(&half, "complete"), Verdict::Unknown);

    let last = half.latest.unwrap().last_sent.unwrap();
    let from_id = (last + 1).to_string();
    let output = replay(&trace, &server, &run).args(["--from-id", &from_id]).output().unwrap();
    let whole = judgement(&run);
    assert_eq!(violations(&whole), []);
    assert_eq!(verdict_of(&whole, "complete"), Verdict::Pass);
    // The command that was under way at the kill has no outcome, which is no fault of the server's.
    assert_eq!(code(&output), 0);
}

#[test]
fn an_interrupted_replay_ends_at_once_and_is_judged() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path(), 300);
    let run = folder.path().join("run");
    let server = server(folder.path(), &[]);
    let mut command = replay(&trace, &server, &run);
    // At the trace's own times, minutes pass between two commands.
    command.args(["--speed", "1"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let limosa = command.spawn().unwrap();
    wait_for_frames(&run, 2);
    let pid = rustix::process::Pid::from_child(&limosa);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let began = Instant::now();
    let output = limosa.wait_with_output().unwrap();
    assert!(began.elapsed() < Duration::from_secs(30), "it went on waiting");
    assert_eq!(code(&output), 3, "most of the trace was not tried");
    let said = text(&output.stderr);
    assert!(said.contains("interrupted; to go on: limosa replay") && said.contains("--speed 1"));
    let tried = judgement(&run).totals.tried();
    assert_eq!(resume_id(&said), tried.to_string(), "ids count from 0: the next one is not tried");
    assert_eq!(verdict_of(&judgement(&run), "audit"), Verdict::Pass);
}

#[test]
fn a_read_back_from_before_the_last_command_proves_nothing() {
    use limosa_reports::run::ledger::{Intent, LedgerWriter, Outcome};
    use limosa_reports::run::operation::{Ack, Operation};
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path(), 100);
    let run = folder.path().join("run");
    let server = server(folder.path(), &[]);
    assert_eq!(code(&replay(&trace, &server, &run).output().unwrap()), 0);

    // As if the run had gone on, and limosa had been killed before it could look again.
    let mut ledger = LedgerWriter::create(&run.join("ledger"), 1, 3_600_000_000_000);
    let intent = Intent {
        sequence: 0,
        command_id: 99,
        operation: Operation::Tweet,
        lane: 1,
        intended_ns: None,
        ready_ns: 0,
        called_ns: 0,
        user: limosa_scenarios::Trace::load(&trace).unwrap().commands[0].action.user().to_owned(),
        detail: "sent after the read-back".to_owned(),
    };
    let outcome = Outcome {
        sequence: 0,
        sent_ns: 1,
        done_ns: 2,
        replica: 0,
        status: 204,
        ack: Ack::Acknowledged,
        failure: None,
        latest: None,
    };
    ledger.append(&intent).unwrap();
    ledger.append(&outcome).unwrap();
    ledger.finish().unwrap();

    let judge = |arguments: &[&str]| {
        code(&Command::new(LIMOSA).arg("judge").arg(&run).args(arguments).output().unwrap())
    };
    assert_eq!(judge(&[]), 3, "what came after the read-back was not looked for");
    assert_eq!(judge(&["--read-back"]), 1, "it was looked for, and it is not there");
    assert_eq!(violations(&judgement(&run)), [(Class::Lost, Some(99))]);
}

#[test]
fn a_run_is_gone_on_with_in_its_own_manner_only() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path(), 200);
    let run = folder.path().join("run");
    let server = server(folder.path(), &[]);
    assert_eq!(code(&replay(&trace, &server, &run).output().unwrap()), 0);
    for (flags, what) in [
        (&["--order", "user"][..], "--order"),
        (&["--limit", "lost = 0"], "--limit"),
        (&["--rate", "50"], "the pace"),
        (&["--order", "none", "--shard", "1/2"], "--order"),
    ] {
        let output =
            replay(&trace, &server, &run).args(["--from-id", "100"]).args(flags).output().unwrap();
        assert_eq!(code(&output), 2);
        assert!(text(&output.stderr).contains(&format!("differs in {what}")), "{what}");
    }
    assert_eq!(RunDir::open(&run).unwrap().manifest().unwrap().parts.len(), 1);
}

#[test]
fn a_timed_run_that_is_interrupted_is_not_complete() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path(), 50_000);
    let run = folder.path().join("run");
    let server = server(folder.path(), &[]);
    let limosa = replay(&trace, &server, &run)
        .args(["--duration", "60s"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for_frames(&run, 500);
    let pid = rustix::process::Pid::from_child(&limosa);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = limosa.wait_with_output().unwrap();
    assert_eq!(code(&output), 3);
    assert_eq!(verdict_of(&judgement(&run), "complete"), Verdict::Unknown);
    assert!(text(&output.stderr).contains("--duration 60s --from-id"));
}
