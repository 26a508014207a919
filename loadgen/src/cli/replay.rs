//! `limosa replay`: a trace against a target.

use super::exit::Exit;
use super::outcome;
use super::sending::{Observe, Sending};
use crate::check::limits::{Limit, LimitError};
use crate::client::{BaseUrl, ClientKind, Timeouts};
use crate::engine::StopRule;
use crate::profile::Profile;
use crate::replay::{Plan, usual_connections};
use crate::schedule::{Order, Pace, Read, Route, Shard, Spread, Stage, span};
use anyhow::Context as _;
use limosa_reports::run::manifest::Phase;
use limosa_reports::run::operation::Operation;
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  limosa replay trace.tsv --target http://127.0.0.1:5001
  limosa replay trace.tsv --target http://127.0.0.1:5001 --client simulator --speed 100000
  limosa replay trace.tsv --target http://127.0.0.1:5001 --order user --connections 64
  limosa replay trace.tsv --target http://127.0.0.1:5001 --order user --rate 500
  limosa replay trace.tsv --target http://127.0.0.1:5001 --order none --ramp 0:1000:30s
  limosa replay trace.tsv --target http://127.0.0.1:5001 --target http://127.0.0.1:5002
  limosa replay trace.tsv --target http://127.0.0.1:5001 --limit 'p99 < 50ms' --limit 'lost = 0'
  limosa replay trace.tsv --target http://127.0.0.1:5001 --from-id 12000 --run-dir runs/latest

The target is read before the run and after it (GET /msgs and /fllws of every user of the trace), so
that each acknowledged write can be looked for. `limosa check` finds out beforehand whether a target
speaks the API.";

/// Replays a trace, in strict order or concurrently, then audits the target
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", super::exit::HELP))]
pub struct Args {
    /// The trace, in the course's format: tab-separated, without header
    trace: PathBuf,
    /// The target's base URL: http[s]://HOST[:PORT][/PREFIX] or unix:/PATH[:/PREFIX]. Give it once for
    /// each replica; the first one is read back
    #[arg(long, env = "LIMOSA_TARGET", value_name = "URL", value_delimiter = ',', required = true)]
    target: Vec<BaseUrl>,
    /// Which of several targets gets which request: round-robin, random, user (all of a user's to the
    /// same one) or failover (all to the first one, and to the next once that one does not answer)
    #[arg(long, env = "LIMOSA_ROUTE", value_enum, default_value_t = Route::RoundRobin)]
    route: Route,
    /// A new connection for each request
    #[arg(long, env = "LIMOSA_NO_KEEP_ALIVE")]
    no_keep_alive: bool,
    /// What the target is known to do otherwise, as written by `limosa check --write-profile`
    #[arg(long, env = "LIMOSA_PROFILE", value_name = "FILE")]
    profile: Option<PathBuf>,
    /// Whose requests are sent: limosa (one connection kept alive) or simulator (byte for byte the
    /// course's: a new connection each, 0.3 s to connect, 0.3 s for each read, its error lines in
    /// simulator-errors.log)
    #[arg(long, env = "LIMOSA_CLIENT", value_enum, default_value_t = ClientKind::Limosa)]
    client: ClientKind,
    /// Which commands may be under way together: strict (one at a time), user (one of each user, and
    /// only after the register of whom it names: what caused a command has been answered), or none
    #[arg(long, env = "LIMOSA_ORDER", value_enum, default_value_t = Order::Strict)]
    order: Order,
    /// How many requests are under way at most [default: 64; with --rate, --poisson, --ramp or
    /// --speed 1000; strict: 1]
    #[arg(long, env = "LIMOSA_CONNECTIONS", value_name = "N", value_parser = connections)]
    connections: Option<usize>,
    /// Send R commands a second, evenly, whatever the answers (open model)
    #[arg(long, env = "LIMOSA_RATE", value_name = "R", value_parser = rate, group = "pace")]
    rate: Option<Pace>,
    /// Send R commands a second on average, as a Poisson process (open model)
    #[arg(long, env = "LIMOSA_POISSON", value_name = "R", value_parser = poisson, group = "pace")]
    poisson: Option<Pace>,
    /// Keep the trace's own times, K times faster (the course's simulator goes at about 100000);
    /// without it, as fast as the answers come
    #[arg(long, env = "LIMOSA_SPEED", value_name = "K", value_parser = speed, group = "pace")]
    speed: Option<Pace>,
    /// Send at a rate that goes evenly from FROM to TO commands a second in TIME (such as
    /// 0:1000:30s), or stays at RATE for TIME (1000:1m); given more than once, one after another. The
    /// last rate is held (open model)
    #[arg(long, env = "LIMOSA_RAMP", value_name = "FROM:TO:TIME", value_parser = ramp,
        value_delimiter = ',', conflicts_with = "pace")]
    ramp: Vec<Stage>,
    /// Report what is sent in the first TIME (such as 5s) apart from the rest
    #[arg(long, env = "LIMOSA_WARM_UP", value_name = "TIME", value_parser = time)]
    warm_up: Option<Duration>,
    /// Send only what is due within TIME (such as 1m); in the closed model, for so long
    #[arg(long, env = "LIMOSA_DURATION", value_name = "TIME", value_parser = time)]
    duration: Option<Duration>,
    /// Skip the commands with a lower id. With --run-dir of an earlier run of the same trace, goes
    /// on with that run
    #[arg(long, env = "LIMOSA_FROM_ID", value_name = "ID", allow_negative_numbers = true)]
    from_id: Option<i64>,
    /// The same as --read latest=SHARE
    #[arg(long, env = "LIMOSA_READ_LATEST", value_name = "SHARE", value_parser = share)]
    read_latest: Option<f64>,
    /// What is read besides (latest, messages, user_messages, follows, public) and how often: for
    /// each command (messages=0.1, messages=10%), in time (messages=20/s; open model), or never
    /// (latest=0) [default: latest=0.05; with several targets as --observe latest]
    #[arg(long = "read", env = "LIMOSA_READ", value_name = "WHAT=OFTEN", value_delimiter = ',')]
    reads: Vec<Read>,
    /// What the run must keep to, or fail: `p99 < 50ms`, `tweet.p99 < 30ms`, `errors < 0.1%`,
    /// `throughput > 500/s`, `outage < 1s`, `lost = 0` (or any class of the audit), `latest = strict`;
    /// may be repeated
    #[arg(long = "limit", env = "LIMOSA_LIMIT", value_name = "LIMIT", value_delimiter = ',')]
    limits: Vec<String>,
    /// The seed of everything random in the run
    #[arg(long, env = "LIMOSA_SEED", value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How long to wait for a connection, in seconds [default: 5; simulator: 0.3]
    #[arg(long, env = "LIMOSA_CONNECT_TIMEOUT", value_name = "SECONDS", value_parser = seconds)]
    connect_timeout: Option<Duration>,
    /// How long to wait for an answer, in seconds [default: 10; simulator: 0.3 for each read]
    #[arg(long, env = "LIMOSA_RESPONSE_TIMEOUT", value_name = "SECONDS", value_parser = seconds)]
    response_timeout: Option<Duration>,
    /// Stop after so many commands in a row without a connection; 0 never stops
    /// [default: 10; simulator: 0]
    #[arg(long, env = "LIMOSA_MAX_UNREACHABLE", value_name = "N")]
    max_unreachable: Option<u32>,
    /// How long a write without an answer may still land before the target is read again, in
    /// seconds
    #[arg(long, env = "LIMOSA_SETTLE", value_name = "SECONDS", default_value = "2",
        value_parser = seconds)]
    settle: Duration,
    #[command(flatten)]
    sending: Sending,
}

impl Args {
    /// Replays, audits, reports.
    ///
    /// # Errors
    /// Where the trace, the target or the run directory cannot be used.
    pub fn run(self) -> anyhow::Result<Exit> {
        let plan = self.plan()?;
        let context = match &plan.run_dir {
            Some(path) => format!("replay into {}", path.display()),
            None => "replay".to_owned(),
        };
        let finished = self.sending.carry_out(&plan, &context)?;
        outcome::explain(&plan, &finished);
        Ok(outcome::exit(finished.judgement.verdict))
    }

    fn plan(&self) -> anyhow::Result<Plan> {
        let default = Timeouts::usual(self.client);
        let unreachable = self.max_unreachable.map(StopRule::after);
        let pace = match &self.ramp {
            stages if !stages.is_empty() => {
                Pace::Rate { stages: stages.clone(), spread: Spread::Even }
            }
            _ => [&self.rate, &self.poisson, &self.speed]
                .into_iter()
                .find_map(Clone::clone)
                .unwrap_or(Pace::Max),
        };
        if let Some(read) = self.reads.iter().find(|read| read.is_by_rate())
            && pace.is_closed_model()
        {
            anyhow::bail!(
                "--read {read}: reads by rate need a pace in time: add --rate, --ramp or --speed, or \
                 give a share for each command"
            );
        }
        if self.sending.shard.is_some() && self.order == Order::Strict {
            anyhow::bail!("--shard: the strict order is one process's: add --order user or none");
        }
        let connections = match (self.order, self.connections) {
            (Order::Strict, None | Some(1)) => 1,
            (Order::Strict, Some(_)) => {
                anyhow::bail!("--connections: the strict order has one; add --order user or none")
            }
            (_, Some(connections)) => connections,
            (order, None) => usual_connections(order, &pace),
        };
        let phases = self.warm_up.map_or_else(Phase::whole, warm_up_then_main);
        let limits = limits(&self.limits, &phases, &pace).context("--limit")?;
        let profile = match &self.profile {
            Some(path) => Profile::load(path).context("--profile")?,
            None => Profile::default(),
        };
        let trust = self.sending.trust()?;
        let trusting = |url: &BaseUrl| url.clone().trusting(trust.clone());
        Ok(Plan {
            name: None,
            scenario: None,
            trace: self.trace.clone(),
            targets: self.target.iter().map(trusting).collect(),
            route: self.route,
            profile,
            client: self.client,
            order: self.order,
            connections,
            keep_alive: !self.no_keep_alive,
            pace,
            phases,
            duration: self.duration,
            reads: self.mix()?,
            from_id: self.from_id,
            shard: self.sending.shard,
            start_at: self.sending.start_at,
            seed: self.seed,
            limits,
            timeouts: Timeouts {
                connect: self.connect_timeout.unwrap_or(default.connect),
                response: self.response_timeout.unwrap_or(default.response),
            },
            stop: unreachable.unwrap_or_else(|| StopRule::usual(self.client)),
            settle: self.settle,
            run_dir: self.sending.run_dir.clone(),
            runs: PathBuf::from("runs"),
            command_line: command_line(),
        })
    }

    /// What is read besides the commands.
    fn mix(&self) -> anyhow::Result<Vec<Read>> {
        let often = self.read_latest.map(Read::latest);
        let said = self.reads.iter().filter(|read| read.operation == Operation::Latest);
        if said.count() + usize::from(often.is_some()) > 1 {
            anyhow::bail!("--read latest: it is said more than once how often: leave one of them");
        }
        let mut given: Vec<Read> = often.into_iter().chain(self.reads.iter().copied()).collect();
        if let Some(Observe::Latest) = self.sending.observe {
            let is_of_latest = |read: &&Read| read.operation == Operation::Latest;
            if given.iter().find(is_of_latest).is_some_and(Read::is_never) {
                anyhow::bail!(
                    "--observe latest: --read latest=0 says that it is never read: leave one of them"
                );
            }
            given = Read::observed(&given);
        }
        Ok(Read::mix(&given, self.target.len(), self.route))
    }
}

fn warm_up_then_main(length: Duration) -> Vec<Phase> {
    let warm_up = Phase { name: "warm-up".to_owned(), from_ns: 0, warm_up: true };
    let from_ns = length.as_nanos() as u64;
    vec![warm_up, Phase { name: Phase::MAIN.to_owned(), from_ns, warm_up: false }]
}

/// The limits as the manifest names them.
fn limits(texts: &[String], phases: &[Phase], pace: &Pace) -> Result<Vec<String>, LimitError> {
    let names: Vec<&str> = phases.iter().map(|phase| phase.name.as_str()).collect();
    let limit = |text: &String| Limit::parse(text, &names, pace.is_closed_model());
    texts.iter().map(|text| limit(text).map(|limit| limit.text)).collect()
}

/// The command line for the manifest. A path may be no UTF-8; what is not is replaced.
pub(super) fn command_line() -> Vec<String> {
    std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect()
}

fn speed(text: &str) -> Result<Pace, String> {
    pace("speed", text)
}

fn rate(text: &str) -> Result<Pace, String> {
    pace("rate", text)
}

fn poisson(text: &str) -> Result<Pace, String> {
    pace("poisson", text)
}

fn pace(kind: &str, number: &str) -> Result<Pace, String> {
    format!("{kind}:{number}").parse().map_err(|_| "give a number above 0, such as 100".to_owned())
}

fn ramp(text: &str) -> Result<Stage, String> {
    let words: Vec<&str> = text.split(':').collect();
    match words[..] {
        [from, to, length] => Stage::ramp(from, to, length),
        [rate, length] => Stage::ramp(rate, rate, length),
        _ => None,
    }
    .ok_or_else(|| "give FROM:TO:TIME, such as 0:1000:30s, or RATE:TIME, such as 500:1m".to_owned())
}

pub(super) fn time(text: &str) -> Result<Duration, String> {
    span(text).ok_or_else(|| "give a time, such as 500ms, 30s or 2m".to_owned())
}

pub(super) fn shard(text: &str) -> Result<Shard, String> {
    let parse = || {
        let (index, of) = text.split_once('/')?;
        Some(Shard { index: index.parse().ok()?, of: of.parse().ok()? })
    };
    parse()
        .filter(|shard| (1..=shard.of).contains(&shard.index))
        .ok_or_else(|| "give I/N, such as 1/2 and 2/2".to_owned())
}

fn connections(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|connections| (1..=100_000).contains(connections))
        .ok_or_else(|| "give a number from 1 to 100000".to_owned())
}

fn share(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "give a number from 0 to 1".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "give a number of seconds, such as 0.3".to_owned())
}
