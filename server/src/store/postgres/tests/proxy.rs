//! A proxy before the database that breaks a connection at a chosen moment.

use std::{
    io,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What is done with the next request; the connection that brings it ends with that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Break {
    /// The server never hears of it.
    LoseRequest,
    /// The server hears the first half of it.
    HalveRequest,
    /// The server hears it when [`Proxy::release`] is called.
    HoldRequest,
    /// The server hears it, and the client hangs up at once.
    HangUp,
    /// The server hears it and answers; the answer is lost.
    LoseAnswer,
}

#[derive(Debug, Default)]
struct State {
    next: Option<Break>,
    held: Option<(Vec<u8>, TcpStream)>,
}

pub(super) struct Proxy {
    state: Arc<Mutex<State>>,
    /// The database's URL by way of the proxy.
    pub(super) url: String,
}

impl Proxy {
    pub(super) async fn start(url: &str) -> Self {
        let (before, host) = url.split_once('@').unwrap();
        let (server, database) = host.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let (shared, server) = (Arc::clone(&state), server.to_owned());
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(&server).await.unwrap();
                // An end without a goodbye is what this is for.
                tokio::spawn(pass(client, server, Arc::clone(&shared)));
            }
        });
        Self { state, url: format!("{before}@{address}/{database}") }
    }

    /// Breaks the connection that brings the next request.
    pub(super) fn arm(&self, next: Break) {
        self.state.lock().unwrap().next = Some(next);
    }

    /// Whether what was armed has happened.
    pub(super) fn is_spent(&self) -> bool {
        self.state.lock().unwrap().next.is_none()
    }

    /// Lets the server hear the request that was held back, and returns its answer.
    pub(super) async fn release(&self) -> String {
        let (request, mut server) = self.state.lock().unwrap().held.take().unwrap();
        server.write_all(&request).await.unwrap();
        let answer = answer(&mut server).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}

async fn pass(
    mut client: TcpStream,
    mut server: TcpStream,
    state: Arc<Mutex<State>>,
) -> io::Result<()> {
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let request = &asked[..read?];
                if request.is_empty() {
                    return Ok(());
                }
                let next = state.lock().unwrap().next.take();
                match next {
                    None => server.write_all(request).await?,
                    Some(Break::LoseRequest) => return Ok(()),
                    Some(Break::HalveRequest) => {
                        return server.write_all(&request[..request.len() / 2]).await;
                    }
                    Some(Break::HoldRequest) => {
                        state.lock().unwrap().held = Some((request.to_vec(), server));
                        return Ok(());
                    }
                    Some(Break::HangUp) => return server.write_all(request).await,
                    Some(Break::LoseAnswer) => {
                        server.write_all(request).await?;
                        return answer(&mut server).await.map(drop);
                    }
                }
            }
            read = server.read(&mut answered) => {
                let answer = &answered[..read?];
                if answer.is_empty() {
                    return Ok(());
                }
                client.write_all(answer).await?;
            }
        }
    }
}

/// What the server sends until it is ready for a query outside a transaction.
async fn answer(server: &mut TcpStream) -> io::Result<Vec<u8>> {
    const READY: &[u8] = b"Z\0\0\0\x05I";
    let mut answer = Vec::new();
    while !answer.ends_with(READY) {
        if server.read_buf(&mut answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(answer)
}
