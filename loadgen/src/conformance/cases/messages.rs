//! `GET /msgs` and `GET /msgs/{user}`: which messages, in which order, how many.

use super::super::case::{Case, Stop, cases};
use super::super::waiver::Waiver;
use super::super::walk::{Walk, messages_path};
use super::must_be;
use crate::profile::{ALL, MessageOrder, ReadMessage};
use limosa_reports::run::operation::Operation;
use std::time::Duration;

pub(super) const CASES: &[Case] = cases![
    "messages.public", Error, public,
    "GET /msgs answers 200 with the messages of all users",
    "the read-back does not see messages of users that it does not know";
    "messages.own", Error, own,
    "GET /msgs/{user} lists that user's messages only",
    "the audit finds duplicates and foreign messages";
    "messages.newest-first", Warning, newest_first,
    "messages are listed newest first",
    "the audit would report every pair as MISORDERED";
    "messages.same-second", Warning, same_second,
    "messages of the same second are listed newest first too",
    "the audit can judge the order between seconds only";
    "messages.unknown-user", Warning, unknown_user,
    "GET /msgs/{user} answers 404 for an unknown user",
    "the audit must tell a missing user from a failed read";
    "messages.no", Error, no,
    "no=2 answers the newest two",
    "the read-back may be cut short unseen";
    "messages.no-zero", Note, no_zero,
    "no=0 answers []",
    "none: no client asks for it";
    "messages.no-missing", Warning, no_missing,
    "without no there are 100 messages",
    "none: the read-back always says how many";
    "messages.no-not-a-number", Note, no_not_a_number,
    "a no that is not a number counts as 100",
    "none: no client sends it";
    "messages.no-all", Error, no_all,
    "no=2147483647 answers all messages",
    "the read-back is cut short: what is beyond reads as LOST";
    "messages.no-negative", Note, no_negative,
    "no=-1 answers all messages too",
    "none: the read-back asks for a number that no store reaches";
    "messages.flagged", Note, flagged,
    "flagged messages are left out",
    "the audit reports flagged messages as LOST";
];

async fn public(walk: &mut Walk) -> Result<(), Stop> {
    let ann = walk.user("ann").await?;
    walk.tweeted(&ann, "for all to see").await?;
    walk.messages_when(&ann, |messages| has(messages, "for all to see")).await?;
    let path = walk.read_path("/msgs", Some("100"));
    let answer = walk.get(&path).await?;
    must_be(&answer, 200, |status| Waiver::Success(Operation::Messages, status))?;
    let listed = answer.json().and_then(|json| walk.seen.parse_messages(&json));
    let listed = listed.ok_or_else(|| Stop::deviates("a list of messages", answer.seen()))?;
    let there = |message: &ReadMessage| message.user == ann && message.content == "for all to see";
    match listed.iter().any(there) {
        true => Ok(()),
        false => {
            let got = format!("{} messages without it", listed.len());
            Err(Stop::deviates("the message just posted", got))
        }
    }
}

async fn own(walk: &mut Walk) -> Result<(), Stop> {
    let ann = walk.user("ann").await?;
    let bob = walk.user("bob").await?;
    walk.tweeted(&bob, "from bob").await?;
    walk.messages_when(&bob, |messages| has(messages, "from bob")).await?;
    let listed = walk.messages(&messages_path(&ann), "100").await?;
    match listed.iter().find(|message| message.user != ann) {
        None => Ok(()),
        Some(other) => {
            Err(Stop::deviates(format!("messages of {ann}"), format!("of {}", other.user)))
        }
    }
}

async fn newest_first(walk: &mut Walk) -> Result<(), Stop> {
    let user = walk.user("order").await?;
    walk.tweeted(&user, "earlier").await?;
    // pub_date has a resolution of one second.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    walk.tweeted(&user, "later").await?;
    match texts(&two(walk, &user).await?)[..] {
        ["later", "earlier"] => Ok(()),
        ["earlier", "later"] => {
            walk.seen.message_order = MessageOrder::OldestFirst;
            let stop = Stop::deviates("newest first", "oldest first");
            Err(stop.waiver(Waiver::MessageOrder(MessageOrder::OldestFirst)))
        }
        ref other => Err(Stop::deviates("later, earlier", other.join(", "))),
    }
}

async fn same_second(walk: &mut Walk) -> Result<(), Stop> {
    if walk.seen.message_order == MessageOrder::OldestFirst {
        return Err(Stop::Skipped("messages are listed oldest first".to_owned()));
    }
    // Two messages in a row rarely straddle a second twice.
    for stem in ["second", "moment", "instant"] {
        let user = walk.user(stem).await?;
        for text in ["first", "second", "third"] {
            walk.tweeted(&user, text).await?;
        }
        let listed = walk.messages_when(&user, |messages| messages.len() >= 3).await?;
        let dates: Vec<_> = listed.iter().map(|message| message.pub_date).collect();
        if dates.windows(2).any(|pair| pair[0] != pair[1]) {
            continue;
        }
        if texts(&listed) == ["third", "second", "first"] {
            return Ok(());
        }
        walk.seen.message_order = MessageOrder::PubDate;
        let stop = Stop::deviates("third, second, first", texts(&listed).join(", "));
        return Err(stop.waiver(Waiver::MessageOrder(MessageOrder::PubDate)));
    }
    Err(Stop::Skipped("three messages never fell into one second".to_owned()))
}

async fn unknown_user(walk: &mut Walk) -> Result<(), Stop> {
    let nobody = walk.name("unknown");
    let path = walk.read_path(&messages_path(&nobody), Some("100"));
    let answer = walk.get(&path).await?;
    must_be(&answer, 404, Waiver::UnknownUser)
}

/// How many messages the user who tries `no` has: more than the default of 100.
const MANY: usize = 103;

/// The user with [`MANY`] messages.
async fn talker(walk: &mut Walk) -> Result<String, Stop> {
    let name = walk.name("talker");
    if walk.users.contains(&name) {
        return Ok(name);
    }
    let user = walk.user("talker").await?;
    for number in 1..=MANY {
        walk.tweeted(&user, &format!("message {number}")).await?;
    }
    let newest = format!("message {MANY}");
    walk.messages_when(&user, |messages| has(messages, &newest)).await?;
    Ok(user)
}

async fn no(walk: &mut Walk) -> Result<(), Stop> {
    let user = talker(walk).await?;
    let listed = walk.messages(&messages_path(&user), "2").await?;
    let newest = [format!("message {MANY}"), format!("message {}", MANY - 1)];
    let mut listed = texts(&listed);
    // Within one second any order may be this target's own.
    listed.sort_unstable_by(|a, b| b.cmp(a));
    let in_order = walk.seen.message_order == MessageOrder::Insertion;
    match listed == newest || (!in_order && listed.len() == 2) {
        true => Ok(()),
        false => {
            let first = listed.first().map_or(String::new(), |first| format!(": {first}, ..."));
            let got = format!("{} messages{first}", listed.len());
            Err(Stop::deviates(newest.join(", "), got))
        }
    }
}

async fn no_zero(walk: &mut Walk) -> Result<(), Stop> {
    counts(walk, Some("0"), 0).await
}

async fn no_missing(walk: &mut Walk) -> Result<(), Stop> {
    if walk.seen.requires_no {
        let stop = Stop::deviates("100 messages", "the read is refused");
        return Err(stop.waiver(Waiver::RequiresNo));
    }
    counts(walk, None, 100).await
}

async fn no_not_a_number(walk: &mut Walk) -> Result<(), Stop> {
    counts(walk, Some("many"), 100).await
}

async fn no_all(walk: &mut Walk) -> Result<(), Stop> {
    let Err(stop) = counts(walk, Some(&ALL.to_string()), MANY).await else {
        return Ok(());
    };
    if !matches!(stop, Stop::Deviates(_)) {
        return Err(stop);
    }
    for other in [-1, 1_000_000, 10_000, 1_000] {
        if counts(walk, Some(&other.to_string()), MANY).await.is_ok() {
            return Err(stop.waiver(Waiver::MaxNo(other)));
        }
    }
    Err(stop)
}

async fn no_negative(walk: &mut Walk) -> Result<(), Stop> {
    counts(walk, Some("-1"), MANY).await
}

async fn flagged(_: &mut Walk) -> Result<(), Stop> {
    Err(Stop::Skipped("the simulator API has no call that flags a message".to_owned()))
}

/// Fails unless a read with this `no` lists so many messages.
async fn counts(walk: &mut Walk, no: Option<&str>, expected: usize) -> Result<(), Stop> {
    let user = talker(walk).await?;
    let path = walk.read_path(&messages_path(&user), no);
    let answer = walk.get(&path).await?;
    let listed = match answer.is_success() {
        true => answer.json().and_then(|json| walk.seen.parse_messages(&json)),
        false => None,
    };
    let expected_text = format!("{expected} messages");
    match listed {
        Some(listed) if listed.len() == expected => Ok(()),
        Some(listed) => Err(Stop::deviates(expected_text, format!("{} messages", listed.len()))),
        None => Err(Stop::deviates(expected_text, answer.seen())),
    }
}

/// The two messages of a user who has two.
async fn two(walk: &mut Walk, user: &str) -> Result<Vec<ReadMessage>, Stop> {
    walk.messages_when(user, |messages| messages.len() >= 2).await
}

fn has(messages: &[ReadMessage], text: &str) -> bool {
    messages.iter().any(|message| message.content == text)
}

fn texts(messages: &[ReadMessage]) -> Vec<&str> {
    messages.iter().map(|message| message.content.as_str()).collect()
}
