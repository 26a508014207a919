//! What is refused, and how: broken requests, wrong methods, bodies too long or too slow.

use crate::kit::{AUTHORIZATION, error, read, start, start_with};
use reqwest::Method;
use serde_json::json;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[tokio::test]
async fn a_body_that_does_not_fit_is_400_and_still_recorded() {
    let server = start().await;
    server.register(&["a"]).await;
    let bodies: [&[u8]; 9] = [
        b"",
        b"{",
        b"null",
        b"[]",
        b"{}",
        b"{\"content\":7}",
        b"{\"content\":\"\xff\"}",
        b"{\"content\":\"a\",\"content\":\"b\"}",
        b"{\"content\":\"\\u0000\"}",
    ];
    for (id, body) in (1..).zip(bodies) {
        let request = server
            .request(Method::POST, &format!("/msgs/a?latest={id}"))
            .header("Content-Type", "application/json")
            .body(body);
        let (status, answer) = read(request.send().await.unwrap()).await;
        let shown = String::from_utf8_lossy(body);
        assert_eq!((status, &answer["status"]), (400, &json!(400)), "{shown} {answer}");
        assert!(!answer["error_msg"].as_str().unwrap().is_empty());
        assert_eq!(server.latest().await, id, "{shown}");
    }
    assert_eq!(server.texts("a").await, [""; 0]);
    assert_eq!(server.post("/fllws/a", json!({})).await.0, 400);
}

#[tokio::test]
async fn another_content_type_is_415_and_still_recorded() {
    let server = start().await;
    server.register(&["a"]).await;
    for (id, kind) in
        (1..).zip([None, Some("text/plain"), Some("application/x-www-form-urlencoded")])
    {
        let mut request = server
            .request(Method::POST, &format!("/msgs/a?latest={id}"))
            .body("{\"content\":\"\"}");
        if let Some(kind) = kind {
            request = request.header("Content-Type", kind);
        }
        assert_eq!(read(request.send().await.unwrap()).await.0, 415, "{kind:?}");
        assert_eq!(server.latest().await, id);
    }
}

#[tokio::test]
async fn a_wrong_method_is_405_and_an_unknown_path_404() {
    let server = start().await;
    for (method, path) in [
        (Method::PUT, "/register"),
        (Method::POST, "/latest"),
        (Method::POST, "/msgs"),
        (Method::PUT, "/msgs/a"),
        (Method::DELETE, "/fllws/a"),
    ] {
        let response = server.request(method.clone(), path).send().await.unwrap();
        assert!(response.headers().contains_key("allow"), "{method} {path}");
        assert_eq!(read(response).await, error(405, "this page has no such method"));
    }
    for path in ["/latest/", "/msgs/", "/msgs/a/", "/register/", "//latest", "/msgs/a/b"] {
        let (status, body) = server.get(&format!("{path}?latest=9")).await;
        assert_eq!((status, body), error(404, "there is no such page"), "{path}");
    }
    assert_eq!(server.latest().await, -1);
}

#[tokio::test]
async fn a_name_that_is_not_utf_8_or_holds_a_nul_is_400() {
    let server = start().await;
    for path in ["/msgs/%FF", "/fllws/%C3%28", "/msgs/a%00b"] {
        assert_eq!(server.get(path).await.0, 400, "{path}");
        assert_eq!(
            server.post(path, json!({"content": "x", "follow": "x"})).await.0,
            400,
            "{path}"
        );
    }
    let nul = json!({"username": "a\0b", "email": "a@b", "pwd": "x"});
    assert_eq!(server.post("/register", nul).await.0, 400);
}

#[tokio::test]
async fn a_body_too_long_is_413_and_the_longest_is_taken() {
    let server = start_with(|config| config.max_body = 1000).await;
    server.register(&["a"]).await;
    let text = |length: usize| "x".repeat(length - "{\"content\":\"\"}".len());
    assert_eq!(server.tweet("a", &text(1000), 1).await, 204);
    assert_eq!(server.tweet("a", &text(1001), 2).await, 413);
    assert_eq!(server.latest().await, 2);
    assert_eq!(server.texts("a").await, [text(1000)]);
}

#[tokio::test]
async fn a_body_too_slow_is_408() {
    let server = start_with(|config| config.body_timeout = Duration::from_millis(50)).await;
    let head = format!(
        "POST /msgs/a HTTP/1.1\r\nHost: x\r\nAuthorization: {AUTHORIZATION}\r\n\
         Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{{"
    );
    let answer = server.raw(head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test]
async fn a_head_too_slow_ends_the_connection() {
    let server = start_with(|config| config.header_timeout = Duration::from_millis(50)).await;
    let answer = server.raw(b"GET /latest HTT").await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test]
async fn what_is_not_http_is_answered_and_harms_nobody() {
    let server = start().await;
    let answer = server.raw(b"\x16\x03\x01 this is not HTTP\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert_eq!(server.latest().await, -1);
}

#[tokio::test]
async fn a_body_that_breaks_off_stores_nothing() {
    let server = start().await;
    server.register(&["a"]).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST /msgs/a HTTP/1.1\r\nHost: x\r\nAuthorization: {AUTHORIZATION}\r\n\
         Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{{\"content\":\"half"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert_eq!(server.texts("a").await, [""; 0]);
}

/// A connection on which a request is being answered until the body comes.
async fn busy(server: &crate::kit::Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST /msgs/a HTTP/1.1\r\nHost: x\r\nAuthorization: {AUTHORIZATION}\r\n\
         Content-Type: application/json\r\nContent-Length: 15\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn one_connection_too_many_is_told_so() {
    let server = start_with(|config| config.max_connections = 2).await;
    let (mut one, _two) = (busy(&server).await, busy(&server).await);
    // They are idle no longer, even by the clock.
    tokio::time::sleep(Duration::from_millis(1200)).await;
    for _ in 0..3 {
        let answer = server.raw(b"GET /latest HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{answer}");
        for line in ["connection: close", "retry-after: 1", "content-type: application/json"] {
            assert!(answer.contains(&format!("\r\n{line}\r\n")), "{line} is not in {answer}");
        }
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!((503, body), error(503, "there are too many connections"));
    }
    one.write_all(b"{\"content\":\"x\"}").await.unwrap();
    let mut answer = [0; 12];
    one.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 404");
    drop(one);
    assert_eq!(server.latest().await, -1);
}

#[tokio::test]
async fn who_is_idle_gives_way_to_a_newcomer() {
    let server = start_with(|config| config.max_connections = 2).await;
    let _busy = busy(&server).await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(server.latest().await, -1);
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty(), "{rest:?}");
    let metrics = server.request(Method::GET, "/metrics").send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    for line in [
        "http_server_open_connections 2",
        "http_server_accepted_connections_total 3",
        "http_server_closed_idle_connections_total 1",
        "http_server_refused_connections_total 0",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} is not in {metrics}");
    }
}
