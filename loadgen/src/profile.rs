//! What a target is known to do otherwise than the protocol, kept in a small TOML file.
//!
//! `limosa check` finds the deviations and writes such a file; replay, read-back and audit honour
//! it. Every key has the protocol's own value as its default, so an empty file is a server that
//! conforms:
//!
//! ```toml
//! prefix = "/api"
//! unauthorized = 401
//! unknown_user = [400, 404]
//! pub_date = "milliseconds"
//!
//! [success]
//! tweet = [200, 204]
//!
//! [keys]
//! user = "username"
//! ```

mod file;

pub use file::{ProfileError, parse_prefix};

use limosa_reports::run::operation::Operation;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A number of messages that no listing reaches, and that every server's integers hold.
pub const ALL: i64 = i32::MAX as i64;

/// The credentials that the course's simulator sends: `simulator:super_safe!`.
pub const SIMULATOR_AUTHORIZATION: &str = "Basic c2ltdWxhdG9yOnN1cGVyX3NhZmUh";

/// Everything that a client or a checker must know of one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// What stands before every path of the API: empty, or `/api`, `/simulator`.
    #[serde(deserialize_with = "file::prefix")]
    pub prefix: String,
    /// The `Authorization` header of every request.
    #[serde(deserialize_with = "file::header_value")]
    pub authorization: String,
    /// The statuses that mean success, for the operations that differ from 204 (writes) and 200
    /// (reads). They replace the protocol's status.
    pub success: BTreeMap<Operation, Statuses>,
    /// The answer to a request without the right credentials.
    pub unauthorized: Statuses,
    /// The answer where a user does not exist. A 5xx listed here answers a read; for a write it
    /// remains indeterminate, since a real failure looks the same.
    pub unknown_user: Statuses,
    /// The answer to a register of a name that is taken.
    pub register_taken: Statuses,
    /// The answer to a register without a name, a valid e-mail address or a password.
    pub register_invalid: Statuses,
    /// Bytes follow the head of a 204: the connection cannot be used again after one.
    pub body_on_204: bool,
    /// The keys of the JSON answers.
    pub keys: Keys,
    /// What `pub_date` holds.
    pub pub_date: PubDate,
    /// In which order messages are listed.
    pub message_order: MessageOrder,
    /// A follow that is repeated lists the name once more.
    pub duplicate_edges: bool,
    /// Reads need the parameter `no`.
    pub requires_no: bool,
    /// Reads need the parameter `latest`.
    pub requires_latest: bool,
    /// The value of `no` that reads all there is. By default [`ALL`], which is as good as -1 where that
    /// means all, and right where a server takes so many off a list, as Python's `[:-1]` does not.
    pub max_no: i64,
    /// How many bits of a command id `latest` holds: 64 or 32.
    #[serde(deserialize_with = "file::bits")]
    pub latest_bits: u8,
    /// What `GET /latest` reports before any command.
    pub latest_initial: i64,
    /// A request that is refused records its `latest` all the same.
    pub latest_on_refused: bool,
    /// A GET records its `latest`.
    pub latest_on_reads: bool,
    /// Cases of the conformance walk whose deviation is accepted though no key above describes it.
    /// Nothing else is excused by this: the audit still reports what it finds.
    pub accepted: BTreeSet<String>,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            prefix: String::new(),
            authorization: SIMULATOR_AUTHORIZATION.to_owned(),
            success: BTreeMap::new(),
            unauthorized: Statuses::one(403),
            unknown_user: Statuses::one(404),
            register_taken: Statuses::one(400),
            register_invalid: Statuses::one(400),
            body_on_204: false,
            keys: Keys::default(),
            pub_date: PubDate::Seconds,
            message_order: MessageOrder::Insertion,
            duplicate_edges: false,
            requires_no: false,
            requires_latest: false,
            max_no: ALL,
            latest_bits: 64,
            latest_initial: -1,
            latest_on_refused: true,
            latest_on_reads: true,
            accepted: BTreeSet::new(),
        }
    }
}

/// The keys of the JSON answers, where a server spells them otherwise (`Content`, `username`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keys {
    /// The command id in the answer to `GET /latest`.
    pub latest: String,
    /// A message's text.
    pub content: String,
    /// A message's author.
    pub user: String,
    /// When a message was posted.
    pub pub_date: String,
    /// The names in the answer to `GET /fllws/{user}`.
    pub follows: String,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            latest: "latest".to_owned(),
            content: "content".to_owned(),
            user: "user".to_owned(),
            pub_date: "pub_date".to_owned(),
            follows: "follows".to_owned(),
        }
    }
}

/// What `pub_date` holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PubDate {
    /// Seconds since the Unix epoch, as a number.
    Seconds,
    /// Milliseconds since the Unix epoch, as a number.
    Milliseconds,
    /// A text: RFC 3339 is understood, anything else counts as no date.
    Text,
}

/// In which order a target lists messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageOrder {
    /// Newest first, also among messages of the same second.
    Insertion,
    /// Newest first by `pub_date` alone: messages of the same second stand in any order.
    PubDate,
    /// Oldest first.
    OldestFirst,
}

/// One or more HTTP statuses; in TOML a number or a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Statuses(BTreeSet<u16>);

impl Statuses {
    /// A single status.
    pub fn one(status: u16) -> Self {
        Self(BTreeSet::from([status]))
    }

    /// Adds one.
    pub fn insert(&mut self, status: u16) {
        self.0.insert(status);
    }

    /// Whether `status` is among them.
    pub fn contains(&self, status: u16) -> bool {
        self.0.contains(&status)
    }

    /// The statuses, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        self.0.iter().copied()
    }
}

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected a status such as 401, or a list of them")]
        enum Given {
            One(u16),
            Many(BTreeSet<u16>),
        }
        let statuses = match Given::deserialize(deserializer)? {
            Given::One(status) => BTreeSet::from([status]),
            Given::Many(statuses) => statuses,
        };
        if let Some(status) = statuses.iter().find(|status| !(200..600).contains(*status)) {
            let message = format!("{status} is no HTTP status of a final answer (200 to 599)");
            return Err(D::Error::custom(message));
        }
        if statuses.is_empty() {
            return Err(D::Error::custom("a list of statuses must not be empty"));
        }
        Ok(Self(statuses))
    }
}

/// A message as the target told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadMessage {
    /// The author's name.
    pub user: String,
    /// The text.
    pub content: String,
    /// Epoch seconds, where the target gave a date that could be read.
    pub pub_date: Option<i64>,
}

impl Profile {
    /// What differs from the protocol, in the form of [`Profile::load`]'s file.
    pub fn deviations(&self) -> Value {
        let fields = |profile: &Self| match serde_json::to_value(profile) {
            Ok(Value::Object(fields)) => fields,
            _ => serde_json::Map::new(),
        };
        let protocol = fields(&Self::default());
        let mut mine = fields(self);
        mine.retain(|key, value| protocol.get(key) != Some(value));
        Value::Object(mine)
    }

    /// The path to ask for: the prefix, then `path` of the protocol, such as `/msgs/Ann?latest=7`.
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// The path that reads all there is at `path` (`/msgs/Ann`, `/fllws/Ann`).
    ///
    /// `latest` is what the target last reported. It is sent only where the target demands the
    /// parameter; being what is recorded already, it changes nothing.
    pub fn read_all_path(&self, path: &str, latest: i64) -> String {
        let mut path = format!("{}{path}?no={}", self.prefix, self.max_no);
        if self.requires_latest {
            path.push_str(&format!("&latest={latest}"));
        }
        path
    }

    /// Whether `status` acknowledges `operation`.
    pub fn is_success(&self, operation: Operation, status: u16) -> bool {
        match self.success.get(&operation) {
            Some(statuses) => statuses.contains(status),
            None => status == usual_success(operation),
        }
    }

    /// Lets `status` acknowledge `operation` too.
    pub fn add_success(&mut self, operation: Operation, status: u16) {
        self.success
            .entry(operation)
            .or_insert_with(|| Statuses::one(usual_success(operation)))
            .insert(status);
    }

    /// Whether `status`, as the answer to a read, says that the user does not exist.
    pub fn is_unknown_user(&self, status: u16) -> bool {
        self.unknown_user.contains(status)
    }

    /// Whether `status`, as the answer to a register, says that the name is taken.
    pub fn is_name_taken(&self, status: u16) -> bool {
        self.register_taken.contains(status)
    }

    /// Whether `latest` of the target can hold `id`.
    pub fn latest_holds(&self, id: i64) -> bool {
        self.latest_bits >= 64 || i32::try_from(id).is_ok()
    }

    /// The command id in the answer to `GET /latest`; `None` where there is none.
    pub fn parse_latest(&self, answer: &Value) -> Option<i64> {
        match answer.get(&self.keys.latest)? {
            Value::String(text) => text.trim().parse().ok(),
            number => number.as_i64(),
        }
    }

    /// The messages in the answer to `GET /msgs` or `GET /msgs/{user}`, newest first whatever the
    /// target's order; `None` where the answer is no list of messages.
    pub fn parse_messages(&self, answer: &Value) -> Option<Vec<ReadMessage>> {
        let mut messages = answer
            .as_array()?
            .iter()
            .map(|message| {
                Some(ReadMessage {
                    user: text(message.get(&self.keys.user)?)?,
                    content: text(message.get(&self.keys.content)?)?,
                    pub_date: message
                        .get(&self.keys.pub_date)
                        .and_then(|date| self.pub_date.epoch_seconds(date)),
                })
            })
            .collect::<Option<Vec<_>>>()?;
        if self.message_order == MessageOrder::OldestFirst {
            messages.reverse();
        }
        Some(messages)
    }

    /// The names in the answer to `GET /fllws/{user}`, as listed; `None` where the answer has no
    /// list of names.
    pub fn parse_follows(&self, answer: &Value) -> Option<Vec<String>> {
        let names = answer.get(&self.keys.follows)?.as_array()?;
        names.iter().map(text).collect()
    }
}

/// The protocol's own success: 204 for a command, 200 for a read.
fn usual_success(operation: Operation) -> u16 {
    if operation.is_write() { 204 } else { 200 }
}

impl PubDate {
    /// The date as seconds since the Unix epoch, rounded down.
    fn epoch_seconds(self, date: &Value) -> Option<i64> {
        match self {
            Self::Seconds => date.as_i64(),
            Self::Milliseconds => Some(date.as_i64()?.div_euclid(1000)),
            Self::Text => Some(date.as_str()?.parse::<jiff::Timestamp>().ok()?.as_second()),
        }
    }
}

/// A text, or a number's digits: a store that turns "7" into 7 still told what it holds.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn profile(toml: &str) -> Profile {
        Profile::parse(toml).unwrap()
    }

    #[test]
    fn an_empty_file_is_the_protocol() {
        let profile = profile("");
        assert_eq!(profile, Profile::default());
        assert_eq!(profile.path("/msgs/Ann"), "/msgs/Ann");
        assert_eq!(profile.read_all_path("/msgs/Ann", 7), "/msgs/Ann?no=2147483647");
        assert!(profile.is_success(Operation::Tweet, 204));
        assert!(!profile.is_success(Operation::Tweet, 200));
        assert!(profile.is_success(Operation::Latest, 200));
        assert!(profile.latest_holds(i64::MAX));
    }

    #[test]
    fn what_it_says_is_honoured() {
        let profile = profile(
            r#"
            prefix = "/api"
            unknown_user = [400, 500]
            requires_latest = true
            max_no = 1000
            latest_bits = 32
            pub_date = "milliseconds"
            message_order = "oldest_first"
            [success]
            tweet = [200, 204]
            register = 200
            [keys]
            user = "Username"
            follows = "Follows"
            latest = "Latest"
            "#,
        );
        assert_eq!(profile.read_all_path("/msgs/Ann", 7), "/api/msgs/Ann?no=1000&latest=7");
        assert!(profile.is_success(Operation::Tweet, 200));
        assert!(!profile.is_success(Operation::Register, 204));
        assert!(profile.is_unknown_user(500) && !profile.is_unknown_user(404));
        assert!(!profile.latest_holds(1 << 31) && profile.latest_holds((1 << 31) - 1));
        assert_eq!(profile.parse_latest(&json!({"Latest": "12"})), Some(12));
        assert_eq!(profile.parse_latest(&json!({"latest": 12})), None);
        assert_eq!(
            profile.parse_follows(&json!({"Follows": ["Ann", 7]})),
            Some(vec!["Ann".to_owned(), "7".to_owned()])
        );
        let answer = json!([
            {"Username": "Ann", "content": "old", "pub_date": 1_000},
            {"Username": "Ann", "content": 7, "pub_date": "?"},
        ]);
        let message = |content: &str, pub_date| ReadMessage {
            user: "Ann".to_owned(),
            content: content.to_owned(),
            pub_date,
        };
        assert_eq!(
            profile.parse_messages(&answer),
            Some(vec![message("7", None), message("old", Some(1))])
        );
        assert_eq!(profile.parse_messages(&json!({"msgs": []})), None);
    }

    #[test]
    fn it_survives_the_manifest_and_toml() {
        let given = profile("pub_date = 'text'\naccepted = ['method']\n[success]\nlatest = 201");
        let in_manifest = serde_json::to_value(&given).unwrap();
        assert_eq!(serde_json::from_value::<Profile>(in_manifest).unwrap(), given);
        assert_eq!(profile(&toml::to_string(&given).unwrap()), given);
    }
}
