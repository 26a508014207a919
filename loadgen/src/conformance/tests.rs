//! The walk is proven by planted deviations: each is found by the cases that are about it and by
//! no other, and a clean double is never accused.

use super::case::Verdict;
use super::double::{Double, Service, Switches, hostile};
use super::report::{LatestAfter, Report};
use super::waiver::profile_file;
use super::{Options, walk};
use crate::profile::Profile;
use limosa_server::passwords::PasswordCost;
use serde_json::json;
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
    let url = format!("http://{}", listener.local_addr().unwrap());
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

/// A name, what to switch, and what must be found.
type Planted = (&'static str, fn(&mut Switches), &'static [&'static str]);

const PLANTED: &[Planted] = &[
    ("prefix", |s| s.prefix = "/api", &["http.prefix"]),
    (
        "200 for 204",
        |s| s.write_status = 200,
        &["register.success", "tweet.success", "follow.success", "unfollow.success"],
    ),
    (
        "401 for 403",
        |s| s.unauthorized = 401,
        &[
            "auth.messages",
            "auth.user-messages",
            "auth.tweet",
            "auth.follows",
            "auth.follow",
            "auth.wrong-password",
        ],
    ),
    (
        "no credentials asked for",
        |s| s.no_auth_check = true,
        &[
            "auth.messages",
            "auth.user-messages",
            "auth.tweet",
            "auth.follows",
            "auth.follow",
            "auth.wrong-password",
        ],
    ),
    ("400 for 404", |s| s.unknown_user = 400, UNKNOWN_USER),
    ("500 for 404", |s| s.unknown_user = 500, UNKNOWN_USER),
    ("409 for a taken name", |s| s.taken = 409, &["register.taken"]),
    (
        "422 for an invalid register",
        |s| s.invalid = 422,
        &[
            "register.no-username",
            "register.no-email",
            "register.bad-email",
            "register.no-password",
        ],
    ),
    ("422 for a bad body", |s| s.bad_request = 422, &["http.bad-json", "http.missing-key"]),
    ("any content type", |s| s.wrong_type = 200, &["http.content-type"]),
    ("404 for 405", |s| s.wrong_method = 404, &["http.wrong-method"]),
    ("register needs credentials", |s| s.register_needs_auth = true, &["register.no-auth"]),
    ("latest needs credentials", |s| s.latest_needs_auth = true, &["latest.no-auth"]),
    ("a slash at the end", |s| s.slash_is_fine = true, &["http.trailing-slash"]),
    ("body on a 204", |s| s.body_on_204 = true, &["http.empty-204"]),
    ("text/html", |s| s.html_type = true, &["http.json-type"]),
    (
        "refusals without their texts",
        |s| s.plain_refusals = true,
        &["register.body", "register.texts", "auth.body"],
    ),
    ("password first", |s| s.password_first = true, &["register.order"]),
    (
        "a refused register stays",
        |s| s.refused_register_stays = true,
        &["register.refused-leaves-nothing"],
    ),
    ("a refused message stays", |s| s.refused_tweet_stays = true, &["auth.refused-leaves-nothing"]),
    ("capital keys", |s| s.capital_keys = true, &["latest.keys", "messages.keys", "follows.keys"]),
    ("latest as text", |s| s.latest_as_text = true, &["latest.keys"]),
    ("dates in ms", |s| s.date = |at| json!(at * 1000), &["messages.pub-date"]),
    ("dates as text", |s| s.date = |at| json!(format!("{at}!")), &["messages.pub-date"]),
    ("oldest first", |s| s.oldest_first = true, &["messages.newest-first"]),
    (
        "oldest first within a second",
        |s| s.oldest_first_in_a_second = true,
        &["messages.same-second"],
    ),
    ("numeric texts", |s| s.alter = numeric_affinity, &["text.numeric"]),
    ("trimmed", |s| s.alter = |text| json!(text.trim_matches(' ')), &["text.blanks"]),
    ("escaped", |s| s.alter = |text| json!(text.replace('\'', "&#39;")), &["text.quotes"]),
    ("one line", |s| s.alter = |text| json!(text.replace('\n', " ")), &["text.lines"]),
    ("composed", |s| s.alter = |text| json!(text.replace("e\u{301}", "é")), &["text.unicode"]),
    ("no BOM", |s| s.alter = |text| json!(text.replace('\u{feff}', "")), &["text.bom"]),
    ("cut off", |s| s.alter = |text| json!(text.get(..255).unwrap_or(text)), &["text.long"]),
    ("stored later", |s| s.later = true, &["tweet.at-once"]),
    ("not public", |s| s.drop_tweets_from_public = true, &["messages.public"]),
    ("no needed", |s| s.requires_no = true, &["messages.no-missing"]),
    ("latest needed to read", |s| s.requires_latest = true, &["latest.reads-without"]),
    ("30 by default", |s| s.default_no = 30, &["messages.no-missing"]),
    ("0 is the default", |s| s.zero_is_default = true, &["messages.no-zero"]),
    ("bad no refused", |s| s.bad_no_refused = true, &["messages.no-not-a-number"]),
    ("-1 is nothing", |s| s.no_negative = true, &["messages.no-all"]),
    ("never over 100", |s| s.greatest_no = 100, &["messages.no-all"]),
    ("all names always", |s| s.follows_no_ignored = true, &["follows.no"]),
    ("edges twice", |s| s.duplicate_edges = true, &["follow.duplicate"]),
    ("follows dropped", |s| s.drop_follows = true, &["follow.listed"]),
    ("unfollows dropped", |s| s.drop_unfollows = true, &["unfollow.removes"]),
    ("followers listed", |s| s.followers_listed = true, &["follow.listed"]),
    ("404 for no edge", |s| s.no_edge = 404, &["unfollow.no-edge"]),
    ("unfollow wins", |s| s.unfollow_wins = true, &["follow.wins"]),
    ("case folded", |s| s.fold_case = true, &["names.case"]),
    ("plus is a blank", |s| s.plus_is_blank = true, &["names.plus"]),
    ("decoded twice", |s| s.decode_twice = true, &["names.percent"]),
    ("ASCII names", |s| s.ascii_names = true, &["names.non-ascii"]),
    ("names without blanks", |s| s.no_blank_in_names = true, &["names.blank"]),
    ("0 at first", |s| s.latest_initial = 0, &["latest.initial"]),
    ("not on reads", |s| s.latest_on_reads = false, &["latest.on-reads"]),
    ("not when refused", |s| s.latest_on_refused = false, &["latest.on-refused"]),
    (
        "not on register",
        |s| s.latest_on_register = false,
        &["latest.on-writes", "latest.on-refused"],
    ),
    ("latest needed to write", |s| s.latest_missing_refused = true, &["latest.missing"]),
    ("bad latest refused", |s| s.latest_bad_refused = true, &["latest.not-a-number"]),
    ("-1 taken", |s| s.latest_minus_one_taken = true, &["latest.minus-one"]),
    ("greatest kept", |s| s.latest_keeps_greatest = true, &["latest.backwards"]),
    ("32 bits", |s| s.latest_wraps = true, &["latest.beyond-32-bits", "latest.64-bits"]),
    ("a double", |s| s.latest_is_double = true, &["latest.64-bits"]),
];

const UNKNOWN_USER: &[&str] = &[
    "tweet.unknown-user",
    "messages.unknown-user",
    "follows.unknown-user",
    "follow.unknown-who",
    "follow.unknown-whom",
    "unfollow.unknown-whom",
];

/// What SQLite makes of a text in a column that was declared `string`.
fn numeric_affinity(text: &str) -> serde_json::Value {
    match text.parse::<f64>() {
        Ok(number) if number.fract() == 0.0 => json!(number as i64),
        Ok(number) => json!(number),
        Err(_) => json!(text),
    }
}

#[tokio::test]
async fn every_planted_deviation_is_found_by_its_own_cases() {
    let mut wrong = Vec::new();
    for some in PLANTED.chunks(8) {
        let local = tokio::task::LocalSet::new();
        let walks: Vec<_> = some
            .iter()
            .map(|(name, switch, expected)| {
                local.spawn_local(async move {
                    let mut switches = Switches::default();
                    switch(&mut switches);
                    let found = deviating(&walked(switches, &options()).await);
                    (found != *expected).then(|| format!("{name}: {found:?}, not {expected:?}"))
                })
            })
            .collect();
        local.await;
        for walk in walks {
            wrong.extend(walk.await.unwrap());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
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
    for (target, text) in [
        (format!("http://{closed}"), "connection refused; is the server running there?"),
        ("https://127.0.0.1:1".to_owned(), "only http://"),
        ("127.0.0.1:5001".to_owned(), "give a base URL such as"),
        ("nonsense".to_owned(), "give a base URL such as"),
    ] {
        let error = walk(&target, &options()).await.unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    }
}

#[tokio::test]
async fn a_target_that_stops_answering_is_given_up() {
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
