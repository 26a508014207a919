//! `POST /register`: a new user.

use super::{
    body::{Body, no_nul},
    command::CommandId,
};
use crate::{
    app::App,
    error::{ApiError, BodyRefused, ErrorBody, Failure},
    store::{Entry, Outcome, Write},
};
use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// The parameter that every command may carry.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CommandParams {
    /// The command's id, which `GET /latest` then returns, whatever comes of the request.
    /// Anything but a whole number of 64 bits is ignored, and so is -1.
    #[allow(dead_code, reason = "read from the raw query; named here for the OpenAPI document")]
    #[param(example = "4711")]
    latest: Option<String>,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct Registration {
    /// The name; names are case-sensitive.
    #[schema(required, value_type = String, pattern = "^[^\\x00]+$", example = "Roger Histand")]
    #[serde(default)]
    pub(crate) username: Option<String>,
    /// The e-mail address; it must contain an `@`.
    #[schema(required, value_type = String, pattern = "^[^\\x00]*@[^\\x00]*$",
        example = "Roger+Histand@hotmail.com")]
    #[serde(default)]
    pub(crate) email: Option<String>,
    /// The password, in clear.
    #[schema(required, value_type = String, min_length = 1, example = "FV9pD4LzKQ")]
    #[serde(default)]
    pub(crate) pwd: Option<String>,
}

/// Registers a user. No authorization is asked for.
#[utoipa::path(
    post,
    path = "/register",
    tag = "simulator",
    params(CommandParams),
    request_body = Registration,
    responses(
        (status = NO_CONTENT, description = "The user is registered."),
        (status = BAD_REQUEST, body = ErrorBody,
            description = "A field is missing or invalid, or the name is taken."),
        BodyRefused,
        Failure,
    ),
)]
pub(super) async fn register(
    State(app): State<App>,
    command: CommandId,
    Body(registration): Body<Registration>,
) -> Result<StatusCode, ApiError> {
    create(&app, &command, check(registration)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A user who may be registered, if nobody has the name yet.
pub(crate) struct Account {
    username: String,
    email: String,
    password: String,
}

/// Registers the user; 400 where the name is taken.
pub(crate) async fn create(
    app: &App,
    command: &CommandId,
    Account { username, email, password }: Account,
) -> Result<(), ApiError> {
    // Hashing is dear: a name that is taken already is refused before it.
    if app.store.user_exists(&username).await? {
        return Err(name_taken());
    }
    let password_hash = app.passwords.hash(password).await?;
    let write = Write::Register { username, email, password_hash };
    match app.commits.submit(Entry { latest: command.take(), write: Some(write) }).await? {
        Outcome::Done => Ok(()),
        // Taken by another while this one's password was being hashed.
        Outcome::NameTaken | Outcome::UnknownUser => Err(name_taken()),
    }
}

fn name_taken() -> ApiError {
    ApiError::bad_request("The username is already taken")
}

/// The first thing that is wrong, in the order in which the original server looks.
pub(crate) fn check(registration: Registration) -> Result<Account, ApiError> {
    let Registration { username, email, pwd } = registration;
    let username = username
        .filter(|name| !name.is_empty())
        .ok_or_else(|| ApiError::bad_request("You have to enter a username"))?;
    let email = email
        .filter(|email| email.contains('@'))
        .ok_or_else(|| ApiError::bad_request("You have to enter a valid email address"))?;
    let password = pwd
        .filter(|password| !password.is_empty())
        .ok_or_else(|| ApiError::bad_request("You have to enter a password"))?;
    no_nul("username", &username)?;
    no_nul("email address", &email)?;
    Ok(Account { username, email, password })
}
