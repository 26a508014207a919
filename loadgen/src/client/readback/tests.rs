use super::*;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

const SHORT: Timeouts =
    Timeouts { connect: Duration::from_millis(100), response: Duration::from_millis(100) };

/// A target that answers each path as told, or says nothing; and the paths it was asked for.
fn target(answer: fn(&str) -> Option<&'static str>) -> (Reader, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/base", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let paths = Arc::clone(&asked);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, paths) = (stream.unwrap(), Arc::clone(&paths));
            thread::spawn(move || {
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let Some(Ok(first)) = lines.next() else { return };
                while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
                let path = first.split([' ', '?']).nth(1).unwrap().to_owned();
                paths.lock().unwrap().push(path.clone());
                let Some(body) = answer(&path) else {
                    thread::sleep(Duration::from_secs(60));
                    return;
                };
                let status = if body.is_empty() { "404 Not Found" } else { "200 OK" };
                let length = body.len();
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}");
                let _ = write!(stream, "{head}\r\n\r\n{body}");
            });
        }
    });
    let mut reader = Reader::new(url.parse().unwrap(), Profile::default(), SHORT);
    reader.timeouts = SHORT;
    (reader, asked)
}

#[tokio::test]
async fn users_who_are_called_dots_are_read() {
    let (reader, asked) = target(|path| {
        Some(match path {
            "/base/latest" => r#"{"latest":1}"#,
            "/base/msgs" => "[]",
            "/base/msgs/%2E" => r#"[{"user":".","content":"x","pub_date":0}]"#,
            "/base/fllws/%2E%2E" => r#"{"follows":["."]}"#,
            _ => "",
        })
    });
    let users = BTreeSet::from([".", "..", "a.b"].map(str::to_owned));
    let read = reader.read_back(&users, 0, true).await.unwrap();
    assert_eq!(read.header.gaps, [""; 0]);
    assert_eq!(read.users["."].messages[0].content, "x");
    assert_eq!(read.users[".."].follows, ["."]);
    assert_eq!(read.users["a.b"].exists, Some(false));
    let asked = asked.lock().unwrap();
    for path in ["/base/fllws/%2E", "/base/msgs/%2E%2E", "/base/msgs/a%2Eb"] {
        assert!(asked.contains(&path.to_owned()), "{path}: {asked:?}");
    }
}

#[tokio::test]
async fn a_target_that_answers_for_no_user_is_not_asked_for_all() {
    let (reader, asked) = target(|path| match path {
        "/base/latest" => Some(r#"{"latest":1}"#),
        "/base/msgs" => Some("[]"),
        _ => None,
    });
    let users: BTreeSet<String> = (0..200).map(|n| format!("user{n}")).collect();
    let begun = Instant::now();
    let read = reader.read_back(&users, 0, true).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert!(asked.lock().unwrap().len() < 60);
    assert_eq!(read.users.len(), 200);
    assert!(read.users.values().all(|state| state.exists.is_none()));
    let last = read.header.gaps.last().unwrap();
    assert!(last.contains("more users were not asked for: 5 in a row"), "{last}");
}

#[tokio::test]
async fn a_target_that_hangs_is_given_up_within_the_timeout() {
    let (reader, asked) = target(|_| None);
    let begun = Instant::now();
    let error = reader.latest().await.unwrap_err().to_string();
    assert_eq!(error, "GET /latest: no answer within 0.1 s");
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(asked.lock().unwrap().len(), 1);
}
