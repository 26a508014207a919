//! `/fllws`: who follows whom.

use super::{
    body::{Body, UserName, no_nul},
    command::CommandId,
    messages::ReadParams,
    query,
    register::CommandParams,
    simulator::Simulator,
};
use crate::{
    app::App,
    error::{ApiError, BodyRefused, ErrorBody, Failure},
    store::{Entry, Outcome, Write},
};
use axum::{
    Json,
    extract::{RawQuery, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type, schema::AnyOfBuilder},
};

#[derive(Serialize, ToSchema)]
pub(super) struct FollowsBody {
    /// The names of those whom the user follows.
    follows: Vec<String>,
}

/// One of the two; where both are given, `follow` wins.
#[derive(Deserialize)]
pub(super) struct Change {
    /// The user to be followed.
    #[serde(default)]
    follow: Option<String>,
    /// The user to be followed no longer.
    #[serde(default)]
    unfollow: Option<String>,
}

impl PartialSchema for Change {
    /// An object that has at least one of the two, which cannot be derived.
    fn schema() -> RefOr<Schema> {
        let with = |field: &str| {
            let name = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[^\\x00]*$"));
            ObjectBuilder::new().property(field, name).required(field).build()
        };
        AnyOfBuilder::new()
            .description(Some("One of the two; where both are given, `follow` wins."))
            .item(with("follow"))
            .item(with("unfollow"))
            .into()
    }
}

impl ToSchema for Change {}

/// Whom the user follows.
#[utoipa::path(
    get,
    path = "/fllws/{username}",
    tag = "simulator",
    params(("username" = String, Path, pattern = "^[^\\x00]+$"), ReadParams, CommandParams),
    responses(
        (status = OK, body = FollowsBody),
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
    UserName(who): UserName,
    RawQuery(query): RawQuery,
) -> Result<Json<FollowsBody>, ApiError> {
    let limit = query::limit(query.as_deref());
    let follows = app.store.followed_by(&who, limit).await?;
    follows.map(|follows| Json(FollowsBody { follows })).ok_or_else(ApiError::unknown_user)
}

/// Follows a user, or follows them no longer. Either may be repeated without harm.
#[utoipa::path(
    post,
    path = "/fllws/{username}",
    tag = "simulator",
    params(("username" = String, Path, pattern = "^[^\\x00]+$"), CommandParams),
    request_body = Change,
    responses(
        (status = NO_CONTENT, description = "It is so now."),
        (status = BAD_REQUEST, body = ErrorBody),
        (status = FORBIDDEN, body = ErrorBody),
        (status = NOT_FOUND, body = ErrorBody, description = "Either user is unknown."),
        BodyRefused,
        Failure,
    ),
    security(("simulator" = [])),
)]
pub(super) async fn change(
    State(app): State<App>,
    _: Simulator,
    command: CommandId,
    UserName(who): UserName,
    Body(change): Body<Change>,
) -> Result<StatusCode, ApiError> {
    let write = match change {
        Change { follow: Some(whom), .. } => Write::Follow { who, whom },
        Change { unfollow: Some(whom), .. } => Write::Unfollow { who, whom },
        _ => {
            return Err(ApiError::bad_request("the body must name whom to follow or unfollow"));
        }
    };
    if let [_, Some(whom)] = write.needs_users() {
        no_nul("user name", whom)?;
    }
    match app.commits.submit(Entry { latest: command.take(), write: Some(write) }).await? {
        Outcome::Done => Ok(StatusCode::NO_CONTENT),
        Outcome::UnknownUser | Outcome::NameTaken => Err(ApiError::unknown_user()),
    }
}
