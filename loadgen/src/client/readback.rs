//! Reading the target back through its public API alone: `/fllws/{user}`, `/msgs/{user}`, `/msgs`
//! and `/latest`. Works on any server that speaks the protocol, or deviates as its profile says.

use super::BaseUrl;
use crate::profile::Profile;
use limosa_reports::run::FORMAT_VERSION;
use limosa_reports::run::operation::Operation;
use limosa_reports::run::readback::{Header, Message, ReadBack, UserState};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::task::JoinSet;

/// How many reads are under way at once.
const CONCURRENCY: usize = 8;
/// A read is tried so often before it counts as a gap.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(250);
const TIMEOUT: Duration = Duration::from_secs(30);
/// A client that gives up sooner than this (the simulator's) does not make a server unusable that
/// is only slow to begin.
const SHORTEST_LOOK: Duration = Duration::from_secs(2);
/// No answer that is read back is longer.
const MAX_BODY_BYTES: usize = 64 << 20;
/// How many gaps are named one by one.
const NAMED_GAPS: usize = 10;

/// Why the target could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// No answer.
    #[error("GET {path}: {reason}")]
    NoAnswer {
        /// The path.
        path: String,
        /// What went wrong, from the outside in.
        reason: String,
    },
    /// An answer, but not one of this API.
    #[error(
        "GET {path} answered {status} {content_type}, and not what the simulator API answers: is this the API's base URL? (a prefix such as /api belongs to it; `limosa check` walks the whole API)"
    )]
    NotTheApi {
        /// The path.
        path: String,
        /// The status.
        status: u16,
        /// Its `Content-Type`.
        content_type: String,
    },
}

/// Reads one target.
#[derive(Debug, Clone)]
pub struct Reader {
    http: reqwest::Client,
    target: BaseUrl,
    profile: Profile,
}

impl Reader {
    /// A reader of `target`, which deviates as `profile` says.
    ///
    /// # Errors
    /// [`ReadError::NoAnswer`] where no HTTP client can be made.
    pub fn new(target: BaseUrl, profile: Profile) -> Result<Self, ReadError> {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(Duration::from_secs(5))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| ReadError::NoAnswer { path: "/".into(), reason: chain(&error) })?;
        Ok(Self { http, target, profile })
    }

    /// What `GET /latest` reports.
    ///
    /// # Errors
    /// [`ReadError`]: the target is out of reach, or this is not its API.
    pub async fn latest(&self) -> Result<i64, ReadError> {
        let answer = self.get(&self.profile.path("/latest")).await?;
        answer.success(&self.profile, Operation::Latest, |json| self.profile.parse_latest(json))
    }

    /// Whether the target answers as the API does, found out within `limit`.
    ///
    /// # Errors
    /// As [`Reader::latest`].
    pub async fn look(&self, limit: Duration) -> Result<(), ReadError> {
        let limit = limit.max(SHORTEST_LOOK);
        let silent = || ReadError::NoAnswer {
            path: self.profile.path("/latest"),
            reason: format!("no answer within {} s", limit.as_secs_f64()),
        };
        tokio::time::timeout(limit, self.latest()).await.map_err(|_| silent())?.map(|_| ())
    }

    /// Reads back the given users, and whoever else has messages there.
    ///
    /// # Errors
    /// [`ReadError`] where not even `/latest` can be read. Anything less is a gap in the result.
    pub async fn read_back(
        &self,
        users: &BTreeSet<String>,
        taken_ns: u64,
    ) -> Result<ReadBack, ReadError> {
        let latest = self.latest().await?;
        let mut limits = Vec::new();
        let listing = self.messages("/msgs", latest).await;
        let mut authors: BTreeMap<String, Vec<Message>> = BTreeMap::new();
        match listing {
            Ok(listed) => {
                for (author, message) in listed.unwrap_or_default() {
                    if !users.contains(&author) {
                        authors.entry(author).or_default().push(message);
                    }
                }
            }
            Err(error) => limits.push(format!(
                "messages of users whom the run does not name were not looked for: {error}"
            )),
        }
        let names: Vec<String> = users.iter().chain(authors.keys()).cloned().collect();
        let (mut states, gaps) = self.users(names, latest).await;
        for (author, messages) in authors {
            if let Some(state) = states.get_mut(&author)
                && state.exists != Some(true)
            {
                state.messages = messages;
            }
        }
        let header = Header {
            format_version: FORMAT_VERSION,
            method: "api".to_owned(),
            taken_ns,
            latest: Some(latest),
            gaps: summarised(gaps),
            limits,
        };
        Ok(ReadBack { header, users: states })
    }

    async fn users(
        &self,
        names: Vec<String>,
        latest: i64,
    ) -> (BTreeMap<String, UserState>, Vec<String>) {
        let mut states = BTreeMap::new();
        let mut gaps = Vec::new();
        let mut waiting = names.into_iter();
        let mut under_way = JoinSet::new();
        loop {
            while under_way.len() < CONCURRENCY
                && let Some(name) = waiting.next()
            {
                let reader = self.clone();
                under_way.spawn(async move { reader.user(name, latest).await });
            }
            match under_way.join_next().await {
                None => return (states, gaps),
                Some(Ok((state, errors))) => {
                    gaps.extend(errors.iter().map(ToString::to_string));
                    states.insert(state.user.clone(), state);
                }
                Some(Err(panic)) => gaps.push(format!("reading a user failed: {panic}")),
            }
        }
    }

    /// Both resources are asked: a server may know a user in one and not in the other.
    async fn user(&self, name: String, latest: i64) -> (UserState, Vec<ReadError>) {
        let segment = utf8_percent_encode(&name, NON_ALPHANUMERIC).to_string();
        let mut state = UserState { exists: Some(false), ..UserState::default() };
        let mut errors = Vec::new();
        match self.follows(&format!("/fllws/{segment}"), latest).await {
            Ok(Some(follows)) => {
                state.exists = Some(true);
                state.follows = follows;
            }
            Ok(None) => {}
            Err(error) => errors.push(error),
        }
        match self.messages(&format!("/msgs/{segment}"), latest).await {
            Ok(Some(messages)) => {
                state.exists = Some(true);
                state.messages = messages.into_iter().map(|(_, message)| message).collect();
            }
            Ok(None) => {}
            Err(error) => errors.push(error),
        }
        if !errors.is_empty() {
            state.exists = None;
        }
        state.user = name;
        (state, errors)
    }

    /// `None` where the target does not know the user.
    async fn follows(&self, path: &str, latest: i64) -> Result<Option<Vec<String>>, ReadError> {
        let answer = self.get(&self.profile.read_all_path(path, latest)).await?;
        if self.profile.is_unknown_user(answer.status) {
            return Ok(None);
        }
        answer
            .success(&self.profile, Operation::Follows, |json| self.profile.parse_follows(json))
            .map(Some)
    }

    /// Each message with its author; `None` where the target does not know the user.
    async fn messages(
        &self,
        path: &str,
        latest: i64,
    ) -> Result<Option<Vec<(String, Message)>>, ReadError> {
        let answer = self.get(&self.profile.read_all_path(path, latest)).await?;
        if self.profile.is_unknown_user(answer.status) {
            return Ok(None);
        }
        let listed = answer.success(&self.profile, Operation::Messages, |json| {
            self.profile.parse_messages(json)
        })?;
        let pairs = listed
            .into_iter()
            .map(|read| (read.user, Message { content: read.content, pub_date: read.pub_date }));
        Ok(Some(pairs.collect()))
    }

    /// Reads change nothing, so what fails is tried again.
    async fn get(&self, path: &str) -> Result<Answer, ReadError> {
        let mut tries = 1;
        loop {
            let result = self.get_once(path).await;
            let again = match &result {
                Ok(answer) => answer.status >= 500 && !self.profile.is_unknown_user(answer.status),
                Err(_) => true,
            };
            if !again || tries == TRIES {
                return result;
            }
            tries += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn get_once(&self, path: &str) -> Result<Answer, ReadError> {
        let no_answer = |reason: String| ReadError::NoAnswer { path: path.to_owned(), reason };
        let mut response = self
            .http
            .get(format!("{}{path}", self.target))
            .header("Authorization", &self.profile.authorization)
            .send()
            .await
            .map_err(|error| no_answer(chain(&error.without_url())))?;
        let mut body = Vec::new();
        while let Some(chunk) =
            response.chunk().await.map_err(|error| no_answer(chain(&error.without_url())))?
        {
            if body.len() + chunk.len() > MAX_BODY_BYTES {
                return Err(no_answer("the answer is longer than 64 MiB".to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        let content_type = response
            .headers()
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .unwrap_or("without a content type")
            .to_owned();
        let status = response.status().as_u16();
        Ok(Answer { path: path.to_owned(), status, content_type, body })
    }
}

#[derive(Debug)]
struct Answer {
    path: String,
    status: u16,
    content_type: String,
    body: Vec<u8>,
}

impl Answer {
    fn success<T>(
        self,
        profile: &Profile,
        operation: Operation,
        parse: impl Fn(&Value) -> Option<T>,
    ) -> Result<T, ReadError> {
        let parsed = Some(&self.body)
            .filter(|_| profile.is_success(operation, self.status))
            .and_then(|body| serde_json::from_slice::<Value>(body).ok())
            .and_then(|json| parse(&json));
        parsed.ok_or(ReadError::NotTheApi {
            path: self.path,
            status: self.status,
            content_type: self.content_type,
        })
    }
}

/// An error and its causes, from the outside in.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

fn summarised(mut gaps: Vec<String>) -> Vec<String> {
    gaps.sort();
    if gaps.len() > NAMED_GAPS {
        let more = gaps.len() - NAMED_GAPS;
        gaps.truncate(NAMED_GAPS);
        gaps.push(format!("and {more} more that could not be read"));
    }
    gaps
}
