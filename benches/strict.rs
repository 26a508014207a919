//! What strict replay costs over the wire itself: the engine, with the trace read, every request
//! encoded and every command recorded, beside a bare loop that sends the same bytes, encoded
//! beforehand, over one connection and reads until it has a head that says 204.
//!
//! Passes alternate A B B A, so that a drift of the machine meets both. Two targets: one that
//! answers 204 at once, so that the wire is all that remains, and the reference server, on a fresh
//! database for each pass.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use limosa::client::{BaseUrl, ClientKind, KeepAlive, RequestEncoder, Timeouts};
use limosa::clock::Clock;
use limosa::engine::{Ending, Engine, StopRule};
use limosa::profile::Profile;
use limosa::record::Recorder;
use limosa::schedule::{Manner, Order, Route, Schedule};
use limosa_benches::commands;
use limosa_reports::run::ledger::LedgerWriter;
use limosa_scenarios::{TraceReader, TraceWriter};
use limosa_server::{Config, passwords::PasswordCost};
use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

#[derive(Debug, Clone, Copy)]
enum Target {
    /// Answers 204 to everything at once.
    AtOnce,
    /// The reference server on SQLite.
    Reference,
}

/// A target on a thread of its own, until it is dropped.
struct Running {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn start(target: Target, folder: &Path) -> Self {
        let database = folder.join("bench.db");
        let (bound, address) = mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async {
            let _ = stopped.await;
        };
        let thread = std::thread::spawn(move || {
            runtime().block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                bound.send(listener.local_addr().unwrap()).unwrap();
                match target {
                    Target::AtOnce => {
                        let answer = || async { axum::http::StatusCode::NO_CONTENT };
                        let app = axum::Router::new().fallback(answer);
                        axum::serve(listener, app).with_graceful_shutdown(stopped).await.unwrap();
                    }
                    Target::Reference => {
                        let url = format!("sqlite:{}", database.display());
                        let mut config = Config::new(url.parse().unwrap());
                        config.password_cost = PasswordCost::Test;
                        limosa_server::run(listener, config, stopped).await.unwrap();
                    }
                }
            });
        });
        let address = address.recv().unwrap();
        Self { address, stop: Some(stop), thread: Some(thread) }
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

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Commands a second by the engine, as `limosa replay` sets it up.
fn by_limosa(address: SocketAddr, trace: &Path, folder: &Path) -> f64 {
    let engine = Engine {
        clock: Clock::start(),
        profile: Profile::default(),
        targets: vec![format!("http://{address}").parse().unwrap()],
        replicas: vec![0],
        route: Route::RoundRobin,
        client: ClientKind::Limosa,
        keep_alive: vec![KeepAlive::new(&Profile::default())],
        timeouts: Timeouts::PATIENT,
        order: Order::Strict,
        is_closed_model: true,
        until_ns: None,
        connections: 1,
        stop: StopRule { unreachable: Some(1) },
        interrupted: Arc::default(),
    };
    let recorder = Recorder::new(LedgerWriter::create(folder, 0, 0), None);
    let live = recorder.live();
    let schedule = Schedule::new(TraceReader::open(trace).unwrap(), &Manner::default());
    let begun = Instant::now();
    let ending = runtime().block_on(engine.run(schedule, recorder)).unwrap();
    let elapsed = begun.elapsed();
    assert_eq!(ending, Ending::Complete);
    let sent = live.snapshot();
    assert_eq!(sent.errors, 0);
    sent.done as f64 / elapsed.as_secs_f64()
}

/// Requests a second by the bare loop.
fn bare(address: SocketAddr, trace: &Path) -> f64 {
    let target: BaseUrl = format!("http://{address}").parse().unwrap();
    let encoder = RequestEncoder::new(ClientKind::Limosa, &target, &Profile::default());
    let encode = |command: Result<limosa_scenarios::Command, _>| {
        let command = command.unwrap();
        let mut bytes = Vec::new();
        encoder.command(command.id, &command.action, &mut bytes);
        bytes
    };
    let requests: Vec<Vec<u8>> = TraceReader::open(trace).unwrap().map(encode).collect();
    let begun = Instant::now();
    runtime().block_on(async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut head = Vec::with_capacity(4096);
        for request in &requests {
            stream.write_all(request).await.unwrap();
            head.clear();
            while !head.ends_with(b"\r\n\r\n") {
                assert_ne!(stream.read_buf(&mut head).await.unwrap(), 0);
            }
            assert!(head.starts_with(b"HTTP/1.1 204"));
        }
    });
    requests.len() as f64 / begun.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn compare(name: &str, target: Target, count: u64, rounds: usize) {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace.tsv");
    let mut writer = TraceWriter::new(File::create(&trace).unwrap());
    for command in commands(count) {
        writer.write(&command).unwrap();
    }
    writer.finish().unwrap();
    let ours = || {
        let fresh = tempfile::tempdir().unwrap();
        by_limosa(Running::start(target, fresh.path()).address, &trace, fresh.path())
    };
    let theirs = || {
        let fresh = tempfile::tempdir().unwrap();
        bare(Running::start(target, fresh.path()).address, &trace)
    };
    let (mut limosa, mut floor, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (a1, b1, b2, a2) = (ours(), theirs(), theirs(), ours());
        ratios.push((a1 + a2) / (b1 + b2));
        limosa.extend([a1, a2]);
        floor.extend([b1, b2]);
    }
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let most = ratios.iter().copied().fold(0.0, f64::max);
    println!(
        "{name:<18} {count:>8} {:>12.0} {:>12.0} {:>8.3} {least:>8.3} {most:>8.3}",
        median(limosa),
        median(floor),
        median(ratios),
    );
}

fn main() {
    println!(
        "{:<18} {:>8} {:>12} {:>12} {:>8} {:>8} {:>8}",
        "target", "commands", "limosa /s", "bare /s", "ratio", "least", "most"
    );
    compare("204 at once", Target::AtOnce, 25_000, 15);
    compare("reference server", Target::Reference, 4_000, 7);
}
