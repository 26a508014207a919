//! PostgreSQL: clusters of our own, and databases in them.

use crate::{
    KitError,
    folder::folder,
    io,
    process::{Process, free_port, output, tied},
    programs::{find, postgres_folder},
};
use rustix::{fs::FlockOperation, process::Signal};
use std::{
    env, fs,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{self, Command},
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};
use tempfile::TempDir;

/// The variable that names a server to be used in place of one of ours.
const VARIABLE: &str = "DATABASE_URL";
/// What makes an acknowledged commit durable. These are PostgreSQL's defaults; said here so that no
/// configuration file can take them away.
const DURABLE: [&str; 3] = ["fsync=on", "synchronous_commit=on", "full_page_writes=on"];

/// How PostgreSQL is to go down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// Ends every session, writes a checkpoint.
    Fast,
    /// Ends every process at once; the next start recovers from the log.
    Immediate,
    /// SIGKILL to all of its processes, as a power cut would but for what the kernel still holds.
    Kill,
}

/// A PostgreSQL server.
#[derive(Debug)]
pub struct Postgres {
    /// The URL without a database's name.
    base: String,
    cluster: Option<Cluster>,
}

#[derive(Debug)]
struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
    process: Mutex<Option<Process>>,
}

/// An empty database, which is dropped with this where the server is not ours.
#[derive(Debug)]
pub struct Database {
    /// How to reach it: `postgres://...`.
    pub url: String,
    dropped_by: Option<(String, String)>,
}

impl Postgres {
    /// One server for all tests of this process: that of `DATABASE_URL`, or one of ours.
    ///
    /// # Errors
    /// [`KitError`] where PostgreSQL is not installed or does not start.
    pub fn shared() -> Result<&'static Self, KitError> {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        static STARTING: Mutex<()> = Mutex::new(());
        let _one_at_a_time = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = SHARED.get() {
            return Ok(shared);
        }
        let shared = match env::var(VARIABLE) {
            Ok(url) => Self { base: without_database(&url).to_owned(), cluster: None },
            Err(_) => Self::start()?,
        };
        Ok(SHARED.get_or_init(|| shared))
    }

    /// A server of one's own, which can be stopped and started again.
    ///
    /// # Errors
    /// As [`Postgres::shared`].
    pub fn start() -> Result<Self, KitError> {
        Self::start_with(&[])
    }

    /// The same with further settings, each written `name=value`.
    ///
    /// # Errors
    /// As [`Postgres::shared`].
    pub fn start_with(settings: &[&str]) -> Result<Self, KitError> {
        let programs = postgres_folder()
            .ok_or(KitError::Missing { program: "initdb", package: "postgresql" })?;
        let template = template(&programs)?;
        let folder = folder()?;
        // `cp -a` keeps the owner, which is not root.
        let mut copy = Command::new("cp");
        copy.arg("-a").arg(template.join("data")).arg(folder.path());
        output(copy)?;
        if let Some((uid, gid)) = unprivileged()? {
            chown(folder.path(), Some(uid), Some(gid)).map_err(io("chown"))?;
        }
        let mut own = DURABLE.join("\n");
        own += "\nshared_buffers=64MB\nmax_connections=200\nmax_wal_size=4GB\n";
        own += &format!("unix_socket_directories='{}'\n", folder.path().display());
        own += &settings.join("\n");
        let configuration = folder.path().join("data/postgresql.auto.conf");
        fs::write(&configuration, own + "\n").map_err(io("writing postgresql.auto.conf"))?;
        let password = fs::read_to_string(template.join("password")).map_err(io("password"))?;
        let port = free_port()?;
        let cluster = Cluster { folder, programs, port, process: Mutex::default() };
        let base = format!("postgres://limosa:{}@127.0.0.1:{port}", password.trim());
        let postgres = Self { base, cluster: Some(cluster) };
        postgres.resume_service()?;
        Ok(postgres)
    }

    /// A new empty database.
    ///
    /// # Errors
    /// [`KitError`] where the server refuses.
    pub fn database(&self) -> Result<Database, KitError> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("limosa_{}_{number}", process::id());
        let maintenance = format!("{}/postgres", self.base);
        sql(&maintenance, &format!("CREATE DATABASE {name}"))?;
        let dropped_by = self.cluster.is_none().then(|| (maintenance, name.clone()));
        Ok(Database { url: format!("{}/{name}", self.base), dropped_by })
    }

    /// Takes it down.
    ///
    /// # Errors
    /// [`KitError::NotOurs`] for the server of `DATABASE_URL`.
    pub fn stop(&self, shutdown: Shutdown) -> Result<(), KitError> {
        let cluster = self.ours()?;
        let process = cluster.process.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(process) = process else { return Ok(()) };
        match shutdown {
            Shutdown::Fast => process.signal(Signal::INT)?,
            Shutdown::Immediate => process.signal(Signal::QUIT)?,
            Shutdown::Kill => process.signal_all(Signal::KILL)?,
        }
        process.ended().map(drop)
    }

    /// Brings it up again at the same address, and returns once it takes connections.
    ///
    /// # Errors
    /// [`KitError::NotOurs`] for the server of `DATABASE_URL`; [`KitError`] where it does not start.
    pub fn resume_service(&self) -> Result<(), KitError> {
        let cluster = self.ours()?;
        let mut command = tied(&cluster.programs.join("postgres"), "INT", unprivileged()?);
        command
            .arg("-D")
            .arg(cluster.folder.path().join("data"))
            .args(["-h", "127.0.0.1", "-p", &cluster.port.to_string()])
            .current_dir(cluster.folder.path());
        let mut ready = Command::new(cluster.programs.join("pg_isready"));
        ready.args(["-q", "-h", "127.0.0.1", "-p", &cluster.port.to_string()]);
        let log = cluster.folder.path().join("postgres.log");
        let process = Process::start("postgres", command, &log, || {
            ready.status().is_ok_and(|status| status.success())
        })?;
        *cluster.process.lock().unwrap_or_else(PoisonError::into_inner) = Some(process);
        Ok(())
    }

    /// Stops all of its processes where they are (SIGSTOP), or lets them go on (SIGCONT).
    ///
    /// # Errors
    /// [`KitError::NotOurs`] for the server of `DATABASE_URL`.
    pub fn freeze(&self, frozen: bool) -> Result<(), KitError> {
        let process = self.ours()?.process.lock().unwrap_or_else(PoisonError::into_inner);
        let signal = if frozen { Signal::STOP } else { Signal::CONT };
        process.as_ref().map_or(Ok(()), |process| process.signal_all(signal))
    }

    /// What it logged so far; empty for the server of `DATABASE_URL`.
    pub fn log(&self) -> String {
        let Some(cluster) = &self.cluster else { return String::new() };
        fs::read_to_string(cluster.folder.path().join("postgres.log")).unwrap_or_default()
    }

    fn ours(&self) -> Result<&Cluster, KitError> {
        self.cluster.as_ref().ok_or(KitError::NotOurs(VARIABLE))
    }
}

impl Database {
    /// Executes SQL in it by `psql` and returns the rows, one a line, columns apart by `|`.
    ///
    /// # Errors
    /// [`KitError::Failed`] with what the server said.
    pub fn sql(&self, statement: &str) -> Result<String, KitError> {
        sql(&self.url, statement)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some((maintenance, name)) = &self.dropped_by {
            // A server that has gone has no database left to drop.
            let _dropped = sql(maintenance, &format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

fn sql(url: &str, statement: &str) -> Result<String, KitError> {
    let psql = find("psql").ok_or(KitError::Missing { program: "psql", package: "postgresql" })?;
    let mut command = Command::new(psql);
    command
        .args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"])
        .args(["--command", statement, url]);
    output(command).map(|rows| rows.trim_end().to_owned())
}

/// A cluster that `initdb` made once, to be copied: a copy takes a tenth of the time.
fn template(programs: &Path) -> Result<PathBuf, KitError> {
    let uid = rustix::process::getuid().as_raw();
    let version: String = programs.to_string_lossy().replace('/', "-");
    let folder = env::temp_dir().join(format!("limosa-kit-{uid}{version}"));
    let doing = || io(format!("preparing {}", folder.display()));
    fs::create_dir_all(&folder).map_err(doing())?;
    let lock = fs::File::create(folder.join("lock")).map_err(doing())?;
    rustix::fs::flock(&lock, FlockOperation::LockExclusive).map_err(|e| doing()(e.into()))?;
    if folder.join("complete").is_file() {
        return Ok(folder);
    }
    let user = unprivileged()?;
    let (data, password) = (folder.join("data"), folder.join("password"));
    if data.exists() {
        fs::remove_dir_all(&data).map_err(doing())?;
    }
    // A random word of the kernel's; whoever may read the file may use the clusters.
    let word = fs::read_to_string("/proc/sys/kernel/random/uuid").map_err(doing())?;
    fs::write(&password, word).map_err(doing())?;
    if let Some((uid, gid)) = user {
        chown(&folder, Some(uid), Some(gid)).map_err(doing())?;
        chown(&password, Some(uid), Some(gid)).map_err(doing())?;
    }
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).map_err(doing())?;
    let mut initdb = tied(&programs.join("initdb"), "KILL", user);
    initdb
        .arg("-D")
        .arg(&data)
        .args(["--username=limosa", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"])
        .arg(format!("--pwfile={}", password.display()))
        .current_dir(&folder);
    output(initdb)?;
    fs::File::create(folder.join("complete")).map_err(doing())?;
    Ok(folder)
}

/// The user and group to run as: PostgreSQL refuses root. `None`: as who we are.
fn unprivileged() -> Result<Option<(u32, u32)>, KitError> {
    if !rustix::process::getuid().is_root() {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").map_err(io("reading /etc/passwd"))?;
    users
        .lines()
        .filter_map(|line| line.strip_prefix("postgres:"))
        .find_map(|line| {
            let mut fields = line.split(':').skip(1);
            Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
        })
        .map(Some)
        .ok_or(KitError::Missing { program: "the user postgres", package: "postgresql" })
}

/// `postgres://user:password@host:port` of a URL with or without a database's name.
fn without_database(url: &str) -> &str {
    let authority = url.find("://").map_or(0, |at| at + 3);
    url[authority..].find('/').map_or(url, |slash| &url[..authority + slash])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on is to stop")]
    use super::*;

    #[test]
    fn a_url_loses_its_database_alone() {
        let base = "postgres://a:b@host:5432";
        for url in [base.to_owned(), format!("{base}/"), format!("{base}/name")] {
            assert_eq!(without_database(&url), base);
        }
    }

    #[test]
    #[cfg_attr(not(has_postgres), ignore = "needs Debian's package postgresql")]
    fn what_was_committed_outlives_every_shutdown() {
        let postgres = Postgres::start().unwrap();
        let database = postgres.database().unwrap();
        database.sql("CREATE TABLE kept (value int)").unwrap();
        for (value, shutdown) in
            [Shutdown::Fast, Shutdown::Immediate, Shutdown::Kill].into_iter().enumerate()
        {
            database.sql(&format!("INSERT INTO kept VALUES ({value})")).unwrap();
            postgres.stop(shutdown).unwrap();
            database.sql("SELECT 1").unwrap_err();
            postgres.resume_service().unwrap();
        }
        assert_eq!(database.sql("SELECT value FROM kept ORDER BY value").unwrap(), "0\n1\n2");
        let durable = "SELECT current_setting('fsync'), current_setting('synchronous_commit'),
                       current_setting('full_page_writes')";
        assert_eq!(database.sql(durable).unwrap(), "on|on|on");
    }
}
