//! The program as a user runs it: real processes, a real database, real kills.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on is to stop")]

mod calibration;
mod crash;
mod end_to_end;
mod export;
mod faults;
mod halt;
mod matrix;
mod observe;
mod postgres;
mod redis;
mod replicas;
mod scenario;
mod shared_latest;
mod stall;
mod starved;

use limosa::experiment::child::Server;
use limosa_reports::run::RunDir;
use limosa_reports::run::verdict::{Class, Judgement, Verdict};
use limosa_scenarios::generate::{Generator, Options};
use limosa_scenarios::{Action, Profile, Trace, TraceWriter};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const LIMOSA: &str = env!("CARGO_BIN_EXE_limosa");

/// The reference server, with hashes that cost nothing.
fn server(folder: &Path, faults: &[&str]) -> Server {
    let mut arguments = vec!["--password-cost".to_owned(), "test".to_owned()];
    for fault in faults {
        arguments.extend(["--fault".to_owned(), (*fault).to_owned()]);
    }
    Server::start(Path::new(LIMOSA), folder, &arguments).unwrap()
}

/// So many servers on one database in `folder`, with their `latest` in the same place.
fn replicas(folder: &Path, count: usize, latest: &str) -> Vec<Server> {
    replicas_with(folder, count, &["--latest", latest])
}

/// So many servers with these arguments; without a `--database` among them, on one in `folder`.
fn replicas_with(folder: &Path, count: usize, arguments: &[&str]) -> Vec<Server> {
    let arguments: Vec<String> =
        ["--password-cost", "test"].iter().chain(arguments).map(|&one| one.to_owned()).collect();
    let start = |number| Server::start_replica(Path::new(LIMOSA), folder, number, &arguments);
    (0..count).map(|number| start(number).unwrap()).collect()
}

/// The commands of a trace that are wanted, as another trace.
fn sifted(trace: &Path, name: &str, wanted: impl Fn(&Action) -> bool) -> PathBuf {
    let path = trace.with_file_name(name);
    let mut writer = TraceWriter::new(File::create(&path).unwrap());
    for command in Trace::load(trace).unwrap().commands {
        if wanted(&command.action) {
            writer.write(&command).unwrap();
        }
    }
    writer.finish().unwrap();
    path
}

/// A generated trace of about `commands` commands, each text with a nonce.
fn trace(folder: &Path, commands: u64) -> PathBuf {
    let options = Options { seed: 5, commands: Some(commands), nonce: true, ..Options::default() };
    let path = folder.join("trace.tsv");
    let mut writer = TraceWriter::new(File::create(&path).unwrap());
    for command in Generator::new(&Profile::course().unwrap(), options).unwrap() {
        writer.write(&command).unwrap();
    }
    writer.finish().unwrap();
    path
}

fn replay(trace: &Path, server: &Server, run: &Path) -> Command {
    let mut command = Command::new(LIMOSA);
    command.arg("replay").arg(trace).args(["--quiet", "--settle", "0.2", "--target"]);
    command.arg(server.url().to_string()).arg("--run-dir").arg(run).stdin(Stdio::null());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The exit code; the output is shown where the test fails.
fn code(output: &Output) -> i32 {
    println!("{}\n{}", text(&output.stdout), text(&output.stderr));
    output.status.code().unwrap()
}

fn judgement(run: &Path) -> Judgement {
    RunDir::open(run).unwrap().judgement().unwrap().unwrap()
}

fn verdict_of(judgement: &Judgement, check: &str) -> Verdict {
    let found = judgement.checks.iter().find(|one| one.name == check);
    found.unwrap_or_else(|| panic!("no check {check}")).verdict
}

/// The classes of the violations with their commands, in the order of the findings.
fn violations(judgement: &Judgement) -> Vec<(Class, Option<i64>)> {
    let findings = &judgement.audit.as_ref().unwrap().findings;
    findings.iter().map(|finding| (finding.class, finding.command_id)).collect()
}
