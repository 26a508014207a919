//! The sending of `limosa replay`, alone in a process: from the trace's file through schedule,
//! lanes, engine and ledger, and then the histograms from the ledger. The first look at the trace,
//! the read-backs and the judge are left out: no other generator does their like.

use limosa::client::{ClientKind, KeepAlive, Timeouts};
use limosa::clock::Clock;
use limosa::engine::{Ending, Engine, StopRule};
use limosa::profile::Profile;
use limosa::record::Recorder;
use limosa::schedule::{Manner, Order, Schedule};
use limosa_benches::manifest;
use limosa_reports::run::RunDir;
use limosa_reports::run::derive::derive;
use limosa_reports::run::histograms::{Figure, merged, totals};
use limosa_reports::run::ledger::LedgerWriter;
use limosa_scenarios::TraceReader;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// The argument that makes this program the sender.
pub(crate) const ROLE: &str = "send";

pub(crate) const CONNECTIONS: usize = 64;

/// Sends the trace, recording into `folder`, and prints what [`super::generator`] reads.
pub(crate) fn send(order: &str, pace: &str, trace: &Path, address: &str, folder: &Path) {
    let manner = Manner { pace: pace.parse().unwrap(), ..Manner::default() };
    let engine = Engine {
        clock: Clock::start(),
        profile: Profile::default(),
        targets: vec![format!("http://{address}").parse().unwrap()],
        replicas: vec![0],
        route: manner.route,
        client: ClientKind::Limosa,
        keep_alive: vec![KeepAlive::new(&Profile::default())],
        timeouts: Timeouts::PATIENT,
        order: match order {
            "none" => Order::None,
            "user" => Order::User,
            other => panic!("`{other}` is no order"),
        },
        is_closed_model: manner.pace.is_closed_model(),
        until_ns: None,
        connections: CONNECTIONS,
        stop: StopRule { unreachable: Some(1) },
        interrupted: Arc::default(),
    };
    let run = RunDir::create_at(folder).unwrap();
    let recorder = Recorder::new(LedgerWriter::create(&run.ledger(), 0, 0), None);
    let live = recorder.live();
    let schedule = Schedule::new(TraceReader::open(trace).unwrap(), &manner);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let begun = Instant::now();
    let ending = runtime.block_on(engine.run(schedule, recorder)).unwrap();
    let sending_s = begun.elapsed().as_secs_f64();
    let sent = live.snapshot();
    assert_eq!((ending, sent.errors), (Ending::Complete, 0));

    let before_s = cpu_s();
    derive(&run, &manifest(sent.done, None)).unwrap();
    let histograms_cpu_s = cpu_s() - before_s;

    let lateness = merged(&totals(&run.latency_log()).unwrap(), Figure::Lateness, |_| true);
    let ms = |ns: u64| ns as f64 / 1e6;
    println!(
        "{}",
        serde_json::json!({
            "requests": sent.done,
            "sending_s": sending_s,
            "histograms_cpu_s": histograms_cpu_s,
            "lateness_ms": {
                "p50": ms(lateness.value_at_quantile(0.5)),
                "p99": ms(lateness.value_at_quantile(0.99)),
                "p999": ms(lateness.value_at_quantile(0.999)),
                "max": ms(lateness.max()),
            },
        })
    );
}

/// The CPU time of this thread, which makes the histograms alone; nanoseconds are the file's first
/// figure.
fn cpu_s() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}
