//! Redis that syncs every write.

use crate::{
    KitError,
    folder::folder,
    io,
    process::{Process, free_port, tied},
    programs::find,
};
use rustix::process::Signal;
use std::{
    env, fs,
    io::{Read, Write},
    net::TcpStream,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tempfile::TempDir;

/// The variable that names a server to be used in place of one of ours.
const VARIABLE: &str = "REDIS_URL";

/// A Redis server.
#[derive(Debug)]
pub struct Redis {
    /// How to reach it: `redis://...`.
    pub url: String,
    own: Option<Own>,
}

#[derive(Debug)]
struct Own {
    folder: TempDir,
    port: u16,
    process: Mutex<Option<Process>>,
}

impl Redis {
    /// Any server: that of `REDIS_URL`, or one of ours. Others may use it too, so a test takes keys
    /// of its own.
    ///
    /// # Errors
    /// As [`Redis::start`].
    pub fn any() -> Result<Self, KitError> {
        match env::var(VARIABLE) {
            Ok(url) => Ok(Self { url, own: None }),
            Err(_) => Self::start(),
        }
    }

    /// Starts one that syncs its log before it answers.
    ///
    /// # Errors
    /// [`KitError`] where Redis is not installed or does not start.
    pub fn start() -> Result<Self, KitError> {
        let folder = folder()?;
        let own = Own { folder, port: free_port()?, process: Mutex::default() };
        let redis = Self { url: format!("redis://127.0.0.1:{}", own.port), own: Some(own) };
        redis.resume_service()?;
        Ok(redis)
    }

    /// Ends it without notice (SIGKILL).
    ///
    /// # Errors
    /// [`KitError::NotOurs`] for the server of `REDIS_URL`.
    pub fn kill(&self) -> Result<(), KitError> {
        let process = self.ours()?.process.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(process) = process else { return Ok(()) };
        process.signal(Signal::KILL)?;
        process.ended().map(drop)
    }

    /// Forgets everything that it ever stored; it must have been killed before.
    ///
    /// # Errors
    /// [`KitError::NotOurs`] for the server of `REDIS_URL`; [`KitError::Io`] where its files cannot
    /// be removed.
    pub fn forget(&self) -> Result<(), KitError> {
        let log = self.ours()?.folder.path().join("appendonlydir");
        match fs::remove_dir_all(&log) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(io("removing Redis' log")(error))
            }
            _ => Ok(()),
        }
    }

    /// Brings it up again at the same address, with what it had stored.
    ///
    /// # Errors
    /// [`KitError::NotOurs`] for the server of `REDIS_URL`; [`KitError`] where it does not start.
    pub fn resume_service(&self) -> Result<(), KitError> {
        let own = self.ours()?;
        let missing = KitError::Missing { program: "redis-server", package: "redis-server" };
        let program = find("redis-server").ok_or(missing)?;
        let mut command = tied(&program, "KILL", None);
        command
            .args(["--bind", "127.0.0.1", "--port", &own.port.to_string(), "--save", ""])
            .args(["--appendonly", "yes", "--appendfsync", "always", "--dir"])
            .arg(own.folder.path());
        let log = own.folder.path().join("redis.log");
        let process = Process::start("redis-server", command, &log, || own.answers())?;
        *own.process.lock().unwrap_or_else(PoisonError::into_inner) = Some(process);
        Ok(())
    }

    fn ours(&self) -> Result<&Own, KitError> {
        self.own.as_ref().ok_or(KitError::NotOurs(VARIABLE))
    }
}

impl Own {
    fn answers(&self) -> bool {
        let ping = || -> std::io::Result<bool> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(1)))?;
            stream.write_all(b"PING\r\n")?;
            let mut answer = [0; 7];
            stream.read_exact(&mut answer)?;
            Ok(&answer == b"+PONG\r\n")
        };
        ping().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on is to stop")]
    use super::*;

    #[test]
    #[cfg_attr(not(has_redis), ignore = "needs Debian's package redis-server")]
    fn it_remembers_until_it_is_told_to_forget() {
        let redis = Redis::start().unwrap();
        let ask = |command: &str| {
            let mut stream = TcpStream::connect(redis.url.trim_start_matches("redis://")).unwrap();
            write!(stream, "{command}\r\nQUIT\r\n").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        assert_eq!(ask("SET latest 7"), "+OK\r\n+OK\r\n");
        redis.kill().unwrap();
        redis.resume_service().unwrap();
        assert_eq!(ask("GET latest"), "$1\r\n7\r\n+OK\r\n");
        redis.kill().unwrap();
        redis.forget().unwrap();
        redis.resume_service().unwrap();
        assert_eq!(ask("GET latest"), "$-1\r\n+OK\r\n");
    }
}
