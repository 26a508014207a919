//! From a listener to a clean end: accept, serve, drain, flush, close.

use crate::{
    app::{App, Shared},
    commit::{self, Committer},
    config::{Config, ConfigError, DatabaseUrl},
    metrics::{Metrics, UPKEEP_EVERY},
    passwords::Passwords,
    router::router,
    store::{
        Store, Writer,
        sqlite::{self, OpenError},
    },
};
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use std::{
    io, pin::pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// The pause after `accept` failed: usually the process is out of file descriptors, and trying
/// again at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Why a server did not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Settings that cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A database that cannot be used.
    #[error("--database: {0}")]
    Open(#[from] OpenError),
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
    let (app, committer) = set_up(config, store, writer)?;
    tracing::info!("listening on http://{address}");
    let upkeep = tokio::spawn(keep_metrics(app.clone()));
    serve(listener, &app, shutdown).await;
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
            let (store, writer) = sqlite::open(path, &options).await?;
            Ok((Arc::new(store), Box::new(writer)))
        }
    }
}

fn set_up(
    config: Config,
    store: Arc<dyn Store>,
    writer: Box<dyn Writer>,
) -> Result<(App, Committer), ServeError> {
    let metrics = Metrics::new().map_err(|error| ServeError::Setup(error.into()))?;
    let passwords = Passwords::new(
        config.password_cost,
        config.password_cores,
        config.password_queue,
        metrics.hashing_seconds.clone(),
    )
    .map_err(|error| ServeError::Setup(error.to_string().into()))?;
    let (commits, committer) = commit::start(writer, config.commit, metrics.commit.clone());
    let draining = false.into();
    let app = App::new(Shared { config, store, commits, passwords, metrics, draining });
    Ok((app, committer))
}

async fn keep_metrics(app: App) {
    let mut ticks = tokio::time::interval(UPKEEP_EVERY);
    loop {
        ticks.tick().await;
        app.metrics.upkeep();
    }
}

async fn serve(listener: TcpListener, app: &App, shutdown: impl Future<Output = ()> + Send) {
    let router = router(app.clone());
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut ending = pin!(drain_begun(app, shutdown));
    loop {
        tokio::select! {
            () = &mut ending => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let served = graceful.watch(connection(stream, app, router.clone()));
                    connections.spawn(async move {
                        if let Err(error) = served.await {
                            tracing::debug!(%error, "a connection broke");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "accepting a connection failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            // Finished tasks would pile up in the set otherwise.
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    if tokio::time::timeout(app.config.grace, graceful.shutdown()).await.is_err() {
        tracing::warn!(open = connections.len(), "the grace period is over, closing connections");
    }
    connections.shutdown().await;
}

/// Ready when connections are to be closed.
async fn drain_begun(app: &App, shutdown: impl Future<Output = ()> + Send) {
    shutdown.await;
    app.draining.store(true, Ordering::Relaxed);
    tracing::info!("shutting down");
    tokio::time::sleep(app.config.drain_delay).await;
}

fn connection(
    stream: TcpStream,
    app: &App,
    router: Router,
) -> http1::Connection<TokioIo<TcpStream>, TowerToHyperService<Router>> {
    // Answers are small and complete: Nagle's algorithm could only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(app.config.header_timeout)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
}
