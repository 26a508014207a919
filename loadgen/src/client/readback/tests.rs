use super::*;
use crate::profile::MessageOrder;
use limosa_reports::run::readback::ReadBack;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

const SHORT: Timeouts =
    Timeouts { connect: Duration::from_millis(100), response: Duration::from_millis(100) };

/// A target that answers each path as told, or says nothing; and the paths it was asked for.
fn target(answer: fn(&str) -> Option<&'static str>) -> (Reader, Arc<Mutex<Vec<String>>>) {
    target_by_query(move |path, _| answer(path).map(str::to_owned))
}

/// A target whose answers depend on the query too.
fn target_by_query(
    answer: impl Fn(&str, &str) -> Option<String> + Clone + Send + 'static,
) -> (Reader, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/base", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let paths = Arc::clone(&asked);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, paths) = (stream.unwrap(), Arc::clone(&paths));
            let answer = answer.clone();
            thread::spawn(move || {
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let Some(Ok(first)) = lines.next() else { return };
                while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
                let asked = first.split(' ').nth(1).unwrap();
                let (path, query) = asked.split_once('?').unwrap_or((asked, ""));
                paths.lock().unwrap().push(path.to_owned());
                let Some(body) = answer(path, query) else {
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

async fn read_back(reader: &Reader, users: &BTreeSet<String>, is_whole: bool) -> ReadBack {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("after-1.ndjson");
    let header = reader.read_back(users, 0, is_whole, &path).await.unwrap();
    let read = ReadBack::read(&path).unwrap().unwrap();
    assert_eq!(read.header, header);
    read
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
    let read = read_back(&reader, &users, true).await;
    assert_eq!(read.header.gaps, [""; 0]);
    assert_eq!(read.users["."].messages[0].content, "x");
    assert_eq!(read.users[".."].follows, ["."]);
    assert_eq!(read.users["a.b"].exists, Some(false));
    let asked = asked.lock().unwrap();
    for path in ["/base/fllws/%2E", "/base/msgs/%2E%2E", "/base/msgs/a%2Eb"] {
        assert!(asked.contains(&path.to_owned()), "{path}: {asked:?}");
    }
}

/// What `no` asks for of so many, where a negative one is all, and where it takes a slice as Python
/// does.
type Taken = fn(i64, i64) -> i64;

#[tokio::test]
async fn all_is_read_wherever_no_is_negative_or_a_slice() {
    let as_the_protocol: Taken = |no, count| if no < 0 { count } else { no };
    let as_a_slice: Taken = |no, count| if no < 0 { count + no } else { no };
    for taken in [as_the_protocol, as_a_slice] {
        let (reader, _) = target_by_query(move |path, query| {
            let no = query.strip_prefix("no=").and_then(|no| no.parse().ok()).unwrap_or(100);
            let first = |items: &[&str]| {
                let count = taken(no, items.len() as i64).clamp(0, items.len() as i64);
                items[..count as usize].join(",")
            };
            let message = |text| format!(r#"{{"user":"a","content":"{text}","pub_date":0}}"#);
            let messages = ["3", "2", "1"].map(message);
            let messages = messages.each_ref().map(String::as_str);
            Some(match path {
                "/base/latest" => r#"{"latest":1}"#.to_owned(),
                "/base/msgs" | "/base/msgs/a" => format!("[{}]", first(&messages)),
                "/base/fllws/a" => format!(r#"{{"follows":[{}]}}"#, first(&[r#""b""#, r#""c""#])),
                _ => String::new(),
            })
        });
        let read = read_back(&reader, &BTreeSet::from(["a".to_owned()]), true).await;
        let texts = read.users["a"].messages.iter().map(|message| message.content.as_str());
        assert_eq!(texts.collect::<Vec<_>>(), ["3", "2", "1"]);
        assert_eq!(read.users["a"].follows, ["b", "c"]);
        assert_eq!(read.users["a"].in_public, Some(3));
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
    let read = read_back(&reader, &users, true).await;
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

#[tokio::test]
async fn a_stranger_is_found_by_his_messages_and_a_shard_does_not_look() {
    let (reader, asked) = target(|path| {
        Some(match path {
            "/base/latest" => r#"{"latest":1}"#,
            "/base/msgs" => {
                r#"[{"user":"gone","content":"left","pub_date":0},
                    {"user":"a","content":"x","pub_date":0}]"#
            }
            "/base/msgs/a" => r#"[{"user":"a","content":"x","pub_date":0}]"#,
            _ => "",
        })
    });
    let users = BTreeSet::from(["a".to_owned()]);
    let read = read_back(&reader, &users, true).await;
    assert_eq!(read.header.limits, [""; 0]);
    assert_eq!(read.users["gone"].exists, Some(false));
    assert_eq!(read.users["gone"].messages[0].content, "left");
    assert_eq!(read.users["a"].messages.len(), 1);

    asked.lock().unwrap().clear();
    let read = read_back(&reader, &users, false).await;
    assert_eq!(read.users.len(), 1);
    assert!(read.header.limits[0].ends_with("a shard reads its own users"), "{read:?}");
    assert!(!asked.lock().unwrap().contains(&"/base/msgs".to_owned()));
}

#[test]
fn a_listing_is_read_message_by_message_as_it_is_as_a_whole() {
    for message_order in [MessageOrder::Insertion, MessageOrder::OldestFirst] {
        let profile = Profile { message_order, ..Profile::default() };
        for body in [
            r#"[{"user":"a","content":"1","pub_date":3},{"user":"b","content":"2","pub_date":2}]"#,
            r#"[{"user":"a","content":"1"}, {"user":"b"}]"#,
            "[]",
            r#"{"msgs":[]}"#,
            r#"[{"user":"a","content":"1"}"#,
            r#"[1]"#,
            "[] []",
        ] {
            let whole = serde_json::from_str(body).ok();
            let whole = whole.and_then(|json: Value| profile.parse_messages(&json));
            let whole = whole.map(|messages| {
                let pair = |read: crate::profile::ReadMessage| {
                    (read.user, Message { content: read.content, pub_date: read.pub_date })
                };
                messages.into_iter().map(pair).collect::<Vec<_>>()
            });
            assert_eq!(
                listed(&profile, body.as_bytes(), |_| true),
                whole,
                "{message_order:?} {body}"
            );
        }
    }
    let body = br#"[{"user":"a","content":"1"},{"user":"b","content":"2"}]"#;
    let of_b = listed(&Profile::default(), body, |author| author == "b").unwrap();
    assert_eq!(of_b.len(), 1);
}
