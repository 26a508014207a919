//! The web pages: what the course's own test of MiniTwit asks, and what its protocol adds.

use crate::{
    kit::{start, start_in, start_with},
    visitor::Visitor,
};
use limosa_server::passwords::PasswordCost;
use reqwest::Method;
use serde_json::json;
use std::sync::Arc;

#[tokio::test]
async fn registering_says_what_is_wrong() {
    let server = start().await;
    let mut ann = Visitor::of(&server);
    let answer = ann.register("user1").await;
    answer.has_status(200).shows("You were successfully registered and can login now");
    for (fields, error) in [
        (["user1", "a@b", "x", "x"], "The username is already taken"),
        (["", "a@b", "x", "x"], "You have to enter a username"),
        (["", "", "", ""], "You have to enter a username"),
        (["meh", "a@b", "", ""], "You have to enter a password"),
        (["meh", "a@b", "x", "y"], "The two passwords do not match"),
        (["user1", "a@b", "x", "y"], "The two passwords do not match"),
        (["meh", "broken", "foo", "foo"], "You have to enter a valid email address"),
        (["meh", "", "", ""], "You have to enter a valid email address"),
        (["a\0b", "a@b", "x", "x"], "the username must not contain a NUL character"),
    ] {
        let names = ["username", "email", "password", "password2"];
        let fields: Vec<_> = names.into_iter().zip(fields).collect();
        let answer = ann.post("/register", &fields).await;
        answer.has_status(200).shows(&format!("<strong>Error:</strong> {error}</div>"));
        answer.shows("<div class=\"error\"").lacks("class=\"flashes\"").lacks("value=\"foo\"");
    }
    let kept = ann.post("/register", &[("username", "meh"), ("email", "m@x")]).await;
    kept.shows("value=\"meh\"").shows("value=\"m@x\"");
}

#[tokio::test]
async fn logging_in_and_out() {
    let server = start().await;
    let mut ann = Visitor::of(&server);
    ann.register("user1").await;
    let answer = ann.log_in("user1").await;
    answer.shows("You were logged in").shows("<bdi>[user1]</bdi>");
    ann.visit("/").await.lacks("You were logged in");
    for path in ["/login", "/register"] {
        let answer = ann.get(path).await;
        assert_eq!((answer.status, answer.location()), (302, "/"), "{path}");
        let answer = ann.post(path, &[("username", "user1")]).await;
        assert_eq!((answer.status, answer.location()), (302, "/"), "{path}");
    }
    ann.visit("/logout").await.shows("You were logged out").lacks("[user1]");
    assert_eq!(ann.cookie, None, "nothing is left to be remembered");
    for (name, password, error) in [
        ("user1", "wrongpassword", "Invalid password"),
        ("user1", "", "Invalid password"),
        ("user2", "wrongpassword", "Invalid username"),
        ("", "", "Invalid username"),
        ("user1\0", "word", "Invalid username"),
        ("User1", "word", "Invalid username"),
    ] {
        let answer = ann.post("/login", &[("username", name), ("password", password)]).await;
        answer.has_status(200).shows(&format!("<strong>Error:</strong> {error}</div>"));
        assert_eq!(ann.cookie, None);
    }
}

#[tokio::test]
async fn messages_are_recorded_and_escaped() {
    let server = start().await;
    let mut ann = Visitor::of(&server);
    ann.register_and_log_in("foo").await;
    ann.say("test message 1").await.shows("Your message was recorded");
    ann.say("<test message 2>").await.shows("Your message was recorded");
    ann.say("").await.lacks("Your message was recorded");
    ann.visit("/").await.shows("test message 1").shows("&lt;test message 2&gt;");
    assert_eq!(server.texts("foo").await, ["<test message 2>", "test message 1"]);
    // Pages name no command.
    assert_eq!(server.latest().await, -1);
}

#[tokio::test]
async fn timelines_show_whom_one_follows() {
    let server = start().await;
    let mut visitor = Visitor::of(&server);
    visitor.register_and_log_in("foo").await;
    visitor.say("the message by foo").await;
    visitor.visit("/logout").await;
    visitor.register_and_log_in("bar").await;
    visitor.say("the message by bar").await;
    let (foo, bar) = ("the message by foo", "the message by bar");
    visitor.visit("/public").await.shows(foo).shows(bar);
    visitor.visit("/").await.lacks(foo).shows(bar);

    let answer = visitor.get("/foo/follow").await;
    assert_eq!((answer.status, answer.location()), (302, "/foo"));
    let answer = visitor.follow(answer).await;
    answer.shows("You are now following &#34;foo&#34;");
    answer.shows("You are currently following this user.");
    visitor.visit("/").await.shows(foo).shows(bar);
    visitor.visit("/bar").await.lacks(foo).shows(bar).shows("This is you!");
    visitor.visit("/foo").await.shows(foo).lacks(bar);

    let answer = visitor.visit("/foo/unfollow").await;
    answer.shows("You are no longer following &#34;foo&#34;");
    answer.shows("You are not yet following this user.");
    visitor.visit("/").await.lacks(foo).shows(bar);
    assert_eq!(server.follows("bar").await, [""; 0]);
}

#[tokio::test]
async fn a_stranger_may_read_and_nothing_else() {
    let server = start().await;
    server.register(&["Ann"]).await;
    let mut stranger = Visitor::of(&server);
    let home = stranger.get("/").await;
    assert_eq!((home.status, home.location()), (302, "/public"));
    stranger.get("/public").await.has_status(200).shows("There's no message so far.");
    stranger.get("/Ann").await.has_status(200).lacks("following");
    for path in ["/Ann/follow", "/Ann/unfollow", "/nobody/follow"] {
        stranger.get(path).await.has_status(401);
        stranger.post(path, &[]).await.has_status(401);
    }
    stranger.post("/add_message", &[("text", "hello")]).await.has_status(401);
    stranger.post("/add_message", &[]).await.has_status(401);
    for path in ["/nobody", "/ann", "/user?name=nobody", "/user"] {
        stranger.get(path).await.has_status(404).shows("there is no such user");
    }
    assert_eq!(server.get("/msgs").await, (200, json!([])));
}

#[tokio::test]
async fn an_unknown_user_is_404_for_who_is_logged_in() {
    let server = start().await;
    let mut ann = Visitor::of(&server);
    ann.register_and_log_in("Ann").await;
    for path in ["/nobody/follow", "/nobody/unfollow", "/user/follow?name=nobody"] {
        ann.get(path).await.has_status(404);
        ann.post(path, &[]).await.has_status(404);
    }
    ann.get("/add_message").await.has_status(405);
    ann.post("/nobody", &[]).await.has_status(405);
}

#[tokio::test]
async fn a_page_shows_thirty_messages_and_leads_to_older_ones() {
    let server = start().await;
    let mut ann = Visitor::of(&server);
    ann.register_and_log_in("Ann").await;
    for number in 0..65 {
        assert_eq!(server.tweet("Ann", &format!("message {number}."), number).await, 204);
    }
    for start in ["/", "/public", "/Ann"] {
        let mut address = start.to_owned();
        let mut seen: Vec<i64> = Vec::new();
        for rows in [30, 30, 5] {
            let page = ann.visit(&address).await;
            let texts: Vec<_> = page.body.split("message ").skip(1).collect();
            assert_eq!(texts.len(), rows, "{address}");
            seen.extend(texts.iter().map(|t| t.split('.').next().unwrap().parse::<i64>().unwrap()));
            if rows == 30 {
                address = page.address("rel=\"next\" href=\"");
            } else {
                page.lacks("Older messages").shows("Newest messages");
            }
        }
        assert_eq!(seen, (0..65).rev().collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn register_is_the_pages_for_a_form_and_the_simulators_for_json() {
    let server = start().await;
    let body = json!({"username": "json", "email": "a@b", "pwd": "x"});
    assert_eq!(server.post("/register?latest=5", body).await.0, 204);
    let mut visitor = Visitor::of(&server);
    let form = "username=form&email=a%40b&password=x&password2=x";
    for (kind, status) in [
        (Some("application/x-www-form-urlencoded"), 302),
        (Some("application/x-www-form-urlencoded; charset=UTF-8"), 200),
        (Some("text/plain"), 415),
        (Some("multipart/form-data; boundary=x"), 415),
        (None, 415),
    ] {
        let mut request = visitor.request(Method::POST, "/register").body(form);
        if let Some(kind) = kind {
            request = request.header("Content-Type", kind);
        }
        visitor.send(request).await.has_status(status);
    }
    for name in ["json", "form"] {
        visitor.get(&format!("/{name}")).await.has_status(200);
    }
    // Who registered by one way may log in by the other.
    let fields = [("username", "json"), ("password", "x")];
    visitor.submit("/login", &fields).await.shows("You were logged in");
    assert_eq!(server.latest().await, 5);
}

#[tokio::test]
async fn every_replica_on_a_database_accepts_the_session_of_every_other() {
    let one = start().await;
    let other = start_in(Arc::clone(&one.directory), |_| {}).await;
    let mut ann = Visitor::of(&one);
    ann.register("Ann").await;
    ann.turn_to(&other);
    let fields = [("username", "Ann"), ("password", "word")];
    let answer = ann.post("/login", &fields).await;
    ann.turn_to(&one);
    ann.follow(answer).await.shows("You were logged in").shows("[Ann]");
    for (number, replica) in [&other, &one, &other].into_iter().enumerate() {
        ann.turn_to(replica);
        let answer = ann.post("/add_message", &[("text", &format!("text {number}"))]).await;
        ann.turn_to(if number % 2 == 0 { &one } else { &other });
        ann.follow(answer).await.shows("Your message was recorded");
    }
    assert_eq!(one.texts("Ann").await, ["text 2", "text 1", "text 0"]);
}

#[tokio::test]
async fn a_session_is_good_where_the_key_is_the_same() {
    let key = "a secret of at least thirty-two bytes";
    let keyed = |key: &str| {
        let key = key.parse().unwrap();
        |config: &mut limosa_server::Config| config.session_key = Some(key)
    };
    let one = start_with(keyed(key)).await;
    let mut ann = Visitor::of(&one);
    ann.register_and_log_in("Ann").await;
    let directory = || Arc::clone(&one.directory);
    let same = start_in(directory(), keyed(key)).await;
    ann.turn_to(&same);
    ann.get("/").await.has_status(200);
    let cookie = ann.cookie.clone();
    for server in
        [start_in(directory(), |_| {}).await, start_in(directory(), keyed(&key.repeat(2))).await]
    {
        ann.cookie.clone_from(&cookie);
        ann.turn_to(&server);
        let answer = ann.get("/").await;
        assert_eq!((answer.status, answer.location()), (302, "/public"));
    }
}

#[tokio::test]
async fn a_session_of_a_user_that_this_database_does_not_have_is_nobodys() {
    let key = "a secret of at least thirty-two bytes";
    let one = start_with(|config| config.session_key = Some(key.parse().unwrap())).await;
    let other = start_with(|config| config.session_key = Some(key.parse().unwrap())).await;
    let mut ann = Visitor::of(&one);
    ann.register_and_log_in("Ann").await;
    ann.turn_to(&other);
    ann.post("/add_message", &[("text", "hello")]).await.has_status(401);
    ann.visit("/").await.has_status(200).shows("sign in");
    assert_eq!(ann.cookie, None);
}

#[tokio::test]
async fn who_finds_no_place_to_wait_for_a_password_is_told_when_to_come_again() {
    let server = start_with(|config| {
        config.password_cost = PasswordCost::Minimum;
        (config.password_cores, config.password_queue) = (1, 0);
    })
    .await;
    Visitor::of(&server).register("Ann").await;
    let logins: Vec<_> = (0..32)
        .map(|_| {
            let mut visitor = Visitor::of(&server);
            tokio::spawn(async move { visitor.post("/login", &[("username", "Ann")]).await })
        })
        .collect();
    let mut statuses = Vec::new();
    for login in logins {
        let answer = login.await.unwrap();
        match answer.status {
            503 => answer.shows("<h1>503 Service Unavailable</h1>"),
            _ => answer.shows("Invalid password"),
        };
        assert_eq!(answer.headers.contains_key("retry-after"), answer.status == 503);
        statuses.push(answer.status);
    }
    assert!(statuses.contains(&200) && statuses.contains(&503), "{statuses:?}");
}
