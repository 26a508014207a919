//! The web pages in a real browser, at two replicas in turn. With `LIMOSA_SCREENSHOTS=DIRECTORY`
//! it leaves pictures there.

#![cfg_attr(not(has_chromium), allow(dead_code, reason = "its only test is ignored"))]

use crate::{
    browser::Browser,
    kit::{start, start_in},
};
use limosa_kit::WebDriver;
use serde_json::json;
use std::{
    env, fs,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

/// Keys as WebDriver names them.
const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

/// How long a page may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A person at a browser. Browsers send a cookie to every port of a host, so that one who is logged
/// in at one replica is logged in at all.
struct Person {
    browser: Browser,
    replicas: [String; 2],
    turn: usize,
}

impl Person {
    /// Goes to the page at the other replica.
    async fn go(&mut self, path: &str) {
        self.turn = 1 - self.turn;
        self.browser.go(&format!("{}{path}", self.replicas[self.turn])).await;
    }

    /// Where the browser is.
    async fn place(&self) -> String {
        self.browser.url().await.strip_prefix(&self.replicas[self.turn]).unwrap().to_owned()
    }

    async fn fill(&self, fields: &[(&str, &str)]) {
        for (name, value) in fields {
            self.browser.keys(&format!("#{name}"), value).await;
        }
    }

    async fn press(&self, css: &str) {
        self.browser.click(css).await;
    }

    /// Waits for the page that says so: a click returns before it is there.
    async fn sees(&self, css: &str, text: &str) {
        let begun = Instant::now();
        loop {
            let seen = self.browser.text(css).await;
            if seen.as_deref() == Ok(text) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{css} is {seen:?} and not {text:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Makes the window so wide, by day or by night.
    async fn look(&self, width: u32, scheme: &str) {
        let phone = width < 500;
        let (height, pixels) = if phone { (844, 2) } else { (900, 1) };
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": pixels, "mobile": phone,
        });
        self.browser.tell("Emulation.setDeviceMetricsOverride", size).await;
        let scheme = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.browser.tell("Emulation.setEmulatedMedia", json!({"features": scheme})).await;
    }

    /// What must hold of every page, in every look; and a picture of each.
    async fn inspect(&self, name: &str) {
        let mut papers = Vec::new();
        for (width, scheme) in [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")] {
            self.look(width, scheme).await;
            let hidden = "document.documentElement.scrollWidth - innerWidth";
            assert!(self.browser.value(hidden).await.as_f64().unwrap() <= 0., "{name} at {width}");
            let small = "[...document.querySelectorAll('input, button, nav a')]
                .filter(one => one.getBoundingClientRect().height < 44).length";
            assert_eq!(self.browser.value(small).await, 0, "{name}: too small for a finger");
            papers
                .push(self.browser.value("getComputedStyle(document.body).backgroundColor").await);
            if let Some(directory) = env::var_os("LIMOSA_SCREENSHOTS").map(PathBuf::from) {
                fs::create_dir_all(&directory).unwrap();
                let picture = directory.join(format!("{name}-{width}-{scheme}.png"));
                fs::write(picture, self.browser.screenshot().await).unwrap();
            }
        }
        assert_ne!(papers[0], papers[1], "{name} is the same by day and by night");
        let elsewhere = "performance.getEntriesByType('resource')
            .filter(one => new URL(one.name).origin != location.origin).length";
        assert_eq!(self.browser.value(elsewhere).await, 0, "{name} asks somebody else");
        let unnamed = "[...document.querySelectorAll('input:not([type=submit])')]
            .filter(one => !one.labels.length).length";
        assert_eq!(self.browser.value(unnamed).await, 0, "{name} has a field without a label");
    }
}

async fn walk(ann: &mut Person) {
    ann.go("/register").await;
    ann.inspect("register").await;
    ann.fill(&[("username", "Ann Ahlgren"), ("email", "no address"), ("password", "word")]).await;
    ann.press("[type=submit]").await;
    ann.sees(".error", "Error: You have to enter a valid email address").await;
    ann.inspect("register-error").await;
    ann.fill(&[("email", "@"), ("password", "word"), ("password2", "word")]).await;
    ann.press("[type=submit]").await;
    ann.sees(".flashes", "You were successfully registered and can login now").await;
    assert_eq!(ann.place().await, "/login");

    ann.go("/login").await;
    ann.inspect("login").await;
    // By the keyboard alone: into the field, on to the next one, and Enter.
    ann.fill(&[("username", &format!("Ann Ahlgren{TAB}word{ENTER}"))]).await;
    ann.sees(".flashes", "You were logged in").await;
    assert_eq!(ann.place().await, "/");
    ann.go("/").await;
    ann.sees("h1", "My Timeline").await;
    ann.sees(".twitbox bdi", "Ann Ahlgren").await;

    ann.fill(&[("text", &format!("First light over the <mudflats>.{ENTER}"))]).await;
    ann.sees(".flashes", "Your message was recorded").await;
    ann.go("/").await;
    ann.sees(".messages .text", "First light over the <mudflats>.").await;

    ann.go("/public").await;
    ann.inspect("public").await;
    ann.press(".by a[href='/Roger%20Histand']").await;
    ann.sees("h1", "Roger Histand's Timeline").await;
    assert_eq!(ann.place().await, "/Roger%20Histand");
    ann.inspect("user").await;
    ann.press("button.follow").await;
    ann.sees(".flashes", "You are now following \"Roger Histand\"").await;
    ann.inspect("followed").await;
    ann.go("/").await;
    ann.inspect("home").await;
    assert!(ann.browser.text(".messages").await.unwrap().contains("Roger Histand"));

    // A link from elsewhere asks before it does anything.
    ann.go("/Roger%20Histand/unfollow").await;
    ann.sees("h1", "Do you want to unfollow Roger Histand?").await;
    ann.inspect("confirm").await;
    ann.press("main button").await;
    ann.sees(".flashes", "You are no longer following \"Roger Histand\"").await;
    ann.go("/").await;
    assert!(!ann.browser.text(".messages").await.unwrap().contains("Roger Histand"));

    ann.go("/nobody").await;
    ann.sees("h1", "404 Not Found").await;
    ann.inspect("error").await;
    ann.go("/").await;
    ann.press("header button").await;
    ann.sees(".flashes", "You were logged out").await;
    ann.go("/").await;
    assert_eq!(ann.place().await, "/public");
}

#[tokio::test]
#[cfg_attr(not(has_chromium), ignore = "needs Debian's packages chromium and chromium-driver")]
async fn a_person_uses_two_replicas_in_turn() {
    let one = start().await;
    let other = start_in(Arc::clone(&one.directory), |_| {}).await;
    let authors =
        ["Roger Histand", "Mellie Yost", "Wendell Ballan", "Quintin Sitts", "Nathan Sirmon"];
    one.register(&authors).await;
    let texts = [
        "Somewhere south of here it has begun to snow.",
        "The godwits are back on the mudflats: forty, perhaps fifty of them, and a great noise.",
        "Does anybody know a quiet place to read?",
        "It flew eleven days without a rest, and it is lighter than a loaf of bread.",
    ];
    for (number, author) in authors.iter().cycle().take(34).enumerate() {
        let text = texts[number % texts.len()];
        assert_eq!(one.tweet(author, text, number as i64).await, 204);
    }
    let replicas = [&one, &other].map(|server| format!("http://{}", server.address));
    let driver = WebDriver::start().unwrap();
    let browser = Browser::open(&driver).await;
    walk(&mut Person { browser, replicas, turn: 0 }).await;
}
