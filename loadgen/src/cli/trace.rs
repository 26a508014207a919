//! `limosa trace`: look at traces, and make them.

mod amplify;
mod generate;
mod lint;
mod slice;
mod stats;

use super::exit::Exit;
use anyhow::Context as _;
use clap::Subcommand;
use limosa_scenarios::{Command, TraceWriter, WriteError};
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

const ABOUT_THE_FORMAT: &str = "\
A trace is tab-separated text, UTF-8, without header and without quoting, one command a line:
  id  delay_ms  unix_ms  register  user  email  password
  id  delay_ms  unix_ms  tweet     user  text
  id  delay_ms  unix_ms  follow    user  whom
  id  delay_ms  unix_ms  unfollow  user  whom
The delay is the difference of two times. `-` stands for standard input.";

/// Lints, describes, generates, multiplies and cuts traces of simulator commands.
#[derive(Debug, clap::Args)]
#[command(after_help = ABOUT_THE_FORMAT)]
pub struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    Lint(lint::Args),
    Stats(stats::Args),
    Generate(generate::Args),
    Amplify(amplify::Args),
    Slice(slice::Args),
}

impl Args {
    /// Does what was asked for.
    ///
    /// # Errors
    /// Whatever kept it from being done: an input that cannot be read, an output that cannot be
    /// written, a request that makes no sense.
    pub fn run(self) -> anyhow::Result<Exit> {
        match self.task {
            Task::Lint(args) => args.run(),
            Task::Stats(args) => args.run(),
            Task::Generate(args) => args.run(),
            Task::Amplify(args) => args.run(),
            Task::Slice(args) => args.run(),
        }
    }
}

/// The trace at `path`, or standard input for `-`; and what messages call it.
fn source(path: &Path) -> anyhow::Result<(Box<dyn Read>, String)> {
    if path == Path::new("-") {
        return Ok((Box::new(io::stdin().lock()), "standard input".into()));
    }
    let file = File::open(path)
        .with_context(|| format!("cannot open the trace {}; check the path", path.display()))?;
    Ok((Box::new(file), path.display().to_string()))
}

/// The file at `path`, or standard output for none and `-`.
fn sink(path: Option<&Path>) -> anyhow::Result<Box<dyn Write>> {
    const BUFFER: usize = 256 << 10;
    match path.filter(|path| *path != Path::new("-")) {
        None => Ok(Box::new(BufWriter::with_capacity(BUFFER, io::stdout().lock()))),
        Some(path) => {
            let file = File::create(path).with_context(|| {
                format!("cannot write {}; give --output another path", path.display())
            })?;
            Ok(Box::new(BufWriter::with_capacity(BUFFER, file)))
        }
    }
}

/// Writes a trace. That the reader of a pipe went away, as `head` does, is no error.
fn write_trace<E>(
    commands: impl IntoIterator<Item = Result<Command, E>>,
    output: Option<&Path>,
) -> anyhow::Result<Exit>
where
    anyhow::Error: From<E>,
{
    let mut writer = TraceWriter::new(sink(output)?);
    for command in commands {
        match writer.write(&command?) {
            Err(WriteError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                return Ok(Exit::Pass);
            }
            written => written?,
        }
    }
    unless_pipe_broke(writer.finish().map(drop))?;
    Ok(Exit::Pass)
}

/// Takes a broken pipe for the wish to read no further that it is.
fn unless_pipe_broke(written: io::Result<()>) -> anyhow::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write the output"),
    }
}

/// A count with a comma between groups of three digits.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests;
