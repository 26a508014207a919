//! The `limosa` binary: parse, dispatch, exit code.

use clap::Parser;
use limosa::cli::{Cli, exit::Exit};
use std::process::ExitCode;

#[allow(clippy::print_stderr, reason = "the last word of a failed command goes to the terminal")]
fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("limosa: {}", in_words(&error));
            Exit::Usage.into()
        }
    }
}

/// An error and its causes, from the outside in. Some errors tell their cause themselves: what was
/// said is not said again.
fn in_words(error: &anyhow::Error) -> String {
    let mut words = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if words.is_empty() {
            words = cause;
        } else if !words.contains(&cause) {
            words = format!("{words}: {cause}");
        }
    }
    words
}
