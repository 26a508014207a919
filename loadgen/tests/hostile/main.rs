//! The program against bad traces, bad targets and bad run directories: a clear message, the right
//! exit code, in time and in little memory, and never a panic.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to stop")]

mod run_dirs;
mod scenarios;
mod targets;
mod traces;

use limosa_scenarios::generate::{Generator, Options};
use limosa_scenarios::{Profile, TraceWriter};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

const LIMOSA: &str = env!("CARGO_BIN_EXE_limosa");

/// Far above any timeout that a test sets, and far below those that nobody set.
const IN_TIME: Duration = Duration::from_secs(25);

/// Half of what the largest input here would take: reading one into memory ends in an abort.
const MEMORY_KIB: u32 = 512 << 10;

/// What a command said, and how it ended.
#[derive(Debug)]
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Said {
    /// Asserts that the command failed with this code and said all of these on standard error,
    /// once each.
    fn expect(&self, code: i32, fragments: &[&str]) {
        assert_eq!(self.code, code, "{self:#?}");
        for fragment in fragments {
            assert_eq!(self.err.matches(fragment).count(), 1, "{fragment}: {self:#?}");
        }
    }
}

/// Runs `limosa` in `folder`, in bounded time and memory.
fn limosa(folder: &Path, arguments: &[&str]) -> Said {
    let bounded = format!("ulimit -v {MEMORY_KIB}; exec \"$0\" \"$@\"");
    let output = assert_cmd::Command::new("sh")
        .args(["-c", &bounded, LIMOSA])
        .args(arguments)
        .current_dir(folder)
        .timeout(IN_TIME)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(!err.contains("panicked"), "{err}");
    let code = output.status.code().unwrap_or_else(|| panic!("{arguments:?} was killed: {err}"));
    Said { code, out, err }
}

/// A small, good trace.
fn trace(folder: &Path, commands: u64, seed: u64) -> PathBuf {
    let options = Options { seed, commands: Some(commands), ..Options::default() };
    let path = folder.join(format!("trace-{seed}.tsv"));
    let mut writer = TraceWriter::new(File::create(&path).unwrap());
    for command in Generator::new(&Profile::course().unwrap(), options).unwrap() {
        writer.write(&command).unwrap();
    }
    writer.finish().unwrap();
    path
}
