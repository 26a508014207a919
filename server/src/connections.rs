//! Connections: accept them, keep clients to their timeouts, and let them finish at the end.

use crate::{
    app::App,
    faults::outages::{hold, refusals, stalls},
    router::router,
};
use axum::{Router, middleware};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use std::{net::SocketAddr, pin::pin, sync::atomic::Ordering, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::Instant,
};

/// The pause after `accept` or `bind` failed: usually the process is out of file descriptors, and
/// trying again at once would spin.
const PAUSE: Duration = Duration::from_millis(20);

/// Serves until `shutdown` is ready and the connections have ended.
pub(crate) async fn serve(
    mut listener: TcpListener,
    address: SocketAddr,
    app: App,
    shutdown: impl Future<Output = ()> + Send,
) {
    let start = Instant::now();
    let mut router = router(app.clone());
    for stall in stalls(&app.config.faults, start) {
        router = router.layer(middleware::from_fn_with_state(stall, hold));
    }
    let mut ending = pin!(drain_begun(app.clone(), shutdown));
    for refusal in refusals(&app.config.faults, start) {
        let mut ended = false;
        let next = async {
            tokio::select! {
                () = &mut ending => ended = true,
                () = tokio::time::sleep_until(refusal.from) => {}
            }
        };
        accept(listener, &app, &router, next).await;
        if ended {
            return;
        }
        tracing::warn!(target: "fault", fault = "refuse", "the port is closed");
        tokio::select! {
            () = &mut ending => return,
            () = tokio::time::sleep_until(refusal.until) => {}
        }
        listener = listen_again(address).await;
        tracing::warn!(target: "fault", fault = "refuse", "the port is open again");
    }
    accept(listener, &app, &router, ending).await;
}

/// Ready when connections are to be closed.
async fn drain_begun(app: App, shutdown: impl Future<Output = ()> + Send) {
    shutdown.await;
    app.draining.store(true, Ordering::Relaxed);
    tracing::info!("shutting down");
    tokio::time::sleep(app.config.drain_delay).await;
}

async fn listen_again(address: SocketAddr) -> TcpListener {
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(error) => {
                tracing::warn!(%error, %address, "the port cannot be opened again yet");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Accepts until `end` is ready, closes the port, and waits for what is in flight.
async fn accept(listener: TcpListener, app: &App, router: &Router, end: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut end = pin!(end);
    loop {
        tokio::select! {
            () = &mut end => break,
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
                    tokio::time::sleep(PAUSE).await;
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
