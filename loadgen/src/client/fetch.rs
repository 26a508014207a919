//! One request over one connection, by hyper: for what is not measured. It is a second
//! implementation of HTTP beside [`http1`](super::http1), so that an error in that one does not
//! hide itself in what is read back.

use super::Stream;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{HeaderMap, Request, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;

/// An answer, or as much of it as was read.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// The status.
    pub(crate) status: u16,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body, up to the limit.
    pub(crate) body: Vec<u8>,
    /// Whether the body goes on beyond the limit.
    pub(crate) too_long: bool,
}

impl Fetched {
    /// The text of a header.
    pub(crate) fn header(&self, name: header::HeaderName) -> Option<String> {
        let value = self.headers.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    }
}

/// Sends `request`, which names its `Host` itself, and reads the answer's body up to `limit` bytes.
/// The connection is closed then, or when this is dropped: a target may end a connection after each
/// answer without saying so, or corrupt it by a body after a 204.
///
/// # Errors
/// hyper's.
pub(crate) async fn fetch(
    stream: Stream,
    request: Request<Full<Bytes>>,
    limit: usize,
) -> hyper::Result<Fetched> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends with this function, in whatever way it ends.
    let mut under_way = JoinSet::new();
    under_way.spawn(connection);
    let response = sender.send_request(request).await?;
    let (head, mut body) = response.into_parts();
    let mut fetched = Fetched {
        status: head.status.as_u16(),
        headers: head.headers,
        body: Vec::new(),
        too_long: false,
    };
    while let Some(frame) = body.frame().await {
        // What is no data is a trailer.
        let Ok(data) = frame?.into_data() else { continue };
        let room = limit - fetched.body.len();
        fetched.body.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            fetched.too_long = true;
            break;
        }
    }
    Ok(fetched)
}
