//! User names that a path must carry: blanks, letters beyond ASCII, plus, percent.

use super::super::case::{Case, Stop, cases};
use super::super::walk::{Walk, acknowledged, messages_path};

pub(super) const CASES: &[Case] = cases![
    "names.blank", Error, blank,
    "a name with a blank works, percent-encoded as %20",
    "every command of such a user fails (most users of the simulator)";
    "names.non-ascii", Error, non_ascii,
    "a name with letters beyond ASCII works, percent-encoded UTF-8",
    "every command of such a user fails";
    "names.plus", Warning, plus,
    "+ in a path is a plus, not a blank",
    "commands of such a user fail or reach another user";
    "names.percent", Warning, percent,
    "a name with a percent sign works, and is decoded once",
    "commands of such a user fail or reach another user";
    "names.case", Error, case,
    "names are case-sensitive: Ann and ANN are two users",
    "two users become one: registers fail, messages are foreign";
];

async fn blank(walk: &mut Walk) -> Result<(), Stop> {
    round_trip(walk, "Roger Histand").await
}

async fn non_ascii(walk: &mut Walk) -> Result<(), Stop> {
    round_trip(walk, "Søren雁").await
}

async fn plus(walk: &mut Walk) -> Result<(), Stop> {
    round_trip(walk, "a+b").await
}

async fn percent(walk: &mut Walk) -> Result<(), Stop> {
    round_trip(walk, "50%25").await
}

/// Registers the name, posts by the path, and reads it back.
async fn round_trip(walk: &mut Walk, stem: &str) -> Result<(), Stop> {
    let user = walk.name(stem);
    let registered = walk.register(&user).await?;
    let path = messages_path(&user);
    if !registered.is_success() {
        return Err(Stop::deviates(format!("\"{stem}\" registers"), registered.seen()));
    }
    let answer = walk.tweet(&user, "by name").await?;
    acknowledged(&answer, "a message")
        .map_err(|_| Stop::deviates(format!("POST {path} finds the user"), answer.seen()))?;
    let messages = walk.messages_when(&user, |messages| !messages.is_empty()).await?;
    match messages.first() {
        Some(message) if message.user == user => Ok(()),
        Some(message) => Err(Stop::deviates(user, message.user.clone())),
        None => Err(Stop::deviates(format!("a message at {path}"), "none")),
    }
}

async fn case(walk: &mut Walk) -> Result<(), Stop> {
    let lower = walk.user("case").await?;
    let upper = walk.name("CASE");
    let answer = walk.register(&upper).await?;
    if !answer.is_success() {
        return Err(Stop::deviates("both names register", answer.seen()));
    }
    walk.tweeted(&lower, "in small letters").await?;
    walk.messages_when(&lower, |messages| !messages.is_empty()).await?;
    match walk.messages(&messages_path(&upper), "100").await?.len() {
        0 => Ok(()),
        _ => Err(Stop::deviates("two users", "one user's messages listed under both names")),
    }
}
