//! The addresses of users: `/{user}`, as MiniTwit has it.
//!
//! A name may be anything, also `login` or `..`, and then `/login` is another page and no browser
//! sends `/..`. Such a user is at `/user?name=login`, and every link leads there.

use super::{form::value, html::PageError};
use crate::{api::body::no_nul, error::ApiError};
use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The pages of a user by the name in the path.
pub(super) const BY_PATH: &str = "/{user}";
/// The pages of a user by the name in the query.
pub(super) const BY_QUERY: &str = "/user";

/// First segments of other pages, and what a browser takes out of a path.
const TAKEN: [&str; 18] = [
    ".",
    "..",
    "add_message",
    "api-doc",
    "docs",
    "fllws",
    "healthz",
    "latest",
    "login",
    "logout",
    "metrics",
    "msgs",
    "public",
    "readyz",
    "register",
    "static",
    "user",
    "favicon.ico",
];

const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The address of the user's timeline.
pub(super) fn timeline_of(name: &str) -> String {
    address(name, "")
}

/// The address at which the user is followed.
pub(super) fn follow(name: &str) -> String {
    address(name, "/follow")
}

/// The address at which the user is followed no longer.
pub(super) fn unfollow(name: &str) -> String {
    address(name, "/unfollow")
}

fn address(name: &str, page: &str) -> String {
    let encoded = utf8_percent_encode(name, ENCODED);
    if TAKEN.contains(&name) {
        format!("{BY_QUERY}{page}?name={encoded}")
    } else {
        format!("/{encoded}{page}")
    }
}

/// The user whom the address names; 400 where that is not UTF-8 or holds a NUL.
pub(super) struct Named(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, PageError> {
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::bad_request("the user name in the path is not UTF-8"))?;
        let in_path = params.iter().next().map(|(_, name)| name.to_owned());
        let query = parts.uri.query().unwrap_or_default();
        let name = in_path.or_else(|| value(query.as_bytes(), "name")).unwrap_or_default();
        no_nul("user name", &name)?;
        Ok(Self(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_an_address() {
        for (name, expected) in [
            ("Ann", "/Ann/follow"),
            ("Roger Histand", "/Roger%20Histand/follow"),
            ("a/b?c#d%", "/a%2Fb%3Fc%23d%25/follow"),
            ("æ", "/%C3%A6/follow"),
            ("...", "/.../follow"),
            ("Login", "/Login/follow"),
            ("login", "/user/follow?name=login"),
            ("..", "/user/follow?name=.."),
        ] {
            assert_eq!(follow(name), expected);
        }
        assert_eq!(timeline_of("user"), "/user?name=user");
        assert_eq!(unfollow("+"), "/%2B/unfollow");
    }
}
