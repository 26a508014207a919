//! The target: answers 204 to everything at once, on core 0.

use axum::Router;
use axum::http::StatusCode;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use tokio::net::TcpListener;

/// The argument that makes this program the target.
pub(crate) const ROLE: &str = "target";

const CORE: &str = "0";

/// Prints its address, and serves until it is killed.
pub(crate) fn serve() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(|| async { StatusCode::NO_CONTENT });
        axum::serve(listener, app).await.unwrap();
    });
}

/// The target as a process of its own, until it is dropped.
#[derive(Debug)]
pub(crate) struct Pinned {
    child: Child,
    pub(crate) address: String,
}

impl Pinned {
    pub(crate) fn start() -> Self {
        let mut child = Command::new("taskset")
            .args(["-c", CORE])
            .arg(std::env::current_exe().unwrap())
            .arg(ROLE)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { child, address: address.trim().to_owned() }
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
