//! What the program says of itself: help, completions and the manual.
//!
//! Every command is found by walking the definitions, so a new one cannot be forgotten: without a
//! snapshot its test fails.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to stop")]

use assert_cmd::Command;
use clap::CommandFactory as _;
use limosa::cli::Cli;

/// The binary, without a variable that would show up in the help.
fn limosa() -> Command {
    let mut command = Command::cargo_bin("limosa").unwrap();
    command.env_clear().env("COLUMNS", "100");
    command
}

fn stdout(command: &mut Command) -> String {
    String::from_utf8(command.assert().success().get_output().stdout.clone()).unwrap()
}

/// Every command and subcommand, each with the words that call it.
fn commands() -> Vec<(Vec<String>, clap::Command)> {
    fn walk(
        path: &[String],
        command: &clap::Command,
        found: &mut Vec<(Vec<String>, clap::Command)>,
    ) {
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            let mut path = path.to_vec();
            path.push(sub.get_name().to_owned());
            walk(&path, sub, found);
        }
        found.push((path.to_vec(), command.clone()));
    }
    let mut found = Vec::new();
    let mut root = Cli::command();
    root.build();
    walk(&[], &root, &mut found);
    found
}

#[test]
fn the_help_of_every_command_is_what_it_was() {
    for (path, _) in commands() {
        let help = stdout(limosa().args(&path).arg("--help"));
        let name = std::iter::once("limosa").chain(path.iter().map(String::as_str));
        insta::assert_snapshot!(name.collect::<Vec<_>>().join("-"), help);
    }
}

#[test]
fn every_flag_is_explained_and_every_command_has_an_example() {
    for (path, command) in commands() {
        for argument in command.get_arguments() {
            let id = argument.get_id();
            assert!(argument.get_help().is_some(), "limosa {path:?}: {id} has no help");
        }
        if !command.has_subcommands() {
            let foot = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let example = format!("limosa {}", path.join(" "));
            assert!(foot.contains(&example), "limosa {path:?} has no example in its help");
        }
    }
}

#[test]
fn no_help_is_wider_than_the_terminal() {
    for (path, _) in commands() {
        let help = stdout(limosa().args(&path).arg("--help"));
        let widest = help.lines().max_by_key(|line| line.chars().count()).unwrap();
        assert!(widest.chars().count() <= 100, "limosa {path:?}: {widest}");
    }
}

#[test]
fn every_shell_is_completed() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = stdout(limosa().args(["completions", shell]));
        assert!(script.contains("replay") && script.contains("from-id"), "{shell}: {script}");
    }
    limosa().args(["completions", "cobol"]).assert().code(2);
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let folder = tempfile::tempdir().unwrap();
    limosa().arg("man").arg("--directory").arg(folder.path()).assert().success().stdout("");
    for (path, _) in commands() {
        let name = std::iter::once("limosa").chain(path.iter().map(String::as_str));
        let page = folder.path().join(name.collect::<Vec<_>>().join("-")).with_extension("1");
        let text = std::fs::read_to_string(&page).unwrap();
        assert!(text.contains(".TH limosa"), "{}: {text}", page.display());
    }
    let page = stdout(limosa().arg("man"));
    assert!(page.contains("limosa\\-replay(1)"), "{page}");
}

#[test]
fn a_manual_that_cannot_be_written_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let assert = limosa().arg("man").arg("--directory").arg(&file).assert().code(2);
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(said.contains("--directory") && said.contains("file"), "{said}");
}
