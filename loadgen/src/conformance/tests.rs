//! A clean server is never accused, what is found can be waived, and no target can hang or crash
//! the walk.

mod planted;

use super::case::Verdict;
use super::double::{Double, Service, Switches, hostile};
use super::report::{LatestAfter, Report};
use super::waiver::profile_file;
use super::{Options, walk};
use crate::profile::Profile;
use limosa_server::passwords::PasswordCost;
use std::time::{Duration, Instant};

fn options() -> Options {
    Options {
        timeout: Duration::from_secs(20),
        total: Duration::from_secs(120),
        suffix: "x7".to_owned(),
        profile: Profile::default(),
    }
}

async fn walked(switches: Switches, options: &Options) -> Report {
    let double = Double::start(Service::new(switches)).await;
    walk(&double.url, options).await.unwrap()
}

/// The ids of the cases that did not conform; nothing may be broken.
fn deviating(report: &Report) -> Vec<&'static str> {
    let mut ids = Vec::new();
    for finding in &report.findings {
        match &finding.verdict {
            Verdict::Deviates(_) => ids.push(finding.id),
            Verdict::Broken { error } => panic!("{}: {error}", finding.id),
            Verdict::Conforms | Verdict::Skipped { .. } => {}
        }
    }
    ids
}

#[tokio::test]
async fn a_clean_server_is_never_accused() {
    let report = walked(Switches::default(), &options()).await;
    assert_eq!(deviating(&report), [""; 0]);
    let skipped =
        |finding: &super::report::Finding| matches!(finding.verdict, Verdict::Skipped { .. });
    assert_eq!(
        report.count(skipped),
        1,
        "{:?}",
        report.findings.iter().filter(|f| skipped(f)).collect::<Vec<_>>()
    );
    assert!(!report.fails());
}

#[tokio::test]
async fn the_reference_server_conforms_in_every_case() {
    let directory = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", directory.path().join("check.db").display());
    let mut config = limosa_server::Config::new(database.parse().unwrap());
    config.password_cost = PasswordCost::Test;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = limosa_server::run(listener, config, async {
        let _ = stopped.await;
    });
    let options = options();
    let check = async {
        let report = walk(&url, &options).await;
        drop(stop);
        report.unwrap()
    };
    let (served, report) = tokio::join!(server, check);
    served.unwrap();
    assert_eq!(deviating(&report), [""; 0], "{}", super::table::table(&report, false));
}

#[tokio::test]
async fn it_can_be_repeated_and_puts_latest_back() {
    let double = Double::start(Service::new(Switches::default())).await;
    let first = walk(&double.url, &options()).await.unwrap();
    assert_eq!(first.latest.before, -1);
    let before = first.latest.after.unwrap();
    let mut again = options();
    again.suffix = "x8".to_owned();
    let second = walk(&double.url, &again).await.unwrap();
    let after = Some(before);
    assert_eq!(second.latest, LatestAfter { before, after });
    assert_eq!(deviating(&second), [""; 0]);
}

#[tokio::test]
async fn what_was_found_can_be_waived_by_the_profile_that_is_written() {
    let switches = Switches {
        prefix: "/api",
        unauthorized: 401,
        unknown_user: 500,
        write_status: 200,
        capital_keys: true,
        duplicate_edges: true,
        latest_wraps: true,
        slash_is_fine: true,
        drop_unfollows: true,
        ..Switches::default()
    };
    let report = walked(switches.clone(), &options()).await;
    assert!(report.fails());
    let file = profile_file("http://127.0.0.1:5001", &Profile::default(), &report.findings);
    insta::assert_snapshot!(file);

    let mut with_profile = options();
    with_profile.profile = toml::from_str(&file).unwrap();
    let again = walked(switches, &with_profile).await;
    let failing: Vec<_> = again.findings.iter().filter(|finding| finding.fails()).collect();
    let [finding] = failing[..] else {
        panic!("{failing:#?}");
    };
    assert_eq!(finding.id, "unfollow.removes", "an error is never accepted by itself");
    let unwaived: Vec<_> = again
        .findings
        .iter()
        .filter(|f| matches!(f.verdict, Verdict::Deviates(_)) && !f.waived)
        .map(|f| f.id)
        .collect();
    assert_eq!(unwaived, ["unfollow.removes"]);

    with_profile.profile.accepted.insert("unfollow.removes".to_owned());
    assert_eq!(
        profile_file("http://127.0.0.1:5001", &with_profile.profile, &again.findings)
            .lines()
            .filter(|line| line.contains("\"unfollow.removes\""))
            .collect::<Vec<_>>(),
        ["  \"unfollow.removes\","]
    );
}

#[tokio::test]
async fn hostile_targets_end_in_time_with_a_clear_text() {
    let mut options = options();
    options.timeout = Duration::from_millis(500);
    let html =
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>";
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"latest\":";
    let endless =
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunks = [&b"10000\r\n"[..], &[b'x'; 0x10000], b"\r\n"].concat().repeat(4).leak();
    let redirect = b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n";
    let gzip =
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00";
    let targets: [(&'static [u8], &'static [u8], &str); 8] = [
        (b"", b"", "no whole answer within"),
        (html, b"", "answered 200 text/html <html></html>: is http://"),
        (cut, b"", "closed before the answer was whole"),
        (b"\x00\xffgarbage\r\n\r\n", b"", "not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\n\r\n", &[0; 0x40000], "over 1 MiB"),
        (endless, chunks, "answered 200 text/plain, over 1 MiB"),
        (redirect, b"", "answered 302 to /login: is http://"),
        (gzip, b"", "answered 200"),
    ];
    for (bytes, again, text) in targets {
        let double = hostile(bytes, again).await;
        let began = Instant::now();
        let error = walk(&double.url, &options).await.unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
        assert!(began.elapsed() < Duration::from_secs(10), "{error}");
    }
}

#[tokio::test]
async fn a_target_that_is_not_there_is_said_so() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let target = format!("http://{closed}").parse().unwrap();
    let error = walk(&target, &options()).await.unwrap_err().to_string();
    assert!(error.contains("connection refused; is the server running there?"), "{error}");
}

#[tokio::test]
async fn a_target_that_stops_answering_is_given_up() {
    let double = Double::start(Service::new(Switches::default())).await;
    let url = double.url.clone();
    let stop = async {
        // The walk itself lasts over a second: it waits for a second to pass.
        tokio::time::sleep(Duration::from_millis(500)).await;
        drop(double);
    };
    let options = options();
    let (report, ()) = tokio::join!(walk(&url, &options), stop);
    let report = report.unwrap();
    let last = &report.findings.last().unwrap().verdict;
    assert!(report.fails());
    assert_eq!(report.count(|f| matches!(f.verdict, Verdict::Broken { .. })), 3);
    assert!(matches!(last, Verdict::Skipped { reason } if reason.contains("stopped answering")));
    assert_eq!(report.latest.after, None);
}

#[tokio::test]
async fn a_target_that_only_answers_latest_fails_and_the_walk_ends_in_its_time() {
    // It answers `GET /latest` well, whatever it is asked.
    let answer =
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 12\r\n\r\n{\"latest\":7}";
    let double = hostile(answer, b"").await;
    let report = walk(&double.url, &options()).await.unwrap();
    assert!(report.fails());
    assert!(deviating(&report).contains(&"register.success"));

    let mut options = options();
    options.total = Duration::ZERO;
    let report = walk(&double.url, &options).await.unwrap();
    let skipped = report.count(|finding| matches!(finding.verdict, Verdict::Skipped { .. }));
    assert_eq!(skipped, report.findings.len());
}
