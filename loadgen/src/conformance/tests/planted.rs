//! Every deviation that the double can be switched to is found by the cases that are about it, and
//! by no other.

use super::super::double::Switches;
use super::{deviating, options, walked};
use serde_json::json;

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
    ("a refused register stays", |s| s.refused_register_stays = true, &["register.leaves-nothing"]),
    ("a refused message stays", |s| s.refused_tweet_stays = true, &["auth.leaves-nothing"]),
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
    ("-1 is nothing", |s| s.no_negative = true, &["messages.no-negative"]),
    ("large no refused", |s| s.large_no_refused = true, &["messages.no-all"]),
    ("never over 100", |s| s.greatest_no = 100, &["messages.no-all", "messages.no-negative"]),
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
    ("32 bits", |s| s.latest_wraps = true, &["latest.beyond-32-bits"]),
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
