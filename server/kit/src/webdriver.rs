//! A real browser, driven through its WebDriver: Debian's Chromium.

use crate::{
    KitError,
    folder::folder,
    process::{Process, free_port, tied},
    programs::find,
};
use rustix::process::Signal;
use std::net::TcpStream;
use tempfile::TempDir;

/// What a browser in a test must not do: show a window, ask the network for anything of its own,
/// remember. `--no-sandbox` because tests may run as root, where Chromium's sandbox does not.
const ARGUMENTS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
];

/// A running `chromedriver`, for one browser, which ends with it.
#[derive(Debug)]
pub struct WebDriver {
    /// Where it listens: `http://...`.
    pub url: String,
    folder: TempDir,
    process: Option<Process>,
}

impl WebDriver {
    /// Starts one on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// [`KitError`] where it is not installed or does not start.
    pub fn start() -> Result<Self, KitError> {
        let missing =
            KitError::Missing { program: "chromedriver", package: "chromium chromium-driver" };
        let program = find("chromedriver").ok_or(missing)?;
        let folder = folder()?;
        let port = free_port()?;
        // On SIGTERM it ends its browser.
        let mut command = tied(&program, "TERM", None);
        command.arg(format!("--port={port}"));
        let log = folder.path().join("chromedriver.log");
        let answers = || TcpStream::connect(("127.0.0.1", port)).is_ok();
        let process = Process::start("chromedriver", command, &log, answers)?;
        Ok(Self { url: format!("http://127.0.0.1:{port}"), folder, process: Some(process) })
    }

    /// The arguments for its browser, which has a fresh profile.
    pub fn arguments(&self) -> Vec<String> {
        let profile = format!("--user-data-dir={}", self.folder.path().join("profile").display());
        ARGUMENTS.iter().map(|&argument| argument.to_owned()).chain([profile]).collect()
    }
}

impl Drop for WebDriver {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            // Fails only where it has ended already.
            let _ended = process.signal(Signal::TERM).and_then(|()| process.ended());
        }
    }
}
