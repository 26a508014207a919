//! What surrounds every page: its top, its headers, its escaping; and the page of an error.

use super::{origin, session::Session};
use crate::error::{ApiError, with_retry_after};
use askama::{Template, filters::Escaper};
use axum::{
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::{IntoResponse, Response},
};
use std::fmt;

/// No script at all, nothing from elsewhere, no frame around us, forms to ourselves alone.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
     frame-ancestors 'none'; base-uri 'none'",
);

/// What stands above the page's own content.
pub(super) struct Top {
    pub(super) visitor: Visitor,
    /// The address of this page, if it is one of those that the top leads to.
    pub(super) here: &'static str,
    pub(super) flashes: Vec<String>,
}

/// For whom a page is made.
pub(super) enum Visitor {
    /// Nobody who is logged in.
    Stranger,
    /// A user.
    User(String),
    /// That was not asked.
    Unknown,
}

impl Top {
    /// The top of a page for this visitor; takes what was to be said on the next page.
    pub(super) fn new(session: &mut Session, here: &'static str) -> Self {
        let visitor = match session.user() {
            Some(user) => Visitor::User(user.to_owned()),
            None => Visitor::Stranger,
        };
        Self { visitor, here, flashes: session.take_flashes() }
    }
}

/// A page for the visitor of this session.
pub(super) fn page(session: Session, template: &impl Template) -> Response {
    (session, render(StatusCode::OK, template)).into_response()
}

/// To another page, by GET: 302, as MiniTwit answers.
pub(super) fn go_to(session: Session, address: &str) -> Response {
    (StatusCode::FOUND, session, [(LOCATION, address)]).into_response()
}

fn render(status: StatusCode, template: &impl Template) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        // It is made for one visitor, at this moment.
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    match template.render() {
        Ok(html) => (status, headers, html).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// An error as a page.
#[derive(Debug)]
pub(super) struct PageError(ApiError);

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    top: Top,
    status: StatusCode,
    message: &'a str,
}

impl PageError {
    /// 401 for what only a user may do.
    pub(super) fn stranger() -> Self {
        Self(ApiError::new(StatusCode::UNAUTHORIZED, "you have to be signed in for that"))
    }

    /// 404 for a user that does not exist.
    pub(super) fn unknown_user() -> Self {
        Self(ApiError::unknown_user())
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let (status, message) = (error.status(), error.message());
        let top = Top { visitor: Visitor::Unknown, here: "", flashes: Vec::new() };
        with_retry_after(render(status, &ErrorPage { top, status, message }))
    }
}

impl<E: Into<ApiError>> From<E> for PageError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// An error as a page for people, and as JSON for programs.
pub(crate) fn refused(headers: &HeaderMap, error: ApiError) -> Response {
    if origin::wants_html(headers) {
        PageError(error).into_response()
    } else {
        error.into_response()
    }
}

/// Writes the five characters that mean something in HTML as Jinja does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Escape;

impl Escaper for Escape {
    fn write_escaped_str<W: fmt::Write>(&self, mut to: W, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            to.write_str(&rest[..at])?;
            to.write_str(match rest.as_bytes()[at] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&#34;",
                _ => "&#39;",
            })?;
            rest = &rest[at + 1..];
        }
        to.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn escaped(text: &str) -> String {
        let mut escaped = String::new();
        Escape.write_escaped_str(&mut escaped, text).unwrap();
        escaped
    }

    #[test]
    fn what_means_something_in_html_is_written_as_jinja_does() {
        assert_eq!(
            escaped("<a b=\"c\">'&'</a>"),
            "&lt;a b=&#34;c&#34;&gt;&#39;&amp;&#39;&lt;/a&gt;"
        );
        assert_eq!(escaped("æøå & 🦀"), "æøå &amp; 🦀");
        assert_eq!(escaped(""), "");
    }

    proptest! {
        #[test]
        fn nothing_gets_through_and_nothing_gets_lost(text in "\\PC*|[&<>\"'a]*") {
            let escaped = escaped(&text);
            prop_assert!(!escaped.contains(['<', '>', '"', '\'']));
            let read = escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&#34;", "\"");
            prop_assert_eq!(read.replace("&#39;", "'").replace("&amp;", "&"), text);
        }
    }
}
