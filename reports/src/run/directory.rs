//! The folder itself: made, opened, locked, found again.

use super::manifest::Manifest;
use super::verdict::Judgement;
use super::{FORMAT_VERSION, ledger};
use fs_err as fs;
use jiff::{Timestamp, tz::TimeZone};
use serde::{Serialize, de::DeserializeOwned};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Why a run directory could not be used.
#[derive(Debug, thiserror::Error)]
pub enum RunDirError {
    /// The operating system refused; the message names the path.
    #[error("run directory: {0}")]
    Io(#[from] io::Error),
    /// There is no run there.
    #[error("{path} is not a run directory: it has no manifest.json", path = .0.display())]
    NotARun(PathBuf),
    /// A new run would overwrite an old one.
    #[error("{path} is not empty: choose another --run-dir, or, where it holds a run, go on with that one by --from-id", path = .0.display())]
    Occupied(PathBuf),
    /// Another limosa is writing it.
    #[error("{path} is being written by another limosa: wait for it to end", path = .0.display())]
    InUse(PathBuf),
    /// A file in it does not hold what it should.
    #[error("{path} cannot be read: {source}", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// A file in it was written by a newer Limosa.
    #[error("{path} has format version {found}, and this limosa reads up to {FORMAT_VERSION}: use a newer limosa", path = path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version that it names.
        found: u64,
    },
    /// A file in it was cut short or changed.
    #[error("{path} is damaged: {why}", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How that shows.
        why: &'static str,
    },
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] ledger::LedgerError),
}

/// A run directory.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    /// Held while this process writes the run.
    lock: Option<fs::File>,
}

impl RunDir {
    /// Makes `base/<time>-<name>` and points `base/latest` at it.
    ///
    /// # Errors
    /// [`RunDirError::Io`] where the file system refuses.
    pub fn create_in(base: &Path, name: &str, now: Timestamp) -> Result<Self, RunDirError> {
        fs::create_dir_all(base)?;
        let stamp = now.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string();
        let mut folder = format!("{stamp}-{name}");
        let mut attempt = 1;
        let path = loop {
            let path = base.join(&folder);
            match fs::create_dir(&path) {
                Ok(()) => break path,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    attempt += 1;
                    folder = format!("{stamp}-{name}-{attempt}");
                }
                Err(error) => return Err(error.into()),
            }
        };
        point_latest_at(base, &folder)?;
        Self::prepare(path)
    }

    /// Makes the run directory `path` itself, which must be absent or empty.
    ///
    /// # Errors
    /// [`RunDirError::Occupied`] where something is there already.
    pub fn create_at(path: &Path) -> Result<Self, RunDirError> {
        fs::create_dir_all(path)?;
        if fs::read_dir(path)?.next().is_some() {
            return Err(RunDirError::Occupied(path.to_path_buf()));
        }
        Self::prepare(path.to_path_buf())
    }

    /// Points `base/latest` at this run, where it is in that folder itself.
    ///
    /// # Errors
    /// [`RunDirError::Io`] where the file system refuses.
    pub fn be_latest_in(&self, base: &Path) -> Result<(), RunDirError> {
        let path = fs::canonicalize(&self.path)?;
        let is_in_base = fs::canonicalize(base).is_ok_and(|base| path.parent() == Some(&base));
        match path.file_name().and_then(|name| name.to_str()) {
            Some(folder) if is_in_base && folder != "latest" => Ok(point_latest_at(base, folder)?),
            _ => Ok(()),
        }
    }

    fn prepare(path: PathBuf) -> Result<Self, RunDirError> {
        fs::create_dir_all(path.join("ledger"))?;
        fs::create_dir_all(path.join("readback"))?;
        let mut run = Self { path, lock: None };
        run.lock()?;
        Ok(run)
    }

    /// Opens an existing run directory for reading.
    ///
    /// # Errors
    /// [`RunDirError::NotARun`] where there is no manifest.
    pub fn open(path: &Path) -> Result<Self, RunDirError> {
        if !path.join("manifest.json").is_file() {
            return Err(RunDirError::NotARun(path.to_path_buf()));
        }
        Ok(Self { path: fs::canonicalize(path)?, lock: None })
    }

    /// Takes the run directory for writing, until it is dropped.
    ///
    /// # Errors
    /// [`RunDirError::InUse`] where another process has it.
    pub fn lock(&mut self) -> Result<(), RunDirError> {
        let file = fs::File::create(self.path.join("run.lock"))?;
        match file.file().try_lock() {
            Ok(()) => {
                self.lock = Some(file);
                Ok(())
            }
            Err(std::fs::TryLockError::WouldBlock) => Err(RunDirError::InUse(self.path.clone())),
            Err(std::fs::TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of the ledger's segments.
    pub fn ledger(&self) -> PathBuf {
        self.path.join("ledger")
    }

    /// The HdrHistogram interval log.
    pub fn latency_log(&self) -> PathBuf {
        self.path.join("latency.hlog")
    }

    /// The counts per second.
    pub fn timeline(&self) -> PathBuf {
        self.path.join("timeline.ndjson")
    }

    /// A read-back of the target: `before`, `after-1`, `after-2`.
    pub fn readback(&self, name: &str) -> PathBuf {
        self.path.join("readback").join(format!("{name}.ndjson"))
    }

    /// The ledger's requests in the order of their outcomes.
    ///
    /// # Errors
    /// [`RunDirError::Ledger`] where the ledger cannot be opened.
    pub fn entries(&self) -> Result<ledger::Entries, RunDirError> {
        Ok(ledger::Entries::open(&self.ledger())?)
    }

    /// The ledger's requests in the order of their calls.
    ///
    /// # Errors
    /// [`RunDirError::Ledger`] where the ledger cannot be opened.
    pub fn calls(&self) -> Result<ledger::Calls, RunDirError> {
        Ok(ledger::Calls::open(&self.ledger())?)
    }

    /// Reads the manifest.
    ///
    /// # Errors
    /// [`RunDirError::Malformed`] or [`RunDirError::Newer`] where it does not hold one.
    pub fn manifest(&self) -> Result<Manifest, RunDirError> {
        read_json(&self.path.join("manifest.json"))
    }

    /// Replaces the manifest, whole or not at all.
    ///
    /// # Errors
    /// [`RunDirError::Io`] where the file system refuses.
    pub fn write_manifest(&self, manifest: &Manifest) -> Result<(), RunDirError> {
        write_json(&self.path.join("manifest.json"), manifest)
    }

    /// Reads the judgement; `None` where the run was not judged yet.
    ///
    /// # Errors
    /// [`RunDirError::Malformed`] or [`RunDirError::Newer`] where it does not hold one.
    pub fn judgement(&self) -> Result<Option<Judgement>, RunDirError> {
        let path = self.path.join("verdict.json");
        if path.is_file() { read_json(&path).map(Some) } else { Ok(None) }
    }

    /// Replaces the judgement, whole or not at all.
    ///
    /// # Errors
    /// [`RunDirError::Io`] where the file system refuses.
    pub fn write_judgement(&self, judgement: &Judgement) -> Result<(), RunDirError> {
        write_json(&self.path.join("verdict.json"), judgement)
    }
}

/// Replaces the link in one step, so that it never points nowhere.
fn point_latest_at(base: &Path, folder: &str) -> io::Result<()> {
    let fresh = base.join(format!(".latest-{}", std::process::id()));
    if fresh.symlink_metadata().is_ok() {
        fs::remove_file(&fresh)?;
    }
    fs::os::unix::fs::symlink(folder, &fresh)?;
    fs::rename(&fresh, base.join("latest"))
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, RunDirError> {
    let malformed = |source| RunDirError::Malformed { path: path.to_path_buf(), source };
    let value: serde_json::Value = serde_json::from_slice(&fs::read(path)?).map_err(malformed)?;
    let found = value.get("format_version").and_then(serde_json::Value::as_u64).unwrap_or(0);
    if found > u64::from(FORMAT_VERSION) {
        return Err(RunDirError::Newer { path: path.to_path_buf(), found });
    }
    serde_json::from_value(value).map_err(malformed)
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), RunDirError> {
    let malformed = |source| RunDirError::Malformed { path: path.to_path_buf(), source };
    let mut bytes = serde_json::to_vec_pretty(value).map_err(malformed)?;
    bytes.push(b'\n');
    write_whole(path, &bytes)?;
    Ok(())
}

/// Writes a file beside its place and moves it there: a crash leaves the old one or the new one.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("tmp");
    let mut file = fs::File::create(&fresh)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    fs::rename(&fresh, path)
}
