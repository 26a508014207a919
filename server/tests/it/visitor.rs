//! Somebody who visits the web pages: keeps one cookie, follows redirects, fills forms in.

use crate::kit::{Server, client_builder};
use reqwest::{
    Client, Method, RequestBuilder,
    header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE},
    redirect::Policy,
};
use std::net::SocketAddr;

pub(crate) struct Visitor {
    client: Client,
    address: SocketAddr,
    /// `name=value`, as it is sent back.
    pub(crate) cookie: Option<String>,
}

/// One answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn location(&self) -> &str {
        self.headers.get(LOCATION).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn shows(&self, text: &str) -> &Self {
        assert!(self.body.contains(text), "no {text:?} in {} {}", self.status, self.body);
        self
    }

    #[track_caller]
    pub(crate) fn lacks(&self, text: &str) -> &Self {
        assert!(!self.body.contains(text), "{text:?} in {} {}", self.status, self.body);
        self
    }

    #[track_caller]
    pub(crate) fn has_status(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// What stands between `begin` and the next quotation mark, as an address.
    #[track_caller]
    pub(crate) fn address(&self, begin: &str) -> String {
        let (_, rest) =
            self.body.split_once(begin).unwrap_or_else(|| panic!("no {begin:?} in {}", self.body));
        rest.split('"').next().unwrap().replace("&amp;", "&")
    }
}

impl Visitor {
    pub(crate) fn of(server: &Server) -> Self {
        let client = client_builder().redirect(Policy::none()).build().unwrap();
        Self { client, address: server.address, cookie: None }
    }

    /// Goes on with another server, as behind a load balancer.
    pub(crate) fn turn_to(&mut self, server: &Server) {
        self.address = server.address;
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    /// Sends one request, without following where it leads.
    pub(crate) async fn send(&mut self, mut request: RequestBuilder) -> Answer {
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        for set in headers.get_all(SET_COOKIE) {
            let set = set.to_str().unwrap();
            let pair = set.split(';').next().unwrap().to_owned();
            self.cookie = (!set.contains("Max-Age=0")).then_some(pair);
        }
        Answer { status, headers, body: response.text().await.unwrap() }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let request = self.request(Method::GET, path);
        self.send(request).await
    }

    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self
            .request(Method::POST, path)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(body);
        self.send(request).await
    }

    /// Goes on by GET until an answer leads nowhere else.
    pub(crate) async fn follow(&mut self, mut answer: Answer) -> Answer {
        for _ in 0..5 {
            if answer.status != 302 {
                return answer;
            }
            let to = answer.location().to_owned();
            answer = self.get(&to).await;
        }
        panic!("redirected without end, at last to {}", answer.location());
    }

    pub(crate) async fn visit(&mut self, path: &str) -> Answer {
        let answer = self.get(path).await;
        self.follow(answer).await
    }

    pub(crate) async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = self.post(path, fields).await;
        self.follow(answer).await
    }

    pub(crate) async fn register(&mut self, name: &str) -> Answer {
        let fields =
            [("username", name), ("email", "a@b"), ("password", "word"), ("password2", "word")];
        self.submit("/register", &fields).await
    }

    pub(crate) async fn log_in(&mut self, name: &str) -> Answer {
        self.submit("/login", &[("username", name), ("password", "word")]).await
    }

    pub(crate) async fn register_and_log_in(&mut self, name: &str) {
        self.register(name).await;
        self.log_in(name).await.shows("You were logged in");
    }

    pub(crate) async fn say(&mut self, text: &str) -> Answer {
        self.submit("/add_message", &[("text", text)]).await
    }
}
