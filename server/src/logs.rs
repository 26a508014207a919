//! Logs on standard error: text for people, JSON lines for machines.

use std::{
    fmt,
    io::{self, IsTerminal},
    str::FromStr,
};
use tracing_subscriber::EnvFilter;

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// One line of text an event.
    #[default]
    Text,
    /// One JSON object an event.
    Json,
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

/// Why there are no logs.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A word that names no format.
    #[error("unknown log format {0:?}; use text or json")]
    UnknownFormat(String),
    /// A filter that cannot be read.
    #[error(
        "the log filter {filter:?} cannot be read: {source}; write for example info,fault=warn"
    )]
    Filter {
        /// The filter.
        filter: String,
        /// What is wrong with it.
        source: tracing_subscriber::filter::ParseError,
    },
    /// Logs were set up before in this process.
    #[error("logs are set up already: {0}")]
    Twice(Box<dyn std::error::Error + Send + Sync>),
}

impl FromStr for LogFormat {
    type Err = LogError;

    fn from_str(word: &str) -> Result<Self, LogError> {
        [Self::Text, Self::Json]
            .into_iter()
            .find(|format| format.to_string() == word)
            .ok_or_else(|| LogError::UnknownFormat(word.to_owned()))
    }
}

/// Sends the process's logs to standard error. `filter` is a level (`info`) or directives
/// (`info,limosa_server=debug`), as `RUST_LOG` spells them.
///
/// # Errors
/// A filter that cannot be read; a process that has logs already.
pub fn init(format: LogFormat, filter: &str) -> Result<(), LogError> {
    let filter = EnvFilter::try_new(filter)
        .map_err(|source| LogError::Filter { filter: filter.to_owned(), source })?;
    let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let logs =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(colour);
    match format {
        LogFormat::Text => logs.try_init(),
        LogFormat::Json => logs.json().try_init(),
    }
    .map_err(LogError::Twice)
}
