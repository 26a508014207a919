//! A server of the test's own, and a client that speaks the simulator's protocol.

use limosa_server::{Config, DatabaseUrl, ServeError, listen, passwords::PasswordCost, run};
use reqwest::{Client, ClientBuilder, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};

pub(crate) const AUTHORIZATION: &str = "Basic c2ltdWxhdG9yOnN1cGVyX3NhZmUh";

/// A running server; dropped without [`Server::stop`] it goes down with its runtime.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) directory: Arc<TempDir>,
    client: Client,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), ServeError>>,
}

pub(crate) fn config(directory: &Path) -> Config {
    let mut config = Config::new(DatabaseUrl::Sqlite(directory.join("test.db")));
    config.password_cost = PasswordCost::Test;
    config.grace = Duration::from_secs(5);
    config
}

pub(crate) async fn start() -> Server {
    start_with(|_| {}).await
}

pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Server {
    start_in(Arc::new(tempfile::tempdir().unwrap()), change).await
}

/// A server on a database that may be there already.
pub(crate) async fn start_in(directory: Arc<TempDir>, change: impl FnOnce(&mut Config)) -> Server {
    start_on(listen(([127, 0, 0, 1], 0).into()).unwrap(), directory, change)
}

pub(crate) fn start_on(
    listener: TcpListener,
    directory: Arc<TempDir>,
    change: impl FnOnce(&mut Config),
) -> Server {
    let mut config = config(directory.path());
    change(&mut config);
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(run(listener, config, async move {
        // A dropped sender is no order to stop.
        if stopped.await.is_err() {
            std::future::pending::<()>().await;
        }
    }));
    Server { address, directory, client: client(), stop: Some(stop), task }
}

pub(crate) fn client() -> Client {
    client_builder().build().unwrap()
}

/// Where anything in the workspace builds reqwest with TLS, it wants ciphers for plain HTTP too.
pub(crate) fn client_builder() -> ClientBuilder {
    let provider = rustls::crypto::ring::default_provider();
    let config = rustls::ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Client::builder().tls_backend_preconfigured(config)
}

pub(crate) async fn start_faulty(faults: &[&str]) -> Server {
    start_with(|config| config.faults = faults.iter().map(|f| f.parse().unwrap()).collect()).await
}

impl Server {
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("http://{}{path}", self.address);
        self.client.request(method, url).header("Authorization", AUTHORIZATION)
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        read(self.request(Method::GET, path).send().await.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        read(self.request(Method::POST, path).json(&body).send().await.unwrap()).await
    }

    /// Registers the users; panics where one is refused.
    pub(crate) async fn register(&self, names: &[&str]) {
        for name in names {
            let body = json!({"username": name, "email": "a@b.c", "pwd": "secret"});
            assert_eq!(self.post("/register", body).await, (204, Value::Null), "{name}");
        }
    }

    pub(crate) async fn tweet(&self, author: &str, text: &str, id: i64) -> u16 {
        self.post(&format!("/msgs/{author}?latest={id}"), json!({"content": text})).await.0
    }

    pub(crate) async fn follow(&self, who: &str, whom: &str, id: i64) -> u16 {
        self.post(&format!("/fllws/{who}?latest={id}"), json!({"follow": whom})).await.0
    }

    pub(crate) async fn unfollow(&self, who: &str, whom: &str, id: i64) -> u16 {
        self.post(&format!("/fllws/{who}?latest={id}"), json!({"unfollow": whom})).await.0
    }

    pub(crate) async fn latest(&self) -> i64 {
        let (status, body) = self.get("/latest").await;
        assert_eq!(status, 200);
        body["latest"].as_i64().unwrap()
    }

    /// The texts of one author, or of everybody (`""`), newest first.
    pub(crate) async fn texts(&self, author: &str) -> Vec<String> {
        let path = if author.is_empty() { "/msgs".to_owned() } else { format!("/msgs/{author}") };
        let (status, body) = self.get(&format!("{path}?no=-1")).await;
        assert_eq!(status, 200, "{body}");
        let messages = body.as_array().unwrap().iter();
        messages.map(|message| message["content"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) async fn follows(&self, who: &str) -> Vec<String> {
        let (status, body) = self.get(&format!("/fllws/{who}?no=-1")).await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_value(body["follows"].clone()).unwrap()
    }

    /// Sends these bytes on a connection of their own and returns everything that comes back.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub(crate) fn begin_stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    pub(crate) async fn stopped(self) {
        self.task.await.unwrap().unwrap();
    }

    pub(crate) async fn stop(mut self) {
        self.begin_stop();
        self.stopped().await;
    }
}

/// The status and the JSON body; `null` where there is no body.
pub(crate) async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let bytes = response.bytes().await.unwrap();
    let body = if bytes.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&bytes).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into())
    };
    (status, body)
}

pub(crate) fn error(status: u16, message: &str) -> (u16, Value) {
    (status, json!({"status": status, "error_msg": message}))
}
