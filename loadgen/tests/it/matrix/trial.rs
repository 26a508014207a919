//! One run of the matrix: a small trace, servers of its own, and what they say that they did.

use super::*;
use limosa::client::readback::Reader;
use limosa::client::{BaseUrl, Timeouts};
use limosa::engine::StopRule;
use limosa::judge::judge;
use limosa::profile::Profile as Deviations;
use limosa::replay::{Plan, read_back, replay};
use limosa::schedule::Read;
use limosa_reports::run::ledger::Entry;
use limosa_reports::run::operation::Ack;
use limosa_scenarios::Command as TraceCommand;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// How many commands are drawn for a trace.
const COMMANDS: u64 = 300;
/// Ids are this far apart: a count of the commands is no id then.
const ID_STEP: i64 = 3;
const PATIENCE: Duration = Duration::from_secs(60);

/// A run that is being set up.
pub(crate) struct Trial {
    /// Draws everything random.
    pub(crate) seed: u64,
    folder: tempfile::TempDir,
}

/// What a server wrote under the target `fault`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hit {
    /// What happened: `hit`, or more precisely.
    pub(crate) message: String,
    /// The command's id, where it is of a command.
    pub(crate) command: Option<i64>,
    /// When.
    pub(crate) at: jiff::Timestamp,
}

impl Trial {
    pub(crate) fn new(row: &str, seed: u64) -> Self {
        println!("{row}, seed {seed}");
        Self { seed, folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn run_dir(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    /// A trace in which every command leaves a trace of its own on the target: nobody follows
    /// anybody twice, and nobody stops.
    pub(crate) fn visible_trace(&self) -> PathBuf {
        let mut pairs = BTreeSet::new();
        self.trace(|action| match action {
            Action::Register { .. } | Action::Tweet { .. } => true,
            Action::Follow { user, whom } => pairs.insert((user.clone(), whom.clone())),
            Action::Unfollow { .. } => false,
        })
    }

    /// A trace of what is wanted of the seed's commands.
    pub(crate) fn trace(&self, mut wanted: impl FnMut(&Action) -> bool) -> PathBuf {
        let options = Options {
            seed: self.seed,
            commands: Some(COMMANDS),
            nonce: true,
            ..Options::default()
        };
        let path = self.folder.path().join("trace.tsv");
        let mut writer = TraceWriter::new(File::create(&path).unwrap());
        for command in Generator::new(&Profile::course().unwrap(), options).unwrap() {
            if wanted(&command.action) {
                writer.write(&TraceCommand { id: command.id * ID_STEP, ..command }).unwrap();
            }
        }
        writer.finish().unwrap();
        path
    }

    /// Starts a server on the run's database; each has a number of its own.
    pub(crate) fn serve(&self, number: usize, arguments: &[&str]) -> Server {
        let usual = ["--password-cost", "test", "--log", "warn", "--log-format", "json"];
        let arguments: Vec<String> =
            usual.iter().chain(arguments).map(|argument| (*argument).to_owned()).collect();
        Server::start_replica(Path::new(LIMOSA), self.folder.path(), number, &arguments).unwrap()
    }

    /// A strict replay that often asks for `latest`.
    pub(crate) fn plan(&self, trace: PathBuf, servers: &[&Server]) -> Plan {
        let urls: Vec<BaseUrl> = servers.iter().map(|server| server.url().clone()).collect();
        Plan {
            reads: vec![Read::latest(0.3)],
            seed: self.seed,
            stop: StopRule::after(1),
            settle: Duration::ZERO,
            run_dir: Some(self.run_dir()),
            ..Plan::new(trace, urls)
        }
    }

    /// Replays and judges.
    pub(crate) fn replay(&self, plan: &Plan) -> Judgement {
        runtime()
            .block_on(replay(plan, &Arc::new(AtomicBool::new(false)), |_, _, _| {}))
            .unwrap()
            .judgement
    }

    /// Replays against a server with this fault that is killed as soon as it has hit more than so
    /// many commands, and judges by what one without it finds in the same place.
    pub(crate) fn replay_and_kill(&self, flags: &[&str], fault: &str, hits: usize) -> Judgement {
        let doomed = self.serve(0, &[flags, &["--fault", fault]].concat());
        // As long, a command without an answer is waited for before the target is read.
        let timeouts = Timeouts { response: Duration::from_secs(2), ..Timeouts::PATIENT };
        let plan = Plan { timeouts, ..self.plan(self.visible_trace(), &[&doomed]) };
        std::thread::scope(|scope| {
            let replaying = scope.spawn(|| self.replay(&plan));
            let began = Instant::now();
            while self.hits().len() <= hits {
                assert!(began.elapsed() < PATIENCE, "the server was not hit {hits} times");
                std::thread::sleep(Duration::from_millis(1));
            }
            doomed.kill();
            replaying.join().unwrap();
        });
        let sound = self.serve(1, flags);
        let run = RunDir::open(&self.run_dir()).unwrap();
        let reader = Reader::new(sound.url().clone(), Deviations::default(), plan.timeouts);
        let unread = runtime().block_on(read_back(&run, &reader, Duration::ZERO, Duration::ZERO));
        assert!(unread.unwrap().is_none());
        judge(&run).unwrap()
    }

    /// What the first server says that it did, in order.
    pub(crate) fn hits(&self) -> Vec<Hit> {
        let log = std::fs::read_to_string(self.folder.path().join("server.log")).unwrap();
        // The last line may be under way.
        let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let events = whole.lines().map(|line| serde_json::from_str(line).unwrap());
        events
            .filter(|event: &serde_json::Value| event["target"] == "fault")
            .map(|event| Hit {
                message: event["fields"]["message"].as_str().unwrap().to_owned(),
                command: event["fields"]["command"].as_i64(),
                at: event["timestamp"].as_str().unwrap().parse().unwrap(),
            })
            .filter(|hit| hit.message != "planted")
            .collect()
    }

    /// The commands that were hit, in order.
    pub(crate) fn hit_commands(&self) -> Vec<i64> {
        let hits = self.hits().into_iter().filter(|hit| hit.message == "hit");
        hits.map(|hit| hit.command.unwrap()).collect()
    }

    /// All requests, in the order of their calls.
    pub(crate) fn calls(&self) -> Vec<Entry> {
        let run = RunDir::open(&self.run_dir()).unwrap();
        run.calls().unwrap().map(Result::unwrap).collect()
    }

    pub(crate) fn acknowledged(&self) -> BTreeSet<i64> {
        let calls = self.calls().into_iter();
        calls
            .filter(|entry| entry.intent.operation.is_write() && entry.ack() == Ack::Acknowledged)
            .map(|entry| entry.intent.command_id)
            .collect()
    }

    /// How many reads of a strict run, and of what the target named `after` it, were not the command
    /// before them, told from the ledger by the simplest of means.
    pub(crate) fn reads_beside_the_last_command(&self, after: Option<i64>) -> u64 {
        let mut last = -1;
        let mut wrong = 0;
        for entry in self.calls() {
            match entry.outcome.and_then(|outcome| outcome.latest) {
                _ if entry.intent.operation.is_write() => last = entry.intent.command_id,
                Some(named) => wrong += u64::from(named != last),
                None => {}
            }
        }
        wrong + u64::from(after.is_some_and(|named| named != last))
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
