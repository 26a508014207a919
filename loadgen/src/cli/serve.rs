//! `limosa serve`: the reference server.

use super::exit::Exit;
use crate::machine::allow_open_files;
use anyhow::Context as _;
use limosa_server::{
    Config, DatabaseUrl, SessionKey,
    config::ConfigError,
    faults::{self, Fault},
    latest::LatestStore,
    logs::{self, LogFormat},
    passwords::PasswordCost,
};
use std::{
    convert::Infallible,
    fmt::{self, Display},
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
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

/// The files that a server has open besides its connections.
const OTHER_FILES: usize = 256;

/// Runs the reference server: the simulator API and MiniTwit's web pages on a database.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The address to listen on; port 0 takes a free one
    #[arg(long, env = "LIMOSA_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:5001")]
    listen: Given<SocketAddr>,
    /// Where to write the address that is listened on, once it is
    #[arg(long, env = "LIMOSA_PORT_FILE", value_name = "FILE")]
    port_file: Option<PathBuf>,
    /// What this replica is called in X-Limosa-Replica and in its metrics [default: the host's name]
    #[arg(long, env = "LIMOSA_REPLICA_ID", value_name = "NAME")]
    replica_id: Option<String>,
    /// The database: sqlite:FILE or postgres://USER:PASSWORD@HOST:PORT/DATABASE
    ///
    /// An SQLite file is created where it is missing, and several servers of one machine may share
    /// it. A PostgreSQL database, 15 or later, has to be there; its tables are created, and any
    /// number of servers may share it. What a postgres:// URL does not say comes from PGPASSWORD and
    /// the other variables of PostgreSQL, or from its password file: a password on the command line
    /// can be seen by every user of the machine.
    #[arg(
        long,
        env = "LIMOSA_DATABASE",
        value_name = "URL",
        default_value = "sqlite:limosa.db",
        hide_env_values = true
    )]
    database: Given<DatabaseUrl>,
    /// Where latest lives: database (in the transaction of the write), memory (of this process alone)
    /// or redis://HOST[:PORT][/DB][?key=NAME] (after the commit, before the answer)
    #[arg(
        long,
        env = "LIMOSA_LATEST",
        value_name = "WHERE",
        default_value = "database",
        hide_env_values = true
    )]
    latest: Given<LatestStore>,
    /// How many connections read from the database at the same time
    #[arg(long, env = "LIMOSA_READERS", value_name = "N", default_value = "4")]
    readers: Given<u32>,
    /// How long PostgreSQL may take for a statement, waiting for other servers included, in seconds
    #[arg(long, env = "LIMOSA_STATEMENT_TIMEOUT", value_name = "SECONDS", default_value = "5")]
    statement_timeout: Given<Seconds>,
    /// How long requests wait for a database that cannot be reached, before they are answered 503,
    /// in seconds
    #[arg(long, env = "LIMOSA_RETRY_FOR", value_name = "SECONDS", default_value = "10")]
    retry_for: Given<Seconds>,
    /// The most writes that share a transaction; 1 commits each request alone
    #[arg(long, env = "LIMOSA_MAX_BATCH", value_name = "N", default_value = "128")]
    max_batch: Given<usize>,
    /// The most writes that wait for a transaction; one more is answered 503
    #[arg(long, env = "LIMOSA_QUEUE", value_name = "N", default_value = "4096")]
    queue: Given<usize>,
    /// How dear a password hash is: interactive, minimum (OWASP's least), or test (worthless)
    #[arg(long, env = "LIMOSA_PASSWORD_COST", value_name = "PROFILE", default_value = "minimum")]
    password_cost: Given<PasswordCost>,
    /// How many passwords are hashed at the same time [default: the number of cores]
    #[arg(long, env = "LIMOSA_PASSWORD_CORES", value_name = "N")]
    password_cores: Option<Given<usize>>,
    /// How many passwords more may wait to be hashed; one more is answered 503
    #[arg(long, env = "LIMOSA_PASSWORD_QUEUE", value_name = "N", default_value = "64")]
    password_queue: Given<usize>,
    /// How many connections may be open; one more takes the place of one that is idle, or is
    /// answered 503 [default: 10000, or as many as the limit of open files allows]
    #[arg(long, env = "LIMOSA_MAX_CONNECTIONS", value_name = "N")]
    max_connections: Option<Given<usize>>,
    /// The longest head of a request, in bytes and rounded up to what is read at a time; a longer
    /// one is answered 431
    #[arg(long, env = "LIMOSA_MAX_HEAD", value_name = "BYTES", default_value = "65536")]
    max_head: Given<usize>,
    /// The longest request body, in bytes; a longer one is answered 413
    #[arg(long, env = "LIMOSA_MAX_BODY", value_name = "BYTES", default_value = "1048576")]
    max_body: Given<usize>,
    /// How long a client may take to send a request's head, or may stay idle, in seconds
    #[arg(long, env = "LIMOSA_HEADER_TIMEOUT", value_name = "SECONDS", default_value = "60")]
    header_timeout: Given<Seconds>,
    /// How long a client may take to send a request's body, in seconds
    #[arg(long, env = "LIMOSA_BODY_TIMEOUT", value_name = "SECONDS", default_value = "10")]
    body_timeout: Given<Seconds>,
    /// How long a client may leave an answer untaken, in seconds
    #[arg(long, env = "LIMOSA_WRITE_TIMEOUT", value_name = "SECONDS", default_value = "60")]
    write_timeout: Given<Seconds>,
    /// How long to go on serving after SIGTERM while /readyz already says 503, in seconds
    #[arg(long, env = "LIMOSA_DRAIN_DELAY", value_name = "SECONDS", default_value = "0")]
    drain_delay: Given<Seconds>,
    /// How long requests in flight may take after that, in seconds
    #[arg(long, env = "LIMOSA_GRACE", value_name = "SECONDS", default_value = "10")]
    grace: Given<Seconds>,
    /// What the web pages' sessions are signed with, 32 bytes or more, the same for all replicas
    /// [default: a key that the database keeps]
    #[arg(long, env = "LIMOSA_SESSION_KEY", value_name = "SECRET", hide_env_values = true)]
    session_key: Option<Given<SessionKey>>,
    /// Have browsers send sessions over TLS alone, where a proxy in front speaks it
    #[arg(long, env = "LIMOSA_SECURE_COOKIES")]
    secure_cookies: bool,
    /// What is to go wrong on purpose, off by default; may be repeated
    #[arg(long = "fault", env = "LIMOSA_FAULT", value_name = "FAULT", value_delimiter = ';',
        long_help = fault_help())]
    faults: Vec<Given<Fault>>,
    /// What to log: a level, or directives as in RUST_LOG; access=debug logs each request
    /// [default: RUST_LOG, else info]
    #[arg(long, env = "LIMOSA_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// How a log line looks: text or json
    #[arg(long, env = "LIMOSA_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    log_format: Given<LogFormat>,
}

/// A value as it was given: what cannot be read is kept, so that all of it can be named at once.
#[derive(Clone)]
struct Given<T> {
    text: String,
    read: Result<T, String>,
}

impl<T> fmt::Debug for Given<T> {
    /// Says nothing: some of them are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given").finish_non_exhaustive()
    }
}

impl<T: FromStr<Err: Display>> FromStr for Given<T> {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self { text: text.to_owned(), read: text.parse().map_err(|e: T::Err| e.to_string()) })
    }
}

/// A time as the command line has it.
#[derive(Debug, Clone, Copy)]
struct Seconds(Duration);

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seconds: f64 = text.parse().map_err(|_| "write a number of seconds, such as 0.5")?;
        Duration::try_from_secs_f64(seconds).map(Self).map_err(|error| error.to_string())
    }
}

/// Takes what can be read, and notes what cannot.
#[derive(Debug, Default)]
struct Reader {
    problems: Vec<String>,
}

impl Reader {
    fn read<T: Clone>(&mut self, flag: &str, given: &Given<T>, into: &mut T) {
        match &given.read {
            Ok(value) => *into = value.clone(),
            Err(error) => self.problems.push(format!("{flag} {:?}: {error}", given.text)),
        }
    }

    /// The same for what may hold a password: what is wrong with it says the rest.
    fn read_secret<T: Clone>(&mut self, flag: &str, given: &Given<T>, into: &mut T) {
        match &given.read {
            Ok(value) => *into = value.clone(),
            Err(error) => self.problems.push(format!("{flag}: {error}")),
        }
    }

    fn time(&mut self, flag: &str, given: &Given<Seconds>, into: &mut Duration) {
        let mut seconds = Seconds(*into);
        self.read(flag, given, &mut seconds);
        *into = seconds.0;
    }
}

/// All that is needed to serve.
#[derive(Debug)]
struct Settings {
    listen: SocketAddr,
    log_format: LogFormat,
    config: Config,
}

impl Args {
    /// Serves until SIGTERM or SIGINT, then drains.
    ///
    /// # Errors
    /// Settings, an address or a database that cannot be used.
    pub fn run(self) -> anyhow::Result<Exit> {
        let settings = self.settings()?;
        let filter = self.log.clone().or_else(|| std::env::var("RUST_LOG").ok());
        logs::init(settings.log_format, filter.as_deref().unwrap_or("info"))
            .context("--log cannot be used")?;
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("the async runtime could not be started")?
            .block_on(serve(settings, self.port_file.as_deref()))
    }

    /// Reads and checks everything, and names all that is wrong at once.
    fn settings(&self) -> Result<Settings, ConfigError> {
        let mut reader = Reader::default();
        let mut database = DatabaseUrl::Sqlite(PathBuf::new());
        reader.read_secret("--database", &self.database, &mut database);
        let mut config = Config::new(database);
        reader.read_secret("--latest", &self.latest, &mut config.latest);
        reader.time("--statement-timeout", &self.statement_timeout, &mut config.statement_timeout);
        reader.time("--retry-for", &self.retry_for, &mut config.commit.retry_for);
        let mut listen = SocketAddr::from(([127, 0, 0, 1], 0));
        reader.read("--listen", &self.listen, &mut listen);
        let mut log_format = LogFormat::default();
        reader.read("--log-format", &self.log_format, &mut log_format);
        if let Some(replica) = &self.replica_id {
            config.replica.clone_from(replica);
        }
        reader.read("--readers", &self.readers, &mut config.readers);
        reader.read("--max-batch", &self.max_batch, &mut config.commit.max_batch);
        reader.read("--queue", &self.queue, &mut config.commit.queue);
        reader.read("--password-cost", &self.password_cost, &mut config.password_cost);
        if let Some(cores) = &self.password_cores {
            reader.read("--password-cores", cores, &mut config.password_cores);
        }
        reader.read("--password-queue", &self.password_queue, &mut config.password_queue);
        reader.read("--max-head", &self.max_head, &mut config.max_head);
        reader.read("--max-body", &self.max_body, &mut config.max_body);
        reader.time("--header-timeout", &self.header_timeout, &mut config.header_timeout);
        reader.time("--body-timeout", &self.body_timeout, &mut config.body_timeout);
        reader.time("--write-timeout", &self.write_timeout, &mut config.write_timeout);
        reader.time("--drain-delay", &self.drain_delay, &mut config.drain_delay);
        reader.time("--grace", &self.grace, &mut config.grace);
        if let Some(given) = &self.session_key {
            match &given.read {
                Ok(key) => config.session_key = Some(key.clone()),
                Err(error) => reader.problems.push(format!("--session-key: {error}")),
            }
        }
        config.secure_cookies = self.secure_cookies;
        // An empty variable, or a semicolon at its end, asks for nothing.
        for fault in self.faults.iter().filter(|fault| !fault.text.is_empty()) {
            match &fault.read {
                Ok(fault) => config.faults.push(*fault),
                Err(error) => reader.problems.push(format!("--fault {:?}: {error}", fault.text)),
            }
        }
        self.places(&mut reader, &mut config.max_connections);
        reader.problems.extend(config.validate().err().into_iter().flat_map(|e| e.problems));
        match reader.problems {
            problems if problems.is_empty() => Ok(Settings { listen, log_format, config }),
            problems => Err(ConfigError { problems }),
        }
    }

    /// Every connection is an open file.
    fn places(&self, reader: &mut Reader, places: &mut usize) {
        if let Some(given) = &self.max_connections {
            reader.read("--max-connections", given, places);
        }
        let wanted = places.saturating_add(OTHER_FILES);
        let limit = usize::try_from(allow_open_files(wanted as u64)).unwrap_or(usize::MAX);
        if limit >= wanted {
            return;
        }
        match self.max_connections {
            None => *places = limit.saturating_sub(OTHER_FILES).max(1),
            Some(_) => reader.problems.push(format!(
                "--max-connections {places} needs {wanted} open files, and the system allows \
                 {limit}: raise that with ulimit -Hn, or allow fewer connections"
            )),
        }
    }
}

async fn serve(settings: Settings, port_file: Option<&Path>) -> anyhow::Result<Exit> {
    let shutdown = shutdown_signal().context("signals cannot be handled")?;
    let listener = bind(settings.listen)?;
    let port_file = match port_file {
        Some(path) => Some(PortFile::write(path, listener.local_addr()?)?),
        None => None,
    };
    limosa_server::run(listener, settings.config, shutdown).await?;
    drop(port_file);
    Ok(Exit::Pass)
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

fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    limosa_server::listen(address).map_err(|error| match error.kind() {
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
