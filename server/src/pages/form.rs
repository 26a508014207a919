//! The forms of our own pages.

use super::{html::PageError, origin};
use crate::{
    api::body::{has_type, read},
    app::App,
    error::ApiError,
};
use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode},
};

const FORM: &str = "application/x-www-form-urlencoded";

/// Whether the body is said to be a form's.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    has_type(headers, FORM)
}

/// A form: 403 from another site, 415 for another type, 413 for one too long, 408 for one too
/// slow. Every handler of a POST takes one, if only to keep other sites out.
pub(super) struct Form(Bytes);

impl Form {
    /// The field's value; empty where there is no such field.
    pub(super) fn field(&self, name: &str) -> String {
        value(&self.0, name).unwrap_or_default()
    }
}

/// The first value of that name in a form or in a query.
pub(super) fn value(encoded: &[u8], name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(encoded);
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

impl FromRequest<App> for Form {
    type Rejection = PageError;

    async fn from_request(request: Request, app: &App) -> Result<Self, PageError> {
        if origin::is_foreign(request.headers()) {
            let refusal = "this form was sent from a page of another site";
            return Err(ApiError::new(StatusCode::FORBIDDEN, refusal).into());
        }
        if !is_form(request.headers()) {
            let refusal =
                "the body must be sent with Content-Type: application/x-www-form-urlencoded";
            return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, refusal).into());
        }
        Ok(Self(read(request, app).await?))
    }
}
