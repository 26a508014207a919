//! From a listener to a clean end: accept, serve, drain, flush, close.

use crate::{
    app::{App, Shared},
    commit::{self, Committer},
    config::{Config, ConfigError, DatabaseUrl},
    connections, faults,
    latest::{self, ReadError, RedisError},
    metrics::{Metrics, UPKEEP_EVERY},
    pages::SessionKey,
    passwords::Passwords,
    requests::RequestIds,
    store::{OpenError, Store, StoreError, Writer, postgres, sqlite},
};
use axum::http::HeaderValue;
use std::{io, sync::Arc};
use tokio::net::TcpListener;

/// Why a server did not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Settings that cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A database that cannot be used.
    #[error("--database: {0}")]
    Open(#[from] OpenError),
    /// A database that opens and cannot be read.
    #[error("--database: {0}")]
    Read(#[from] StoreError),
    /// A Redis that cannot be used.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// The listener has no address.
    #[error("the listening socket cannot be used: {0}")]
    Listener(#[source] io::Error),
    /// A constant of the program is wrong.
    #[error("the server cannot be set up: {0}")]
    Setup(Box<dyn std::error::Error + Send + Sync>),
}

/// Serves until `shutdown` is ready, then drains: requests in flight are finished within the
/// grace period, idle connections are closed at once, everything queued is committed.
///
/// # Errors
/// [`ServeError`] where the server cannot start. Once it serves, it ends only by `shutdown`.
pub async fn run(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    config.validate()?;
    let address = listener.local_addr().map_err(ServeError::Listener)?;
    let (store, writer) = open(&config).await?;
    let (app, committer) = set_up(config, store, writer).await?;
    tracing::info!("listening on http://{address}");
    let upkeep = tokio::spawn(keep_metrics(app.clone()));
    connections::serve(listener, address, app.clone(), shutdown).await;
    upkeep.abort();
    committer.close().await;
    app.store.close().await;
    tracing::info!("stopped");
    Ok(())
}

async fn open(config: &Config) -> Result<(Arc<dyn Store>, Box<dyn Writer>), OpenError> {
    match &config.database {
        DatabaseUrl::Sqlite(path) => {
            let options = sqlite::Options { readers: config.readers, ..sqlite::Options::default() };
            let (store, writer) = sqlite::open(path, options).await?;
            Ok((Arc::new(store), Box::new(writer)))
        }
        DatabaseUrl::Postgres(url) => {
            let options = postgres::Options {
                readers: config.readers,
                statement_timeout: config.statement_timeout,
                retry_for: config.commit.retry_for,
            };
            let (store, writer) = postgres::open(url, options).await?;
            Ok((Arc::new(store), Box::new(writer)))
        }
    }
}

async fn set_up(
    mut config: Config,
    store: Arc<dyn Store>,
    writer: Box<dyn Writer>,
) -> Result<(App, Committer), ServeError> {
    let metrics = Metrics::new(&config.replica).map_err(|error| ServeError::Setup(error.into()))?;
    let passwords = Passwords::new(
        config.password_cost,
        config.password_cores,
        config.password_queue,
        metrics.hashing_seconds.clone(),
    )
    .map_err(|error| ServeError::Setup(error.to_string().into()))?;
    let (writer, latest) = latest::place(&config.latest, writer).await?;
    let faults = config.faults.clone();
    let (writer, latest) = faults::plant(faults, Arc::clone(&store), writer, latest).await?;
    if faults::touch_writes(&config.faults) {
        config.commit.max_batch = 1;
    }
    let session_key = match &config.session_key {
        Some(key) => key.derive(),
        None => SessionKey::from(store.session_key().await?).derive(),
    };
    let (commits, committer) = commit::start(writer, config.commit, metrics.commit.clone());
    let draining = false.into();
    let replica =
        HeaderValue::try_from(&config.replica).map_err(|e| ServeError::Setup(e.into()))?;
    let request_ids = RequestIds::new();
    let app = App::new(Shared {
        config,
        store,
        latest,
        commits,
        passwords,
        metrics,
        session_key,
        request_ids,
        replica,
        draining,
    });
    Ok((app, committer))
}

impl From<ReadError> for ServeError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Store(error) => error.into(),
            ReadError::Redis(error) => error.into(),
        }
    }
}

async fn keep_metrics(app: App) {
    let mut ticks = tokio::time::interval(UPKEEP_EVERY);
    loop {
        ticks.tick().await;
        app.metrics.upkeep();
    }
}
