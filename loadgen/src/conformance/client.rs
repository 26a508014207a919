//! One request at a time, a new connection each, whatever the target does.

use super::case::Stop;
use super::report::Slowest;
use crate::client::fetch::fetch;
use crate::client::{BaseUrl, DialError, Dialer};
use http_body_util::Full;
use hyper::{Method, Request, header};
use serde_json::Value;
use std::error::Error;
use std::io;
use std::time::{Duration, Instant};
use tokio::time::timeout_at;

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
    /// The `Authorization` header.
    authorization: String,
    timeout: Duration,
    /// The answer that took longest.
    pub(super) slowest: Option<Slowest>,
}

/// Why there is no answer.
enum Unanswered {
    /// It could not be asked for: a header with a line end in it, for one.
    Unasked(hyper::http::Error),
    NoConnection(DialError),
    NoConnectionInTime,
    Broken(hyper::Error),
    TooLate,
}

impl Client {
    /// A client of `base` that waits `timeout` for each whole answer.
    pub(super) fn new(base: BaseUrl, authorization: &str, timeout: Duration) -> Self {
        Self { base, authorization: authorization.to_owned(), timeout, slowest: None }
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
        let authorization = authorization.unwrap_or(&self.authorization);
        let mut request = Request::builder()
            .method(&method)
            .uri(format!("{}{path}", self.base.prefix()))
            .header(header::HOST, self.base.authority())
            .header(header::CONNECTION, "close");
        if !authorization.is_empty() {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = match body {
            Body::None => request.body(Full::default()),
            Body::Json(value) => request
                .header(header::CONTENT_TYPE, "application/json")
                .body(value.to_string().into()),
            Body::Raw(kind, text) => {
                request.header(header::CONTENT_TYPE, kind).body(text.to_owned().into())
            }
        };
        let began = Instant::now();
        let answer = match request {
            Ok(request) => self.receive(request).await,
            Err(error) => Err(Unanswered::Unasked(error)),
        };
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let request = format!("{method} {}", path.split('?').next().unwrap_or(path));
        if self.slowest.as_ref().is_none_or(|slowest| slowest.ms < ms) {
            self.slowest = Some(Slowest { request: request.clone(), ms });
        }
        answer.map_err(|error| Stop::Broken(format!("{request}: {}", error.describe(ms))))
    }

    async fn receive(
        &self,
        request: Request<Full<hyper::body::Bytes>>,
    ) -> Result<Answer, Unanswered> {
        let deadline = tokio::time::Instant::now() + self.timeout;
        let stream = timeout_at(deadline, Dialer::new(self.base.clone()).dial())
            .await
            .map_err(|_elapsed| Unanswered::NoConnectionInTime)?
            .map_err(Unanswered::NoConnection)?;
        let fetched = timeout_at(deadline, fetch(stream, request, BODY_LIMIT))
            .await
            .map_err(|_elapsed| Unanswered::TooLate)?
            .map_err(Unanswered::Broken)?;
        Ok(Answer {
            status: fetched.status,
            content_type: fetched.header(header::CONTENT_TYPE),
            location: fetched.header(header::LOCATION),
            body: fetched.body,
            too_long: fetched.too_long,
        })
    }
}

impl Unanswered {
    /// What happened to the connection, in the words of a person.
    fn describe(&self, ms: u64) -> String {
        match self {
            Self::Unasked(error) => format!("it cannot be asked for: {error}"),
            Self::NoConnection(DialError::Connect(error))
                if error.kind() == io::ErrorKind::ConnectionRefused =>
            {
                "connection refused".to_owned()
            }
            Self::NoConnection(error) => error.to_string(),
            Self::NoConnectionInTime => format!("no connection within {ms} ms"),
            Self::Broken(error) if error.is_parse() => {
                format!("the answer is not HTTP/1.1 ({})", cause(error))
            }
            Self::Broken(error) => {
                let cause = cause(error);
                format!("the connection was closed before the answer was whole ({cause})")
            }
            Self::TooLate => format!("no whole answer within {ms} ms"),
        }
    }
}

/// The innermost cause: the outer ones only repeat what was tried.
fn cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
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
