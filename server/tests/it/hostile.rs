//! Clients that mean harm, or know no better: bytes of every kind, slowly, too many, or never.

use crate::kit::{AUTHORIZATION, Server, read, start, start_with};
use proptest::prelude::*;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

const DAY: Duration = Duration::from_secs(86_400);

/// A POST of a's with this head's end and whatever body follows.
fn post(rest: &str) -> String {
    format!(
        "POST /msgs/a?latest=5 HTTP/1.1\r\nHost: x\r\nAuthorization: {AUTHORIZATION}\r\n\
         Content-Type: application/json\r\n{rest}"
    )
}

/// A message of so many bytes as a body.
fn body(length: usize) -> String {
    let around = "{\"content\":\"\"}".len();
    format!("{{\"content\":\"{}\"}}", "x".repeat(length.saturating_sub(around)))
}

/// The statuses of all answers in what came back.
fn statuses(answers: &str) -> Vec<u16> {
    let lines = answers.split("HTTP/1.").skip(1);
    lines.map(|line| line[2..5].parse().unwrap()).collect()
}

async fn server_with_a() -> Server {
    let server = start().await;
    server.register(&["a"]).await;
    server
}

#[tokio::test]
async fn bodies_of_one_byte_to_ten_megabytes_are_answered_clearly() {
    let server = server_with_a().await;
    for length in [1, 13, 14, 1_000, 65_536, 1 << 20, (1 << 20) + 1, 2_000_000, 10_000_000] {
        let junk = server
            .request(Method::POST, "/msgs/a")
            .header("Content-Type", "application/json")
            .body(vec![b'x'; length]);
        let expected = if length > 1 << 20 { 413 } else { 400 };
        assert_eq!(read(junk.send().await.unwrap()).await.0, expected, "{length} bytes");
        // Without a length said beforehand.
        let text = body(length);
        let length = text.len();
        let chunked = post(&format!(
            "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
             {length:x}\r\n{text}\r\n0\r\n\r\n"
        ));
        let expected = if length > 1 << 20 { 413 } else { 204 };
        let answer = server.raw(chunked.as_bytes()).await;
        assert_eq!(statuses(&answer), [expected], "{length} bytes, chunked");
    }
    let stored: Vec<_> = server.texts("a").await.iter().map(String::len).collect();
    assert_eq!(stored, [1 << 20, 65_536, 1_000, 14, 14, 14].map(|length| length - 14));
}

/// Whoever is refused before the body was read is told why, though the bytes are still coming.
#[tokio::test]
async fn a_refusal_reaches_a_client_that_is_still_sending() {
    let server = server_with_a().await;
    for (path, kind, expected) in [
        ("/msgs/a", "text/plain", 415),
        ("/no/such/page", "application/json", 404),
        ("/latest", "application/json", 405),
        ("/msgs/a", "application/json", 413),
    ] {
        for _ in 0..5 {
            let request = server
                .request(Method::POST, path)
                .header("Content-Type", kind)
                .body(vec![b'x'; 10_000_000]);
            assert_eq!(request.send().await.unwrap().status(), expected, "{path} {kind}");
        }
    }
}

#[tokio::test]
async fn names_and_texts_of_every_printable_character_come_back() {
    let server = start().await;
    let characters =
        (' '..='~').chain(['\u{7f}', 'ß', 'æ', '\u{301}', '漢', '\u{202e}', '👩', '\u{fffd}']);
    for character in characters {
        for name in [format!("{character}"), format!("x{character}y")] {
            let body = json!({"username": name, "email": format!("{name}@"), "pwd": name});
            assert_eq!(server.post("/register", body).await, (204, Value::Null), "{name:?}");
            let path = percent(&name);
            // Not by the usual client: it takes a dot in a path for a folder.
            let body = json!({"content": name}).to_string();
            let request = format!(
                "POST /msgs/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: {AUTHORIZATION}\r\n\
                 Content-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n\
                 {body}",
                body.len()
            );
            assert_eq!(statuses(&server.raw(request.as_bytes()).await), [204], "{name:?}");
            let request = format!(
                "GET /msgs/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: {AUTHORIZATION}\r\n\
                 Connection: close\r\n\r\n"
            );
            let answer = server.raw(request.as_bytes()).await;
            let shown: Value =
                serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
            assert_eq!((&shown[0]["content"], &shown[0]["user"]), (&json!(name), &json!(name)));
        }
    }
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn who_dribbles_a_head_or_a_body_is_cut_off_in_time() {
    let server = start_with(|config| {
        config.header_timeout = Duration::from_millis(300);
        config.body_timeout = Duration::from_millis(300);
    })
    .await;
    let head = "GET /latest HTTP/1.1\r\nHost: x\r\nX-Slow: ".to_owned() + &"y".repeat(1000);
    let body = post("Content-Length: 1000\r\n\r\n") + &body(1000);
    let mut slow = JoinSet::new();
    for number in 0..100 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let bytes = if number % 2 == 0 { head.clone() } else { body.clone() };
        let at_once = if number % 2 == 0 { 1 } else { bytes.len() - 990 };
        slow.spawn(async move {
            let begun = Instant::now();
            stream.write_all(&bytes.as_bytes()[..at_once]).await.unwrap();
            for byte in &bytes.as_bytes()[at_once..] {
                tokio::time::sleep(Duration::from_millis(20)).await;
                if stream.write_all(&[*byte]).await.is_err() {
                    break;
                }
            }
            let mut answer = String::new();
            let _reset = stream.read_to_string(&mut answer).await;
            (number, begun.elapsed(), answer)
        });
    }
    // Nobody else is held up by them.
    assert_eq!(server.latest().await, -1);
    for (number, took, answer) in slow.join_all().await {
        assert!(took < Duration::from_secs(15), "{number} lasted for {took:?}");
        assert!(answer.is_empty() || statuses(&answer) == [408], "{number}: {answer}");
    }
}

#[tokio::test]
async fn old_odd_and_pipelined_requests_are_answered_in_order() {
    let server = server_with_a().await;
    let close = "Connection: close\r\n\r\n";
    let get = "GET /latest HTTP/1.1\r\nHost: x\r\n";
    let text = body(20);
    let whole = post(&format!("Content-Length: {}\r\n\r\n{text}", text.len()));
    let cases = [
        ("GET /latest HTTP/1.0\r\n\r\n".to_owned(), vec![200]),
        (
            format!("GET /latest HTTP/1.0\r\nConnection: keep-alive\r\n\r\n{get}{close}"),
            vec![200, 200],
        ),
        (format!("GET http://elsewhere:80/latest HTTP/1.1\r\nHost: x\r\n{close}"), vec![200]),
        (
            format!("{whole}{get}\r\n{whole}{get}\r\nGET /nothing HTTP/1.1\r\n{close}"),
            vec![204, 200, 204, 200, 404],
        ),
        (format!("OPTIONS * HTTP/1.1\r\nHost: x\r\n{close}"), vec![404]),
        (format!("BREW /latest HTTP/1.1\r\nHost: x\r\n{close}"), vec![405]),
        (format!("HEAD /latest HTTP/1.1\r\nHost: x\r\n{close}"), vec![200]),
        (format!("CONNECT x:80 HTTP/1.1\r\nHost: x\r\n{close}"), vec![404]),
        (
            post(&format!(
                "Transfer-Encoding: chunked\r\n{close}5\r\n{{\"con\r\n7\r\ntent\":\"\r\n3\r\nx\"}}\r\n0\r\n\r\n"
            )),
            vec![204],
        ),
        (post(&format!("Transfer-Encoding: chunked\r\n{close}zz\r\n{{}}\r\n0\r\n\r\n")), vec![400]),
        (post(&format!("Transfer-Encoding: chunked\r\n{close}fffffffffffffffff\r\n")), vec![400]),
        (post(&format!("Transfer-Encoding: gzip\r\n{close}{text}")), vec![400]),
        (post(&format!("Content-Length: 5\r\nContent-Length: 6\r\n{close}{text}")), vec![400]),
        (post(&format!("Content-Length: -1\r\n{close}{text}")), vec![400]),
        ("GET /latest HTTP/2.0\r\nHost: x\r\n\r\n".to_owned(), vec![400]),
        ("GET /lat\0est HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), vec![400]),
        ("GET /latest HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n".to_owned(), vec![400]),
        ("GET /latest HTTP/1.1\r\nHost : x\r\n\r\n".to_owned(), vec![400]),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), vec![]),
    ];
    for (request, expected) in cases {
        let answers = server.raw(request.as_bytes()).await;
        assert_eq!(statuses(&answers), expected, "{request}\n{answers}");
    }
    assert_eq!(server.texts("a").await.len(), 3);
}

#[tokio::test]
async fn who_asks_before_sending_is_told_to_go_on_or_refused() {
    let server = server_with_a().await;
    let text = body(20);
    let expect = |length: usize| {
        post(&format!(
            "Expect: 100-continue\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        ))
    };
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(expect(text.len()).as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(statuses(&answer), [204]);
    let refused = server.raw(expect(10_000_000).as_bytes()).await;
    assert_eq!(statuses(&refused), [413], "{refused}");
}

#[tokio::test]
async fn heads_too_long_or_of_too_many_lines_are_refused() {
    let server = start().await;
    let lines = |count: usize| "X-Flood: y\r\n".repeat(count);
    let get = |rest: String| {
        format!("GET /latest HTTP/1.1\r\nHost: x\r\n{rest}Connection: close\r\n\r\n")
    };
    let cases = [
        (get(lines(90)), 200),
        (get(lines(101)), 431),
        (get(lines(100_000)), 431),
        (get(format!("X: {}\r\n", "y".repeat(60_000))), 200),
        (get(format!("X: {}\r\n", "y".repeat(200_000))), 431),
        (get(format!("X: {}\r\n", "y".repeat(5_000_000))), 431),
        (
            format!("GET /{} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "y".repeat(60_000)),
            404,
        ),
        (format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "y".repeat(200_000)), 431),
    ];
    for (request, expected) in cases {
        let (shown, length) = (request[..20].to_owned(), request.len());
        let answer = server.raw(request.as_bytes()).await;
        assert_eq!(statuses(&answer), [expected], "{length} bytes of {shown}... {answer}");
    }
}

#[tokio::test]
async fn a_client_that_never_takes_its_answer_is_cut_off() {
    let server = start_with(|config| {
        config.write_timeout = Duration::from_millis(500);
        config.header_timeout = DAY;
    })
    .await;
    server.register(&["a"]).await;
    for id in 0..32 {
        assert_eq!(server.tweet("a", &"x".repeat(1_000_000), id).await, 204);
    }
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request =
        format!("GET /msgs?no=-1 HTTP/1.1\r\nHost: x\r\nAuthorization: {AUTHORIZATION}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    // Until it is the only connection, it holds 32 MB of the server's memory.
    let open = async || {
        let metrics = server.request(Method::GET, "/metrics").send().await.unwrap();
        let metrics = metrics.text().await.unwrap();
        let line = metrics.lines().find_map(|l| l.strip_prefix("http_server_open_connections "));
        line.unwrap().parse::<u32>().unwrap()
    };
    let begun = Instant::now();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(open().await, 2);
    while open().await > 1 {
        assert!(begun.elapsed() < Duration::from_secs(60), "it is still there");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let taken = stream.read_to_end(&mut Vec::new()).await;
    assert!(taken.is_err() || taken.unwrap() < 32_000_000);
}

#[test]
fn no_bytes_make_the_server_fail() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(server_with_a());
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) };
    let bytes = prop_oneof![
        proptest::collection::vec(any::<u8>(), 1..300),
        "(GET|POST|\\PC{1,5}) /?(msgs|fllws|register|latest)?/?[%a-f0-9/?&=.+\\PC]{0,20} HTTP/1.[01]\r\n\
         (Host|[a-zA-Z-]{1,20}): ?\\PC{0,40}\r\n(Content-Length: [0-9]{1,4}\r\n)?\r\n\\PC{0,40}"
            .prop_map(String::into_bytes),
    ];
    proptest!(config, |(bytes in bytes)| {
        let answer = runtime.block_on(async {
            let mut stream = TcpStream::connect(server.address).await.unwrap();
            stream.write_all(&bytes).await.unwrap();
            // It may be the beginning of something: that is all there is.
            stream.shutdown().await.unwrap();
            let mut answer = Vec::new();
            let _reset = stream.read_to_end(&mut answer).await;
            String::from_utf8_lossy(&answer).into_owned()
        });
        for status in statuses(&answer) {
            prop_assert!((200..500).contains(&status), "{answer}");
        }
    });
    runtime.block_on(async {
        assert_eq!(server.get("/readyz").await.0, 200);
        server.stop().await;
    });
}
