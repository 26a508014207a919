//! `--latest`, as it is written.

use crate::store::postgres::redacted;
use redis::IntoConnectionInfo as _;
use std::{fmt, str::FromStr};

/// The key in Redis, where the URL names none.
const KEY: &str = "limosa:latest";

/// Where `latest` lives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LatestStore {
    /// In the memory of this process.
    Memory,
    /// In the database, written in the transaction of the write.
    #[default]
    Database,
    /// In Redis.
    Redis(RedisUrl),
}

/// A Redis server, and a key on it.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl {
    /// The server: `redis://[USER:PASSWORD@]HOST[:PORT][/DB]`.
    pub server: String,
    /// The key that holds `latest`.
    pub key: String,
}

/// A place for `latest` that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LatestStoreError {
    /// No known word or scheme.
    #[error("unknown place {0:?}; write memory, database or redis://HOST[:PORT][/DB][?key=NAME]")]
    Unknown(String),
    /// A URL that names no Redis.
    #[error("{problem}; write redis://HOST[:PORT][/DB][?key=NAME]")]
    Redis {
        /// What is wrong with it.
        problem: String,
    },
}

impl FromStr for LatestStore {
    type Err = LatestStoreError;

    fn from_str(text: &str) -> Result<Self, LatestStoreError> {
        match text {
            "memory" => Ok(Self::Memory),
            "database" => Ok(Self::Database),
            _ if text.starts_with("redis://") => text.parse().map(Self::Redis),
            _ => Err(LatestStoreError::Unknown(redacted(text))),
        }
    }
}

impl FromStr for RedisUrl {
    type Err = LatestStoreError;

    fn from_str(text: &str) -> Result<Self, LatestStoreError> {
        let wrong = |problem: String| LatestStoreError::Redis { problem };
        let (server, query) = text.split_once('?').unwrap_or((text, ""));
        let key = match query.split_once('=') {
            _ if query.is_empty() => KEY,
            Some(("key", key)) if !key.is_empty() && !key.contains('&') => key,
            // Not quoted: a password with an unencoded '?' ends up there.
            _ => return Err(wrong("what follows the '?' is not key=NAME".to_owned())),
        };
        server.into_connection_info().map_err(|error| wrong(error.to_string()))?;
        Ok(Self { server: server.to_owned(), key: key.to_owned() })
    }
}

impl fmt::Display for LatestStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::Database => f.write_str("database"),
            Self::Redis(url) => fmt::Debug::fmt(url, f),
        }
    }
}

/// Without the password.
impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = self.server.trim_start_matches("redis://");
        let host = server.rsplit_once('@').map_or(server, |(_, host)| host);
        write!(f, "redis://{host}?key={}", self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<LatestStore, LatestStoreError> {
        text.parse()
    }

    #[test]
    fn the_three_places_are_read() {
        assert_eq!(parse("memory"), Ok(LatestStore::Memory));
        assert_eq!(parse("database"), Ok(LatestStore::Database));
        for (text, server, key) in [
            ("redis://localhost", "redis://localhost", KEY),
            ("redis://u:p@h:6390/2?key=a:b", "redis://u:p@h:6390/2", "a:b"),
        ] {
            let url = RedisUrl { server: server.to_owned(), key: key.to_owned() };
            assert_eq!(parse(text), Ok(LatestStore::Redis(url)));
        }
    }

    #[test]
    fn errors_say_what_to_write() {
        let error = |text: &str| parse(text).unwrap_err().to_string();
        let write = "write redis://HOST[:PORT][/DB][?key=NAME]";
        assert_eq!(
            error("disk"),
            "unknown place \"disk\"; write memory, database or redis://HOST[:PORT][/DB][?key=NAME]"
        );
        let problem = "what follows the '?' is not key=NAME";
        assert_eq!(error("redis://h?name=x"), format!("{problem}; {write}"));
        let problem = error("redis://h/one");
        assert!(problem.ends_with(write) && problem.len() > write.len() + 2, "{problem}");
    }

    #[test]
    fn a_password_is_not_printed() {
        let shown = parse("redis://u:secret@h:1/2").unwrap();
        assert_eq!(shown.to_string(), "redis://h:1/2?key=limosa:latest");
        assert_eq!(format!("{shown:?}"), "Redis(redis://h:1/2?key=limosa:latest)");
    }

    #[test]
    fn an_error_quotes_no_password() {
        for text in [
            "REDIS://u:secret@h",
            "rediss://u:secret@h?key=k",
            "redis://u:x?secret@h",
            "redis://u:se/secret@h:1",
            "redis://u:secret@h:port",
            "u:secret@h",
            "host=h password=secret",
        ] {
            let error = parse(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
        }
    }
}
