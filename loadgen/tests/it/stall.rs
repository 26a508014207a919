//! The truth about a stall: what the open model reports must be what arithmetic says.

use super::*;
use limosa_reports::run::histograms::{self, Figure};
use rustix::process::{Resource, getrlimit, setrlimit};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const PERIOD: Duration = Duration::from_secs(5);
const STALL: Duration = Duration::from_secs(1);
/// What a stall holds back at this rate takes some 20 ms to drain, which p90 has room for.
const RATE: u64 = 2_000;
const SECONDS: u64 = 10;

/// Answers at once, but lets nothing through for the last second of every five; its periods begin
/// with the first command.
async fn stalling(mut stream: TcpStream, began: &std::sync::OnceLock<Instant>) {
    let mut buffer = Vec::new();
    loop {
        let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else {
            match stream.read_buf(&mut buffer).await {
                Ok(1..) => continue,
                _ => return,
            }
        };
        let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
        let length = head
            .split("content-length: ")
            .nth(1)
            .map_or(0, |rest| rest.split("\r\n").next().unwrap().parse::<usize>().unwrap());
        while buffer.len() < end + 4 + length {
            if !matches!(stream.read_buf(&mut buffer).await, Ok(1..)) {
                return;
            }
        }
        buffer.drain(..end + 4 + length);
        let answer = if head.starts_with("get /latest") {
            "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"latest\":-1}"
        } else if head.starts_with("get /fllws") {
            "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"follows\":[]}"
        } else if head.starts_with("get") {
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"
        } else {
            let into_period =
                began.get_or_init(Instant::now).elapsed().as_nanos() % PERIOD.as_nanos();
            let into_period = Duration::from_nanos(into_period as u64);
            if into_period >= PERIOD - STALL {
                tokio::time::sleep(PERIOD - into_period).await;
            }
            "HTTP/1.1 204 No Content\r\n\r\n"
        };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn start_stalling_server() -> String {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
    let (bound, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let began: &'static _ = Box::leak(Box::new(std::sync::OnceLock::new()));
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            bound.send(listener.local_addr().unwrap()).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(stalling(stream, began));
            }
        });
    });
    format!("http://{}", address.recv().unwrap())
}

#[test]
fn a_stall_is_in_the_response_time_and_not_omitted() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(folder.path(), RATE * SECONDS);
    let run = folder.path().join("run");
    let output = Command::new(LIMOSA)
        .args(["replay", "--quiet", "--order", "none", "--read-latest", "0"])
        .args(["--rate", &RATE.to_string(), "--connections", "2000"])
        .args(["--target", &start_stalling_server(), "--run-dir"])
        .arg(&run)
        .arg(&trace)
        .output()
        .unwrap();
    assert_eq!(code(&output), 1, "the server keeps nothing");

    let totals = histograms::totals(&RunDir::open(&run).unwrap().latency_log()).unwrap();
    let response = histograms::merged(&totals, Figure::Response, |_| true);
    assert_eq!(response.len(), RATE * SECONDS);
    // A fifth of the requests wait between 0 and 1 s, evenly.
    for (quantile, truth_ms) in [(0.90, 500.0), (0.99, 950.0)] {
        let ms = response.value_at_quantile(quantile) as f64 / 1e6;
        assert!((ms / truth_ms - 1.0).abs() <= 0.05, "p{quantile}: {ms} ms, not {truth_ms} ms");
    }
}
