//! The file that a profile is kept in: what may stand there, and errors that name the line.

use super::Profile;
use crate::nearest::with_nearest_key;
use crate::small_file;
use serde::{Deserialize, Deserializer, de::Error as _};
use std::path::{Path, PathBuf};

impl Profile {
    /// Reads a profile from a TOML file.
    ///
    /// # Errors
    /// [`ProfileError`] where the file cannot be read, or does not hold a profile.
    pub fn load(path: &Path) -> Result<Self, ProfileError> {
        let text = small_file::read(path)?;
        Self::parse(&text).map_err(|(line, message)| ProfileError::Malformed {
            path: path.to_path_buf(),
            line,
            message,
        })
    }

    /// Reads a profile from TOML; an error is a line number, from 1, and a message.
    pub(super) fn parse(text: &str) -> Result<Self, (usize, String)> {
        toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = 1 + text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count();
            (line, with_nearest_key(error.message()))
        })
    }
}

/// Why there is no profile.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The file cannot be read; the message names it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The file is not TOML, or not a profile.
    #[error("{}, line {line}: {message}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
}

/// Reads a prefix: empty, or a path without a slash at its end.
///
/// # Errors
/// What a prefix looks like.
pub fn parse_prefix(prefix: &str) -> Result<String, &'static str> {
    if !prefix.is_empty() && (!prefix.starts_with('/') || prefix.ends_with('/')) {
        return Err("a prefix begins with `/` and does not end with one, such as \"/api\"");
    }
    Ok(prefix.to_owned())
}

pub(super) fn prefix<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    parse_prefix(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

pub(super) fn header_value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let value = String::deserialize(deserializer)?;
    if value.bytes().any(|byte| !(b' '..=b'~').contains(&byte)) {
        return Err(D::Error::custom("a header value holds printable ASCII only"));
    }
    Ok(value)
}

pub(super) fn bits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    match u8::deserialize(deserializer)? {
        bits @ (32 | 64) => Ok(bits),
        bits => Err(D::Error::custom(format!("`latest` has 32 or 64 bits, not {bits}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_line_and_the_nearest_key() {
        for (toml, line, message) in [
            ("\nprefx = '/api'", 2, "unknown key `prefx`; the nearest is `prefix`"),
            ("[keys]\ncontents = 'x'", 2, "unknown key `contents`; the nearest is `content`"),
            ("[success]\ntweets = 200", 2, "unknown key `tweets`; the nearest is `tweet`"),
            ("a = 1\nb = [", 2, ""),
            ("\n\nprefix = 'api/'", 3, "a prefix begins with"),
            ("latest_bits = 31", 1, "32 or 64 bits, not 31"),
            ("unauthorized = 99", 1, "99 is no HTTP status"),
            ("unauthorized = []", 1, "must not be empty"),
            ("unauthorized = 'no'", 1, "expected a status such as 401"),
            ("authorization = \"a\\nb\"", 1, "printable ASCII"),
        ] {
            let (at, said) = Profile::parse(toml).unwrap_err();
            assert_eq!(at, line, "{toml}: {said}");
            assert!(said.contains(message), "{toml}: {said}");
        }
        let missing = Profile::load(Path::new("/nowhere/profile.toml")).unwrap_err();
        assert!(missing.to_string().contains("/nowhere/profile.toml"), "{missing}");
    }
}
