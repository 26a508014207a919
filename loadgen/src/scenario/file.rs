//! What may stand in a scenario file.
//!
//! Only the shapes: what contradicts what is found when the scenario is made of it.

use crate::client::{BaseUrl, ClientKind};
use crate::nearest::with_nearest_key;
use crate::schedule::{Order, Read, Route, Spread, span};
use clap::ValueEnum;
use limosa_reports::run::operation::Operation;
use serde::{Deserialize, Deserializer, de::Error as _};
use std::path::PathBuf;
use std::time::Duration;
use toml::Spanned;

/// A whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) name: Spanned<String>,
    pub(super) about: Option<String>,
    pub(super) trace: Option<Spanned<PathBuf>>,
    pub(super) generate: Option<Spanned<Generate>>,
    #[serde(default)]
    pub(super) targets: Vec<Spanned<Url>>,
    pub(super) server: Option<Spanned<ServerTable>>,
    pub(super) route: Option<Choice<Route>>,
    pub(super) keep_alive: Option<bool>,
    pub(super) ca_cert: Option<Spanned<PathBuf>>,
    pub(super) profile: Option<Spanned<PathBuf>>,
    pub(super) client: Option<Choice<ClientKind>>,
    pub(super) order: Option<Choice<Order>>,
    pub(super) connections: Option<Spanned<usize>>,
    pub(super) rate: Option<Spanned<f64>>,
    pub(super) speed: Option<Spanned<f64>>,
    pub(super) spread: Option<Spanned<Choice<Spread>>>,
    pub(super) duration: Option<Spanned<Time>>,
    #[serde(default)]
    pub(super) phase: Vec<PhaseTable>,
    #[serde(default)]
    pub(super) reads: ReadsTable,
    #[serde(default)]
    pub(super) limits: Vec<Spanned<String>>,
    pub(super) seed: Option<u64>,
    pub(super) connect_timeout: Option<Time>,
    pub(super) response_timeout: Option<Time>,
    pub(super) max_unreachable: Option<u32>,
    pub(super) settle: Option<Time>,
}

/// A trace that is to be generated.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Generate {
    pub(super) profile: Option<Spanned<PathBuf>>,
    pub(super) commands: Option<Spanned<u64>>,
    pub(super) users: Option<u64>,
    pub(super) span: Option<Time>,
    pub(super) seed: Option<u64>,
    #[serde(default = "yes")]
    pub(super) nonce: bool,
}

fn yes() -> bool {
    true
}

/// Servers that are to be started.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServerTable {
    pub(super) replicas: Option<Spanned<usize>>,
    #[serde(default)]
    pub(super) flags: Vec<String>,
}

/// A stretch of the run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PhaseTable {
    pub(super) name: Spanned<String>,
    #[serde(rename = "for")]
    pub(super) length: Option<Time>,
    pub(super) rate: Option<Spanned<f64>>,
    pub(super) ramp: Option<Spanned<Vec<f64>>>,
    #[serde(default)]
    pub(super) warm_up: bool,
}

/// How often what is read.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadsTable {
    latest: Option<Spanned<Often>>,
    messages: Option<Spanned<Often>>,
    user_messages: Option<Spanned<Often>>,
    follows: Option<Spanned<Often>>,
    public: Option<Spanned<Often>>,
}

impl ReadsTable {
    /// The operations that stand there, each with how often.
    pub(super) fn given(&self) -> impl Iterator<Item = (Operation, &Spanned<Often>)> {
        [
            (Operation::Latest, &self.latest),
            (Operation::Messages, &self.messages),
            (Operation::UserMessages, &self.user_messages),
            (Operation::Follows, &self.follows),
            (Operation::Public, &self.public),
        ]
        .into_iter()
        .filter_map(|(operation, often)| Some((operation, often.as_ref()?)))
    }
}

impl File {
    /// Reads a file; an error is where it is, in bytes, and what.
    pub(super) fn parse(text: &str) -> Result<Self, (usize, String)> {
        toml::from_str(text).map_err(|error: toml::de::Error| {
            (error.span().map_or(0, |span| span.start), explain(error.message()))
        })
    }
}

/// A key that belongs to the top, and stands behind the header of a table, is the usual slip.
fn explain(message: &str) -> String {
    let given = message.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
    match given {
        Some(key) if keys_at_the_top().iter().any(|known| known == key) => {
            format!("`{key}` belongs to the whole scenario: put it before the first [table]")
        }
        _ => with_nearest_key(message),
    }
}

/// As the deserializer itself lists them.
fn keys_at_the_top() -> Vec<String> {
    let refused = toml::from_str::<File>("'' = 0").err();
    let message = refused.map(|error| error.message().to_owned()).unwrap_or_default();
    message.split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

/// Far longer than any run, and short enough to be added up in nanoseconds.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// A length of time, such as `"30s"`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Time(pub(super) Duration);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        span(&text).filter(|length| *length <= LONGEST).map(Self).ok_or_else(|| {
            D::Error::custom(format!(
                "\"{text}\" is no length of time up to a year, such as \"30s\" or \"5m\""
            ))
        })
    }
}

/// A target, such as `"http://127.0.0.1:5001"`.
#[derive(Debug)]
pub(super) struct Url(pub(super) BaseUrl);

impl<'de> Deserialize<'de> for Url {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(D::Error::custom)
    }
}

/// One of several words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice<T>(pub(super) T);

impl<'de, T: ValueEnum> Deserialize<'de> for Choice<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        T::from_str(&text, false).map(Self).map_err(|_| {
            let words: Vec<String> = T::value_variants()
                .iter()
                .filter_map(|choice| {
                    Some(format!("\"{}\"", choice.to_possible_value()?.get_name()))
                })
                .collect();
            D::Error::custom(format!("\"{text}\" is none of {}", words.join(", ")))
        })
    }
}

/// How often: a number or a text such as `"5%"` for each command, `"20/s"` in time; 0 is never.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "say how often: \"5%\" of the commands, or \"20/s\"")]
pub(super) enum Often {
    Number(f64),
    Text(String),
}

impl Often {
    pub(super) fn read(&self, operation: Operation) -> Result<Read, String> {
        let text = match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.trim().to_owned(),
        };
        let read = format!("{}={text}", operation.name()).parse::<Read>();
        read.map_err(|error| error.to_string())
    }
}
