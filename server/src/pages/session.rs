//! Who is logged in, and what is to be said on the next page: in a cookie that the server signs.
//!
//! The signature is HMAC-SHA256 over the cookie's name and content, so a browser can read it and
//! cannot change it, and any replica that has the key can check it without asking anybody.

use crate::{api::messages::epoch_seconds, app::App};
use axum::{
    extract::FromRequestParts,
    http::{
        HeaderMap, HeaderValue,
        header::{COOKIE, SET_COOKIE},
        request::Parts,
    },
    response::{IntoResponseParts, ResponseParts},
};
use cookie::{Cookie, CookieJar, Key, SameSite, time::Duration};
use serde::{Deserialize, Serialize};
use std::{convert::Infallible, fmt, str::FromStr};

/// Not `session`: browsers do not tell ports apart, and other servers use that name on localhost.
const NAME: &str = "limosa_session";
/// How long a login lasts, in seconds.
const LOGIN_SECONDS: i64 = 7 * 24 * 60 * 60;
/// What a browser must at least be able to keep of one cookie, in bytes (RFC 6265, section 6.1).
const LONGEST: usize = 4096;
/// The shortest secret that is as hard to guess as the signature itself, in bytes.
const SHORTEST_SECRET: usize = 32;

/// What sessions are signed with; shows itself to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionKey(Vec<u8>);

/// A secret that is too short.
#[derive(Debug, thiserror::Error)]
#[error(
    "a session key needs at least {SHORTEST_SECRET} bytes, and this one has {0}; \
     `openssl rand -hex 32` makes a good one"
)]
pub struct SessionKeyError(usize);

impl FromStr for SessionKey {
    type Err = SessionKeyError;

    fn from_str(secret: &str) -> Result<Self, SessionKeyError> {
        if secret.len() < SHORTEST_SECRET {
            return Err(SessionKeyError(secret.len()));
        }
        Ok(Self(secret.as_bytes().to_owned()))
    }
}

impl From<[u8; SHORTEST_SECRET]> for SessionKey {
    fn from(secret: [u8; SHORTEST_SECRET]) -> Self {
        Self(secret.to_vec())
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey")
    }
}

impl SessionKey {
    /// The key that is derived from the secret (HKDF, RFC 5869).
    pub(crate) fn derive(&self) -> Key {
        Key::derive_from(&self.0)
    }
}

/// What the cookie holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Content {
    login: Option<Login>,
    flashes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Login {
    user: String,
    /// In seconds since the Unix epoch. In the signed content, for no browser is bound by the
    /// `Max-Age` beside it.
    until: i64,
}

/// A name that does not fit into a cookie.
#[derive(Debug)]
pub(super) struct NameTooLong;

/// One visitor's session. As a part of a response it sets the cookie, if it was changed.
pub(super) struct Session {
    content: Content,
    changed: bool,
    key: Key,
    secure: bool,
}

impl Session {
    fn of(headers: &HeaderMap, key: Key, secure: bool, now: i64) -> Self {
        let mut content = signed_content(headers, &key).unwrap_or_default();
        let expired = content.login.take_if(|login| login.until <= now).is_some();
        Self { content, changed: expired, key, secure }
    }

    /// The name of who is logged in.
    pub(super) fn user(&self) -> Option<&str> {
        self.content.login.as_ref().map(|login| login.user.as_str())
    }

    /// Something to be said on the next page. What was to be said before makes room for it, where a
    /// browser could not keep both, and it is left out where it does not fit at all.
    pub(super) fn flash(&mut self, text: impl Into<String>) {
        self.content.flashes.push(text.into());
        self.changed = true;
        while !self.content.flashes.is_empty() && !self.fits() {
            self.content.flashes.remove(0);
        }
    }

    /// Whether a browser keeps it.
    fn fits(&self) -> bool {
        self.cookie().encoded().to_string().len() <= LONGEST
    }

    /// What is to be said now; it will not be said again.
    pub(super) fn take_flashes(&mut self) -> Vec<String> {
        self.changed |= !self.content.flashes.is_empty();
        std::mem::take(&mut self.content.flashes)
    }

    /// Starts a login, and says so on the next page.
    pub(super) fn log_in(&mut self, user: String) -> Result<(), NameTooLong> {
        let login = Login { user, until: epoch_seconds().saturating_add(LOGIN_SECONDS) };
        self.content.login = Some(login);
        self.flash("You were logged in");
        if self.fits() {
            return Ok(());
        }
        self.content = Content::default();
        Err(NameTooLong)
    }

    /// Ends the login.
    pub(super) fn log_out(&mut self) {
        self.content.login = None;
        self.changed = true;
    }

    fn cookie(&self) -> Cookie<'static> {
        let empty = self.content == Content::default();
        // What it holds cannot fail to be written as JSON.
        let value = serde_json::to_string(&self.content).unwrap_or_default();
        let mut cookie = Cookie::build((NAME, if empty { String::new() } else { value }))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.secure)
            .build();
        if empty {
            cookie.set_max_age(Duration::ZERO);
        } else if let Some(login) = &self.content.login {
            cookie.set_max_age(Duration::seconds(login.until.saturating_sub(epoch_seconds())));
        }
        let mut jar = CookieJar::new();
        jar.signed_mut(&self.key).add(cookie);
        jar.get(NAME).cloned().unwrap_or_else(|| Cookie::from(NAME))
    }
}

/// The content of the first cookie of the name that bears our signature.
fn signed_content(headers: &HeaderMap, key: &Key) -> Option<Content> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let jar = CookieJar::new();
    let signed = lines
        .flat_map(Cookie::split_parse_encoded)
        .flatten()
        .filter(|cookie| cookie.name() == NAME)
        .find_map(|cookie| jar.signed(key).verify(cookie.into_owned()))?;
    serde_json::from_str(signed.value()).ok()
}

impl FromRequestParts<App> for Session {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let (key, secure) = (app.session_key.clone(), app.config.secure_cookies);
        Ok(Self::of(&parts.headers, key, secure, epoch_seconds()))
    }
}

impl IntoResponseParts for Session {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        // Percent-encoded, so always a header's value.
        if self.changed
            && let Ok(value) = HeaderValue::try_from(self.cookie().encoded().to_string())
        {
            parts.headers_mut().append(SET_COOKIE, value);
        }
        Ok(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(byte: u8) -> Key {
        SessionKey::from([byte; SHORTEST_SECRET]).derive()
    }

    fn empty() -> Session {
        Session::of(&HeaderMap::new(), key(1), false, epoch_seconds())
    }

    /// What a browser sends back.
    fn sent(session: &Session) -> HeaderMap {
        let cookie = session.cookie();
        let (name, value) = (cookie.encoded().stripped().to_string(), "theme=dark; ");
        HeaderMap::from_iter([(COOKIE, format!("{value}{name}").parse().unwrap())])
    }

    fn logged_in(user: &str) -> Session {
        let mut session = empty();
        session.log_in(user.to_owned()).unwrap();
        session
    }

    #[test]
    fn a_login_is_read_back_until_it_expires() {
        let headers = sent(&logged_in("Ann"));
        let now = epoch_seconds();
        let read = |now| Session::of(&headers, key(1), false, now);
        assert_eq!(read(now).user(), Some("Ann"));
        assert_eq!(read(now + LOGIN_SECONDS - 60).user(), Some("Ann"));
        let expired = read(now + LOGIN_SECONDS + 1);
        assert_eq!(expired.user(), None);
        assert!(expired.changed, "the browser is to forget it");
    }

    #[test]
    fn another_key_or_another_content_is_nobody() {
        let headers = sent(&logged_in("Ann"));
        assert_eq!(Session::of(&headers, key(2), false, 0).user(), None);
        let cookie = headers[COOKIE].to_str().unwrap();
        for forged in [
            cookie.replace("Ann", "Bob"),
            format!("{NAME}=%7B%22login%22%3A%7B%22user%22%3A%22Bob%22%7D%7D"),
            format!("{NAME}="),
            NAME.to_owned(),
        ] {
            assert_ne!(forged, cookie);
            let headers = HeaderMap::from_iter([(COOKIE, forged.parse().unwrap())]);
            assert_eq!(Session::of(&headers, key(1), false, 0).user(), None, "{forged}");
        }
    }

    #[test]
    fn a_forged_cookie_beside_the_real_one_hides_nothing() {
        let real = sent(&logged_in("Ann"))[COOKIE].to_str().unwrap().to_owned();
        let headers =
            HeaderMap::from_iter([(COOKIE, format!("{NAME}=x; {real}").parse().unwrap())]);
        assert_eq!(Session::of(&headers, key(1), false, 0).user(), Some("Ann"));
    }

    #[test]
    fn what_is_said_is_said_once() {
        let mut session = Session::of(&sent(&logged_in("Ann")), key(1), false, 0);
        assert!(!session.changed);
        assert_eq!(session.take_flashes(), ["You were logged in"]);
        assert!(session.changed);
        let mut next = Session::of(&sent(&session), key(1), false, 0);
        assert_eq!(next.take_flashes(), [""; 0]);
        assert!(!next.changed);
        assert_eq!(next.user(), Some("Ann"));
    }

    #[test]
    fn the_cookie_is_kept_from_scripts_and_from_other_sites() {
        let mut session = logged_in("Ann");
        let attributes = session.cookie().to_string();
        for attribute in ["; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=604800"] {
            assert!(attributes.contains(attribute), "{attributes}");
        }
        assert!(!attributes.contains("Secure"));
        session.secure = true;
        assert!(session.cookie().to_string().contains("; Secure"));
        session.take_flashes();
        session.log_out();
        assert!(session.cookie().to_string().contains("; Max-Age=0"));
    }

    #[test]
    fn a_name_that_no_browser_could_keep_is_refused() {
        let mut session = empty();
        assert!(session.log_in("a".repeat(5000)).is_err());
        assert_eq!(session.user(), None);
    }

    #[test]
    fn what_is_to_be_said_makes_no_cookie_that_a_browser_would_drop() {
        let mut session = logged_in("Ann");
        for count in 0..200 {
            session.flash(format!("You are now following \"{count}\""));
            assert!(session.fits());
        }
        assert_eq!(session.content.flashes.last().unwrap(), "You are now following \"199\"");
        assert!(session.content.flashes.len() > 10);
        session.flash("æ".repeat(LONGEST));
        assert_eq!(session.user(), Some("Ann"));
        assert_eq!(session.take_flashes(), [""; 0]);
    }

    #[test]
    fn a_secret_is_long_and_never_shown() {
        let error = "short".parse::<SessionKey>().unwrap_err().to_string();
        assert!(error.contains("at least 32 bytes") && !error.contains("short"), "{error}");
        let key: SessionKey = "0123456789abcdef0123456789abcdef".parse().unwrap();
        assert_eq!(format!("{key:?}"), "SessionKey");
    }

    proptest! {
        #[test]
        fn every_name_is_read_back(user in "\\PC{1,60}", flash in "\\PC{0,60}") {
            let mut session = logged_in(&user);
            session.flash(flash.clone());
            let mut read = Session::of(&sent(&session), key(1), false, 0);
            prop_assert_eq!(read.user(), Some(user.as_str()));
            prop_assert_eq!(&read.take_flashes()[1], &flash);
        }
    }
}
