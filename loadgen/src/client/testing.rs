//! A peer on the loopback that follows a script, one connection after the other. On a thread of its
//! own: what it does must not depend on the runtime of the client that is tested.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
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
    /// Closes with a reset instead of an end.
    Reset,
}

/// What a peer saw and did.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Connection so-and-so brought this request.
    Taken(usize, String),
    /// Connection so-and-so is closed.
    Closed(usize),
}

/// A running peer.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    pub(super) events: Receiver<Event>,
}

impl Peer {
    /// Starts one; later connections than there are scripts for are refused.
    pub(super) fn start(scripts: Vec<Vec<Step>>) -> Self {
        Self::start_on(TcpListener::bind("127.0.0.1:0").unwrap(), scripts)
    }

    /// Starts one where somebody listens already.
    pub(super) fn start_on(listener: TcpListener, scripts: Vec<Vec<Step>>) -> Self {
        let address = listener.local_addr().unwrap();
        let (said, events) = channel();
        thread::spawn(move || {
            for (number, script) in scripts.into_iter().enumerate() {
                let mut stream = listener.accept().unwrap().0;
                for step in script {
                    match step {
                        Step::Take => {
                            let Some(request) = take(&mut stream) else { break };
                            let _ = said.send(Event::Taken(number, request));
                        }
                        Step::Give(bytes) => {
                            // The client may have given up.
                            let _ = stream.write_all(bytes.as_bytes());
                        }
                        Step::Rest(time) => thread::sleep(time),
                        Step::Reset => {
                            let at_once = Some(Duration::ZERO);
                            rustix::net::sockopt::set_socket_linger(&stream, at_once).unwrap();
                        }
                    }
                }
                drop(stream);
                let _ = said.send(Event::Closed(number));
            }
        });
        Self { address, events }
    }

    /// Every request until the peer ended, each with its connection's number.
    pub(super) fn taken(self) -> Vec<(usize, String)> {
        let taken = self.events.iter().filter_map(|event| match event {
            Event::Taken(number, request) => Some((number, request)),
            Event::Closed(_) => None,
        });
        taken.collect()
    }

    /// Waits until the peer has closed connection `number`.
    pub(super) fn wait_for_close(&self, number: usize) {
        let closed = Event::Closed(number);
        while self.events.recv_timeout(Duration::from_secs(20)).unwrap() != closed {}
    }
}

/// A request with a head and, where it says so, a body; `None` at the end of the connection.
fn take(stream: &mut TcpStream) -> Option<String> {
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
