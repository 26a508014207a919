//! What a request costs the generator: limosa, with everything recorded, beside wrk and oha.
//!
//! All send to one target that answers 204 at once, over 64 kept connections; the target is pinned
//! to core 0 and the generator to core 1. A round runs each generator twice, A B C D D C B A, so
//! that a drift of the machine meets all; a ratio is that of one round. What is compared is the
//! CPU time that the system charges the generator's process with, for `limosa` less that of making
//! the histograms from the ledger, which has a row of its own.
//!
//! `peers.sh` looks whether all is there that this needs, and starts it.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark"
)]

mod generator;
mod send;
mod table;
mod target;

use generator::{Generator, Setting};
use table::Table;

const ROUNDS: usize = 5;
const REQUESTS: u64 = 400_000;
const OPEN_RATE: u64 = 20_000;
const OPEN_SECONDS: u64 = 10;

const USAGE: &str = "give `open`, or how many rounds and how many requests a pass, each above 0";

fn main() {
    // Cargo adds `--bench`.
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|text| text != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [target::ROLE] => target::serve(),
        [send::ROLE, order, pace, trace, address, folder] => {
            send::send(order, pace, trace.as_ref(), address, folder.as_ref());
        }
        ["open"] => open_model(),
        [] => compare(ROUNDS, REQUESTS),
        [rounds] => compare(number(rounds) as usize, REQUESTS),
        [rounds, requests] => compare(number(rounds) as usize, number(requests)),
        _ => panic!("{USAGE}"),
    }
}

fn number(text: &str) -> u64 {
    text.parse().ok().filter(|number| *number > 0).expect(USAGE)
}

fn compare(rounds: usize, requests: u64) {
    let target = target::Pinned::start();
    let setting = Setting::new(&target.address, requests);
    println!("{requests} requests a pass, {rounds} rounds; load {}", load());
    let generators = [
        Generator::Wrk,
        Generator::Oha,
        Generator::Limosa { order: "none" },
        Generator::Limosa { order: "user" },
    ];
    let mut table = Table::default();
    for _ in 0..rounds {
        let passes = generators.iter().chain(generators.iter().rev());
        table.add_round(passes.flat_map(|generator| generator.pass(&setting)));
    }
    println!("\n{table}\nload {}", load());
}

/// How late limosa sends at a rate. Only limosa says that of itself.
fn open_model() {
    let target = target::Pinned::start();
    let setting = Setting::new(&target.address, OPEN_RATE * OPEN_SECONDS);
    println!("{OPEN_RATE} requests a second for {OPEN_SECONDS} s; load {}\n", load());
    println!("{}", generator::lateness(&setting, OPEN_RATE));
}

/// The machine's load: a figure is worth what the quiet around it was.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}
