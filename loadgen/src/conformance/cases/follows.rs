//! `/fllws/{user}`: edges made, listed and taken away.

use super::super::case::{Case, Stop, cases};
use super::super::waiver::{Key, Waiver};
use super::super::walk::{Walk, acknowledged, follows_path, learn_key};
use super::must_be;
use limosa_reports::run::operation::Operation;
use serde_json::{Value, json};

pub(super) const CASES: &[Case] = cases![
    "follow.success", Error, success,
    "POST /fllws/{user} with follow answers 204",
    "the simulator counts every follow as an error";
    "follows.status", Warning, status,
    "GET /fllws/{user} answers 200",
    "the read-back must know the status";
    "follows.keys", Warning, keys,
    "the answer is {\"follows\":[names]}",
    "the read-back must know the key";
    "follow.listed", Error, listed,
    "a follow that was acknowledged is listed",
    "the audit reports every follow as LOST";
    "follows.direction", Error, direction,
    "GET /fllws/{user} lists whom the user follows, not the followers",
    "the audit reports every edge as LOST and a foreign one";
    "follow.duplicate", Warning, duplicate,
    "a follow that is repeated is 204 and leaves one edge",
    "edges are listed twice, and an unfollow may leave one";
    "follow.wins", Note, wins,
    "of follow and unfollow in one body, follow wins",
    "none: no trace holds both";
    "unfollow.success", Error, unfollow,
    "POST /fllws/{user} with unfollow answers 204",
    "the simulator counts every unfollow as an error";
    "unfollow.removes", Error, removes,
    "an unfollow that was acknowledged removes the edge",
    "the audit reports edges as foreign";
    "unfollow.no-edge", Warning, no_edge,
    "an unfollow of no edge answers 204",
    "the simulator counts it as an error";
    "follows.no", Note, no,
    "no=1 answers one name",
    "none: the read-back asks for all";
    "follows.unknown-user", Warning, unknown_user,
    "GET /fllws/{user} answers 404 for an unknown user",
    "the audit must tell a missing user from a failed read";
    "follow.unknown-who", Warning, unknown_who,
    "POST /fllws/{user} answers 404 for an unknown user",
    "a refused follow is not told from a failed one";
    "follow.unknown-whom", Warning, unknown_whom,
    "a follow of an unknown user answers 404",
    "a refused follow is not told from a failed one";
    "unfollow.unknown-whom", Warning, unfollow_unknown,
    "an unfollow of an unknown user answers 404",
    "a refused unfollow is not told from a failed one";
];

/// Ann and Bob.
async fn pair(walk: &mut Walk) -> Result<(String, String), Stop> {
    Ok((walk.user("ann").await?, walk.user("bob").await?))
}

async fn success(walk: &mut Walk) -> Result<(), Stop> {
    let (ann, bob) = pair(walk).await?;
    let answer = walk.edge(&ann, "follow", &bob).await?;
    must_be(&answer, 204, |status| Waiver::Success(Operation::Follow, status))
}

async fn status(walk: &mut Walk) -> Result<(), Stop> {
    let (ann, _) = pair(walk).await?;
    let path = walk.read_path(&follows_path(&ann), Some("100"));
    let answer = walk.get(&path).await?;
    must_be(&answer, 200, |status| Waiver::Success(Operation::Follows, status))
}

async fn keys(walk: &mut Walk) -> Result<(), Stop> {
    let (ann, _) = pair(walk).await?;
    let path = walk.read_path(&follows_path(&ann), Some("100"));
    let answer = walk.get(&path).await?;
    let stop = Stop::deviates("{\"follows\":[names]}", answer.seen());
    let Some(Value::Object(object)) = answer.json() else {
        return Err(stop);
    };
    let mut lists = object.iter().filter(|(_, value)| value.is_array());
    let key = match object.get("follows") {
        Some(Value::Array(_)) => "follows",
        _ => match (lists.next(), lists.next()) {
            (Some((key, _)), None) => key,
            _ => return Err(stop),
        },
    };
    match learn_key(walk, Key::Follows, key) {
        Some(waiver) => Err(stop.waiver(waiver)),
        None => Ok(()),
    }
}

/// Makes sure that `who` follows `whom`, and skips the case where the target drops follows.
async fn following(walk: &mut Walk, who: &str, whom: &str) -> Result<(), Stop> {
    if walk.lists_follows {
        acknowledged(&walk.edge(who, "follow", whom).await?, "a follow")?;
        let names = walk.follows_when(who, |names| names.iter().any(|name| name == whom)).await?;
        if names.iter().any(|name| name == whom) {
            return Ok(());
        }
    }
    Err(Stop::Skipped("needs a follow that is listed".to_owned()))
}

async fn listed(walk: &mut Walk) -> Result<(), Stop> {
    let (ann, bob) = pair(walk).await?;
    let answer = walk.edge(&ann, "follow", &bob).await?;
    acknowledged(&answer, "a follow")?;
    let names = walk.follows_when(&ann, |names| names.contains(&bob)).await?;
    walk.lists_follows = names.contains(&bob);
    match walk.lists_follows {
        true => Ok(()),
        false => Err(Stop::deviates(bob, format!("{names:?} after {}", answer.status))),
    }
}

async fn direction(walk: &mut Walk) -> Result<(), Stop> {
    let (ann, bob) = pair(walk).await?;
    following(walk, &ann, &bob).await?;
    match walk.follows(&bob).await? {
        names if names.is_empty() => Ok(()),
        names => Err(Stop::deviates("[] for the one who is followed", format!("{names:?}"))),
    }
}

async fn duplicate(walk: &mut Walk) -> Result<(), Stop> {
    let ann = walk.user("ann").await?;
    let twice = walk.user("twice").await?;
    following(walk, &ann, &twice).await?;
    let answer = walk.edge(&ann, "follow", &twice).await?;
    acknowledged(&answer, "").map_err(|_| Stop::deviates("204", answer.seen()))?;
    let names = walk.follows(&ann).await?;
    match names.iter().filter(|name| **name == twice).count() {
        1 => Ok(()),
        times => {
            let stop = Stop::deviates("listed once", format!("listed {times} times"));
            Err(stop.waiver(Waiver::DuplicateEdges))
        }
    }
}

async fn wins(walk: &mut Walk) -> Result<(), Stop> {
    let (ann, bob) = pair(walk).await?;
    following(walk, &ann, &bob).await?;
    let cid = walk.user("cid").await?;
    let both = json!({"follow": cid, "unfollow": bob});
    acknowledged(&walk.post(&follows_path(&ann), &both).await?, "a body with both")?;
    let as_said = |names: &[String]| names.contains(&bob) && names.contains(&cid);
    let names = walk.follows_when(&ann, as_said).await?;
    match as_said(&names) {
        true => Ok(()),
        false => Err(Stop::deviates("followed, nothing unfollowed", format!("{names:?}"))),
    }
}

async fn unfollow(walk: &mut Walk) -> Result<(), Stop> {
    let (ann, bob) = pair(walk).await?;
    acknowledged(&walk.edge(&ann, "follow", &bob).await?, "a follow")?;
    let answer = walk.edge(&ann, "unfollow", &bob).await?;
    must_be(&answer, 204, |status| Waiver::Success(Operation::Unfollow, status))
}

async fn removes(walk: &mut Walk) -> Result<(), Stop> {
    let who = walk.user("bob").await?;
    let whom = walk.user("ann").await?;
    following(walk, &who, &whom).await?;
    acknowledged(&walk.edge(&who, "unfollow", &whom).await?, "an unfollow")?;
    let names = walk.follows_when(&who, |names| !names.contains(&whom)).await?;
    match names.contains(&whom) {
        false => Ok(()),
        true => Err(Stop::deviates("no edge", format!("{names:?}"))),
    }
}

async fn no_edge(walk: &mut Walk) -> Result<(), Stop> {
    let who = walk.user("loner").await?;
    let ann = walk.user("ann").await?;
    let answer = walk.edge(&who, "unfollow", &ann).await?;
    acknowledged(&answer, "").map_err(|_| Stop::deviates("204", answer.seen()))
}

async fn no(walk: &mut Walk) -> Result<(), Stop> {
    let who = walk.user("loner").await?;
    for stem in ["ann", "bob"] {
        let whom = walk.user(stem).await?;
        following(walk, &who, &whom).await?;
    }
    let path = walk.read_path(&follows_path(&who), Some("1"));
    let answer = walk.get(&path).await?;
    match answer.json().and_then(|json| walk.seen.parse_follows(&json)) {
        Some(names) if names.len() == 1 => Ok(()),
        _ => Err(Stop::deviates("one name", answer.seen())),
    }
}

async fn unknown_user(walk: &mut Walk) -> Result<(), Stop> {
    let nobody = walk.name("unknown");
    let path = walk.read_path(&follows_path(&nobody), Some("100"));
    let answer = walk.get(&path).await?;
    must_be(&answer, 404, Waiver::UnknownUser)
}

async fn unknown_who(walk: &mut Walk) -> Result<(), Stop> {
    let nobody = walk.name("unknown");
    let ann = walk.user("ann").await?;
    must_be(&walk.edge(&nobody, "follow", &ann).await?, 404, Waiver::UnknownUser)
}

async fn unknown_whom(walk: &mut Walk) -> Result<(), Stop> {
    let nobody = walk.name("unknown");
    let ann = walk.user("ann").await?;
    must_be(&walk.edge(&ann, "follow", &nobody).await?, 404, Waiver::UnknownUser)
}

async fn unfollow_unknown(walk: &mut Walk) -> Result<(), Stop> {
    let nobody = walk.name("unknown");
    let ann = walk.user("ann").await?;
    must_be(&walk.edge(&ann, "unfollow", &nobody).await?, 404, Waiver::UnknownUser)
}
