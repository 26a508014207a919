//! `POST /msgs/{user}`, what a message looks like, and texts that stores like to alter.

use super::super::case::{Case, Stop, cases};
use super::super::client::excerpt;
use super::super::waiver::{Key, Waiver};
use super::super::walk::{Walk, acknowledged, learn_key, messages_path};
use super::must_be;
use crate::profile::PubDate;
use limosa_reports::run::operation::Operation;
use serde_json::{Map, Value};

pub(super) const CASES: &[Case] = cases![
    "tweet.success", Error, success,
    "POST /msgs/{user} answers 204",
    "the simulator counts every message as an error";
    "messages.status", Warning, status,
    "GET /msgs/{user} answers 200",
    "the read-back must know the status";
    "messages.keys", Warning, keys,
    "a message is {content, pub_date, user}",
    "the read-back must know the keys";
    "messages.pub-date", Warning, pub_date,
    "pub_date is a number of seconds since the Unix epoch",
    "dates in the report are wrong unless the profile knows";
    "tweet.unknown-user", Warning, unknown_user,
    "POST /msgs/{user} answers 404 for an unknown user",
    "a refused message is not told from a failed one";
    "tweet.at-once", Warning, at_once,
    "a message that was acknowledged can be read at once",
    "acknowledged before it is stored: a crash loses it";
    "text.numeric", Error, numeric,
    "texts that look like numbers stay texts: 007, 1e5, 1.50",
    "the audit reports them as ALTERED";
    "text.blanks", Error, blanks,
    "blanks at the beginning and at the end stay",
    "the audit reports them as ALTERED";
    "text.quotes", Error, quotes,
    "quotes, backslashes, markup and percent signs stay",
    "the audit reports them as ALTERED";
    "text.lines", Error, lines,
    "line breaks and tabs stay",
    "the audit reports them as ALTERED";
    "text.unicode", Error, unicode,
    "letters beyond ASCII, emoji and combining marks stay as they are",
    "the audit reports them as ALTERED";
    "text.bom", Error, bom,
    "U+FEFF stays, also at the beginning",
    "the audit reports them as ALTERED";
    "text.long", Error, long,
    "a text of 10,000 characters stays whole",
    "the audit reports long messages as ALTERED or LOST";
];

async fn success(walk: &mut Walk) -> Result<(), Stop> {
    let ann = walk.user("ann").await?;
    let answer = walk.tweet(&ann, "godwit").await?;
    must_be(&answer, 204, |status| Waiver::Success(Operation::Tweet, status))
}

async fn status(walk: &mut Walk) -> Result<(), Stop> {
    let ann = walk.user("ann").await?;
    let path = walk.read_path(&messages_path(&ann), Some("100"));
    let answer = walk.get(&path).await?;
    must_be(&answer, 200, |status| Waiver::Success(Operation::UserMessages, status))
}

/// A message of its own user, as raw JSON.
async fn specimen(walk: &mut Walk) -> Result<(String, Map<String, Value>), Stop> {
    let user = walk.user("specimen").await?;
    walk.tweeted(&user, "specimen").await?;
    let path = walk.read_path(&messages_path(&user), Some("100"));
    let mut seen = String::new();
    for _ in 0..10 {
        let answer = walk.get(&path).await?;
        if let Some(Value::Object(message)) =
            answer.json().as_ref().and_then(|json| json.as_array()?.first())
        {
            return Ok((user, message.clone()));
        }
        seen = answer.seen();
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    Err(Stop::deviates("200 [{content,pub_date,user}]", seen))
}

async fn keys(walk: &mut Walk) -> Result<(), Stop> {
    let (user, message) = specimen(walk).await?;
    let holds = |value: &str| {
        let mut keys = message.iter().filter(|(_, held)| held.as_str() == Some(value));
        Some(keys.next()?.0.clone())
    };
    let content = holds("specimen");
    let author = holds(&user);
    let date = ["pub_date", "pubdate", "date", "time", "created"]
        .iter()
        .find_map(|word| message.keys().find(|key| key.to_lowercase().contains(word)))
        .cloned();
    let mut missing = Vec::new();
    let mut waivers = Vec::new();
    for (key, usual, found) in [
        (Key::Content, "content", content),
        (Key::User, "user", author),
        (Key::PubDate, "pub_date", date),
    ] {
        // The usual key wins, since two keys may hold the same value.
        let usual = message.contains_key(usual).then(|| usual.to_owned());
        match usual.or(found) {
            Some(found) => waivers.extend(learn_key(walk, key, &found)),
            None => missing.push(key),
        }
    }
    if missing.is_empty() && waivers.is_empty() {
        return Ok(());
    }
    let got: Vec<&str> = message.keys().map(String::as_str).collect();
    let stop = Stop::deviates("keys content, pub_date, user", excerpt(&got.join(", "), 80));
    if !missing.is_empty() {
        return Err(stop);
    }
    Err(waivers.into_iter().fold(stop, Stop::waiver))
}

async fn pub_date(walk: &mut Walk) -> Result<(), Stop> {
    /// Beyond the year 5138 in seconds: these are milliseconds.
    const MILLISECONDS: i64 = 100_000_000_000;
    let (_, message) = specimen(walk).await?;
    let Some(date) = message.get(&walk.seen.keys.pub_date) else {
        return Err(Stop::Skipped("messages have no date".to_owned()));
    };
    let kind = match date {
        Value::String(_) => Some(PubDate::Text),
        date => match date.as_i64() {
            Some(MILLISECONDS..) => Some(PubDate::Milliseconds),
            Some(_) => Some(PubDate::Seconds),
            None => None,
        },
    };
    let stop = Stop::deviates("whole seconds", excerpt(&date.to_string(), 60));
    match kind {
        Some(PubDate::Seconds) => Ok(()),
        Some(kind) => {
            walk.seen.pub_date = kind;
            Err(stop.waiver(Waiver::PubDate(kind)))
        }
        None => Err(stop),
    }
}

async fn unknown_user(walk: &mut Walk) -> Result<(), Stop> {
    let nobody = walk.name("unknown");
    let answer = walk.tweet(&nobody, "from nobody").await?;
    must_be(&answer, 404, Waiver::UnknownUser)
}

async fn at_once(walk: &mut Walk) -> Result<(), Stop> {
    let ann = walk.user("ann").await?;
    walk.tweeted(&ann, "at once").await?;
    let there = |messages: &[crate::profile::ReadMessage]| {
        messages.iter().any(|message| message.content == "at once")
    };
    if there(&walk.messages(&messages_path(&ann), "100").await?) {
        return Ok(());
    }
    let got = match there(&walk.messages_when(&ann, there).await?) {
        true => "it appeared later",
        false => "it did not appear within a second",
    };
    Err(Stop::deviates("the message is listed", got))
}

async fn numeric(walk: &mut Walk) -> Result<(), Stop> {
    unaltered(walk, "numeric", &["007", "1e5", "1.50", "0x1f", "9007199254740993"]).await
}

async fn blanks(walk: &mut Walk) -> Result<(), Stop> {
    unaltered(walk, "blanks", &[" before", "after ", "  both  "]).await
}

async fn quotes(walk: &mut Walk) -> Result<(), Stop> {
    unaltered(walk, "quotes", &[r#"'single' "double" \ \n"#, "<b>&amp;</b>", "100% %20 +"]).await
}

async fn lines(walk: &mut Walk) -> Result<(), Stop> {
    unaltered(walk, "lines", &["one\ntwo", "one\r\ntwo", "a\tb"]).await
}

async fn unicode(walk: &mut Walk) -> Result<(), Stop> {
    unaltered(walk, "unicode", &["blåbærgrød", "雁", "🐦🏽", "e\u{301} \u{e9}"]).await
}

async fn bom(walk: &mut Walk) -> Result<(), Stop> {
    unaltered(walk, "bom", &["\u{feff}first", "in\u{feff}side"]).await
}

async fn long(walk: &mut Walk) -> Result<(), Stop> {
    unaltered(walk, "long", &["wader ".repeat(1_667)[..10_000].to_owned().as_str()]).await
}

/// Posts each text by a user of their own, reads them back, and fails on the first that differs.
async fn unaltered(walk: &mut Walk, stem: &str, texts: &[&str]) -> Result<(), Stop> {
    let user = walk.user(stem).await?;
    for (stored, text) in texts.iter().enumerate() {
        let answer = walk.tweet(&user, text).await?;
        acknowledged(&answer, "a message").map_err(|_| {
            Stop::deviates(format!("204 for {}", excerpt(&format!("{text:?}"), 40)), answer.seen())
        })?;
        let messages = walk.messages_when(&user, |messages| messages.len() > stored).await?;
        if messages.iter().any(|message| message.content == *text) {
            continue;
        }
        let got = match messages.first() {
            // A JSON number reads as its digits; what it was before is what matters here.
            Some(message) if messages.len() > stored => {
                excerpt(&format!("{:?}", message.content), 60)
            }
            _ => "no message".to_owned(),
        };
        return Err(Stop::deviates(excerpt(&format!("{text:?}"), 60), got));
    }
    Ok(())
}
