//! What every subcommand that judges does at its end: report, summary, exit code.

use super::exit::Exit;
use crate::engine::Ending;
use crate::replay::{Finished, Plan};
use limosa_reports::render::{self, shell_word};
use limosa_reports::run::RunDir;
use limosa_reports::run::verdict::Verdict;
use std::io::{IsTerminal, Write};
use std::path::Path;

/// The exit code of a verdict.
pub(super) fn exit(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Pass => Exit::Pass,
        Verdict::Fail => Exit::Fail,
        Verdict::Unknown => Exit::Unknown,
    }
}

/// Writes the report and prints the summary on standard output, or, as JSON, the judgement there
/// and the summary on standard error.
///
/// # Errors
/// Where the report cannot be written or printed.
pub(super) fn show(run: &RunDir, json: bool) -> anyhow::Result<()> {
    let written = render::report(run)?;
    if json {
        let mut err = std::io::stderr().lock();
        let coloured = wants_colour(err.is_terminal());
        err.write_all(render::terminal(&written.summary, coloured, 80).as_bytes())?;
        let mut out = std::io::stdout().lock();
        out.write_all(&fs_err::read(&written.json)?)?;
    } else {
        let mut out = std::io::stdout().lock();
        let coloured = wants_colour(out.is_terminal());
        out.write_all(render::terminal(&written.summary, coloured, 80).as_bytes())?;
    }
    Ok(())
}

/// See <https://no-color.org>.
fn wants_colour(is_terminal: bool) -> bool {
    is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Says on standard error why a replay ended early, and how to go on.
#[allow(clippy::print_stderr, reason = "people's text belongs on standard error")]
pub(super) fn explain(plan: &Plan, finished: &Finished) {
    explain_unread(finished);
    let (why, from_id) = match finished.ending {
        Ending::Complete => return,
        Ending::Unreachable { resume_at } => {
            ("the target could not be reached any more", resume_at)
        }
        Ending::Interrupted { resume_at: Some(resume_at) } => ("interrupted", resume_at),
        Ending::Interrupted { resume_at: None } => return,
    };
    if plan.scenario.is_some() {
        eprintln!("limosa: {why}; a scenario is not gone on with: run it again from its start");
        return;
    }
    let again = going_on(&plan.command_line, from_id, finished.run.path());
    eprintln!("limosa: {why}; to go on: {again}");
}

/// Says on standard error why the target could not be read back, where it could not.
#[allow(clippy::print_stderr, reason = "people's text belongs on standard error")]
pub(super) fn explain_unread(finished: &Finished) {
    if let Some(error) = &finished.unread {
        eprintln!("limosa: the target could not be read back: {error}");
    }
}

/// The command line that goes on with a run: the one that began it, from another id on.
fn going_on(command_line: &[String], from_id: i64, run: &Path) -> String {
    let mut words = vec!["limosa".to_owned()];
    let mut given = command_line.iter().skip(1);
    while let Some(word) = given.next() {
        match word.split_once('=').map_or(word.as_str(), |(flag, _)| flag) {
            "--from-id" | "--run-dir" | "--start-at" => {
                if !word.contains('=') {
                    given.next();
                }
            }
            _ => words.push(shell_word(word)),
        }
    }
    words.extend(["--from-id".to_owned(), from_id.to_string(), "--run-dir".to_owned()]);
    words.push(shell_word(&run.to_string_lossy()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_goes_on_does_so_in_the_manner_of_the_start() {
        let began = "limosa replay t.tsv --from-id 3 --ramp 0:9:1s --run-dir=x --seed 9 --profile";
        let mut words: Vec<String> = began.split(' ').map(str::to_owned).collect();
        words.push("my server.toml".to_owned());
        assert_eq!(
            going_on(&words, 7, Path::new("runs/x y")),
            "limosa replay t.tsv --ramp 0:9:1s --seed 9 --profile 'my server.toml' --from-id 7 \
             --run-dir 'runs/x y'"
        );
    }
}
