//! The `limosa` binary: parse, dispatch, exit code.

use clap::Parser;
use limosa::cli::{Cli, exit::Exit};
use std::process::ExitCode;

#[allow(clippy::print_stderr, reason = "the last word of a failed command goes to the terminal")]
fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("limosa: {error:#}");
            Exit::Usage.into()
        }
    }
}
