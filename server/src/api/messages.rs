//! `/msgs`: what people wrote.

use super::{
    body::{Body, UserName, no_nul},
    command::CommandId,
    query,
    register::CommandParams,
    simulator::Simulator,
};
use crate::{
    app::App,
    error::{ApiError, BodyRefused, ErrorBody, Failure},
    store::{Entry, Message, Outcome, Write},
};
use axum::{
    Json,
    extract::{RawQuery, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use std::time::{SystemTime, UNIX_EPOCH};
use utoipa::{IntoParams, ToSchema};

/// The parameters of a read.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ReadParams {
    /// How many rows at most: 100 where it is missing or not a number, all where it is -1.
    #[allow(dead_code, reason = "read from the raw query; named here for the OpenAPI document")]
    #[param(example = "30")]
    no: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct MessageBody {
    /// The message.
    content: String,
    /// When it was posted, in whole seconds since the Unix epoch.
    pub_date: i64,
    /// The author's name.
    user: String,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct NewMessage {
    /// The message.
    #[schema(pattern = "^[^\\x00]*$")]
    content: String,
}

/// Everybody's messages, newest first.
#[utoipa::path(
    get,
    path = "/msgs",
    tag = "simulator",
    params(ReadParams, CommandParams),
    responses(
        (status = OK, body = Vec<MessageBody>),
        (status = FORBIDDEN, body = ErrorBody),
        Failure,
    ),
    security(("simulator" = [])),
)]
pub(super) async fn everybodys(
    State(app): State<App>,
    _: Simulator,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<MessageBody>>, ApiError> {
    Ok(shown(app.store.messages(query::limit(query.as_deref())).await?))
}

/// One user's messages, newest first.
#[utoipa::path(
    get,
    path = "/msgs/{username}",
    tag = "simulator",
    params(("username" = String, Path, pattern = "^[^\\x00]+$"), ReadParams, CommandParams),
    responses(
        (status = OK, body = Vec<MessageBody>),
        (status = BAD_REQUEST, body = ErrorBody, description = "The name is not UTF-8, or holds a NUL."),
        (status = FORBIDDEN, body = ErrorBody),
        (status = NOT_FOUND, body = ErrorBody),
        Failure,
    ),
    security(("simulator" = [])),
)]
pub(super) async fn of_user(
    State(app): State<App>,
    _: Simulator,
    UserName(author): UserName,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<MessageBody>>, ApiError> {
    let limit = query::limit(query.as_deref());
    let messages = app.store.messages_by(&author, limit).await?;
    messages.map(shown).ok_or_else(ApiError::unknown_user)
}

/// Posts a message.
#[utoipa::path(
    post,
    path = "/msgs/{username}",
    tag = "simulator",
    params(("username" = String, Path, pattern = "^[^\\x00]+$"), CommandParams),
    request_body = NewMessage,
    responses(
        (status = NO_CONTENT, description = "The message is stored."),
        (status = BAD_REQUEST, body = ErrorBody),
        (status = FORBIDDEN, body = ErrorBody),
        (status = NOT_FOUND, body = ErrorBody),
        BodyRefused,
        Failure,
    ),
    security(("simulator" = [])),
)]
pub(super) async fn post(
    State(app): State<App>,
    _: Simulator,
    command: CommandId,
    UserName(author): UserName,
    Body(NewMessage { content: text }): Body<NewMessage>,
) -> Result<StatusCode, ApiError> {
    no_nul("content", &text)?;
    let write = Write::Tweet { author, text, pub_date: epoch_seconds() };
    match app.commits.submit(Entry { latest: command.take(), write: Some(write) }).await? {
        Outcome::Done => Ok(StatusCode::NO_CONTENT),
        Outcome::UnknownUser | Outcome::NameTaken => Err(ApiError::unknown_user()),
    }
}

fn shown(messages: Vec<Message>) -> Json<Vec<MessageBody>> {
    let shown =
        |Message { author, text, pub_date }| MessageBody { content: text, pub_date, user: author };
    Json(messages.into_iter().map(shown).collect())
}

/// Now; a clock before 1970 reads as 1970.
pub(crate) fn epoch_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
