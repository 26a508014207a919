//! Answers that are errors: `{"status":404,"error_msg":"..."}`, as the simulator's clients know it.

use crate::{commit::SubmitError, passwords::HashError, store::StoreError};
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::borrow::Cow;
use utoipa::{IntoResponses, ToSchema};

/// Seconds after which a client that was refused for overload may come again.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// The HTTP status again.
    #[schema(example = 403)]
    status: u16,
    /// What was wrong.
    #[schema(example = "You are not authorized to use this resource!")]
    error_msg: Cow<'static, str>,
}

/// What any request that comes to the database may be answered, for the OpenAPI document.
#[derive(IntoResponses)]
#[allow(dead_code, reason = "named here for the OpenAPI document")]
pub(crate) enum Failure {
    /// The database failed; of a write it may not be known whether it was stored.
    #[response(status = 500)]
    Failed(ErrorBody),
    /// Too much is waiting; nothing was stored. Retry-After says when to come again.
    #[response(status = 503)]
    Overloaded(ErrorBody),
}

/// What a request with a body may be answered, for the OpenAPI document.
#[derive(IntoResponses)]
#[allow(dead_code, reason = "named here for the OpenAPI document")]
pub(crate) enum BodyRefused {
    /// The body did not arrive in time.
    #[response(status = 408)]
    TooSlow(ErrorBody),
    /// The body is too long.
    #[response(status = 413)]
    TooLong(ErrorBody),
    /// The body is said to be of a type that is not taken here.
    #[response(status = 415)]
    NotJson(ErrorBody),
}

/// An error that a client is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    status: StatusCode,
    message: Cow<'static, str>,
}

impl ApiError {
    /// An error with this status and text.
    pub(crate) fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, message: message.into() }
    }

    /// 400.
    pub(crate) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// What was wrong, in a sentence for the client.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// 404 for a user that does not exist.
    pub(crate) fn unknown_user() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is no such user")
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status;
        let body = ErrorBody { status: status.as_u16(), error_msg: self.message };
        with_retry_after((status, Json(body)).into_response())
    }
}

/// Tells the client of a 503 when to come again.
pub(crate) fn with_retry_after(mut response: Response) -> Response {
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
    }
    response
}

impl From<SubmitError> for ApiError {
    fn from(error: SubmitError) -> Self {
        let status = match error {
            SubmitError::Unstorable(_) => StatusCode::BAD_REQUEST,
            SubmitError::Overloaded | SubmitError::Closed | SubmitError::Unreachable => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            SubmitError::RolledBack | SubmitError::Unknown | SubmitError::Unnamed => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        Self::new(status, error.to_string())
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        // The database's own words stay in the log: they may hold more than a client should see.
        tracing::error!(%error, "a read failed");
        if error.is_unreachable() {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return Self::new(status, "the database cannot be reached");
        }
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the database could not be read")
    }
}

impl From<HashError> for ApiError {
    fn from(error: HashError) -> Self {
        let status = match error {
            HashError::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            HashError::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string())
    }
}
