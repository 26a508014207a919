//! The microblog itself, as its switches want it.

use super::switches::Switches;
use crate::profile::SIMULATOR_AUTHORIZATION;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// A request, decoded.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// The path's parts, percent-decoded.
    pub(crate) path: Vec<String>,
    pub(crate) query: HashMap<String, String>,
    pub(crate) authorization: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
    /// What is really done only a while after the answer.
    pub(crate) later: Option<Box<Request>>,
}

struct Message {
    user: String,
    text: String,
    second: u64,
}

/// The data and the switches.
pub(crate) struct Service {
    switches: Switches,
    latest: i64,
    users: Vec<String>,
    messages: Vec<Message>,
    edges: Vec<(String, String)>,
}

impl Service {
    pub(crate) fn new(switches: Switches) -> Self {
        Self {
            latest: switches.latest_initial,
            switches,
            users: Vec::new(),
            messages: Vec::new(),
            edges: Vec::new(),
        }
    }

    pub(crate) fn answer(&mut self, request: &Request) -> Reply {
        let before = self.latest;
        self.record(request);
        let mut reply = match self.route(request) {
            Ok(reply) | Err(reply) => reply,
        };
        let read = request.method == "GET";
        let register = request.path.last().is_some_and(|part| part == "register");
        if (read && !self.switches.latest_on_reads)
            || (register && !self.switches.latest_on_register)
            || (reply.status >= 400 && !self.switches.latest_on_refused)
        {
            self.latest = before;
        }
        if reply.status == 204 && self.switches.body_on_204 {
            reply.body = "\"\"".to_owned();
        }
        if self.switches.html_type {
            reply.content_type = "text/html";
        }
        reply
    }

    fn record(&mut self, request: &Request) {
        let Some(given) = request.query.get("latest").and_then(|text| text.parse::<i64>().ok())
        else {
            return;
        };
        let switches = &self.switches;
        if (given == -1 && !switches.latest_minus_one_taken)
            || (given < self.latest && switches.latest_keeps_greatest)
        {
            return;
        }
        self.latest = given;
        if switches.latest_wraps {
            self.latest = i64::from(given as i32);
        }
        if switches.latest_is_double {
            self.latest = (given as f64) as i64;
        }
    }

    fn route(&mut self, request: &Request) -> Result<Reply, Reply> {
        let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
        let path = match (self.switches.prefix.strip_prefix('/'), &path[..]) {
            (None, path) => path,
            (Some(prefix), [first, path @ ..]) if *first == prefix => path,
            _ => return Err(self.refusal(404, "no such path")),
        };
        let path = match path {
            [path @ .., ""] if self.switches.slash_is_fine => path,
            path => path,
        };
        let user = path.get(1).map(|name| self.name_in_path(name));
        let read = request.method == "GET";
        match (path, user) {
            (["latest"], None) if read => self.get_latest(request),
            (["register"], None) if request.method == "POST" => self.register(request),
            (["msgs"], None) if read => self.list(request, None),
            (["msgs", _], Some(user)) if read => self.list(request, Some(user)),
            (["msgs", _], Some(user)) if request.method == "POST" => self.tweet(request, user),
            (["fllws", _], Some(user)) if read => self.follows(request, &user),
            (["fllws", _], Some(user)) if request.method == "POST" => self.edge(request, user),
            (["latest" | "register" | "msgs"] | ["msgs" | "fllws", _], _) => {
                Err(self.refusal(self.switches.wrong_method, "wrong method"))
            }
            _ => Err(self.refusal(404, "no such path")),
        }
    }

    fn name_in_path(&self, name: &str) -> String {
        let mut name = name.to_owned();
        if self.switches.plus_is_blank {
            name = name.replace('+', " ");
        }
        if self.switches.decode_twice {
            name = percent_encoding::percent_decode_str(&name).decode_utf8_lossy().into_owned();
        }
        if self.switches.ascii_names {
            name.retain(|c| c.is_ascii());
        }
        if self.switches.no_blank_in_names {
            name = name.replace(' ', "");
        }
        name
    }

    fn get_latest(&self, request: &Request) -> Result<Reply, Reply> {
        if self.switches.latest_needs_auth {
            self.authorize(request)?;
        }
        let value = match self.switches.latest_as_text {
            true => json!(self.latest.to_string()),
            false => json!(self.latest),
        };
        Ok(json_reply(200, &json!({ self.key("latest"): value })))
    }

    fn register(&mut self, request: &Request) -> Result<Reply, Reply> {
        if self.switches.register_needs_auth {
            self.authorize(request)?;
        }
        let body = self.json(request)?;
        let [name, email, password] =
            ["username", "email", "pwd"].map(|key| body.get(key).and_then(Value::as_str));
        let (Some(name), Some(email), Some(password)) = (name, email, password) else {
            return Err(self.refusal(self.switches.bad_request, "a key is missing"));
        };
        let invalid = self.switches.invalid;
        if password.is_empty() && self.switches.password_first {
            return Err(self.refusal(invalid, "You have to enter a password"));
        }
        if name.is_empty() {
            return Err(self.refusal(invalid, "You have to enter a username"));
        }
        if !email.contains('@') {
            return Err(self.refusal(invalid, "You have to enter a valid email address"));
        }
        if password.is_empty() {
            if self.switches.refused_register_stays {
                self.users.push(name.to_owned());
            }
            return Err(self.refusal(invalid, "You have to enter a password"));
        }
        if self.known(name) {
            return Err(self.refusal(self.switches.taken, "The username is already taken"));
        }
        self.users.push(name.to_owned());
        Ok(self.done())
    }

    fn list(&self, request: &Request, user: Option<String>) -> Result<Reply, Reply> {
        self.authorize(request)?;
        if let Some(user) = &user {
            self.must_know(user)?;
        }
        let limit = self.limit(request)?;
        let of = |message: &&Message| match &user {
            Some(user) => self.same(&message.user, user) || self.switches.all_in_user,
            None => !self.switches.drop_tweets_from_public,
        };
        let mut listed: Vec<&Message> = self.messages.iter().filter(of).collect();
        if !self.switches.oldest_first {
            listed.reverse();
        }
        if self.switches.oldest_first_in_a_second {
            listed.reverse();
            listed.sort_by_key(|message| std::cmp::Reverse(message.second));
        }
        let listed = listed.iter().take(limit).map(|message| {
            json!({
                self.key("content"): (self.switches.alter)(&message.text),
                self.key("user"): message.user,
                self.key("pub_date"): (self.switches.date)(message.second),
            })
        });
        Ok(json_reply(200, &listed.collect()))
    }

    fn limit(&self, request: &Request) -> Result<usize, Reply> {
        let switches = &self.switches;
        if (switches.requires_no && !request.query.contains_key("no"))
            || (switches.requires_latest && !request.query.contains_key("latest"))
        {
            return Err(self.refusal(400, "a parameter is missing"));
        }
        let given = request.query.get("no").map(|text| text.parse::<i64>());
        let limit = match given {
            None => switches.default_no,
            Some(Err(_)) if switches.bad_no_refused => {
                return Err(self.refusal(400, "no is not a number"));
            }
            Some(Err(_)) => 100,
            Some(Ok(given)) if switches.large_no_refused && given > 1_000_000 => {
                return Err(self.refusal(400, "no is too large"));
            }
            Some(Ok(0)) if switches.zero_is_default => 100,
            Some(Ok(given)) => match usize::try_from(given) {
                Ok(given) => given,
                Err(_) if switches.no_negative => 0,
                Err(_) => usize::MAX,
            },
        };
        Ok(limit.min(switches.greatest_no))
    }

    fn tweet(&mut self, request: &Request, user: String) -> Result<Reply, Reply> {
        let authorized = self.authorize(request);
        if authorized.is_err() && self.switches.refused_tweet_stays {
            self.push(&user, "");
        }
        authorized?;
        let latest = request.query.get("latest");
        if (self.switches.latest_missing_refused && latest.is_none())
            || (self.switches.latest_bad_refused && latest.is_some_and(|text| text == "now"))
        {
            return Err(self.refusal(400, "latest is missing"));
        }
        self.must_know(&user)?;
        let body = self.json(request)?;
        let Some(text) = body.get("content").and_then(Value::as_str) else {
            return Err(self.refusal(self.switches.bad_request, "content is missing"));
        };
        let mut reply = self.done();
        if self.switches.later && request.method == "POST" && !request.query.contains_key("now") {
            let mut later = request.clone();
            later.query.remove("latest");
            later.query.insert("now".to_owned(), String::new());
            reply.later = Some(Box::new(later));
            return Ok(reply);
        }
        self.push(&user, text);
        Ok(reply)
    }

    fn push(&mut self, user: &str, text: &str) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        self.messages.push(Message { user: user.to_owned(), text: text.to_owned(), second: now });
    }

    fn follows(&self, request: &Request, user: &str) -> Result<Reply, Reply> {
        self.authorize(request)?;
        self.must_know(user)?;
        let limit = match self.switches.follows_no_ignored {
            true => usize::MAX,
            false => self.limit(request)?,
        };
        let names: Vec<&String> = match self.switches.followers_listed {
            true => self.edges.iter().filter(|edge| edge.1 == user).map(|edge| &edge.0).collect(),
            false => self.edges.iter().filter(|edge| edge.0 == user).map(|edge| &edge.1).collect(),
        };
        let names: Vec<_> = names.into_iter().take(limit).collect();
        Ok(json_reply(200, &json!({ self.key("follows"): names })))
    }

    fn edge(&mut self, request: &Request, who: String) -> Result<Reply, Reply> {
        self.authorize(request)?;
        self.must_know(&who)?;
        let body = self.json(request)?;
        let [mut follow, unfollow] =
            ["follow", "unfollow"].map(|key| body.get(key).and_then(Value::as_str));
        if self.switches.unfollow_wins && unfollow.is_some() {
            follow = None;
        }
        let Some(whom) = follow.or(unfollow) else {
            return Err(self.refusal(self.switches.bad_request, "a key is missing"));
        };
        self.must_know(whom)?;
        let edge = (who, whom.to_owned());
        let there = self.edges.contains(&edge);
        if follow.is_some() {
            let wanted = !there || self.switches.duplicate_edges;
            if wanted && !self.switches.drop_follows {
                self.edges.push(edge);
            }
        } else if there {
            if !self.switches.drop_unfollows {
                self.edges.retain(|other| *other != edge);
            }
        } else if self.switches.no_edge != 204 {
            return Err(self.refusal(self.switches.no_edge, "no such edge"));
        }
        Ok(self.done())
    }

    fn authorize(&self, request: &Request) -> Result<(), Reply> {
        let right = request.authorization.as_deref() == Some(SIMULATOR_AUTHORIZATION)
            || self.switches.no_auth_check;
        match right {
            true => Ok(()),
            false => Err(self.refusal(
                self.switches.unauthorized,
                "You are not authorized to use this resource!",
            )),
        }
    }

    fn json(&self, request: &Request) -> Result<Value, Reply> {
        if request.content_type.as_deref() != Some("application/json")
            && self.switches.wrong_type == 415
        {
            return Err(self.refusal(415, "not JSON"));
        }
        serde_json::from_slice(&request.body)
            .map_err(|_| self.refusal(self.switches.bad_request, "broken JSON"))
    }

    fn must_know(&self, user: &str) -> Result<(), Reply> {
        match self.known(user) {
            true => Ok(()),
            false => Err(self.refusal(self.switches.unknown_user, "unknown user")),
        }
    }

    fn known(&self, user: &str) -> bool {
        self.users.iter().any(|known| self.same(known, user))
    }

    fn same(&self, a: &str, b: &str) -> bool {
        a == b || (self.switches.fold_case && a.eq_ignore_ascii_case(b))
    }

    fn key(&self, key: &str) -> String {
        match self.switches.capital_keys {
            true => key[..1].to_uppercase() + &key[1..],
            false => key.to_owned(),
        }
    }

    fn done(&self) -> Reply {
        Reply {
            status: self.switches.write_status,
            content_type: "application/json",
            body: String::new(),
            later: None,
        }
    }

    fn refusal(&self, status: u16, text: &str) -> Reply {
        match self.switches.plain_refusals {
            true => json_reply(status, &json!("refused")),
            false => json_reply(status, &json!({"status": status, "error_msg": text})),
        }
    }
}

fn json_reply(status: u16, body: &Value) -> Reply {
    Reply { status, content_type: "application/json", body: body.to_string(), later: None }
}
