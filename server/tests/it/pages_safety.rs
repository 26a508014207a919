//! What the web pages keep out: other sites, hostile texts, names that are addresses of something
//! else.

use crate::{
    kit::{error, start, start_with},
    visitor::Visitor,
};
use reqwest::Method;

/// How a browser asks for a page.
const ACCEPT: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn a_form_of_another_site_changes_nothing() {
    let server = start().await;
    server.register(&["Bob"]).await;
    let mut ann = Visitor::of(&server);
    ann.register_and_log_in("Ann").await;
    let own = format!("http://{}", server.address);
    for (name, value) in [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Origin", "http://evil.example"),
        ("Origin", "null"),
    ] {
        for path in
            ["/add_message", "/Bob/follow", "/Bob/unfollow", "/logout", "/login", "/register"]
        {
            let body = "text=forged&username=Eve&email=a%40b&password=x&password2=x";
            let request = ann
                .request(Method::POST, path)
                .header("Content-Type", FORM)
                .header(name, value)
                .body(body);
            ann.send(request).await.has_status(403).shows("a page of another site");
        }
    }
    assert_eq!(server.texts("Ann").await, [""; 0]);
    assert_eq!(server.follows("Ann").await, [""; 0]);
    assert_eq!(server.get("/msgs/Eve").await.0, 404);
    ann.get("/").await.has_status(200).shows("[Ann]");
    // Its own forms are taken, whichever of the two headers the browser sends.
    for (name, value) in [("Sec-Fetch-Site", "same-origin"), ("Origin", own.as_str())] {
        let request = ann
            .request(Method::POST, "/add_message")
            .header("Content-Type", FORM)
            .header(name, value)
            .body("text=mine");
        ann.send(request).await.has_status(302);
    }
    assert_eq!(server.texts("Ann").await, ["mine", "mine"]);
}

#[tokio::test]
async fn a_link_asks_a_browser_before_it_changes_anything() {
    let server = start().await;
    server.register(&["Bob"]).await;
    let mut ann = Visitor::of(&server);
    ann.register_and_log_in("Ann").await;
    for (header, value) in [("Accept", ACCEPT), ("Sec-Fetch-Site", "cross-site")] {
        for (path, question) in [
            ("/Bob/follow", "Do you want to follow Bob?"),
            ("/Bob/unfollow", "Do you want to unfollow Bob?"),
            ("/logout", "Do you want to sign out?"),
        ] {
            let request = ann.request(Method::GET, path).header(header, value);
            let answer = ann.send(request).await;
            answer.has_status(200).shows(question);
            answer.shows(&format!("action=\"{path}\" method=\"post\""));
        }
        let request = ann.request(Method::GET, "/nobody/follow").header(header, value);
        ann.send(request).await.has_status(404);
        let mut stranger = Visitor::of(&server);
        let request = stranger.request(Method::GET, "/Bob/follow").header(header, value);
        stranger.send(request).await.has_status(401).shows("href=\"/login\"");
    }
    assert_eq!(server.follows("Ann").await, [""; 0]);
    ann.submit("/Bob/follow", &[]).await.shows("You are now following");
    assert_eq!(server.follows("Ann").await, ["Bob"]);
    ann.submit("/logout", &[]).await.shows("You were logged out");
}

#[tokio::test]
async fn logging_out_takes_the_cookie_and_cannot_take_a_copy_of_it() {
    let server = start().await;
    let mut ann = Visitor::of(&server);
    ann.register_and_log_in("Ann").await;
    ann.visit("/").await;
    let copy = ann.cookie.clone();
    ann.visit("/logout").await;
    assert_eq!(ann.cookie, None);
    ann.cookie = copy;
    ann.get("/").await.has_status(200).shows("[Ann]");
}

#[tokio::test]
async fn the_cookie_is_secure_where_it_is_asked_to_be() {
    for secure in [false, true] {
        let server = start_with(|config| config.secure_cookies = secure).await;
        let mut ann = Visitor::of(&server);
        ann.register("Ann").await;
        let answer = ann.post("/login", &[("username", "Ann"), ("password", "word")]).await;
        let set = answer.headers["set-cookie"].to_str().unwrap();
        for attribute in ["; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=604800"] {
            assert!(set.contains(attribute), "{set}");
        }
        assert_eq!(set.contains("; Secure"), secure, "{set}");
    }
}

#[tokio::test]
async fn no_text_becomes_markup() {
    let server = start().await;
    let hostile = "<script>alert('1')</script>\"><img src=x onerror=alert(1)>&amp;</title>";
    let mut visitor = Visitor::of(&server);
    let wrong = [("username", hostile), ("email", hostile)];
    let mut pages = vec![visitor.post("/register", &wrong).await];
    pages.push(visitor.post("/login", &[("username", hostile)]).await);
    pages.push(visitor.register(hostile).await);
    pages.push(visitor.log_in(hostile).await);
    pages.push(visitor.say(hostile).await);
    let address = pages.last().unwrap().address("class=\"by\"><a href=\"");
    pages.push(visitor.visit("/public").await);
    pages.push(visitor.visit(&address).await);
    pages.push(visitor.visit(&format!("{address}/follow")).await);
    let request = visitor.request(Method::GET, &format!("{address}/unfollow"));
    pages.push(visitor.send(request.header("Accept", ACCEPT)).await);
    pages[4].shows("&lt;script&gt;alert(&#39;1&#39;)").shows("&amp;amp;&lt;/title&gt;");
    for page in pages {
        page.has_status(200).lacks("<script").lacks("<img src=x").lacks("</title>\"");
        assert_eq!(page.body.matches("</title>").count(), 1);
    }
}

#[tokio::test]
async fn a_page_loads_nothing_from_elsewhere_and_says_so() {
    let server = start().await;
    let mut ann = Visitor::of(&server);
    ann.register_and_log_in("Ann").await;
    ann.say("hello https://elsewhere.example/").await;
    for path in ["/", "/public", "/Ann", "/nobody"] {
        let page = ann.get(path).await;
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.headers["cache-control"], "no-store");
        assert_eq!(page.headers["x-content-type-options"], "nosniff");
        for address in page.body.split("href=\"").chain(page.body.split("src=\"")).skip(1) {
            assert!(!address.starts_with("//") && !address.starts_with("http"), "{address}");
        }
        page.lacks(" style=\"").lacks("<script").lacks(" onclick");
    }
    for (path, kind) in
        [("/static/style.css", "text/css; charset=utf-8"), ("/static/icon.svg", "image/svg+xml")]
    {
        let file = ann.get(path).await;
        file.has_status(200).lacks("url(").lacks("@import").lacks("href");
        assert_eq!(file.headers["content-type"], kind);
        assert_eq!(file.headers["cache-control"], "public, max-age=3600");
    }
}

/// Every name can be registered, so every name must have a timeline, and a button that works.
#[tokio::test]
async fn a_user_of_any_name_can_be_read_and_followed() {
    let server = start().await;
    let mut ann = Visitor::of(&server);
    ann.register_and_log_in("Ann").await;
    let names = [
        "login",
        "logout",
        "register",
        "public",
        "add_message",
        "latest",
        "msgs",
        "fllws",
        "docs",
        "api-doc",
        "static",
        "user",
        "metrics",
        "healthz",
        "readyz",
        "favicon.ico",
        ".",
        "..",
        "...",
        "a/b",
        "a/follow",
        "Roger Histand",
        "a+b",
        "50%",
        "%2F",
        "a?b=c&d",
        "a#b",
        " ",
        "æøå 漢字 🦀",
        "\u{202e}backwards",
        "a\nb",
        "\"'<>&",
        "~",
        "\\",
        "Login",
    ];
    for name in names {
        let mut other = Visitor::of(&server);
        other.register(name).await.shows("You were successfully registered");
        other.log_in(name).await.shows("You were logged in");
        other.say("I am").await.shows("Your message was recorded");
        let address = ann.visit("/public").await.address("class=\"by\"><a href=\"");
        let timeline = ann.visit(&address).await;
        timeline.has_status(200).shows("Timeline</h1>").shows("I am");
        assert_eq!(timeline.body.matches("class=\"by\"").count(), 1, "{name:?}");
        let button = timeline.address("class=\"followstatus\" action=\"");
        let followed = ann.submit(&button, &[]).await;
        followed.shows("You are now following").shows("You are currently following this user.");
        let followed = ann.visit(&button).await;
        followed.shows("You are now following");
        let button = followed.address("class=\"followstatus\" action=\"");
        ann.submit(&button, &[]).await.shows("You are no longer following");
        ann.submit(&button.replace("unfollow", "follow"), &[]).await;
    }
    assert_eq!(server.follows("Ann").await, names);
}

#[tokio::test]
async fn a_name_too_long_for_a_cookie_is_told_so() {
    let server = start().await;
    let mut ann = Visitor::of(&server);
    // A cookie spells each of them with eight characters.
    let name = "\u{1}".repeat(1000);
    ann.register(&name).await.shows("You were successfully registered");
    let answer = ann.post("/login", &[("username", &name), ("password", "word")]).await;
    answer.has_status(200).shows("This username is too long for a browser to remember");
    assert_eq!(ann.cookie, None);
}

#[tokio::test]
async fn people_are_shown_a_page_and_programs_json() {
    let server = start().await;
    let mut visitor = Visitor::of(&server);
    for (method, path, status, json) in [
        (Method::GET, "/a/b/c", 404, error(404, "there is no such page")),
        (Method::GET, "/latest/", 404, error(404, "there is no such page")),
        (Method::DELETE, "/public", 405, error(405, "this page has no such method")),
    ] {
        let request = visitor.request(method.clone(), path).header("Accept", ACCEPT);
        let page = visitor.send(request).await;
        page.has_status(status).shows("<!doctype html>");
        let request = visitor.request(method, path);
        let answer = visitor.send(request).await;
        assert_eq!((answer.status, answer.body.parse().unwrap()), json, "{path}");
    }
    visitor.get("/%FF").await.has_status(400).shows("<!doctype html>");
    visitor.get("/a%00b").await.has_status(400).shows("<!doctype html>");
}

#[tokio::test]
async fn a_form_is_kept_to_the_limits_of_every_body() {
    let server = start_with(|config| config.max_body = 1000).await;
    let mut ann = Visitor::of(&server);
    ann.register_and_log_in("Ann").await;
    ann.say(&"x".repeat(995)).await.has_status(200);
    ann.post("/add_message", &[("text", &"x".repeat(996))]).await.has_status(413);
    ann.post("/add_message", &[("text", "a\0b")]).await.has_status(400);
    let request = ann.request(Method::POST, "/add_message").json(&"text");
    ann.send(request).await.has_status(415);
    // What is not UTF-8 is read as a browser would show it.
    let request = ann.request(Method::POST, "/add_message").header("Content-Type", FORM);
    ann.send(request.body("text=%FF")).await.has_status(302);
    assert_eq!(server.texts("Ann").await, ["\u{fffd}".to_owned(), "x".repeat(995)]);
}

#[tokio::test]
async fn metrics_name_patterns_and_never_people() {
    let server = start().await;
    let mut ann = Visitor::of(&server);
    ann.register_and_log_in("Ann").await;
    for path in ["/Ann", "/nobody", "/Ann/follow", "/x/y/z", "/user?name=login", "/a%2Fb"] {
        ann.get(path).await;
    }
    let metrics = ann.get("/metrics").await.body;
    let mut routes: Vec<_> =
        metrics.split("route=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    routes.sort_unstable();
    routes.dedup();
    let expected = ["/", "/login", "/register", "/user", "/{user}", "/{user}/follow", "none"];
    assert_eq!(routes, expected);
}
