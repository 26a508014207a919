//! HAProxy, on a configuration file of the caller's.

use crate::{
    KitError,
    folder::folder,
    process::{Process, free_port, tied},
    programs::haproxy,
};
use std::{
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::Path,
};
use tempfile::TempDir;

/// A running HAProxy; ends when it is dropped.
#[derive(Debug)]
pub struct Haproxy {
    /// Where it listens.
    pub address: SocketAddr,
    _process: Process,
    folder: TempDir,
}

impl Haproxy {
    /// Starts it with these variables. The configuration binds `${LIMOSA_BIND}`, which is a free
    /// port of 127.0.0.1, and logs on standard output.
    ///
    /// # Errors
    /// [`KitError`] where HAProxy is not installed or does not start.
    pub fn start(configuration: &Path, variables: &[(&str, &str)]) -> Result<Self, KitError> {
        let missing = KitError::Missing { program: "haproxy", package: "haproxy" };
        let program = haproxy().ok_or(missing)?;
        let folder = folder()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let mut command = tied(&program, "KILL", None);
        command
            .args(["-db", "-f"])
            .arg(configuration)
            .env("LIMOSA_BIND", address.to_string())
            .envs(variables.iter().copied());
        let log = folder.path().join("haproxy.log");
        let answers = || TcpStream::connect(address).is_ok();
        let process = Process::start("haproxy", command, &log, answers)?;
        Ok(Self { address, _process: process, folder })
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("haproxy.log")).unwrap_or_default()
    }
}
