//! From start to end: draining, restarts, neighbours, settings that cannot be used.

use crate::kit::{AUTHORIZATION, config, start, start_in, start_with};
use limosa_server::{DatabaseUrl, ServeError, run};
use reqwest::Method;
use serde_json::json;
use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

#[tokio::test]
async fn a_stop_finishes_what_is_in_flight() {
    let mut server = start_with(|config| {
        config.faults = vec!["ahead-latest:ms=300".parse().unwrap()];
    })
    .await;
    server.register(&["a"]).await;
    let request = server.request(Method::POST, "/msgs/a?latest=5").json(&json!({"content": "x"}));
    let in_flight = tokio::spawn(async move { request.send().await.unwrap().status() });
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.begin_stop();
    assert_eq!(in_flight.await.unwrap(), 204);
    let directory = Arc::clone(&server.directory);
    server.stopped().await;
    let server = start_in(directory, |_| {}).await;
    assert_eq!(server.texts("a").await, ["x"]);
    assert_eq!(server.latest().await, 5);
}

#[tokio::test]
async fn idle_connections_do_not_hold_a_stop_up() {
    let server = start_with(|config| config.grace = Duration::from_secs(60)).await;
    // One that has been used, and one on which nothing was ever sent.
    server.register(&["a"]).await;
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(server.latest().await, -1);
    let begun = Instant::now();
    server.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    assert_eq!(silent.read(&mut [0; 1]).await.unwrap_or(0), 0);
}

/// Clients that know what `Connection: close` means lose nothing: every request that was sent is
/// answered, and none is sent on a connection that the server is about to close.
#[tokio::test(flavor = "multi_thread")]
async fn no_request_is_lost_by_a_stop_under_load() {
    for delay in [Duration::ZERO, Duration::from_millis(100)] {
        let mut server = start_with(|config| config.drain_delay = delay).await;
        server.register(&["a"]).await;
        let clients: Vec<_> = (0..16)
            .map(|client| tokio::spawn(until_refused(server.address, client * 1_000_000)))
            .collect();
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.begin_stop();
        let mut acknowledged = HashSet::new();
        for client in clients {
            acknowledged.extend(client.await.unwrap());
        }
        let directory = Arc::clone(&server.directory);
        server.stopped().await;
        assert!(acknowledged.len() > 100, "{}", acknowledged.len());
        let server = start_in(directory, |_| {}).await;
        let stored: HashSet<_> = server.texts("a").await.into_iter().collect();
        assert_eq!(stored, acknowledged);
    }
}

/// Posts on kept connections, one request after the other, until nobody listens any more; returns
/// what was acknowledged. Panics where a request is not answered.
async fn until_refused(address: SocketAddr, first: u32) -> Vec<String> {
    let mut acknowledged = Vec::new();
    let mut number = first;
    while let Ok(mut stream) = TcpStream::connect(address).await {
        loop {
            let body = json!({"content": number.to_string()}).to_string();
            let request = format!(
                "POST /msgs/a HTTP/1.1\r\nHost: x\r\nAuthorization: {AUTHORIZATION}\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            while !answer.ends_with(b"\r\n\r\n") {
                let read = stream.read_buf(&mut answer).await.unwrap();
                assert!(read > 0, "request {number} was not answered: {answer:?}");
            }
            let answer = String::from_utf8(answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
            acknowledged.push(number.to_string());
            number += 1;
            if answer.contains("connection: close\r\n") {
                break;
            }
        }
    }
    acknowledged
}

#[tokio::test]
async fn the_grace_period_bounds_a_stop() {
    let mut server = start_with(|config| {
        config.grace = Duration::from_millis(100);
        config.faults = vec!["stall:every=3600000,for=3599999".parse().unwrap()];
    })
    .await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    let request = server.request(Method::GET, "/latest");
    let held = tokio::spawn(async move { request.send().await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.begin_stop();
    server.stopped().await;
    assert!(held.await.unwrap().is_err());
}

#[tokio::test]
async fn a_server_that_drains_says_that_it_is_not_ready_and_serves_on() {
    let mut server = start_with(|config| config.drain_delay = Duration::from_millis(500)).await;
    assert_eq!(server.get("/readyz").await.0, 200);
    server.begin_stop();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(server.get("/readyz").await.0, 503);
    assert_eq!(server.get("/healthz").await.0, 200);
    server.register(&["late"]).await;
    server.stopped().await;
}

#[tokio::test]
async fn a_restart_forgets_nothing() {
    let server = start().await;
    server.register(&["a", "b"]).await;
    assert_eq!(server.tweet("a", "007", 41).await, 204);
    assert_eq!(server.follow("a", "b", 42).await, 204);
    let directory = Arc::clone(&server.directory);
    server.stop().await;
    let server = start_in(directory, |_| {}).await;
    assert_eq!(server.latest().await, 42);
    assert_eq!(server.texts("a").await, ["007"]);
    assert_eq!(server.follows("a").await, ["b"]);
}

#[tokio::test]
async fn two_servers_in_one_process_share_nothing() {
    let (one, other) = (start().await, start().await);
    one.register(&["a"]).await;
    assert_eq!(one.tweet("a", "x", 7).await, 204);
    assert_eq!(other.get("/msgs/a").await.0, 404);
    assert_eq!((one.latest().await, other.latest().await), (7, -1));
    let posts = |text: String| text.lines().filter(|line| line.contains("\"POST\"")).count();
    let text = |response: reqwest::Response| async { response.text().await.unwrap() };
    let one = text(one.request(Method::GET, "/metrics").send().await.unwrap()).await;
    let other = text(other.request(Method::GET, "/metrics").send().await.unwrap()).await;
    assert!(posts(one) > 0);
    assert_eq!(posts(other), 0);
}

#[tokio::test]
async fn two_servers_on_one_file_agree() {
    let one = start().await;
    let other = start_in(Arc::clone(&one.directory), |_| {}).await;
    one.register(&["a"]).await;
    for id in 0..20 {
        let writer = if id % 2 == 0 { &one } else { &other };
        assert_eq!(writer.tweet("a", &id.to_string(), id).await, 204);
        assert_eq!((one.latest().await, other.latest().await), (id, id));
    }
    assert_eq!(one.texts("a").await, other.texts("a").await);
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_named_before_anything_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    let listen = async || TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut wrong = config(directory.path());
    (wrong.readers, wrong.max_body) = (0, 0);
    let error = run(listen().await, wrong, std::future::pending()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the settings cannot be used: --readers must be at least 1; --max-body must be at least 1"
    );
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    let mut missing = config(directory.path());
    missing.database = DatabaseUrl::Sqlite(directory.path().join("missing/a.db"));
    let error = run(listen().await, missing, std::future::pending()).await.unwrap_err();
    assert!(matches!(error, ServeError::Open(_)), "{error}");
    assert!(error.to_string().starts_with("--database: the directory "), "{error}");
}
