//! The `Authorization` header, where it is needed.

use super::super::case::{Case, Stop, cases};
use super::super::client::{Answer, Body};
use super::super::waiver::Waiver;
use super::super::walk::{Walk, follows_path, messages_path};
use super::must_be;
use reqwest::Method;
use serde_json::{Value, json};

pub(super) const CASES: &[Case] = cases![
    "auth.messages", Warning, messages,
    "GET /msgs without credentials answers 403",
    "a refusal is not told from a failure";
    "auth.user-messages", Warning, user_messages,
    "GET /msgs/{user} without credentials answers 403",
    "a refusal is not told from a failure";
    "auth.tweet", Warning, tweet,
    "POST /msgs/{user} without credentials answers 403",
    "a refusal is not told from a failure";
    "auth.follows", Warning, follows,
    "GET /fllws/{user} without credentials answers 403",
    "a refusal is not told from a failure";
    "auth.follow", Warning, follow,
    "POST /fllws/{user} without credentials answers 403",
    "a refusal is not told from a failure";
    "auth.wrong-password", Warning, wrong_password,
    "wrong credentials answer 403",
    "a refusal is not told from a failure";
    "auth.leaves-nothing", Error, leaves_nothing,
    "a message that was refused is not stored",
    "the audit finds ghosts";
    "auth.body", Note, body,
    "403 says {\"status\":403,\"error_msg\":\"You are not authorized to use this resource!\"}",
    "none: clients read the status alone";
];

/// Sends without credentials.
async fn bare(walk: &mut Walk, path: &str, body: Option<&Value>) -> Result<Answer, Stop> {
    match body {
        None => {
            let path = walk.read_path(path, Some("20"));
            walk.send(Method::GET, &path, Some(""), Body::None).await
        }
        Some(body) => {
            let path = format!("{path}?latest={}", walk.id());
            walk.send(Method::POST, &path, Some(""), Body::Json(body)).await
        }
    }
}

async fn messages(walk: &mut Walk) -> Result<(), Stop> {
    must_be(&bare(walk, "/msgs", None).await?, 403, Waiver::Unauthorized)
}

async fn user_messages(walk: &mut Walk) -> Result<(), Stop> {
    let ann = walk.user("ann").await?;
    must_be(&bare(walk, &messages_path(&ann), None).await?, 403, Waiver::Unauthorized)
}

async fn tweet(walk: &mut Walk) -> Result<(), Stop> {
    let ann = walk.user("ann").await?;
    let body = json!({"content": "without credentials"});
    must_be(&bare(walk, &messages_path(&ann), Some(&body)).await?, 403, Waiver::Unauthorized)
}

async fn follows(walk: &mut Walk) -> Result<(), Stop> {
    let ann = walk.user("ann").await?;
    must_be(&bare(walk, &follows_path(&ann), None).await?, 403, Waiver::Unauthorized)
}

async fn follow(walk: &mut Walk) -> Result<(), Stop> {
    let ann = walk.user("ann").await?;
    let body = json!({"unfollow": walk.user("bob").await?});
    must_be(&bare(walk, &follows_path(&ann), Some(&body)).await?, 403, Waiver::Unauthorized)
}

async fn wrong_password(walk: &mut Walk) -> Result<(), Stop> {
    // simulator:wrong
    let wrong = Some("Basic c2ltdWxhdG9yOndyb25n");
    let path = walk.read_path("/msgs", Some("20"));
    let answer = walk.send(Method::GET, &path, wrong, Body::None).await?;
    must_be(&answer, 403, Waiver::Unauthorized)
}

async fn leaves_nothing(walk: &mut Walk) -> Result<(), Stop> {
    let user = walk.user("guarded").await?;
    let path = messages_path(&user);
    let answer = bare(walk, &path, Some(&json!({"content": "refused"}))).await?;
    if answer.is_success() {
        return Err(Stop::Skipped("a message without credentials is accepted".to_owned()));
    }
    let stored = walk.messages(&path, "100").await?;
    match stored.is_empty() {
        true => Ok(()),
        false => Err(Stop::deviates("no message", format!("stored after {}", answer.status))),
    }
}

async fn body(walk: &mut Walk) -> Result<(), Stop> {
    const TEXT: &str = "You are not authorized to use this resource!";
    let answer = bare(walk, "/msgs", None).await?;
    if answer.is_success() {
        return Err(Stop::Skipped("no credentials are asked for".to_owned()));
    }
    let json = answer.json().unwrap_or_default();
    match json["status"] == answer.status && json["error_msg"] == TEXT {
        true => Ok(()),
        false => Err(Stop::deviates(
            format!("{{\"status\":{},\"error_msg\":\"{TEXT}\"}}", answer.status),
            answer.seen(),
        )),
    }
}
