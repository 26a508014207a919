//! The rules, one file per part of the API, in the order in which they are tried: what a later
//! case needs to know of the target, an earlier one has learned.

mod auth;
mod follows;
mod http;
mod latest;
mod messages;
mod names;
mod register;
mod tweets;

use super::case::{Case, Stop};
use super::client::Answer;
use super::waiver::Waiver;

/// Every case, in order.
pub(super) fn all() -> impl Iterator<Item = &'static Case> {
    [
        http::FIRST,
        latest::SHAPE,
        register::CASES,
        tweets::CASES,
        messages::CASES,
        follows::CASES,
        names::CASES,
        auth::CASES,
        http::CASES,
        latest::CASES,
    ]
    .into_iter()
    .flatten()
}

/// Fails unless the answer has `status`. A deviation is waived by `waiver` where a client can tell
/// the answer that was got from the opposite one: a refusal that looks like success has none.
fn must_be(answer: &Answer, status: u16, waiver: impl FnOnce(u16) -> Waiver) -> Result<(), Stop> {
    if answer.status == status {
        return Ok(());
    }
    let stop = Stop::deviates(status.to_string(), answer.seen());
    match (status < 300) == answer.is_success() {
        true => Err(stop.waiver(waiver(answer.status))),
        false => Err(stop),
    }
}

/// Fails unless the answer has `status`; no setting describes another one.
fn must_just_be(answer: &Answer, status: u16) -> Result<(), Stop> {
    match answer.status == status {
        true => Ok(()),
        false => Err(Stop::deviates(status.to_string(), answer.seen())),
    }
}
