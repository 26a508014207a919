//! `limosa demo`: everything once, with nothing but this program.

use super::exit::Exit;
use super::{interrupt::Interrupt, outcome, progress::Progress};
use crate::experiment::demo::{Demo, Prepared, found};
use crate::replay::Finished;
use limosa_reports::render;
use limosa_reports::run::verdict::Verdict;
use std::path::PathBuf;

/// Starts a server, replays a generated trace, and finds a write that is lost on purpose
///
/// No argument, no file, no network: the server is a child process on a free port of the loopback
/// interface. The trace is replayed twice in strict order, first against a server that does it
/// right, then against one that acknowledges one message and does not store it. Exits with 0 where
/// the first run passes and the second names exactly the lost message.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("Example:\n  limosa demo\n\n{}", super::exit::HELP))]
pub struct Args {
    /// How many commands to generate
    #[arg(long, env = "LIMOSA_DEMO_COMMANDS", value_name = "N", default_value_t = 3000)]
    commands: u64,
    /// The seed of the trace and of the reads' places
    #[arg(long, env = "LIMOSA_SEED", value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
}

impl Args {
    /// Runs both parts.
    ///
    /// # Errors
    /// Where the server cannot be started, or a replay not be carried out.
    pub fn run(self) -> anyhow::Result<Exit> {
        let demo = Demo {
            program: std::env::current_exe()?,
            runs: PathBuf::from("runs"),
            commands: self.commands,
            seed: self.seed,
        };
        let prepared = demo.prepare()?;
        let runtime = super::runtime()?;
        let interrupt = runtime.block_on(async { Interrupt::listen() });
        let replay = |faults: &[String]| {
            let mut progress = None;
            let finished = runtime.block_on(demo.replay(
                &prepared,
                faults,
                interrupt.flag(),
                |live, total, run| {
                    interrupt.is_recorded_in(run);
                    progress = Some(Progress::start(live, total, self.quiet));
                },
            ));
            drop(progress);
            finished
        };

        say(&format!(
            "1 of 2  {} generated commands, against a server that does it right\n",
            self.commands
        ));
        let clean = replay(&[])?;
        outcome::show(&clean.run, false)?;
        if clean.judgement.verdict != Verdict::Pass {
            return Ok(outcome::exit(clean.judgement.verdict));
        }

        let fault = format!("lose:id={}", prepared.doomed);
        say(&format!("\n2 of 2  the same, against `limosa serve --fault {fault}`\n"));
        let faulty = replay(&[fault])?;
        second_part(&faulty, &prepared)
    }
}

fn second_part(faulty: &Finished, prepared: &Prepared) -> anyhow::Result<Exit> {
    render::report(&faulty.run)?;
    let page = faulty.run.path().join("report.html");
    let Some(finding) = found(faulty, prepared.doomed) else {
        say(&format!(
            "  id {} was to be lost, and the audit says otherwise: {}\n  see {}",
            prepared.doomed,
            faulty.judgement.headline,
            page.display()
        ));
        return Ok(Exit::Unknown);
    };
    say(&format!(
        "  found   LOST id {} {:?} by {:?}\n          acknowledged with 204, {}\n  report  {}\n\n\
         next    limosa check http://YOUR-SERVER\n        limosa replay {} --target http://YOUR-SERVER",
        prepared.doomed,
        finding.detail,
        finding.user,
        finding.note,
        page.display(),
        prepared.trace.display()
    ));
    Ok(Exit::Pass)
}

#[allow(clippy::print_stdout, reason = "this is what the demonstration says")]
fn say(text: &str) {
    println!("{text}");
}
