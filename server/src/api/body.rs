//! JSON bodies and path segments, refused with a status and a text that say why.

use crate::{app::App, error::ApiError};
use axum::{
    body::{Bytes, HttpBody as _, to_bytes},
    extract::{FromRequest, FromRequestParts, Path, Request},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE, request::Parts},
};
use serde::de::DeserializeOwned;

/// A JSON body: 415 for another type, 413 for one too long, 408 for one too slow, 400 for one
/// that does not fit.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the body must be sent with Content-Type: application/json",
            ));
        }
        let bytes = read(request, app).await?;
        serde_json::from_slice(&bytes)
            .map(Body)
            .map_err(|error| ApiError::bad_request(format!("the body cannot be read: {error}")))
    }
}

/// The whole body: 413 for one too long, 408 for one too slow, 400 for one that breaks off.
pub(crate) async fn read(request: Request, app: &App) -> Result<Bytes, ApiError> {
    let limit = app.config.max_body;
    // Before any of it is read: a client that expects `100 Continue` then sends nothing.
    if request.body().size_hint().lower() > limit as u64 {
        return Err(too_long(limit));
    }
    let reading = to_bytes(request.into_body(), limit);
    tokio::time::timeout(app.config.body_timeout, reading)
        .await
        .map_err(|_late| {
            ApiError::new(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time")
        })?
        .map_err(|error| broken_off(&error, limit))
}

fn is_json(headers: &HeaderMap) -> bool {
    has_type(headers, "application/json")
}

/// Whether the body is said to be of this media type, whatever its parameters.
pub(crate) fn has_type(headers: &HeaderMap, wanted: &str) -> bool {
    let Some(Ok(value)) = headers.get(CONTENT_TYPE).map(|value| value.to_str()) else {
        return false;
    };
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted)
}

fn too_long(limit: usize) -> ApiError {
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is longer than {limit} bytes"))
}

fn broken_off(error: &axum::Error, limit: usize) -> ApiError {
    let is_too_long = std::error::Error::source(error)
        .is_some_and(|source| source.is::<http_body_util::LengthLimitError>());
    if is_too_long { too_long(limit) } else { ApiError::bad_request("the body broke off") }
}

/// The user name in the path, percent-decoded; a plus is a plus. 400 where it is not UTF-8.
pub(super) struct UserName(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for UserName {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(name) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::bad_request("the user name in the path is not UTF-8"))?;
        no_nul("user name", &name)?;
        Ok(Self(name))
    }
}

/// Refuses U+0000: PostgreSQL cannot store it in a text, so no store may.
pub(crate) fn no_nul(what: &str, text: &str) -> Result<(), ApiError> {
    if text.contains('\0') {
        return Err(ApiError::bad_request(format!("the {what} must not contain a NUL character")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_known_by_its_media_type() {
        let judged =
            |value: &str| is_json(&HeaderMap::from_iter([(CONTENT_TYPE, value.parse().unwrap())]));
        assert!(judged("application/json"));
        assert!(judged("Application/JSON; charset=utf-8"));
        assert!(!judged("text/plain"));
        assert!(!judged("application/jsonp"));
        assert!(!is_json(&HeaderMap::new()));
    }
}
