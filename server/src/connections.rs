//! Connections: accept them, keep clients to their limits, and let them finish at the end.
//!
//! The end comes in four steps, so that no request is lost whose client does its part: answers ask
//! for the connection to be closed ([`App::draining`]); the port is closed once whoever had connected
//! is served too; clients that asked a moment ago may ask once more, and are told to close as well;
//! idle connections are closed at once. (RFC 9112, section 9.6, tells why the last word should be
//! an answer with `Connection: close`.)

mod lingering;
mod places;

use crate::{
    app::App,
    error::ApiError,
    faults::outages::{hold, refusals, stalls},
    router::router,
};
use axum::{Router, body::to_bytes, http::StatusCode, middleware, response::IntoResponse};
use hyper::{
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use lingering::Lingering;
use places::{Place, Places};
use std::{
    io,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{Instant, timeout},
};

/// The pause after `accept` or `bind` failed: usually the process is out of file descriptors, and
/// trying again at once would spin.
const PAUSE: Duration = Duration::from_millis(20);
/// How many connections the system holds until they are accepted; it takes the least of this and
/// `net.core.somaxconn`. One more is not answered, and its client tries again a second later: the
/// usual 128 are filled by a burst within the time that other processes get on a busy machine.
const BACKLOG: u32 = 4096;
/// How long a client that asked a moment ago may take to ask once more when the server drains.
const LAST_REQUEST: Duration = Duration::from_millis(100);
/// How long a connection may take to end whose place another has taken, or that was refused.
const LEAVE: Duration = Duration::from_secs(1);
/// How many refused clients are told so at the same time; more are cut off without a word.
const REFUSING: usize = 256;

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

/// Listens at the address, with room for many who come at the same moment.
///
/// # Errors
/// The operating system's.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // As the standard library does: connections of an earlier life do not keep the port.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn listen_again(address: SocketAddr) -> TcpListener {
    loop {
        match listen(address) {
            Ok(listener) => return listener,
            Err(error) => {
                tracing::warn!(%error, %address, "the port cannot be opened again yet");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// What accepts connections, and holds them.
struct Reception<'a> {
    app: &'a App,
    router: &'a Router,
    places: Arc<Places>,
    refusing: Arc<Semaphore>,
    connections: JoinSet<()>,
    closing: watch::Sender<()>,
}

/// Accepts until `end` is ready, closes the port, and waits for what is in flight.
async fn accept(listener: TcpListener, app: &App, router: &Router, end: impl Future<Output = ()>) {
    let mut reception = Reception {
        app,
        router,
        places: Places::new(app.config.max_connections),
        refusing: Arc::new(Semaphore::new(REFUSING)),
        connections: JoinSet::new(),
        closing: watch::channel(()).0,
    };
    let mut end = pin!(end);
    loop {
        tokio::select! {
            () = &mut end => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => reception.receive(stream),
                Err(error) => {
                    tracing::warn!(%error, "accepting a connection failed");
                    tokio::time::sleep(PAUSE).await;
                }
            },
            // Finished tasks would pile up in the set otherwise.
            Some(_) = reception.connections.join_next() => {}
        }
    }
    // The system has accepted these for us already: closing the port would cut them off.
    while let Ok(Ok((stream, _))) = timeout(Duration::ZERO, listener.accept()).await {
        reception.receive(stream);
    }
    drop(listener);
    reception.close().await;
}

impl Reception<'_> {
    fn receive(&mut self, stream: TcpStream) {
        let metrics = &self.app.metrics.connections;
        let Some((place, another_went)) = self.places.take() else {
            metrics.refused.increment(1);
            if let Ok(permit) = Arc::clone(&self.refusing).try_acquire_owned() {
                self.connections.spawn(async move {
                    let _permit = permit;
                    // It had no place, and has gone; there is nobody left to tell.
                    let _cut_off = timeout(LEAVE, refuse(stream)).await;
                });
            }
            return;
        };
        metrics.accepted.increment(1);
        if another_went {
            metrics.closed_idle.increment(1);
        }
        let (app, router) = (self.app.clone(), self.router.clone());
        let closing = self.closing.subscribe();
        self.connections.spawn(async move {
            let _open = app.metrics.connections.open.hold();
            attend(stream, place, router, &app, closing).await;
        });
    }

    async fn close(mut self) {
        self.closing.send_replace(());
        let all = async { while self.connections.join_next().await.is_some() {} };
        if timeout(self.app.config.grace, all).await.is_err() {
            let open = self.connections.len();
            tracing::warn!(open, "the grace period is over, closing connections");
        }
        self.connections.shutdown().await;
    }
}

/// Answers what is asked on one connection, until either side ends it.
async fn attend(
    stream: TcpStream,
    place: Place,
    router: Router,
    app: &App,
    mut closing: watch::Receiver<()>,
) {
    if let Err(error) = set_up(&stream, app.config.write_timeout) {
        tracing::debug!(%error, "a socket could not be set up");
    }
    let place = Arc::new(place);
    let socket = TokioIo::new(Lingering::new(stream, Arc::clone(&place)));
    let router = TowerToHyperService::new(router);
    let service = service_fn(|request| {
        let busy = place.busy();
        let answer = router.call(request);
        async move {
            let answer = answer.await;
            drop(busy);
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(app.config.header_timeout)
        .max_buf_size(app.config.max_head)
        .serve_connection(socket, service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = place.given_up() => {
            connection.as_mut().graceful_shutdown();
            timeout(LEAVE, connection).await.unwrap_or(Ok(()))
        }
        _ = closing.changed() => {
            let asked_again = async {
                match place.is_idle() {
                    true => None,
                    false => timeout(LAST_REQUEST, connection.as_mut()).await.ok(),
                }
            };
            match asked_again.await {
                Some(ended) => ended,
                None => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}

/// Answers are small and complete: Nagle's algorithm could only delay them. A client that does not
/// take its answer is cut off by the kernel (`TCP_USER_TIMEOUT`, RFC 5482): it would hold the answer
/// in our memory for ever.
fn set_up(stream: &TcpStream, write_timeout: Duration) -> io::Result<()> {
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    {
        let milliseconds = u32::try_from(write_timeout.as_millis()).unwrap_or(u32::MAX);
        rustix::net::sockopt::set_tcp_user_timeout(stream, milliseconds)?;
    }
    Ok(())
}

/// Tells a client that there is no place for it. What it sends is read and thrown away: a socket
/// that is closed with unread bytes takes its answer back.
async fn refuse(mut stream: TcpStream) -> io::Result<()> {
    let error = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "there are too many connections");
    let (head, body) = error.into_response().into_parts();
    let body = to_bytes(body, usize::MAX).await.map_err(io::Error::other)?;
    let mut answer = format!(
        "HTTP/1.1 {}\r\nconnection: close\r\ncontent-length: {}\r\n",
        head.status,
        body.len()
    )
    .into_bytes();
    for (name, value) in &head.headers {
        answer.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    answer.extend_from_slice(b"\r\n");
    answer.extend_from_slice(&body);
    stream.write_all(&answer).await?;
    stream.shutdown().await?;
    let mut rest = [0; 1024];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}
