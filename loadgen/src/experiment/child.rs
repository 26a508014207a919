//! The reference server as a child process.

use crate::client::{BaseUrl, BaseUrlError};
use fs_err as fs;
use rustix::process::{Pid, Signal, kill_process};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const START_LIMIT: Duration = Duration::from_secs(30);
const STOP_LIMIT: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(10);

/// Why a server could not be brought up or taken down.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// The operating system refused.
    #[error("the server could not be started: {0}")]
    Io(#[from] io::Error),
    /// It ended before it listened.
    #[error("the server ended with {status} before it listened; it said:\n{said}")]
    Ended {
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it wrote on its standard error.
        said: String,
    },
    /// It did not listen in time.
    #[error("the server did not listen within {} s", START_LIMIT.as_secs())]
    Silent,
    /// It listens at an address that is none.
    #[error(transparent)]
    Address(#[from] BaseUrlError),
    /// It did not end in time, and was killed.
    #[error("the server did not end within {} s of SIGTERM, and was killed", STOP_LIMIT.as_secs())]
    Stubborn,
}

/// A server on a free port of the loopback interface. Killed when it is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    url: BaseUrl,
}

impl Server {
    /// Starts `program serve` with its files in `folder` and the given further arguments, and waits
    /// until it listens. Its database is a file in `folder`, unless the arguments name another; its
    /// log goes to `folder/server.log`.
    ///
    /// # Errors
    /// [`ChildError`] where it does not come up.
    pub fn start(program: &Path, folder: &Path, arguments: &[String]) -> Result<Self, ChildError> {
        Self::start_replica(program, folder, 0, arguments)
    }

    /// The same for one of several servers on the database in `folder`. Each has a number, from 0,
    /// and, from 1 on, a log of its own: `folder/server-<number>.log`.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start_replica(
        program: &Path,
        folder: &Path,
        number: usize,
        arguments: &[String],
    ) -> Result<Self, ChildError> {
        let suffix = if number == 0 { String::new() } else { format!("-{number}") };
        let address: PathBuf = folder.join(format!("address{suffix}"));
        let log = folder.join(format!("server{suffix}.log"));
        // One that was killed leaves its address behind.
        if address.exists() {
            fs::remove_file(&address)?;
        }
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--port-file"])
            .arg(&address)
            .env("LIMOSA_DATABASE", format!("sqlite:{}", folder.join("limosa.db").display()))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::OpenOptions::new().create(true).append(true).open(&log)?.into_file())
            .spawn()?;
        let began = Instant::now();
        loop {
            if let Ok(text) = fs::read_to_string(&address)
                && text.ends_with('\n')
            {
                let url = format!("http://{}", text.trim()).parse()?;
                return Ok(Self { child, url });
            }
            if let Some(status) = child.try_wait()? {
                let said = fs::read_to_string(&log).unwrap_or_default();
                return Err(ChildError::Ended { status, said });
            }
            if began.elapsed() > START_LIMIT {
                let _killed = child.kill();
                let _reaped = child.wait();
                return Err(ChildError::Silent);
            }
            std::thread::sleep(POLL);
        }
    }

    /// Where it listens.
    pub fn url(&self) -> &BaseUrl {
        &self.url
    }

    /// Halts it where it is: SIGSTOP. Its connections stay, and nobody is answered.
    ///
    /// # Errors
    /// [`ChildError::Io`] where it has ended.
    pub fn halt(&self) -> Result<(), ChildError> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on after [`Server::halt`]: SIGCONT.
    ///
    /// # Errors
    /// [`ChildError::Io`] where it has ended.
    pub fn go_on(&self) -> Result<(), ChildError> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<(), ChildError> {
        Ok(kill_process(Pid::from_child(&self.child), signal).map_err(io::Error::from)?)
    }

    /// Ends it as a power cut would: SIGKILL.
    pub fn kill(self) {
        drop(self);
    }

    /// Ends it as an operator would: SIGTERM, and waits.
    ///
    /// # Errors
    /// [`ChildError::Stubborn`] where it does not end by itself.
    pub fn stop(mut self) -> Result<(), ChildError> {
        self.signal(Signal::TERM)?;
        let began = Instant::now();
        while self.child.try_wait()?.is_none() {
            if began.elapsed() > STOP_LIMIT {
                return Err(ChildError::Stubborn);
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}
