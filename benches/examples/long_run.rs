//! Writes the run directory of a flawless run of millions of commands, 64 under way at once, so that
//! what a judge needs for it can be measured:
//!
//!     cargo run --release -p limosa-benches --example long_run -- /tmp/long 5000000
//!     /usr/bin/time -v target/release/limosa judge /tmp/long

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on is to stop")]

use limosa_benches::{commands, judged_run, read_back};
use limosa_reports::run::RunDir;
use limosa_reports::run::ledger::{Intent, LedgerWriter, Outcome};
use limosa_reports::run::manifest::{Manifest, Mode};
use limosa_reports::run::operation::{Ack, Operation};
use limosa_scenarios::{Action, Command};
use std::collections::VecDeque;
use std::path::Path;

const IN_FLIGHT: usize = 64;
/// As many commands a second.
const RATE: u64 = 10_000;
const GAP_NS: u64 = 1_000_000_000 / RATE;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, path, count] = &arguments[..] else { panic!("give a directory and a number") };
    let (path, count) = (Path::new(path), count.parse().unwrap());
    let commands = commands(count);
    let run = RunDir::create_at(path).unwrap();
    write_ledger(&run, &commands);
    read_back(&[]).write(&run.readback("before")).unwrap();
    let mut after = read_back(&commands);
    after.header.taken_ns = (count + 1) * GAP_NS;
    after.write(&run.readback("after-1")).unwrap();
    run.write_manifest(&manifest(&commands)).unwrap();
}

fn write_ledger(run: &RunDir, commands: &[Command]) {
    let mut ledger = LedgerWriter::create(&run.ledger(), 0, 0);
    let mut in_flight = VecDeque::new();
    for (sequence, command) in (0..).zip(commands) {
        let intent = intent(sequence, command);
        ledger.append(&intent).unwrap();
        in_flight.push_back(outcome(&intent));
        if in_flight.len() == IN_FLIGHT {
            ledger.append(&in_flight.pop_front().unwrap()).unwrap();
        }
    }
    in_flight.iter().for_each(|outcome| ledger.append(outcome).unwrap());
    ledger.finish().unwrap();
}

fn intent(sequence: u64, command: &Command) -> Intent {
    let (operation, user, detail) = match command.action.clone() {
        Action::Register { user, email, .. } => (Operation::Register, user, email),
        Action::Tweet { user, text } => (Operation::Tweet, user, text),
        Action::Follow { user, whom } => (Operation::Follow, user, whom),
        Action::Unfollow { user, whom } => (Operation::Unfollow, user, whom),
    };
    let called_ns = sequence * GAP_NS;
    Intent {
        sequence,
        command_id: command.id,
        operation,
        lane: 0,
        intended_ns: Some(called_ns),
        ready_ns: called_ns,
        called_ns,
        user,
        detail,
    }
}

fn outcome(intent: &Intent) -> Outcome {
    let Intent { sequence, called_ns, .. } = *intent;
    Outcome {
        sequence,
        sent_ns: called_ns + 5_000,
        done_ns: called_ns + IN_FLIGHT as u64 * GAP_NS - sequence % 97 * 10,
        replica: (sequence % 3) as u16,
        status: 204,
        ack: Ack::Acknowledged,
        failure: None,
        latest: None,
    }
}

/// That of a run of few commands, made fit.
fn manifest(commands: &[Command]) -> Manifest {
    let folder = tempfile::tempdir().unwrap();
    let few = judged_run(&folder.path().join("run"), &commands[..10]).manifest().unwrap();
    let mode = Mode { order: "user".into(), connections: IN_FLIGHT, ..few.mode };
    let trace = limosa_reports::run::manifest::TraceInfo {
        commands: commands.len() as u64,
        ids: commands.first().zip(commands.last()).map(|(first, last)| (first.id, last.id)),
        ..few.trace
    };
    let planned_ids = Some(commands.len() as u64);
    Manifest { mode, trace, planned_ids, ..few }
}
