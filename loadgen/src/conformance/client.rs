//! One request at a time, a new connection each, whatever the target does.

use super::case::Stop;
use super::report::Slowest;
use reqwest::{Method, header};
use serde_json::Value;
use std::error::Error;
use std::time::{Duration, Instant};

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
    http: reqwest::Client,
    base: String,
    /// The `Authorization` header.
    authorization: String,
    /// The answer that took longest.
    pub(super) slowest: Option<Slowest>,
}

impl Client {
    /// A client of `base` (`http://host:port`) that waits `timeout` for each whole answer.
    pub(super) fn new(base: &str, authorization: &str, timeout: Duration) -> Result<Self, String> {
        let url = reqwest::Url::parse(base).map_err(|error| error.to_string())?;
        if url.scheme() != "http" || url.host().is_none() {
            return Err("only http:// can be spoken to".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("a base URL has no query and no fragment".to_owned());
        }
        let http = reqwest::Client::builder()
            .no_proxy()
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            // A server that sends a body with a 204 corrupts a connection that is used again.
            .pool_max_idle_per_host(0)
            .connect_timeout(timeout)
            .timeout(timeout)
            .build()
            .map_err(|error| chain(&error))?;
        Ok(Self {
            http,
            base: base.trim_end_matches('/').to_owned(),
            authorization: authorization.to_owned(),
            slowest: None,
        })
    }

    /// The base URL, without a slash at its end.
    pub(super) fn base(&self) -> &str {
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
        let mut request = self
            .http
            .request(method.clone(), format!("{}{path}", self.base))
            .header(header::CONNECTION, "close");
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
        let answer = receive(request).await;
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let request = format!("{method} {}", path.split('?').next().unwrap_or(path));
        if self.slowest.as_ref().is_none_or(|slowest| slowest.ms < ms) {
            self.slowest = Some(Slowest { request: request.clone(), ms });
        }
        answer.map_err(|error| Stop::Broken(format!("{request}: {}", describe(&error, ms))))
    }
}

async fn receive(request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
    let mut response = request.send().await?;
    let text = |name| {
        let value = response.headers().get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let mut answer = Answer {
        status: response.status().as_u16(),
        content_type: text(header::CONTENT_TYPE),
        location: text(header::LOCATION),
        body: Vec::new(),
        too_long: false,
    };
    while let Some(chunk) = response.chunk().await? {
        let room = BODY_LIMIT - answer.body.len();
        answer.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            answer.too_long = true;
            break;
        }
    }
    Ok(answer)
}

/// What happened to the connection, in the words of a person.
fn describe(error: &reqwest::Error, ms: u64) -> String {
    if error.is_timeout() && error.is_connect() {
        return format!("no connection within {ms} ms");
    }
    if error.is_timeout() {
        return format!("no whole answer within {ms} ms");
    }
    let cause = chain(error);
    if error.is_connect() {
        let refused = cause.to_lowercase().contains("connection refused");
        return if refused { "connection refused".to_owned() } else { cause };
    }
    if cause.contains("invalid HTTP") || cause.contains("parse") {
        return format!("the answer is not HTTP/1.1 ({cause})");
    }
    format!("the connection was closed before the answer was whole ({cause})")
}

/// The innermost cause: the outer ones only repeat the URL.
fn chain(error: &dyn Error) -> String {
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
