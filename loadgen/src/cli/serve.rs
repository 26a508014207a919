//! `limosa serve`: the reference server.

use super::exit::Exit;
use anyhow::Context as _;
use limosa_server::{
    Config, DatabaseUrl, SessionKey,
    commit::Limits,
    config::DatabaseUrlError,
    faults::{self, Fault},
    latest::LatestStore,
    logs::{self, LogFormat},
    passwords::PasswordCost,
};
use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

const EXAMPLES: &str = "\
Examples:
  limosa serve
  limosa serve --listen 127.0.0.1:0 --port-file port --database sqlite:/tmp/try.db
  LIMOSA_DATABASE=postgres://limosa:secret@localhost/limosa limosa serve
  limosa serve --password-cost test --log warn --log-format json
  limosa serve --latest redis://127.0.0.1:6379
  limosa serve --fault lose:id=4711 --fault stall:every=5000,for=1000";

/// Runs the reference server: the simulator API on a database, durable and in one process.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The address to listen on; port 0 takes a free one
    #[arg(long, env = "LIMOSA_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:5001")]
    listen: SocketAddr,
    /// Where to write the address that is listened on, once it is
    #[arg(long, env = "LIMOSA_PORT_FILE", value_name = "FILE")]
    port_file: Option<PathBuf>,
    /// The database: sqlite:FILE or postgres://USER:PASSWORD@HOST:PORT/DATABASE
    ///
    /// An SQLite file is created where it is missing, and several servers of one machine may share
    /// it. A PostgreSQL database, 15 or later, has to be there; its tables are created, and any
    /// number of servers may share it. What a postgres:// URL does not say comes from PGPASSWORD and
    /// the other variables of PostgreSQL, or from its password file: a password on the command line
    /// can be seen by every user of the machine.
    // A wrong one is complained of later: the command line's parser would quote it, password and all.
    #[arg(long, env = "LIMOSA_DATABASE", value_name = "URL", default_value = "sqlite:limosa.db",
        hide_env_values = true, value_parser = |url: &str| Ok::<_, Infallible>(url.parse::<DatabaseUrl>()))]
    database: Result<DatabaseUrl, DatabaseUrlError>,
    /// Where latest lives: database (in the transaction of the write), memory (of this process alone)
    /// or redis://HOST[:PORT][/DB][?key=NAME] (after the commit, before the answer)
    #[arg(long, env = "LIMOSA_LATEST", value_name = "WHERE", default_value_t)]
    latest: LatestStore,
    /// How many connections read from the database at the same time
    #[arg(long, env = "LIMOSA_READERS", value_name = "N", default_value_t = 4)]
    readers: u32,
    /// How long PostgreSQL may take for a statement, waiting for other servers included, in seconds
    #[arg(long, env = "LIMOSA_STATEMENT_TIMEOUT", value_name = "SECONDS", default_value = "5",
        value_parser = seconds)]
    statement_timeout: Duration,
    /// How long requests wait for a database that cannot be reached, before they are answered 503,
    /// in seconds
    #[arg(long, env = "LIMOSA_RETRY_FOR", value_name = "SECONDS", default_value = "10",
        value_parser = seconds)]
    retry_for: Duration,
    /// The most writes that share a transaction; 1 commits each request alone
    #[arg(long, env = "LIMOSA_MAX_BATCH", value_name = "N", default_value_t = 128)]
    max_batch: usize,
    /// The most writes that wait for a transaction; one more is answered 503
    #[arg(long, env = "LIMOSA_QUEUE", value_name = "N", default_value_t = 4096)]
    queue: usize,
    /// How dear a password hash is: interactive, minimum (OWASP's least), or test (worthless)
    #[arg(long, env = "LIMOSA_PASSWORD_COST", value_name = "PROFILE", default_value_t)]
    password_cost: PasswordCost,
    /// How many passwords are hashed at the same time [default: the number of cores]
    #[arg(long, env = "LIMOSA_PASSWORD_CORES", value_name = "N")]
    password_cores: Option<usize>,
    /// How many passwords more may wait to be hashed; one more is answered 503
    #[arg(long, env = "LIMOSA_PASSWORD_QUEUE", value_name = "N", default_value_t = 64)]
    password_queue: usize,
    /// The longest request body, in bytes
    #[arg(long, env = "LIMOSA_MAX_BODY", value_name = "BYTES", default_value_t = 1 << 20)]
    max_body: usize,
    /// How long a client may take to send a request's head, or may stay idle, in seconds
    #[arg(long, env = "LIMOSA_HEADER_TIMEOUT", value_name = "SECONDS", default_value = "60",
        value_parser = seconds)]
    header_timeout: Duration,
    /// How long a client may take to send a request's body, in seconds
    #[arg(long, env = "LIMOSA_BODY_TIMEOUT", value_name = "SECONDS", default_value = "10",
        value_parser = seconds)]
    body_timeout: Duration,
    /// How long to go on serving after SIGTERM while /readyz already says 503, in seconds
    #[arg(long, env = "LIMOSA_DRAIN_DELAY", value_name = "SECONDS", default_value = "0",
        value_parser = seconds)]
    drain_delay: Duration,
    /// How long requests in flight may take after that, in seconds
    #[arg(long, env = "LIMOSA_GRACE", value_name = "SECONDS", default_value = "10",
        value_parser = seconds)]
    grace: Duration,
    /// What the web pages' sessions are signed with, 32 bytes or more, the same for all replicas
    /// [default: a key that the database keeps]
    #[arg(long, env = "LIMOSA_SESSION_KEY", value_name = "SECRET", hide_env_values = true)]
    session_key: Option<SessionKey>,
    /// Have browsers send sessions over TLS alone, where a proxy in front speaks it
    #[arg(long, env = "LIMOSA_SECURE_COOKIES")]
    secure_cookies: bool,
    /// What is to go wrong on purpose, off by default; may be repeated
    #[arg(long = "fault", env = "LIMOSA_FAULT", value_name = "FAULT", value_delimiter = ';',
        long_help = fault_help())]
    faults: Vec<Fault>,
    /// What to log: a level, or directives as in RUST_LOG [default: RUST_LOG, else info]
    #[arg(long, env = "LIMOSA_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// How a log line looks: text or json
    #[arg(long, env = "LIMOSA_LOG_FORMAT", value_name = "FORMAT", default_value_t)]
    log_format: LogFormat,
}

impl Args {
    /// Serves until SIGTERM or SIGINT, then drains.
    ///
    /// # Errors
    /// Settings, an address or a database that cannot be used.
    pub fn run(self) -> anyhow::Result<Exit> {
        let filter = self.log.clone().or_else(|| std::env::var("RUST_LOG").ok());
        logs::init(self.log_format, filter.as_deref().unwrap_or("info"))
            .context("--log cannot be used")?;
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("the async runtime could not be started")?
            .block_on(self.serve())
    }

    async fn serve(self) -> anyhow::Result<Exit> {
        let config = self.config()?;
        config.validate()?;
        let shutdown = shutdown_signal().context("signals cannot be handled")?;
        let listener = bind(self.listen).await?;
        let port_file = match &self.port_file {
            Some(path) => Some(PortFile::write(path, listener.local_addr()?)?),
            None => None,
        };
        limosa_server::run(listener, config, shutdown).await?;
        drop(port_file);
        Ok(Exit::Pass)
    }

    fn config(&self) -> anyhow::Result<Config> {
        let database = self.database.clone().context("--database")?;
        let mut config = Config::new(database);
        config.latest = self.latest.clone();
        config.readers = self.readers;
        config.statement_timeout = self.statement_timeout;
        config.commit =
            Limits { max_batch: self.max_batch, queue: self.queue, retry_for: self.retry_for };
        config.password_cost = self.password_cost;
        config.password_cores = self.password_cores.unwrap_or(config.password_cores);
        config.password_queue = self.password_queue;
        config.max_body = self.max_body;
        config.header_timeout = self.header_timeout;
        config.body_timeout = self.body_timeout;
        config.drain_delay = self.drain_delay;
        config.grace = self.grace;
        config.session_key = self.session_key.clone();
        config.secure_cookies = self.secure_cookies;
        config.faults = self.faults.clone();
        Ok(config)
    }
}

fn fault_help() -> String {
    let mut help = String::from(
        "What is to go wrong on purpose, off by default; may be repeated, and separated by \
         semicolons in the variable. every=K hits each K-th write that the fault concerns and \
         that would be acknowledged, in the order of the commits; id=N those with that command \
         id. Each hit is logged under the target `fault`.\n\n",
    );
    for fault in faults::registry() {
        help += &format!(
            "{}\n    {}\n    an audit reports: {}\n",
            fault.syntax, fault.effect, fault.finding
        );
    }
    help
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "write a number of seconds, such as 0.5")?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "--listen {address}: another process listens there; stop it, or choose another port"
        ),
        _ => anyhow::anyhow!("--listen {address}: {error}"),
    })
}

/// The first SIGTERM or SIGINT drains. The handlers are installed before this returns, so no
/// signal is lost; a second one is left without effect, the grace period bounds the wait.
fn shutdown_signal() -> io::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// The address in a file, for scripts that bind port 0; removed when the server ends.
struct PortFile<'a>(&'a Path);

impl<'a> PortFile<'a> {
    /// Writes beside the file and renames, so that no script reads half an address.
    fn write(path: &'a Path, address: SocketAddr) -> anyhow::Result<Self> {
        let beside = path.with_added_extension("new");
        fs_err::write(&beside, format!("{address}\n")).context("--port-file cannot be written")?;
        fs_err::rename(&beside, path).context("--port-file cannot be written")?;
        Ok(Self(path))
    }
}

impl Drop for PortFile<'_> {
    fn drop(&mut self) {
        // It may have been removed already; there is nothing left to do about any other error.
        let _gone = fs_err::remove_file(self.0);
    }
}
