//! The walk from case to case, what it carries along, and `latest` put back at the end.

use super::case::{Case, Stop, Verdict};
use super::cases;
use super::client::{Answer, Body, Client};
use super::contact::{NotTheApi, first_contact, latest_in};
use super::report::{Finding, LatestAfter, Report};
use super::waiver::{Key, Waiver};
use crate::client::BaseUrl;
use crate::profile::{Profile, ReadMessage};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// After so many requests in a row without an answer the target is given up.
const GIVE_UP_AFTER: usize = 3;

/// Everything but RFC 3986's unreserved characters and `+`, which is a plus in a path.
const NAME: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'+');

/// How to walk.
#[derive(Debug, Clone)]
pub struct Options {
    /// The longest wait for one answer.
    pub timeout: Duration,
    /// The longest walk; what is left then is skipped.
    pub total: Duration,
    /// Distinguishes the users of this walk from those of others; letters and digits.
    pub suffix: String,
    /// Deviations that are known, and the prefix where to look first.
    pub profile: Profile,
}

/// Walks every case against the server at `target`.
///
/// # Errors
/// [`NotTheApi`] where the first `GET /latest` gets no answer, or none of this API.
pub async fn walk(target: &BaseUrl, options: &Options) -> Result<Report, NotTheApi> {
    let (mut walk, before) = Walk::begin(target, options).await?;
    let deadline = Instant::now() + options.total;
    let mut findings: Vec<Finding> = Vec::new();
    let mut silent = 0;
    for case in cases::all() {
        let left = deadline.saturating_duration_since(Instant::now());
        let skipped = |reason: String| Verdict::Skipped { reason };
        let out_of_time = || skipped(format!("the walk's {} s were over", options.total.as_secs()));
        let verdict = if silent >= GIVE_UP_AFTER {
            skipped("the target has stopped answering".to_owned())
        } else if left.is_zero() {
            out_of_time()
        } else {
            let end = tokio::time::timeout(left, (case.run)(&mut walk)).await;
            end.map_or_else(|_| out_of_time(), Verdict::from)
        };
        silent = match verdict {
            Verdict::Broken { .. } => silent + 1,
            Verdict::Skipped { .. } => silent,
            _ => 0,
        };
        findings.push(judge(case, verdict, &options.profile));
    }
    let after = if silent < GIVE_UP_AFTER { walk.restore(before).await } else { None };
    Ok(Report {
        target: walk.url(""),
        findings,
        users: walk.users,
        latest: LatestAfter { before, after },
        slowest: walk.client.slowest,
    })
}

fn judge(case: &Case, verdict: Verdict, profile: &Profile) -> Finding {
    Finding {
        id: case.id,
        severity: case.severity,
        rule: case.rule,
        consequence: case.consequence,
        waived: Finding::is_waived(case.id, &verdict, profile),
        verdict,
    }
}

/// What the walk carries from case to case.
pub(super) struct Walk {
    pub(super) client: Client,
    /// How the target was seen to speak; what one case learns, the others read by.
    pub(super) seen: Profile,
    /// The prefix that was given.
    pub(super) given_prefix: String,
    /// The longest wait for one answer.
    pub(super) timeout: Duration,
    /// The first answer to `GET /latest`.
    pub(super) first: Answer,
    /// What `latest` was before the walk.
    pub(super) before: i64,
    /// The users that the walk has made.
    pub(super) users: Vec<String>,
    /// Follows were not seen to be dropped.
    pub(super) lists_follows: bool,
    suffix: String,
    next_id: i64,
}

impl Walk {
    /// Makes first contact; also tells what `latest` is.
    async fn begin(target: &BaseUrl, options: &Options) -> Result<(Self, i64), NotTheApi> {
        let given = &options.profile;
        let mut client = Client::new(target.clone(), &given.authorization, options.timeout);
        let (prefix, first) = first_contact(&mut client, &given.prefix).await?;
        let mut seen =
            Profile { prefix, authorization: given.authorization.clone(), ..Profile::default() };
        let (key, value) = latest_in(&first).unwrap_or_default();
        seen.keys.latest = key;
        let mut walk = Self {
            client,
            seen,
            given_prefix: given.prefix.clone(),
            timeout: options.timeout,
            first,
            before: value,
            users: Vec::new(),
            lists_follows: true,
            suffix: options.suffix.clone(),
            // Above what is there, for servers that keep the greatest id; small, for 32 bits.
            next_id: value.clamp(1_000_000, 2_000_000_000),
        };
        walk.learn_what_reads_need().await;
        Ok((walk, value))
    }

    /// Some servers answer a read only with `no`, or with `latest`, or with both.
    async fn learn_what_reads_need(&mut self) {
        for (no, latest) in [(false, false), (true, false), (false, true), (true, true)] {
            self.seen.requires_no = no;
            self.seen.requires_latest = latest;
            let path = self.read_path("/msgs", no.then_some("20"));
            match self.get(&path).await {
                Ok(answer) if (400..500).contains(&answer.status) => {}
                _ => return,
            }
        }
        self.seen.requires_no = false;
        self.seen.requires_latest = false;
    }

    /// `path` at the target, as a URL.
    pub(super) fn url(&self, path: &str) -> String {
        self.client.base().at(&format!("{}{path}", self.seen.prefix))
    }

    /// A command id that was not used before.
    pub(super) fn id(&mut self) -> i64 {
        self.next_id += 1;
        self.next_id
    }

    /// A user name of this walk.
    pub(super) fn name(&self, stem: &str) -> String {
        format!("limosa-{}-{stem}", self.suffix)
    }

    /// The path of a read, with what this target needs.
    pub(super) fn read_path(&mut self, path: &str, no: Option<&str>) -> String {
        let mut query = Vec::new();
        if let Some(no) = no {
            query.push(format!("no={no}"));
        }
        if self.seen.requires_latest {
            query.push(format!("latest={}", self.id()));
        }
        match query.is_empty() {
            true => path.to_owned(),
            false => format!("{path}?{}", query.join("&")),
        }
    }

    /// Sends anything; `authorization` as in [`Client::send`].
    pub(super) async fn send(
        &mut self,
        method: Method,
        path: &str,
        authorization: Option<&str>,
        body: Body<'_>,
    ) -> Result<Answer, Stop> {
        let path = self.seen.path(path);
        self.client.send(method, &path, authorization, body).await
    }

    /// `GET path`, with the usual credentials.
    pub(super) async fn get(&mut self, path: &str) -> Result<Answer, Stop> {
        self.send(Method::GET, path, None, Body::None).await
    }

    /// `POST path?latest=<new id>`, with the usual credentials.
    pub(super) async fn post(&mut self, path: &str, body: &Value) -> Result<Answer, Stop> {
        let id = self.id();
        self.post_as(id, path, body).await
    }

    /// `POST path?latest=<id>`, with the usual credentials.
    pub(super) async fn post_as(
        &mut self,
        id: i64,
        path: &str,
        body: &Value,
    ) -> Result<Answer, Stop> {
        let path = format!("{path}?latest={id}");
        self.send(Method::POST, &path, None, Body::Json(body)).await
    }

    /// Registers `name` by the rules.
    pub(super) async fn register(&mut self, name: &str) -> Result<Answer, Stop> {
        let body = json!({"username": name, "email": "limosa@example.org", "pwd": "bar-tailed"});
        let answer = self.post("/register", &body).await?;
        if answer.is_success() {
            self.users.push(name.to_owned());
        }
        Ok(answer)
    }

    /// A user that the walk has registered; made now if it was not before.
    pub(super) async fn user(&mut self, stem: &str) -> Result<String, Stop> {
        let name = self.name(stem);
        if !self.users.contains(&name) {
            let answer = self.register(&name).await?;
            if !answer.is_success() {
                let reason = format!("no user could be registered: {}", answer.seen());
                return Err(Stop::Skipped(reason));
            }
        }
        Ok(name)
    }

    /// Posts a message.
    pub(super) async fn tweet(&mut self, user: &str, text: &str) -> Result<Answer, Stop> {
        self.post(&messages_path(user), &json!({"content": text})).await
    }

    /// Posts a message, and skips the case where that fails.
    pub(super) async fn tweeted(&mut self, user: &str, text: &str) -> Result<(), Stop> {
        let answer = self.tweet(user, text).await?;
        acknowledged(&answer, "a message")
    }

    /// The newest `no` messages at `path`, newest first.
    pub(super) async fn messages(
        &mut self,
        path: &str,
        no: &str,
    ) -> Result<Vec<ReadMessage>, Stop> {
        let path = self.read_path(path, Some(no));
        let answer = self.get(&path).await?;
        if !answer.is_success() {
            return Err(Stop::Skipped(format!("GET {path} answers {}", answer.seen())));
        }
        let messages = answer.json().and_then(|json| self.seen.parse_messages(&json));
        messages.ok_or_else(|| {
            Stop::Skipped(format!("GET {path} answers no list of messages: {}", answer.seen()))
        })
    }

    /// The messages of `user` once they are as `awaited`, or as they are after a second: a server
    /// that acknowledges before it stores is found by one case of its own.
    pub(super) async fn messages_when(
        &mut self,
        user: &str,
        awaited: impl Fn(&[ReadMessage]) -> bool,
    ) -> Result<Vec<ReadMessage>, Stop> {
        let path = messages_path(user);
        let mut messages = self.messages(&path, "100").await?;
        for _ in 0..PATIENCE {
            if awaited(&messages) {
                break;
            }
            tokio::time::sleep(MOMENT).await;
            messages = self.messages(&path, "100").await?;
        }
        Ok(messages)
    }

    /// Follows (`verb` is `follow`) or unfollows.
    pub(super) async fn edge(&mut self, who: &str, verb: &str, whom: &str) -> Result<Answer, Stop> {
        self.post(&follows_path(who), &json!({verb: whom})).await
    }

    /// Whom `user` follows.
    pub(super) async fn follows(&mut self, user: &str) -> Result<Vec<String>, Stop> {
        let path = self.read_path(&follows_path(user), Some("100"));
        let answer = self.get(&path).await?;
        if !answer.is_success() {
            return Err(Stop::Skipped(format!("GET {path} answers {}", answer.seen())));
        }
        let names = answer.json().and_then(|json| self.seen.parse_follows(&json));
        names.ok_or_else(|| {
            Stop::Skipped(format!("GET {path} answers no list of names: {}", answer.seen()))
        })
    }

    /// Whom `user` follows once it is as `awaited`, or as it is after a second.
    pub(super) async fn follows_when(
        &mut self,
        user: &str,
        awaited: impl Fn(&[String]) -> bool,
    ) -> Result<Vec<String>, Stop> {
        let mut names = self.follows(user).await?;
        for _ in 0..PATIENCE {
            if awaited(&names) {
                break;
            }
            tokio::time::sleep(MOMENT).await;
            names = self.follows(user).await?;
        }
        Ok(names)
    }

    /// What `GET /latest` reports.
    pub(super) async fn latest(&mut self) -> Result<i64, Stop> {
        let answer = self.get("/latest").await?;
        let latest = answer.json().and_then(|json| self.seen.parse_latest(&json));
        latest.ok_or_else(|| {
            Stop::deviates("200 {\"latest\":N}", format!("GET /latest: {}", answer.seen()))
        })
    }

    /// What `GET /latest` reports once it is `awaited`, or after a moment.
    pub(super) async fn latest_when(&mut self, awaited: i64) -> Result<i64, Stop> {
        let mut latest = self.latest().await?;
        for _ in 0..2 {
            if latest == awaited {
                break;
            }
            tokio::time::sleep(MOMENT).await;
            latest = self.latest().await?;
        }
        Ok(latest)
    }

    /// Puts `latest` back, by a read or else by an unfollow of no edge, and tells what it is.
    async fn restore(&mut self, before: i64) -> Option<i64> {
        let now = self.latest().await.ok()?;
        if now == before {
            return Some(now);
        }
        // -1 is what "no command yet" looks like, and no request can say it; 0 is where every
        // trace begins.
        let wanted = if before == -1 { 0 } else { before };
        let _ = self.get(&format!("/msgs?no=1&latest={wanted}")).await;
        if self.latest().await.ok()? != wanted
            && let [who, whom, ..] = self.users.clone().as_slice()
        {
            let unfollow = json!({"unfollow": whom});
            let _ = self.post_as(wanted, &follows_path(who), &unfollow).await;
        }
        self.latest_when(wanted).await.ok()
    }
}

const PATIENCE: usize = 9;
const MOMENT: Duration = Duration::from_millis(100);

/// `/msgs/{user}`.
pub(super) fn messages_path(user: &str) -> String {
    format!("/msgs/{}", utf8_percent_encode(user, NAME))
}

/// `/fllws/{user}`.
pub(super) fn follows_path(user: &str) -> String {
    format!("/fllws/{}", utf8_percent_encode(user, NAME))
}

/// Skips the case where `what` was not acknowledged: another case is about that.
pub(super) fn acknowledged(answer: &Answer, what: &str) -> Result<(), Stop> {
    match answer.is_success() {
        true => Ok(()),
        false => Err(Stop::Skipped(format!("{what} was not accepted: {}", answer.seen()))),
    }
}

/// Fails a case whose key is spelled otherwise, and remembers the spelling.
pub(super) fn learn_key(walk: &mut Walk, key: Key, spelling: &str) -> Option<Waiver> {
    let kept = key.of(&mut walk.seen);
    if kept == spelling {
        return None;
    }
    spelling.clone_into(kept);
    Some(Waiver::Key(key, spelling.to_owned()))
}
