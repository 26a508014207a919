//! The protocol's HTTP: where it lives, methods, bodies, and the bytes after a 204.

use super::super::case::{Case, Stop, cases};
use super::super::client::{Answer, Body, excerpt};
use super::super::raw;
use super::super::waiver::Waiver;
use super::super::walk::{Walk, follows_path, messages_path};
use super::must_just_be;
use reqwest::Method;
use serde_json::json;

/// What first contact showed.
pub(super) const FIRST: &[Case] = cases![
    "http.prefix", Warning, prefix,
    "the API begins at the base URL",
    "every request needs the prefix";
];

pub(super) const CASES: &[Case] = cases![
    "http.empty-204", Warning, empty_204,
    "nothing follows the head of a 204",
    "a kept-alive connection is corrupt after it: it must be closed";
    "http.json-type", Note, json_type,
    "answers with a body are application/json",
    "none: bodies are read as JSON whatever they are called";
    "http.wrong-method", Note, wrong_method,
    "a method that a path does not have answers 405",
    "none: no client sends one";
    "http.trailing-slash", Note, trailing_slash,
    "a slash at the end is another path: 404",
    "none: no client sends one";
    "http.bad-json", Warning, bad_json,
    "a body that is not JSON answers 400",
    "a refused command is not told from a failed one";
    "http.missing-key", Warning, missing_key,
    "a body without the key that is needed answers 400",
    "a refused command is not told from a failed one";
    "http.content-type", Note, content_type,
    "a body that is not application/json answers 415",
    "none: clients send the right one";
];

async fn prefix(walk: &mut Walk) -> Result<(), Stop> {
    if walk.seen.prefix.is_empty() {
        return Ok(());
    }
    let found = match walk.given_prefix == walk.seen.prefix {
        true => "as it was given",
        false => "found by trying",
    };
    let stop = Stop::deviates("no prefix", format!("{} ({found})", walk.seen.prefix));
    Err(stop.waiver(Waiver::Prefix(walk.seen.prefix.clone())))
}

async fn empty_204(walk: &mut Walk) -> Result<(), Stop> {
    let ann = walk.user("ann").await?;
    let id = walk.id();
    let path = walk.seen.path(&format!("{}?latest={id}", messages_path(&ann)));
    let body = json!({"content": "what follows?"}).to_string();
    let (base, authorization) = (walk.client.base(), walk.client.authorization());
    let bare = raw::post(base, &path, authorization, &body, walk.timeout).await?;
    if bare.status != 204 {
        return Err(Stop::Skipped(format!("a message answers {}", bare.status)));
    }
    if bare.rest.is_empty() {
        return Ok(());
    }
    let rest = excerpt(&String::from_utf8_lossy(&bare.rest), 40);
    let stop = Stop::deviates("nothing", format!("{} bytes: {rest}", bare.rest.len()));
    Err(stop.waiver(Waiver::BodyOn204))
}

async fn json_type(walk: &mut Walk) -> Result<(), Stop> {
    let path = walk.read_path("/msgs", Some("1"));
    let kind = walk.get(&path).await?.content_type.unwrap_or_default();
    match kind.to_ascii_lowercase().starts_with("application/json") {
        true => Ok(()),
        false => Err(Stop::deviates("application/json", format!("\"{}\"", excerpt(&kind, 40)))),
    }
}

async fn wrong_method(walk: &mut Walk) -> Result<(), Stop> {
    let answer = walk.send(Method::DELETE, "/msgs", None, Body::None).await?;
    must_just_be(&answer, 405)
}

async fn trailing_slash(walk: &mut Walk) -> Result<(), Stop> {
    must_just_be(&walk.get("/latest/").await?, 404)
}

/// Posts a body as it stands.
async fn post_raw(walk: &mut Walk, kind: &str, text: &str) -> Result<Answer, Stop> {
    let ann = walk.user("ann").await?;
    let path = format!("{}?latest={}", messages_path(&ann), walk.id());
    walk.send(Method::POST, &path, None, Body::Raw(kind, text)).await
}

async fn bad_json(walk: &mut Walk) -> Result<(), Stop> {
    must_just_be(&post_raw(walk, "application/json", "{\"content\": ").await?, 400)
}

async fn missing_key(walk: &mut Walk) -> Result<(), Stop> {
    let ann = walk.user("ann").await?;
    let empty = json!({});
    for path in [messages_path(&ann), follows_path(&ann), "/register".to_owned()] {
        let answer = walk.post(&path, &empty).await?;
        must_just_be(&answer, 400)?;
    }
    Ok(())
}

async fn content_type(walk: &mut Walk) -> Result<(), Stop> {
    must_just_be(&post_raw(walk, "text/plain", "{\"content\": \"as text\"}").await?, 415)
}
