//! The URL, which holds a password that nobody is to see.

use sqlx::postgres::PgConnectOptions;
use std::{fmt, str::FromStr};

/// `postgres://USER:PASSWORD@HOST:PORT/DATABASE`; shown without the password.
///
/// It is kept as it was given and read by `PostgresUrl::options` alone, so that nobody quotes a
/// broken one, password and all, in an error message.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

/// A URL that cannot be read. It is not quoted, and neither is the parser, which may quote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the URL cannot be read; write postgres://USER:PASSWORD@HOST:PORT/DATABASE, and percent-encode \
     what is special in a URL"
)]
pub struct PostgresUrlError;

impl PostgresUrl {
    /// Takes what begins with `postgres://` or `postgresql://`.
    pub(crate) fn recognise(url: &str) -> Option<Self> {
        let is_ours = url.starts_with("postgres://") || url.starts_with("postgresql://");
        is_ours.then(|| Self(url.to_owned()))
    }

    /// How to connect. What the URL does not say comes from the usual variables (`PGPASSWORD`,
    /// `PGHOST`, ...) and from the password file.
    ///
    /// # Errors
    /// [`PostgresUrlError`] where it is no URL.
    pub(crate) fn options(&self) -> Result<PgConnectOptions, PostgresUrlError> {
        PgConnectOptions::from_str(&self.0).map_err(|_may_quote_it| PostgresUrlError)
    }
}

/// With `***` in place of the password, and without the parameters, one of which may be another.
impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redacted(&self.0))
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", redacted(&self.0))
    }
}

/// Any URL without its password and parameters, be it well-formed or not; of anything else no more
/// than its first word, as a list of settings (`host=db password=...`) may be among them.
pub(crate) fn redacted(url: &str) -> String {
    let authority = url.find("://").map_or(0, |at| at + 3);
    // An unencoded '@' belongs to the password: the last one ends it.
    let end = url.rfind('@').filter(|&end| end >= authority);
    let password = end.and_then(|end| Some((authority + url[authority..end].find(':')?, end)));
    let mut shown = match password {
        Some((colon, end)) => format!("{}***{}", &url[..=colon], &url[end..]),
        None => url.to_owned(),
    };
    let ends: &[char] = if url.contains("://") { &['?', '#'] } else { &['?', '#', '=', ' '] };
    shown.truncate(shown.find(ends).unwrap_or(shown.len()));
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_never_shown() {
        for (url, shown) in [
            ("postgres://me:secret@db:5432/limosa", "postgres://me:***@db:5432/limosa"),
            ("postgresql://me:secret@db", "postgresql://me:***@db"),
            ("postgres://me:se/cr@et:x?@db/limosa", "postgres://me:***@db/limosa"),
            ("postgres://me@db/limosa", "postgres://me@db/limosa"),
            ("postgres://db/limosa?user=me&password=secret", "postgres://db/limosa"),
            ("postgre://me:secret@db/limosa", "postgre://me:***@db/limosa"),
            ("me:secret@db", "me:***@db"),
            ("host=db password=secret user=me", "host"),
            ("REDIS://:sec?ret@db/1", "REDIS://:***@db/1"),
        ] {
            assert_eq!(redacted(url), shown);
        }
        let url = PostgresUrl::recognise("postgres://me:secret@db/limosa").unwrap();
        assert!(!format!("{url} {url:?}").contains("secret"));
    }

    #[test]
    fn a_url_that_cannot_be_read_is_not_quoted() {
        for url in [
            "postgres://me:secret@db:port/limosa",
            "postgres://me:secret@/limosa:1",
            "postgres://db/limosa?sslmode=secret",
            "postgres://db/limosa?password=secret&port=secret",
        ] {
            let url = PostgresUrl::recognise(url).unwrap();
            let error = url.options().unwrap_err().to_string();
            assert!(error.starts_with("the URL cannot be read") && !error.contains("secret"));
        }
        assert!(PostgresUrl::recognise("postgre://db").is_none());
    }
}
