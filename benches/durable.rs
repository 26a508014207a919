//! Durable writes: how many messages a second the reference server acknowledges to 64 clients, with
//! group commit and with a commit for each request, on either database; beside pgbench, which
//! inserts a row like a message's in a transaction of its own.
//!
//! Contestants alternate, A B C ... C B A, so that a drift of the machine meets all; a ratio is that
//! of one such round. Each pass has a fresh database. Generator, server and database share the
//! machine.
//!
//! A number of rounds may be given. The databases are in the folder for temporary files; how long a
//! sync takes there is said first.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use limosa::client::{ClientKind, KeepAlive, Timeouts};
use limosa::clock::Clock;
use limosa::engine::{Engine, StopRule};
use limosa::profile::Profile;
use limosa::record::Recorder;
use limosa::schedule::{Manner, Order, Route, Schedule};
use limosa_benches::{load, spread};
use limosa_kit::{Database, Postgres};
use limosa_reports::run::ledger::LedgerWriter;
use limosa_scenarios::{Action, Command, TraceReader, TraceWriter};
use limosa_server::{Config, passwords::PasswordCost};
use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::watch;

const CLIENTS: usize = 64;
const ROUNDS: usize = 5;
const PASS: Duration = Duration::from_secs(4);
const USERS: u64 = 100;
/// More than any contestant gets through in a pass.
const TWEETS: u64 = 300_000;
const TEXT: &str = "A message as long as those of the course's trace are in the mean.";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contestant {
    Pgbench,
    Postgres { servers: usize, max_batch: usize },
    Sqlite { max_batch: usize },
}

const BATCH: usize = 128;

/// Each with the one that it is measured by.
const CONTESTANTS: [(&str, Contestant); 7] = [
    ("pgbench, an insert a transaction", Contestant::Pgbench),
    ("PostgreSQL, group commit", Contestant::Postgres { servers: 1, max_batch: BATCH }),
    ("PostgreSQL, a commit a request", Contestant::Postgres { servers: 1, max_batch: 1 }),
    ("PostgreSQL, group commit, 3 servers", Contestant::Postgres { servers: 3, max_batch: BATCH }),
    (
        "PostgreSQL, a commit a request, 3 servers",
        Contestant::Postgres { servers: 3, max_batch: 1 },
    ),
    ("SQLite, group commit", Contestant::Sqlite { max_batch: BATCH }),
    ("SQLite, a commit a request", Contestant::Sqlite { max_batch: 1 }),
];

fn main() {
    println!("a sync takes {:.2} ms; load {}", sync_ms(), load());
    let rounds = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(ROUNDS);
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace.tsv");
    write_trace(&trace);
    let postgres = Postgres::start().unwrap();
    let mut rates = vec![Vec::new(); CONTESTANTS.len()];
    for _ in 0..rounds {
        let mut round = vec![0.0; CONTESTANTS.len()];
        for at in (0..CONTESTANTS.len()).chain((0..CONTESTANTS.len()).rev()) {
            round[at] += pass(CONTESTANTS[at].1, &postgres, &trace) / 2.0;
        }
        for (rates, rate) in rates.iter_mut().zip(round) {
            rates.push(rate);
        }
    }
    println!("| {CLIENTS} clients | writes/s | of pgbench | of a commit a request |");
    println!("|---|---|---|---|");
    for (at, (name, contestant)) in CONTESTANTS.into_iter().enumerate() {
        let alone = match contestant {
            Contestant::Postgres { servers, .. } => Contestant::Postgres { servers, max_batch: 1 },
            Contestant::Sqlite { .. } => Contestant::Sqlite { max_batch: 1 },
            Contestant::Pgbench => Contestant::Pgbench,
        };
        let alone = CONTESTANTS.iter().position(|(_, other)| *other == alone).unwrap();
        let ratios = |of: usize| {
            let pairs = rates[at].iter().zip(&rates[of]);
            spread(pairs.map(|(rate, of)| rate / of).collect(), 2)
        };
        println!(
            "| {name} | {} | {} | {} |",
            spread(rates[at].clone(), 0),
            ratios(0),
            ratios(alone)
        );
    }
    println!("load {}", load());
}

/// Writes a second in one pass.
fn pass(contestant: Contestant, postgres: &Postgres, trace: &Path) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let database = postgres.database().unwrap();
    let (url, servers, max_batch) = match contestant {
        Contestant::Pgbench => return pgbench(&database, folder.path()),
        Contestant::Postgres { servers, max_batch } => (database.url.clone(), servers, max_batch),
        Contestant::Sqlite { max_batch } => {
            (format!("sqlite:{}", folder.path().join("bench.db").display()), 1, max_batch)
        }
    };
    let running = Running::start(&url, servers, max_batch);
    send(&running.addresses, trace, folder.path())
}

fn pgbench(database: &Database, folder: &Path) -> f64 {
    database
        .sql(
            "CREATE TABLE inserted (
                 id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                 author_id BIGINT NOT NULL, text TEXT NOT NULL, pub_date BIGINT NOT NULL)",
        )
        .unwrap();
    let script = folder.join("insert.sql");
    let mut file = File::create(&script).unwrap();
    let text = TEXT.replace('\'', "''");
    writeln!(file, "\\set author random(1, {USERS})").unwrap();
    writeln!(
        file,
        "INSERT INTO inserted (author_id, text, pub_date) VALUES (:author, '{text}', 1700000000);"
    )
    .unwrap();
    let output = std::process::Command::new("pgbench")
        .args(["--no-vacuum", "--protocol=prepared", "--jobs=2"])
        .arg(format!("--client={CLIENTS}"))
        .arg(format!("--time={}", PASS.as_secs()))
        .arg(format!("--file={}", script.display()))
        .arg(&database.url)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let tps = said.lines().find_map(|line| line.strip_prefix("tps = ")).unwrap();
    tps.split(' ').next().unwrap().parse().unwrap()
}

/// Servers on a runtime of their own, until it is dropped.
struct Running {
    addresses: Vec<SocketAddr>,
    stop: Option<watch::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn start(url: &str, servers: usize, max_batch: usize) -> Self {
        let mut config = Config::new(url.parse().unwrap());
        config.password_cost = PasswordCost::Test;
        config.commit.max_batch = max_batch;
        let (bound, addresses) = mpsc::channel();
        let (stop, stopped) = watch::channel(());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut running = tokio::task::JoinSet::new();
                for _ in 0..servers {
                    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                    bound.send(listener.local_addr().unwrap()).unwrap();
                    let mut stopped = stopped.clone();
                    running.spawn(limosa_server::run(listener, config.clone(), async move {
                        let _dropped = stopped.changed().await;
                    }));
                }
                for ended in running.join_all().await {
                    ended.unwrap();
                }
            });
        });
        let addresses = addresses.iter().take(servers).collect();
        Self { addresses, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// Registers the users, and then sends tweets for as long as a pass lasts.
fn send(addresses: &[SocketAddr], trace: &Path, folder: &Path) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let engine = |order, connections, until: Option<Duration>| Engine {
        clock: Clock::start(),
        profile: Profile::default(),
        targets: addresses.iter().map(|a| format!("http://{a}").parse().unwrap()).collect(),
        replicas: (0..addresses.len() as u16).collect(),
        route: Route::RoundRobin,
        client: ClientKind::Limosa,
        keep_alive: addresses.iter().map(|_| KeepAlive::new(&Profile::default())).collect(),
        timeouts: Timeouts::PATIENT,
        order,
        is_closed_model: true,
        until_ns: until.map(|until| until.as_nanos() as u64),
        connections,
        stop: StopRule { unreachable: Some(1) },
        interrupted: Arc::default(),
    };
    let execute = |engine: Engine, part: u16, skip: usize, take: usize| {
        let recorder = Recorder::new(LedgerWriter::create(folder, part, 0), None);
        let live = recorder.live();
        let commands = TraceReader::open(trace).unwrap().skip(skip).take(take);
        let schedule = Schedule::new(commands, &Manner::default());
        let begun = Instant::now();
        runtime.block_on(engine.run(schedule, recorder)).unwrap();
        let elapsed = begun.elapsed();
        let sent = live.snapshot();
        assert_eq!(sent.errors, 0);
        sent.done as f64 / elapsed.as_secs_f64()
    };
    execute(engine(Order::Strict, 1, None), 0, 0, USERS as usize);
    let rate = execute(engine(Order::None, CLIENTS, Some(PASS)), 1, USERS as usize, usize::MAX);
    assert!(rate * PASS.as_secs_f64() < TWEETS as f64, "the trace was too short");
    rate
}

fn write_trace(path: &Path) {
    let mut writer = TraceWriter::new(File::create(path).unwrap());
    let user = |number: u64| format!("user {}", number % USERS);
    let commands = (0..USERS + TWEETS).map(|number| {
        let action = if number < USERS {
            Action::Register {
                user: user(number),
                email: "somebody@example.org".to_owned(),
                password: "secret".to_owned(),
            }
        } else {
            Action::Tweet { user: user(number), text: TEXT.to_owned() }
        };
        (number, action)
    });
    for (number, action) in commands {
        writer.write(&Command { id: number as i64, at_ms: number as i64, action }).unwrap();
    }
    writer.finish().unwrap();
}

/// The median of a hundred syncs of a small write.
fn sync_ms() -> f64 {
    let mut file = tempfile::tempfile().unwrap();
    let mut took: Vec<f64> = (0..100)
        .map(|_| {
            file.write_all(&[1; 8192]).unwrap();
            let begun = Instant::now();
            file.sync_data().unwrap();
            begun.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    took.sort_by(f64::total_cmp);
    took[50]
}
