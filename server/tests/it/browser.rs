//! As much of WebDriver as a test needs: <https://www.w3.org/TR/webdriver2/>.

use crate::kit::client;
use limosa_kit::WebDriver;
use reqwest::{Client, Method};
use serde_json::{Value, json};

/// How an element is called in an answer.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// One browser; it is closed with its driver.
pub(crate) struct Browser {
    client: Client,
    /// `http://.../session/ID`
    session: String,
}

impl Browser {
    pub(crate) async fn open(driver: &WebDriver) -> Self {
        let mut browser = Self { client: client(), session: format!("{}/session", driver.url) };
        let options = json!({"goog:chromeOptions": {"args": driver.arguments()}});
        let session = browser.send("", json!({"capabilities": {"alwaysMatch": options}})).await;
        browser.session += &format!("/{}", session["sessionId"].as_str().unwrap());
        browser
    }

    /// What came of the command, or the browser's error.
    async fn ask(
        &self,
        method: Method,
        command: &str,
        body: Option<Value>,
    ) -> Result<Value, Value> {
        let mut request = self.client.request(method, format!("{}{command}", self.session));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let mut answer: Value = request.send().await.unwrap().json().await.unwrap();
        let value = answer["value"].take();
        if value["error"].is_null() { Ok(value) } else { Err(value) }
    }

    async fn send(&self, command: &str, body: Value) -> Value {
        self.ask(Method::POST, command, Some(body)).await.unwrap()
    }

    async fn get(&self, command: &str) -> String {
        self.ask(Method::GET, command, None).await.unwrap().as_str().unwrap().to_owned()
    }

    /// The first element that the selector finds, as the beginning of a command.
    async fn element(&self, css: &str) -> Result<String, Value> {
        let search = json!({"using": "css selector", "value": css});
        let found = self.ask(Method::POST, "/element", Some(search)).await?;
        Ok(format!("/element/{}", found[ELEMENT].as_str().unwrap()))
    }

    pub(crate) async fn go(&self, url: &str) {
        self.send("/url", json!({"url": url})).await;
    }

    pub(crate) async fn url(&self) -> String {
        self.get("/url").await
    }

    pub(crate) async fn click(&self, css: &str) {
        let element = self.element(css).await.unwrap();
        self.send(&format!("{element}/click"), json!({})).await;
    }

    pub(crate) async fn keys(&self, css: &str, keys: &str) {
        let element = self.element(css).await.unwrap();
        self.send(&format!("{element}/value"), json!({"text": keys})).await;
    }

    /// The text that a person sees there; an error while the page is on its way.
    pub(crate) async fn text(&self, css: &str) -> Result<String, Value> {
        let element = self.element(css).await?;
        let text = self.ask(Method::GET, &format!("{element}/text"), None).await?;
        Ok(text.as_str().unwrap().to_owned())
    }

    /// The value of an expression of JavaScript.
    pub(crate) async fn value(&self, expression: &str) -> Value {
        let script = format!("return {expression}");
        self.send("/execute/sync", json!({"script": script, "args": []})).await
    }

    /// The window as a PNG.
    pub(crate) async fn screenshot(&self) -> Vec<u8> {
        let encoded = self.get("/screenshot").await;
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, encoded).unwrap()
    }

    /// A command of Chromium's own DevTools protocol.
    pub(crate) async fn tell(&self, command: &str, parameters: Value) {
        self.send("/goog/cdp/execute", json!({"cmd": command, "params": parameters})).await;
    }
}
