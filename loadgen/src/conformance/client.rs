//! One request at a time, a new connection each, whatever the target does.

use super::case::Stop;
use super::report::Slowest;
use crate::client::fetch::{FetchError, Fetcher};
use crate::client::{BaseUrl, DialError};
use reqwest::{Method, RequestBuilder, header};
use serde_json::Value;
use std::io;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// The longest body that is read; a longer one is cut off and said to be too long.
const BODY_LIMIT: usize = 1 << 20;

/// What a request carries besides its path.
#[derive(Debug, Clone, Copy)]
pub(super) enum Body<'a> {
    /// Nothing.
    None,
    /// JSON, with its content type.
    Json(&'a Value),
    /// These bytes, with this content type.
    Raw(&'a str, &'a str),
}

/// An answer, or as much of it as was read.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// The status.
    pub(super) status: u16,
    /// The content type, if the answer has one.
    pub(super) content_type: Option<String>,
    /// Where a redirect leads.
    pub(super) location: Option<String>,
    /// The body, up to [`BODY_LIMIT`].
    pub(super) body: Vec<u8>,
    /// The body went on beyond the limit.
    pub(super) too_long: bool,
}

/// Sends requests to one base URL.
pub(super) struct Client {
    base: BaseUrl,
    fetcher: Fetcher,
    /// The `Authorization` header.
    authorization: String,
    timeout: Duration,
    /// The answer that took longest.
    pub(super) slowest: Option<Slowest>,
}

/// What was asked for in vain.
pub(super) struct Unanswered {
    /// The method and the path.
    request: String,
    /// What happened, in the words of a person.
    pub(super) reason: String,
    /// Whether the target may not be running: nobody has taken the connection, or answered in time.
    pub(super) is_absence: bool,
}

impl Client {
    /// A client of `base` that waits `timeout` for each whole answer.
    pub(super) fn new(base: BaseUrl, authorization: &str, timeout: Duration) -> Self {
        let fetcher = Fetcher::new(base.clone(), timeout);
        Self { base, fetcher, authorization: authorization.to_owned(), timeout, slowest: None }
    }

    /// The base URL.
    pub(super) fn base(&self) -> &BaseUrl {
        &self.base
    }

    /// The `Authorization` header.
    pub(super) fn authorization(&self) -> &str {
        &self.authorization
    }

    /// Sends `method path` and reads the answer; `authorization` overrides the usual header, and
    /// an empty one leaves it out.
    pub(super) async fn send(
        &mut self,
        method: Method,
        path: &str,
        authorization: Option<&str>,
        body: Body<'_>,
    ) -> Result<Answer, Stop> {
        let answer = self.ask(method, path, authorization, body).await;
        answer.map_err(|Unanswered { request, reason, .. }| {
            Stop::Broken(format!("{request}: {reason}"))
        })
    }

    /// The same, for whom it matters why there is no answer.
    pub(super) async fn ask(
        &mut self,
        method: Method,
        path: &str,
        authorization: Option<&str>,
        body: Body<'_>,
    ) -> Result<Answer, Unanswered> {
        let authorization = authorization.unwrap_or(&self.authorization);
        let mut request = self.fetcher.request(method.clone(), path);
        if !authorization.is_empty() {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        request = match body {
            Body::None => request,
            Body::Json(value) => request.json(value),
            Body::Raw(kind, text) => {
                request.header(header::CONTENT_TYPE, kind).body(text.to_owned())
            }
        };
        let began = Instant::now();
        let answer = self.receive(request).await;
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let request = format!("{method} {}", path.split('?').next().unwrap_or(path));
        if self.slowest.as_ref().is_none_or(|slowest| slowest.ms < ms) {
            self.slowest = Some(Slowest { request: request.clone(), ms });
        }
        answer.map_err(|error| Unanswered {
            request,
            reason: described(error.as_ref(), ms),
            is_absence: error.is_none_or(|error| error.is_absence()),
        })
    }

    /// `None` for why there is no answer: there was no whole one in time.
    async fn receive(&self, request: RequestBuilder) -> Result<Answer, Option<FetchError>> {
        let fetched = timeout(self.timeout, self.fetcher.fetch(request, BODY_LIMIT))
            .await
            .map_err(|_elapsed| None)??;
        Ok(Answer {
            status: fetched.status,
            content_type: fetched.header(header::CONTENT_TYPE),
            location: fetched.header(header::LOCATION),
            body: fetched.body,
            too_long: fetched.too_long,
        })
    }
}

fn described(error: Option<&FetchError>, ms: u64) -> String {
    match error {
        None => format!("no whole answer within {ms} ms"),
        Some(FetchError::NoConnection(DialError::Connect(error)))
            if error.kind() == io::ErrorKind::ConnectionRefused =>
        {
            "connection refused".to_owned()
        }
        Some(error) => error.to_string(),
    }
}

impl Answer {
    /// The body as JSON.
    pub(super) fn json(&self) -> Option<Value> {
        if self.too_long {
            return None;
        }
        serde_json::from_slice(&self.body).ok()
    }

    /// Whether the request was acknowledged, by whatever success status.
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// What was got, in a few words: `404 text/html "<html>..."`.
    pub(super) fn seen(&self) -> String {
        let mut seen = self.status.to_string();
        if let Some(location) = &self.location {
            seen.push_str(&format!(" to {}", excerpt(location, 40)));
        } else if let Some(kind) = &self.content_type
            && !self.body.is_empty()
        {
            seen.push_str(&format!(" {}", excerpt(kind.split(';').next().unwrap_or(kind), 30)));
        }
        if self.too_long {
            seen.push_str(", over 1 MiB");
        } else if !self.body.is_empty() {
            seen.push_str(&format!(" {}", excerpt(&String::from_utf8_lossy(&self.body), 60)));
        }
        seen
    }
}

/// The first `limit` characters on one line; `...` stands for what was cut off.
pub(super) fn excerpt(text: &str, limit: usize) -> String {
    let mut characters = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut excerpt: String = characters.by_ref().take(limit).collect();
    if characters.next().is_some() {
        excerpt.push_str("...");
    }
    excerpt
}
