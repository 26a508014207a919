//! The subcommands from their arguments to their exit codes and files.

use super::*;
use clap::Parser;
use tempfile::TempDir;

/// Stands for the whole command line.
#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

/// A directory in which `limosa trace` is run.
struct Room(TempDir);

impl Room {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Runs a line of arguments; `@` before a name stands for the directory.
    fn run(&self, line: &str) -> anyhow::Result<Exit> {
        let place = format!("{}/", self.0.path().display());
        let words = line.split(' ').map(|word| word.replace('@', &place));
        Line::try_parse_from(std::iter::once("trace".to_owned()).chain(words))?.args.run()
    }

    fn write(&self, name: &str, content: &str) {
        fs_err::write(self.0.path().join(name), content).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs_err::read_to_string(self.0.path().join(name)).unwrap()
    }

    fn refusal(&self, line: &str) -> String {
        format!("{:#}", self.run(line).unwrap_err())
    }
}

#[test]
fn a_generated_trace_passes_the_linter_and_repeats_with_its_seed() {
    let room = Room::new();
    for name in ["a", "b"] {
        let line = format!("generate --seed 5 --commands 300 --users 9 --output @{name}");
        assert_eq!(room.run(&line).unwrap(), Exit::Pass);
    }
    assert_eq!(room.read("a"), room.read("b"));
    assert_eq!(room.read("a").lines().count(), 300);
    assert_eq!(room.run("lint --strict @a").unwrap(), Exit::Pass);
    assert_eq!(room.run("stats @a @b").unwrap(), Exit::Pass);
}

#[test]
fn the_linter_fails_on_errors_and_on_warnings_only_where_strict() {
    let room = Room::new();
    room.write("warned", "0\t0\t5\tregister\tA\ta@b\tp\n2\t0\t5\ttweet\tA\tx\n");
    assert_eq!(room.run("lint @warned").unwrap(), Exit::Pass);
    assert_eq!(room.run("lint --strict @warned").unwrap(), Exit::Fail);
    room.write("wrong", "0\t0\t5\ttweet\tA\tx\n");
    assert_eq!(room.run("lint @wrong").unwrap(), Exit::Fail);
    assert_eq!(room.run("lint --json @wrong").unwrap(), Exit::Fail);
    assert!(room.refusal("lint @missing").contains("check the path"));
}

#[test]
fn a_profile_is_printed_and_taken_back() {
    let room = Room::new();
    room.run("generate --commands 400 --users 9 --output @a").unwrap();
    room.run("generate --fit @a --print-profile --output @profile").unwrap();
    room.run("generate --profile @profile --seed 2 --output @b").unwrap();
    assert_eq!(room.read("b").lines().count(), 400);
    assert!(room.refusal("generate --profile @a").contains("not a profile"));
}

#[test]
fn an_amplified_trace_and_a_slice_of_it_are_valid() {
    let room = Room::new();
    room.run("generate --commands 400 --users 9 --output @a").unwrap();
    room.run("amplify @a 4 --output @four").unwrap();
    assert_eq!(room.read("four").lines().count(), 1600);
    assert_eq!(room.run("lint --strict @four").unwrap(), Exit::Pass);

    room.run("slice @four --ids 900.. --output @torn").unwrap();
    assert_eq!(room.read("torn").lines().count(), 700);
    assert_eq!(room.run("lint @torn").unwrap(), Exit::Fail);
    room.run("slice @four --ids 900.. --keep-registers --renumber --output @whole").unwrap();
    assert!(room.read("whole").lines().count() > 700);
    assert_eq!(room.run("lint --strict @whole").unwrap(), Exit::Pass);
}

#[test]
fn a_slice_of_everything_is_the_trace() {
    let room = Room::new();
    room.run("generate --commands 200 --users 9 --output @a").unwrap();
    room.run("slice @a --output @b").unwrap();
    assert_eq!(room.read("a"), room.read("b"));
}

#[test]
fn a_broken_trace_is_refused_by_line() {
    let room = Room::new();
    room.write("broken", "0\t0\t5\tregister\tA\ta@b\tp\nrubbish\n");
    for line in ["stats @broken", "amplify @broken 2", "slice @broken --output @x"] {
        let message = room.refusal(line);
        assert!(message.contains("broken:2: 1 fields"), "{message}");
    }
    room.write("empty", "");
    assert!(room.refusal("stats @empty").contains("the trace is empty"));
}

#[test]
fn digits_are_grouped_from_the_right() {
    let grouped = [0, 999, 1000, 25_922, 14_000_000].map(grouped);
    assert_eq!(grouped, ["0", "999", "1,000", "25,922", "14,000,000"]);
}
