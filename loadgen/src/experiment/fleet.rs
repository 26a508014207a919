//! Reference servers of one's own: one or several replicas on one temporary database.

use super::child::{ChildError, Server};
use crate::client::BaseUrl;
use fs_err as fs;
use std::path::{Path, PathBuf};

/// Servers that are brought up together, on free ports of the loopback interface, with one database
/// for all of them. They end, and their database is removed, when the fleet is dropped.
#[derive(Debug)]
pub struct Fleet {
    servers: Vec<Server>,
    // Dropped after the servers, which write into it.
    _folder: Scratch,
}

impl Fleet {
    /// Starts so many times `program serve` with the given further arguments, on the database that
    /// these name by `--database`, or else on one that is removed with the fleet.
    ///
    /// # Errors
    /// [`ChildError`] where one does not come up.
    pub fn start(
        program: &Path,
        replicas: usize,
        arguments: &[String],
    ) -> Result<Self, ChildError> {
        let folder = Scratch::create()?;
        let mut servers = Vec::new();
        for number in 0..replicas {
            servers.push(Server::start_replica(program, &folder.0, number, arguments)?);
        }
        Ok(Self { servers, _folder: folder })
    }

    /// Where they listen.
    pub fn urls(&self) -> Vec<BaseUrl> {
        self.servers.iter().map(|server| server.url().clone()).collect()
    }

    /// Ends all of them as an operator would.
    ///
    /// # Errors
    /// [`ChildError`] where one does not end by itself.
    pub fn stop(self) -> Result<(), ChildError> {
        self.servers.into_iter().try_for_each(Server::stop)
    }
}

/// A folder that is removed with all it holds.
#[derive(Debug)]
struct Scratch(PathBuf);

impl Scratch {
    fn create() -> std::io::Result<Self> {
        let stem = format!("limosa-server-{}", std::process::id());
        for attempt in 0.. {
            let path = std::env::temp_dir().join(format!("{stem}-{attempt}"));
            match fs::create_dir(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                other => return other.map(|()| Self(path)),
            }
        }
        unreachable!("the attempts have no end")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's own cleaning of temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}
