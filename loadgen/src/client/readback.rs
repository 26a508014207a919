//! Reading the target back through its public API alone: `/fllws/{user}`, `/msgs/{user}`, `/msgs`
//! and `/latest`. Works on any server that speaks the protocol, or deviates as its profile says.

mod answer;
mod gaps;

use super::fetch::{FetchError, Fetcher};
use super::{BaseUrl, Timeouts};
use crate::profile::Profile;
use answer::{Answer, listed};
use gaps::Gaps;
use limosa_reports::run::operation::Operation;
use limosa_reports::run::readback::{Header, Message, ReadBackWriter, UserState};
use limosa_reports::run::{FORMAT_VERSION, RunDirError};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, header};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;
use tokio::task::JoinSet;

/// How many reads are under way at once.
const CONCURRENCY: usize = 8;
/// A read is tried so often before it counts as a gap.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(250);
/// The listing of all messages may be as large as the target's store, and is read alone.
const LISTING_TIMEOUT: Duration = Duration::from_secs(30);
/// A client that gives up sooner than this (the simulator's) does not make a server unusable that
/// is only slow to begin.
const SHORTEST_LOOK: Duration = Duration::from_secs(2);
/// Nor one that is slow to list all that a user has, while it is asked for others.
const SHORTEST_READ: Duration = Duration::from_secs(5);
/// After so many users in a row without an answer no others are asked.
const GIVE_UP: usize = 5;
/// No answer that is read back is longer.
const MAX_BODY_BYTES: usize = 64 << 20;

/// Why the target could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// No answer.
    #[error("GET {path}: {reason}")]
    NoAnswer {
        /// The path.
        path: String,
        /// What went wrong.
        reason: String,
        /// Whether the target may not be running: nobody has taken the connection, or answered in
        /// time.
        is_absence: bool,
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

impl ReadError {
    /// What may help whoever named the target by `--target`.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::NoAnswer { is_absence: true, .. } => {
                "is it running? start it, or correct --target"
            }
            Self::NoAnswer { .. } | Self::NotTheApi { .. } => "mend that, or correct --target",
        }
    }
}

/// Why a target was not read back.
#[derive(Debug, thiserror::Error)]
pub enum ReadBackError {
    /// The target could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What it told could not be written down.
    #[error(transparent)]
    Write(#[from] RunDirError),
}

/// The listing of all messages.
#[derive(Debug, Default)]
struct Public {
    /// The messages of users whom the run does not name.
    strangers: BTreeMap<String, Vec<Message>>,
    /// How many messages each author has in it; `None` where it could not be read.
    counts: Option<BTreeMap<String, u32>>,
}

/// Reads one target.
#[derive(Debug, Clone)]
pub struct Reader {
    fetcher: Fetcher,
    profile: Profile,
    timeouts: Timeouts,
}

impl Reader {
    /// A reader of `target`, which deviates as `profile` says. It waits for each connection and
    /// answer as long as `timeouts` say, for large answers a little longer.
    pub fn new(target: BaseUrl, profile: Profile, timeouts: Timeouts) -> Self {
        let timeouts = Timeouts {
            connect: timeouts.connect.max(SHORTEST_LOOK),
            response: timeouts.response.max(SHORTEST_READ),
        };
        Self { fetcher: Fetcher::new(target, timeouts.connect), profile, timeouts }
    }

    /// What `GET /latest` reports.
    ///
    /// # Errors
    /// [`ReadError`]: the target is out of reach, or this is not its API.
    pub async fn latest(&self) -> Result<i64, ReadError> {
        let answer = self.get(&self.profile.path("/latest"), self.timeouts.response).await?;
        answer.success(&self.profile, Operation::Latest, |body| {
            self.profile.parse_latest(&serde_json::from_slice(body).ok()?)
        })
    }

    /// Whether the target answers as the API does, found out within `limit`.
    ///
    /// # Errors
    /// As [`Reader::latest`].
    pub async fn look(&self, limit: Duration) -> Result<(), ReadError> {
        let limit = limit.max(SHORTEST_LOOK);
        let silent = || silent(&self.profile.path("/latest"), limit);
        tokio::time::timeout(limit, self.latest()).await.map_err(|_| silent())?.map(|_| ())
    }

    /// Whether the target knows a user; also where it would not say.
    pub async fn knows(&self, user: &str) -> bool {
        let segment = utf8_percent_encode(user, NON_ALPHANUMERIC);
        let path = self.profile.path(&format!("/fllws/{segment}"));
        match self.get(&path, self.timeouts.response).await {
            Ok(answer) => !self.profile.is_unknown_user(answer.status),
            Err(_) => false,
        }
    }

    /// Reads back the given users and, where `is_whole`, whoever else has messages there, into
    /// `path`, each as it comes. Returns the header.
    ///
    /// # Errors
    /// [`ReadBackError`] where not even `/latest` can be read, or the file cannot be written.
    /// Anything less is a gap in the result.
    pub async fn read_back(
        &self,
        users: &BTreeSet<String>,
        taken_ns: u64,
        is_whole: bool,
        path: &Path,
    ) -> Result<Header, ReadBackError> {
        let latest = self.latest().await?;
        let (public, limits) = self.public(users, latest, is_whole).await;
        let mut out = ReadBackWriter::create(path)?;
        let gaps = self.users(users, public, latest, &mut out).await?;
        let header = Header {
            format_version: FORMAT_VERSION,
            method: "api".to_owned(),
            taken_ns,
            latest: Some(latest),
            gaps,
            limits,
        };
        out.finish(&header)?;
        Ok(header)
    }

    /// The listing of all messages; and what was not looked for.
    async fn public(
        &self,
        users: &BTreeSet<String>,
        latest: i64,
        is_whole: bool,
    ) -> (Public, Vec<String>) {
        let patience = LISTING_TIMEOUT.max(self.timeouts.response);
        let why = if is_whole {
            let mut counts: BTreeMap<String, u32> = BTreeMap::new();
            let is_stranger = |author: &str| {
                match counts.get_mut(author) {
                    Some(count) => *count += 1,
                    None => _ = counts.insert(author.to_owned(), 1),
                }
                !users.contains(author)
            };
            match self.messages("/msgs", latest, patience, is_stranger).await {
                Ok(listed) => {
                    let mut public =
                        Public { counts: listed.is_some().then_some(counts), ..Public::default() };
                    for (author, message) in listed.unwrap_or_default() {
                        public.strangers.entry(author).or_default().push(message);
                    }
                    return (public, Vec::new());
                }
                Err(error) => error.to_string(),
            }
        } else {
            "a shard reads its own users".to_owned()
        };
        let limit =
            format!("messages of users whom the run does not name were not looked for: {why}");
        (Public::default(), vec![limit])
    }

    /// Reads users into `out`; returns what could not be read.
    async fn users(
        &self,
        users: &BTreeSet<String>,
        public: Public,
        latest: i64,
        out: &mut ReadBackWriter,
    ) -> Result<Vec<String>, RunDirError> {
        let Public { mut strangers, counts } = public;
        let in_public =
            |user: &str| counts.as_ref().map(|counts| counts.get(user).copied().unwrap_or(0));
        let mut gaps = Gaps::default();
        let names: Vec<String> = strangers.keys().cloned().collect();
        let mut waiting = users.iter().chain(&names);
        let mut under_way = JoinSet::new();
        let mut unanswered = 0;
        loop {
            while under_way.len() < CONCURRENCY
                && unanswered < GIVE_UP
                && let Some(name) = waiting.next()
            {
                let (reader, name) = (self.clone(), name.clone());
                under_way.spawn(async move { reader.user(name, latest).await });
            }
            match under_way.join_next().await {
                None => break,
                Some(Ok((mut state, errors))) => {
                    let is_answer =
                        |error: &ReadError| matches!(error, ReadError::NotTheApi { .. });
                    unanswered = if errors.iter().all(is_answer) { 0 } else { unanswered + 1 };
                    errors.iter().for_each(|error| gaps.add(error.to_string()));
                    if state.exists != Some(true)
                        && let Some(messages) = strangers.remove(&state.user)
                    {
                        state.messages = messages;
                    }
                    state.in_public = in_public(&state.user);
                    out.push(&state)?;
                }
                Some(Err(panic)) => gaps.add(format!("reading a user failed: {panic}")),
            }
        }
        let mut not_asked = 0;
        for name in waiting {
            not_asked += 1;
            let messages = strangers.remove(name).unwrap_or_default();
            let in_public = in_public(name);
            let state =
                UserState { user: name.clone(), messages, in_public, ..UserState::default() };
            out.push(&state)?;
        }
        let mut gaps = gaps.told();
        if not_asked > 0 {
            gaps.push(format!(
                "{not_asked} more users were not asked for: {GIVE_UP} in a row were not answered"
            ));
        }
        Ok(gaps)
    }

    /// Both resources are asked: a server may know a user in one and not in the other.
    async fn user(&self, name: String, latest: i64) -> (UserState, Vec<ReadError>) {
        let segment = utf8_percent_encode(&name, NON_ALPHANUMERIC).to_string();
        let mut state = UserState { exists: Some(false), ..UserState::default() };
        let mut errors = Vec::new();
        let patience = self.timeouts.response;
        match self.follows(&format!("/fllws/{segment}"), latest, patience).await {
            Ok(Some(follows)) => {
                state.exists = Some(true);
                state.follows = follows;
            }
            Ok(None) => {}
            Err(error) => errors.push(error),
        }
        match self.messages(&format!("/msgs/{segment}"), latest, patience, |_| true).await {
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
    async fn follows(
        &self,
        path: &str,
        latest: i64,
        patience: Duration,
    ) -> Result<Option<Vec<String>>, ReadError> {
        let answer = self.get(&self.profile.read_all_path(path, latest), patience).await?;
        if self.profile.is_unknown_user(answer.status) {
            return Ok(None);
        }
        answer
            .success(&self.profile, Operation::Follows, |body| {
                self.profile.parse_follows(&serde_json::from_slice(body).ok()?)
            })
            .map(Some)
    }

    /// Each message of a wanted author, with the author; `None` where the target does not know the
    /// user.
    async fn messages(
        &self,
        path: &str,
        latest: i64,
        patience: Duration,
        is_wanted: impl FnMut(&str) -> bool,
    ) -> Result<Option<Vec<(String, Message)>>, ReadError> {
        let answer = self.get(&self.profile.read_all_path(path, latest), patience).await?;
        if self.profile.is_unknown_user(answer.status) {
            return Ok(None);
        }
        answer
            .success(&self.profile, Operation::Messages, |body| {
                listed(&self.profile, body, is_wanted)
            })
            .map(Some)
    }

    /// Reads change nothing, so what fails is tried again; what is not answered within `patience` is
    /// not.
    async fn get(&self, path: &str, patience: Duration) -> Result<Answer, ReadError> {
        let mut tries = 1;
        loop {
            let answered = async {
                if has_dots(path) {
                    self.get_as_it_is(path, patience).await
                } else {
                    self.get_once(path).await
                }
            };
            let result = tokio::time::timeout(patience, answered)
                .await
                .map_err(|_elapsed| silent(path, patience))?;
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
        let request = self
            .fetcher
            .request(Method::GET, path)
            .header(header::AUTHORIZATION, &self.profile.authorization);
        let fetched = self
            .fetcher
            .fetch(request, MAX_BODY_BYTES)
            .await
            .map_err(|error| unanswered(path, &error))?;
        if fetched.too_long {
            let reason = "the answer is longer than 64 MiB".to_owned();
            return Err(ReadError::NoAnswer { path: path.to_owned(), reason, is_absence: false });
        }
        Ok(Answer {
            path: path.to_owned(),
            status: fetched.status,
            content_type: fetched
                .header(header::CONTENT_TYPE)
                .unwrap_or_else(|| "without a content type".to_owned()),
            body: fetched.body,
        })
    }

    /// Asks for a path that no URL can name.
    async fn get_as_it_is(&self, path: &str, patience: Duration) -> Result<Answer, ReadError> {
        let answer = self
            .fetcher
            .get_as_it_is(path, &self.profile.authorization, patience)
            .await
            .map_err(|error| unanswered(path, &error))?;
        let content_type = "of an unknown content type".to_owned();
        Ok(Answer { path: path.to_owned(), status: answer.status, content_type, body: answer.body })
    }
}

/// Whether a segment is `.` or `..`, which a URL drops: a user may be called so.
fn has_dots(path: &str) -> bool {
    let resource = path.split('?').next().unwrap_or(path);
    resource.split('/').any(|segment| ["%2E", "%2E%2E"].contains(&segment))
}

fn unanswered(path: &str, error: &FetchError) -> ReadError {
    ReadError::NoAnswer {
        path: path.to_owned(),
        reason: error.to_string(),
        is_absence: error.is_absence(),
    }
}

fn silent(path: &str, patience: Duration) -> ReadError {
    let reason = format!("no answer within {} s", patience.as_secs_f64());
    ReadError::NoAnswer { path: path.to_owned(), reason, is_absence: true }
}

#[cfg(test)]
mod tests;
