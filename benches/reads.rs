//! What a read costs on the reference server: `GET /latest` beside a bare axum handler that answers
//! the same, and `GET /msgs?no=30` with a million messages beside the same with a thousand, on
//! either database.
//!
//! Contestants alternate, A B C ... C B A; a ratio is that of one such round. wrk sends, from 32 kept
//! connections, and shares the machine's cores with server and database.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use axum::{Json, Router, routing::get};
use limosa_benches::{load, spread};
use limosa_kit::{Database, Postgres};
use limosa_server::store::{Batch, Entry, Write, Writer as _, sqlite};
use limosa_server::{Config, passwords::PasswordCost};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

const ROUNDS: usize = 5;
const SECONDS: u32 = 2;
const FEW: usize = 1_000;
const MANY: usize = 1_000_000;
const AT_ONCE: usize = 10_000;
const TEXT: &str = "A message as long as those of the course's trace are in the mean.";

/// A path of a server, and the contestant that it is measured by.
struct Contestant {
    name: &'static str,
    url: String,
    beside: usize,
}

fn main() {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let postgres = Postgres::start().unwrap();
    let databases = [(); 2].map(|()| postgres.database().unwrap());
    let bare = runtime.block_on(bare());
    let mut contestants = vec![Contestant {
        name: "a bare axum handler",
        url: format!("http://{bare}/latest"),
        beside: 0,
    }];
    let mut add = |name, address, path, beside| {
        contestants.push(Contestant { name, url: format!("http://{address}{path}"), beside });
    };
    let [few, many] = [FEW, MANY].map(|count| {
        let path = folder.path().join(format!("{count}.db"));
        runtime.block_on(fill_sqlite(&path, count));
        runtime.block_on(serve(&format!("sqlite:{}", path.display())))
    });
    add("SQLite, `GET /latest`", few, "/latest", 0);
    add("SQLite, `GET /msgs?no=30` of 1,000", few, "/msgs?no=30", 2);
    add("SQLite, `GET /msgs?no=30` of 1,000,000", many, "/msgs?no=30", 2);
    let [few, many] = [(FEW, &databases[0]), (MANY, &databases[1])].map(|(count, database)| {
        let address = runtime.block_on(serve(&database.url));
        fill_postgres(database, count);
        address
    });
    add("PostgreSQL, `GET /latest`", few, "/latest", 0);
    add("PostgreSQL, `GET /msgs?no=30` of 1,000", few, "/msgs?no=30", 5);
    add("PostgreSQL, `GET /msgs?no=30` of 1,000,000", many, "/msgs?no=30", 5);
    report(&contestants);
}

fn report(contestants: &[Contestant]) {
    let mut rates = vec![Vec::new(); contestants.len()];
    for _ in 0..ROUNDS {
        let mut round = vec![0.0; contestants.len()];
        for at in (0..contestants.len()).chain((0..contestants.len()).rev()) {
            round[at] += wrk(&contestants[at].url) / 2.0;
        }
        for (rates, rate) in rates.iter_mut().zip(round) {
            rates.push(rate);
        }
    }
    println!("| read | requests/s | ratio | beside |");
    println!("|---|---|---|---|");
    for (contestant, own) in contestants.iter().zip(&rates) {
        let pairs = own.iter().zip(&rates[contestant.beside]);
        println!(
            "| {} | {} | {} | {} |",
            contestant.name,
            spread(own.clone(), 0),
            spread(pairs.map(|(rate, of)| rate / of).collect(), 2),
            contestants[contestant.beside].name
        );
    }
    println!("load {}", load());
}

fn wrk(url: &str) -> f64 {
    let output = Command::new("wrk")
        .args(["-t", "1", "-c", "32", "-d", &SECONDS.to_string()])
        .args(["-H", "Authorization: Basic c2ltdWxhdG9yOnN1cGVyX3NhZmUh", url])
        .output()
        .unwrap_or_else(|error| panic!("wrk: {error}: apt-get install wrk"));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!said.contains("Non-2xx"), "{said}");
    let rate = said.lines().find_map(|line| line.strip_prefix("Requests/sec:")).unwrap();
    rate.trim().parse().unwrap()
}

async fn bare() -> SocketAddr {
    let answer = get(async || Json(serde_json::json!({ "latest": 4711 })));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = axum::serve(listener, Router::new().route("/latest", answer));
    tokio::spawn(async { serving.await.unwrap() });
    address
}

async fn serve(url: &str) -> SocketAddr {
    let mut config = Config::new(url.parse().unwrap());
    config.password_cost = PasswordCost::Test;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async {
        limosa_server::run(listener, config, std::future::pending()).await.unwrap();
    });
    // Answered once it serves, and so once its tables are there.
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /readyz HTTP/1.0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    address
}

async fn fill_sqlite(path: &Path, messages: usize) {
    let (_store, mut writer) = sqlite::open(path, sqlite::Options::default()).await.unwrap();
    let register = Write::Register {
        username: "a".to_owned(),
        email: "a@example.org".to_owned(),
        password_hash: String::new(),
    };
    let tweet = || Write::Tweet { author: "a".to_owned(), text: TEXT.to_owned(), pub_date: 1 };
    let entry = |write| Entry { latest: None, write: Some(write) };
    writer.commit(&Batch::new(vec![entry(register)])).await.unwrap();
    for _ in 0..messages.div_ceil(AT_ONCE) {
        let batch = (0..AT_ONCE.min(messages)).map(|_| entry(tweet())).collect();
        writer.commit(&Batch::new(batch)).await.unwrap();
    }
    Box::new(writer).close().await;
}

fn fill_postgres(database: &Database, messages: usize) {
    let fill = format!(
        "INSERT INTO users (username, email, pw_hash) VALUES ('a', 'a@example.org', '');
         INSERT INTO messages (author_id, text, pub_date)
             SELECT user_id, '{}', 1 FROM users, generate_series(1, {messages});
         ANALYZE",
        TEXT.replace('\'', "''")
    );
    database.sql(&fill).unwrap();
}
