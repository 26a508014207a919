//! What every subcommand that judges does at its end: report, summary, exit code.

use super::exit::Exit;
use crate::client::ClientKind;
use crate::engine::Ending;
use crate::replay::{Finished, Plan};
use crate::schedule::{Order, Pace, Spread};
use limosa_reports::render;
use limosa_reports::run::RunDir;
use limosa_reports::run::verdict::Verdict;
use std::io::{IsTerminal, Write};

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
    eprintln!(
        "limosa: {why}; to go on: limosa replay {}{} --from-id {from_id} --run-dir {}{}",
        plan.trace.display(),
        plan.targets.iter().map(|target| format!(" --target {target}")).collect::<String>(),
        finished.run.path().display(),
        manner(plan)
    );
}

/// Says on standard error why the target could not be read back, where it could not.
#[allow(clippy::print_stderr, reason = "people's text belongs on standard error")]
pub(super) fn explain_unread(finished: &Finished) {
    if let Some(error) = &finished.unread {
        eprintln!("limosa: the target could not be read back: {error}");
    }
}

/// The flags that say how a plan sends, where they are not the defaults.
fn manner(plan: &Plan) -> String {
    let mut flags = String::new();
    if plan.client == ClientKind::Simulator {
        flags += " --client simulator";
    }
    match plan.order {
        Order::Strict => {}
        Order::User => flags += &format!(" --order user --connections {}", plan.connections),
        Order::None => flags += &format!(" --order none --connections {}", plan.connections),
    }
    match &plan.pace {
        Pace::Max => {}
        Pace::Speed(factor) => flags += &format!(" --speed {factor}"),
        Pace::Rate { stages, spread } => match (&stages[..], spread) {
            ([stage], Spread::Even) if stage.length.is_none() => {
                flags += &format!(" --rate {}", stage.to);
            }
            ([.., last], Spread::Poisson) => flags += &format!(" --poisson {}", last.to),
            // A ramp is not climbed twice: what is left is sent at its end.
            ([.., last], Spread::Even) => flags += &format!(" --rate {}", last.to.max(last.from)),
            ([], _) => {}
        },
    }
    if plan.targets.len() > 1 {
        flags += &format!(" --route {}", plan.route.name());
    }
    if !plan.keep_alive {
        flags += " --no-keep-alive";
    }
    if let Some(shard) = plan.shard {
        flags += &format!(" --shard {}/{}", shard.index, shard.of);
    }
    flags
}
