//! `latest`: what it looks like, and which requests record it.

use super::super::case::{Case, Stop, cases};
use super::super::client::{Answer, Body};
use super::super::waiver::{Key, Waiver};
use super::super::walk::{Walk, acknowledged, follows_path, messages_path};
use super::must_be;
use limosa_reports::run::operation::Operation;
use reqwest::Method;
use serde_json::{Value, json};

/// What first contact showed.
pub(super) const SHAPE: &[Case] = cases![
    "latest.status", Warning, status,
    "GET /latest answers 200",
    "the sampling of latest must know the status";
    "latest.keys", Warning, keys,
    "the answer is {\"latest\":N} with a number",
    "the sampling of latest must know the key";
    "latest.no-auth", Warning, no_auth,
    "GET /latest needs no Authorization header",
    "none: the harness sends one always";
    "latest.initial", Note, initial,
    "latest is -1 before any command",
    "a first read may look like one of a command that never was";
];

pub(super) const CASES: &[Case] = cases![
    "latest.on-writes", Error, on_writes,
    "every command records its latest",
    "the simulator's progress is not seen, and latest cannot be judged";
    "latest.reads-without", Warning, reads_without,
    "a read needs no latest",
    "the read-back must send one";
    "latest.on-reads", Warning, on_reads,
    "a GET records its latest too",
    "the check of latest must leave reads out";
    "latest.on-refused", Warning, on_refused,
    "a request that is refused records its latest all the same (400, 403, 404)",
    "the check of latest must leave refused commands out";
    "latest.missing", Warning, missing,
    "a command without latest is executed, and leaves it alone",
    "none: the harness sends one always";
    "latest.not-a-number", Note, not_a_number,
    "a latest that is not a number is ignored, and the command executed",
    "none: no client sends one";
    "latest.minus-one", Note, minus_one,
    "latest=-1 is ignored, and the command executed",
    "none: no trace holds it";
    "latest.backwards", Warning, backwards,
    "the last write wins, also when it is smaller",
    "a replay that begins again at id 0 is not seen until it is beyond the old value";
    "latest.beyond-32-bits", Warning, beyond_32_bits,
    "latest holds ids beyond 32 bits",
    "amplified traces with large ids cannot be judged";
    "latest.64-bits", Note, all_64_bits,
    "latest holds any 64-bit number exactly",
    "none below 2^53";
];

async fn status(walk: &mut Walk) -> Result<(), Stop> {
    let first = walk.first.clone();
    must_be(&first, 200, |status| Waiver::Success(Operation::Latest, status))
}

async fn keys(walk: &mut Walk) -> Result<(), Stop> {
    let key = walk.seen.keys.latest.clone();
    let stop = Stop::deviates("{\"latest\":N}", walk.first.seen());
    if key != "latest" {
        return Err(stop.waiver(Waiver::Key(Key::Latest, key)));
    }
    match walk.first.json().unwrap_or_default()[key] {
        Value::Number(_) => Ok(()),
        _ => Err(stop),
    }
}

async fn no_auth(walk: &mut Walk) -> Result<(), Stop> {
    let answer = walk.send(Method::GET, "/latest", Some(""), Body::None).await?;
    match answer.is_success() {
        true => Ok(()),
        false => Err(Stop::deviates("200", answer.seen())),
    }
}

async fn initial(walk: &mut Walk) -> Result<(), Stop> {
    if walk.before == -1 {
        return Ok(());
    }
    let path = walk.read_path("/msgs", Some("1"));
    let empty = walk.get(&path).await?.json() == Some(json!([]));
    if walk.before != 0 || !empty {
        return Err(Stop::Skipped("the target has processed commands already".to_owned()));
    }
    let stop = Stop::deviates("-1", walk.before.to_string());
    Err(stop.waiver(Waiver::LatestInitial(walk.before)))
}

/// Fails unless `latest` is `id` now.
async fn recorded(walk: &mut Walk, id: i64, by: &str) -> Result<(), Stop> {
    match walk.latest_when(id).await? {
        latest if latest == id => Ok(()),
        latest => Err(Stop::deviates(format!("{id} after {by}"), latest.to_string())),
    }
}

async fn on_writes(walk: &mut Walk) -> Result<(), Stop> {
    let (ann, bob) = (walk.user("ann").await?, walk.user("bob").await?);
    let name = walk.name("late");
    let register = json!({"username": name, "email": "limosa@example.org", "pwd": "x"});
    for (by, path, body) in [
        ("a register", "/register".to_owned(), register),
        ("a message", messages_path(&ann), json!({"content": "latest"})),
        ("a follow", follows_path(&ann), json!({"follow": bob})),
        ("an unfollow", follows_path(&ann), json!({"unfollow": bob})),
    ] {
        let id = walk.id();
        let answer = walk.post_as(id, &path, &body).await?;
        acknowledged(&answer, by)?;
        if path == "/register" {
            walk.users.push(name.clone());
        }
        recorded(walk, id, by).await?;
    }
    Ok(())
}

async fn reads_without(walk: &mut Walk) -> Result<(), Stop> {
    match walk.seen.requires_latest {
        false => Ok(()),
        true => {
            let stop = Stop::deviates("200", "the read is refused without latest");
            Err(stop.waiver(Waiver::RequiresLatest))
        }
    }
}

async fn on_reads(walk: &mut Walk) -> Result<(), Stop> {
    let ann = walk.user("ann").await?;
    for path in ["/msgs".to_owned(), messages_path(&ann), follows_path(&ann)] {
        let id = walk.id();
        let answer = walk.get(&format!("{path}?no=20&latest={id}")).await?;
        acknowledged(&answer, "a read")?;
        recorded(walk, id, "a GET").await.map_err(|stop| stop.waiver(Waiver::LatestNotOnReads))?;
    }
    Ok(())
}

async fn on_refused(walk: &mut Walk) -> Result<(), Stop> {
    let ann = walk.user("ann").await?;
    let nobody = walk.name("unknown");
    let register = json!({"username": "", "email": "", "pwd": ""});
    let tweet = json!({"content": "refused"});
    for (by, path, authorization, body) in [
        ("a refused register", "/register".to_owned(), None, register),
        ("an unknown user", messages_path(&nobody), None, tweet.clone()),
        ("wrong credentials", messages_path(&ann), Some(""), tweet),
    ] {
        let id = walk.id();
        let path = format!("{path}?latest={id}");
        let answer = walk.send(Method::POST, &path, authorization, Body::Json(&body)).await?;
        // Whether it is refused at all is the matter of another case.
        if !answer.is_success() {
            recorded(walk, id, by).await.map_err(|stop| stop.waiver(Waiver::LatestNotOnRefused))?;
        }
    }
    Ok(())
}

/// Posts a message with `query`; it must be executed and leave `latest` alone.
async fn ignored(walk: &mut Walk, query: &str) -> Result<Answer, Stop> {
    let ann = walk.user("ann").await?;
    acknowledged(&walk.tweet(&ann, "before").await?, "a message")?;
    let before = walk.latest().await?;
    let path = format!("{}{query}", messages_path(&ann));
    let body = json!({"content": "with an odd latest"});
    let answer = walk.send(Method::POST, &path, None, Body::Json(&body)).await?;
    match walk.latest().await? {
        latest if latest == before => Ok(answer),
        latest => Err(Stop::deviates(format!("{before} stays"), latest.to_string())),
    }
}

async fn missing(walk: &mut Walk) -> Result<(), Stop> {
    executed(&ignored(walk, "").await?)
}

async fn not_a_number(walk: &mut Walk) -> Result<(), Stop> {
    executed(&ignored(walk, "?latest=now").await?)
}

async fn minus_one(walk: &mut Walk) -> Result<(), Stop> {
    executed(&ignored(walk, "?latest=-1").await?)
}

fn executed(answer: &Answer) -> Result<(), Stop> {
    acknowledged(answer, "").map_err(|_| Stop::deviates("204", answer.seen()))
}

async fn backwards(walk: &mut Walk) -> Result<(), Stop> {
    let ann = walk.user("ann").await?;
    acknowledged(&walk.tweet(&ann, "forwards").await?, "a message")?;
    let path = messages_path(&ann);
    acknowledged(&walk.post_as(17, &path, &json!({"content": "back"})).await?, "a message")?;
    recorded(walk, 17, "a smaller one").await
}

async fn beyond_32_bits(walk: &mut Walk) -> Result<(), Stop> {
    let end = holds(walk, (1 << 31) + 17).await;
    if let Err(Stop::Deviates(_)) = end {
        walk.seen.latest_bits = 32;
    }
    end.map_err(|stop| stop.waiver(Waiver::LatestBits32))
}

async fn all_64_bits(walk: &mut Walk) -> Result<(), Stop> {
    if walk.seen.latest_bits == 32 {
        return Err(Stop::Skipped("latest holds 32 bits only".to_owned()));
    }
    // A number that a double does not hold, and the greatest there is.
    for id in [(1 << 53) + 1, i64::MAX, -17] {
        holds(walk, id).await?;
    }
    Ok(())
}

/// Fails unless `latest` takes the value `id`.
async fn holds(walk: &mut Walk, id: i64) -> Result<(), Stop> {
    let ann = walk.user("ann").await?;
    let path = messages_path(&ann);
    // A server that keeps the greatest id could not be brought back from a large one.
    acknowledged(&walk.post_as(18, &path, &json!({"content": "small"})).await?, "a message")?;
    if walk.latest_when(18).await? != 18 {
        return Err(Stop::Skipped("latest does not go back".to_owned()));
    }
    let answer = walk.post_as(id, &path, &json!({"content": "large"})).await?;
    match recorded(walk, id, "it was sent").await {
        Ok(()) => Ok(()),
        Err(_) if !answer.is_success() => Err(Stop::deviates(id.to_string(), answer.seen())),
        Err(stop) => Err(stop),
    }
}
