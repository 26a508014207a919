//! A peer on the loopback that follows a script, one connection after the other. On a thread of its
//! own: what it does must not depend on the runtime of the client that is tested.

mod line;
#[cfg(feature = "tls")]
pub(super) mod tls;

pub(super) use line::Line;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// What a peer does on a connection. At the script's end the connection is closed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// Reads a whole request.
    Take,
    /// Sends bytes.
    Give(&'static str),
    /// Waits.
    Rest(Duration),
    /// Waits for [`Peer::go_on`].
    Await,
    /// Closes with a reset instead of an end.
    Reset,
    /// Says [`Event::Told`].
    #[cfg(feature = "tls")]
    Tell,
    /// Ends TLS and leaves the socket open.
    #[cfg(feature = "tls")]
    Notify,
    /// Changes the keys of TLS: bytes that are nothing to read.
    #[cfg(feature = "tls")]
    Rekey,
}

/// What a peer saw and did.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Connection so-and-so brought this request.
    Taken(usize, String),
    /// Connection so-and-so has come to a [`Step::Tell`].
    #[cfg(feature = "tls")]
    Told(usize),
    /// Connection so-and-so is closed.
    Closed(usize),
}

/// A running peer.
#[derive(Debug)]
pub(super) struct Peer<A = SocketAddr> {
    pub(super) address: A,
    pub(super) events: Receiver<Event>,
    gate: Sender<()>,
}

impl Peer {
    /// Starts one; later connections than there are scripts for are refused.
    pub(super) fn start(scripts: Vec<Vec<Step>>) -> Self {
        Self::start_on(TcpListener::bind("127.0.0.1:0").unwrap(), scripts)
    }

    /// Starts one where somebody listens already.
    pub(super) fn start_on(listener: TcpListener, scripts: Vec<Vec<Step>>) -> Self {
        let address = listener.local_addr().unwrap();
        Self::accepting(address, move || Line::Tcp(listener.accept().unwrap().0), scripts)
    }
}

impl<A> Peer<A> {
    /// Starts one that gets its connections from `accept`, until the scripts are at their end.
    pub(super) fn accepting(
        address: A,
        mut accept: impl FnMut() -> Line + Send + 'static,
        scripts: Vec<Vec<Step>>,
    ) -> Self {
        let (said, events) = channel();
        let (gate, opened) = channel();
        thread::spawn(move || {
            #[cfg(feature = "tls")]
            let mut held = Vec::new();
            for (number, script) in scripts.into_iter().enumerate() {
                let mut line = accept();
                for step in script {
                    match step {
                        Step::Take => {
                            let Some(request) = take(&mut line) else { break };
                            let _ = said.send(Event::Taken(number, request));
                        }
                        Step::Give(bytes) => {
                            // The client may have given up.
                            let _ = line.write_all(bytes.as_bytes());
                        }
                        Step::Rest(time) => thread::sleep(time),
                        Step::Await => opened.recv().unwrap(),
                        Step::Reset => line.reset(),
                        #[cfg(feature = "tls")]
                        Step::Tell => said.send(Event::Told(number)).unwrap(),
                        #[cfg(feature = "tls")]
                        Step::Notify => held.push(line.notify()),
                        #[cfg(feature = "tls")]
                        Step::Rekey => line.rekey(),
                    }
                }
                drop(line);
                let _ = said.send(Event::Closed(number));
            }
        });
        Self { address, events, gate }
    }

    /// Lets the peer go on from a [`Step::Await`].
    pub(super) fn go_on(&self) {
        self.gate.send(()).unwrap();
    }

    /// Every request until the peer ended, each with its connection's number.
    pub(super) fn taken(self) -> Vec<(usize, String)> {
        let taken = self.events.iter().filter_map(|event| match event {
            Event::Taken(number, request) => Some((number, request)),
            _ => None,
        });
        taken.collect()
    }

    /// Waits until the peer has closed connection `number`.
    pub(super) fn wait_for_close(&self, number: usize) {
        self.wait_for(&Event::Closed(number));
    }

    /// Waits for an event; those before it are forgotten.
    pub(super) fn wait_for(&self, event: &Event) {
        while self.events.recv_timeout(Duration::from_secs(20)).unwrap() != *event {}
    }
}

/// A request with a head and, where it says so, a body; `None` at the end of the connection.
fn take(stream: &mut impl Read) -> Option<String> {
    let mut request = String::new();
    let mut byte = [0];
    while !request.ends_with("\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        request.push(byte[0].into());
    }
    let length = request.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).ok()?;
    request.push_str(std::str::from_utf8(&body).unwrap());
    Some(request)
}
