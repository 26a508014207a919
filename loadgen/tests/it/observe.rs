//! Reading `latest` so that it can be judged: any replica, whatever the load does.

use super::*;
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::operation::Operation;

const MS: u64 = 1_000_000;

fn replay_to(servers: &[&Server], folder: &Path, arguments: &[&str]) -> (Output, Vec<Entry>) {
    let run = folder.join("run");
    let mut command = Command::new(LIMOSA);
    command.arg("replay").arg(trace(folder, 1_000)).args(["--quiet", "--settle", "0.2"]);
    for server in servers {
        command.arg("--target").arg(server.url().to_string());
    }
    command.args(arguments).arg("--run-dir").arg(&run).stdin(Stdio::null());
    let output = command.output().unwrap();
    let calls = RunDir::open(&run).unwrap().calls().unwrap();
    (output, calls.map(Result::unwrap).collect())
}

fn is_observation(entry: &&Entry) -> bool {
    entry.intent.operation == Operation::Latest
}

#[test]
fn several_targets_are_observed_by_draw_and_the_commands_keep_their_turns() {
    let folder = tempfile::tempdir().unwrap();
    let servers = [server(folder.path(), &[]), server(folder.path(), &[])];
    let (output, entries) = replay_to(&[&servers[0], &servers[1]], folder.path(), &[]);
    assert_eq!(code(&output), 0);
    let replica = |entry: &Entry| usize::from(entry.outcome.as_ref().unwrap().replica);
    for entry in entries.iter().filter(|entry| entry.intent.operation.is_write()) {
        assert_eq!(replica(entry), entry.intent.command_id as usize % 2, "in turns");
    }
    let observed: Vec<usize> = entries.iter().filter(is_observation).map(replica).collect();
    assert!((140..260).contains(&observed.len()), "one command in five: {}", observed.len());
    let first = observed.iter().filter(|replica| **replica == 0).count();
    assert!((observed.len() / 3..observed.len() * 2 / 3).contains(&first), "{first}");
    // One after another: nothing is called before what was called before it was answered.
    for pair in entries.windows(2) {
        assert!(pair[0].outcome.as_ref().unwrap().done_ns <= pair[1].intent.called_ns);
    }
}

#[test]
fn a_replica_that_hangs_holds_the_load_up_and_not_who_observes_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let (well, hanging) =
        (server(folder.path(), &[]), server(folder.path(), &["stall:every=2500,for=1500"]));
    let arguments = ["--order", "none", "--connections", "4", "--rate", "100", "--duration", "8s"];
    let observe = ["--observe", "latest"];
    let (output, entries) =
        replay_to(&[&well, &hanging], folder.path(), &[&arguments[..], &observe].concat());
    code(&output);
    let held = entries.iter().find(|entry| {
        let outcome = entry.outcome.as_ref().unwrap();
        entry.intent.operation.is_write()
            && outcome.done_ns - entry.intent.called_ns > 1_000 * MS
            && entry.intent.called_ns < 5_000 * MS
    });
    let held = held.expect("the second server stalls for 1.5 s of every 2.5 s");
    let from_ns = held.intent.called_ns + 200 * MS;
    let until_ns = held.outcome.as_ref().unwrap().done_ns;
    let due_then = |entry: &&Entry| (from_ns..until_ns).contains(&entry.intent.ready_ns);
    let lateness_ms = |entry: &Entry| (entry.intent.called_ns - entry.intent.ready_ns) / MS;
    let then: Vec<&Entry> = entries.iter().filter(due_then).collect();
    let (observed, load): (Vec<&Entry>, Vec<&Entry>) = then.into_iter().partition(is_observation);
    assert!(load.iter().any(|entry| lateness_ms(entry) > 400), "all connections hang");
    assert!(observed.len() > 5, "{}", observed.len());
    let prompt = observed.iter().filter(|entry| lateness_ms(entry) < 200).count();
    assert!(prompt * 10 >= observed.len() * 9, "{prompt} of {}", observed.len());
    let answered = observed.iter().filter(|entry| entry.answered_ns() < Some(until_ns)).count();
    assert!(answered > 1, "the other replica answers meanwhile");
}

#[test]
fn how_often_latest_is_read_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, code_is, reads) in [
        (&["--read", "latest=0"][..], 0, 0..1),
        (&["--read", "latest=1"], 0, 200..201),
        (&["--observe", "latest", "--read", "latest=1"], 0, 200..201),
        (&["--read-latest", "0.1", "--read", "latest=1"], 2, 0..0),
        (&["--observe", "latest", "--read", "latest=0"], 2, 0..0),
    ] {
        let home = folder.path().join(arguments.join(""));
        std::fs::create_dir(&home).unwrap();
        let (server, run) = (server(&home, &[]), home.join("run"));
        let mut command = replay(&trace(&home, 200), &server, &run);
        let output = command.args(arguments).output().unwrap();
        assert_eq!(code(&output), code_is, "{arguments:?}");
        if code_is == 2 {
            assert!(text(&output.stderr).contains("leave one of them"), "{arguments:?}");
            continue;
        }
        let entries = RunDir::open(&run).unwrap().entries().unwrap().map(Result::unwrap);
        let count = entries.filter(|entry| is_observation(&entry)).count();
        assert!(reads.contains(&count), "{arguments:?}: {count}");
    }
}
