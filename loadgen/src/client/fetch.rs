//! One request over one connection, by reqwest: for what is not measured. It is a second
//! implementation of HTTP beside [`http1`](super::http1), so that an error in that one does not
//! hide itself in what is read back.

use super::base_url::Place;
use super::http1::{Answer, Connection, ExchangeError, Patience};
use super::{BaseUrl, DialError, Dialer};
use reqwest::{Client, Method, RequestBuilder, header};
use std::error::Error;
use std::io;
use std::time::Duration;

/// Asks one target, over a new connection each time: a target may end a connection after each
/// answer without saying so, or corrupt it by a body after a 204.
#[derive(Debug, Clone)]
pub(crate) struct Fetcher {
    http: Client,
    target: BaseUrl,
    connect: Duration,
}

/// An answer, or as much of it as was read.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// The status.
    pub(crate) status: u16,
    /// The headers.
    pub(crate) headers: header::HeaderMap,
    /// The body, up to the limit.
    pub(crate) body: Vec<u8>,
    /// Whether the body goes on beyond the limit.
    pub(crate) too_long: bool,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// A header with a line end in it, for one.
    #[error("it cannot be asked for: {0}")]
    Unasked(String),
    /// Nothing of the request was sent.
    #[error(transparent)]
    NoConnection(#[from] DialError),
    /// The same, within this time.
    #[error("no connection within {} s", .0.as_secs_f64())]
    NoConnectionInTime(Duration),
    /// Something came.
    #[error("the answer is not HTTP/1.1 ({0})")]
    Malformed(String),
    /// What came, if anything, was cut off.
    #[error("the connection was closed before the answer was whole ({0})")]
    Closed(String),
    /// What was asked for as it is was not answered.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
}

impl Fetcher {
    /// A fetcher from `target`, which waits `connect` for each connection.
    pub(crate) fn new(target: BaseUrl, connect: Duration) -> Self {
        let mut client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .connect_timeout(connect);
        if let Place::Socket(path) = target.place() {
            client = client.unix_socket(path.as_path());
        }
        // Without this, reqwest would look for ciphers that somebody has installed.
        #[cfg(feature = "tls")]
        let client = client.tls_backend_preconfigured(super::tls::client_config(&target));
        let Ok(http) = client.build() else {
            unreachable!("reqwest has no proxy, header or TLS of its own to set up");
        };
        Self { http, target, connect }
    }

    /// A request for `path`, which begins with a slash and may have a query. A path in which a
    /// segment is `.` or `..`, percent-encoded too, no URL can name (WHATWG URL, section 4.4): that
    /// is for [`Fetcher::get_as_it_is`].
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = match self.target.place() {
            Place::Port { .. } => self.target.at(path),
            Place::Socket(_) => {
                format!("http://{}{}{path}", self.target.authority(), self.target.prefix())
            }
        };
        self.http
            .request(method, url)
            .header(header::HOST, self.target.authority())
            .header(header::CONNECTION, "close")
    }

    /// Sends `request`, and reads the answer's body up to `limit` bytes. However long the answer
    /// takes: whoever gives up waiting drops this, and the connection with it.
    ///
    /// # Errors
    /// [`FetchError`].
    pub(crate) async fn fetch(
        &self,
        request: RequestBuilder,
        limit: usize,
    ) -> Result<Fetched, FetchError> {
        self.receive(request, limit).await.map_err(|error| self.told(&error))
    }

    /// Gets `path` over a connection of Limosa's own; waits `patience` for the answer.
    ///
    /// # Errors
    /// [`FetchError`].
    pub(crate) async fn get_as_it_is(
        &self,
        path: &str,
        authorization: &str,
        patience: Duration,
    ) -> Result<Answer, FetchError> {
        let stream = tokio::time::timeout(self.connect, Dialer::new(self.target.clone()).dial())
            .await
            .map_err(|_elapsed| FetchError::NoConnectionInTime(self.connect))??;
        let request = format!(
            "GET {}{path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
             Authorization: {authorization}\r\n\r\n",
            self.target.prefix(),
            self.target.authority(),
        );
        let mut connection = Connection::new(stream);
        Ok(connection.exchange(request.as_bytes(), Patience::Whole(patience)).await?)
    }

    async fn receive(&self, request: RequestBuilder, limit: usize) -> reqwest::Result<Fetched> {
        let mut response = request.send().await?;
        let mut fetched = Fetched {
            status: response.status().as_u16(),
            headers: std::mem::take(response.headers_mut()),
            body: Vec::new(),
            too_long: false,
        };
        while let Some(data) = response.chunk().await? {
            let room = limit - fetched.body.len();
            fetched.body.extend_from_slice(&data[..data.len().min(room)]);
            if data.len() > room {
                fetched.too_long = true;
                break;
            }
        }
        Ok(fetched)
    }

    /// What happened to the connection, in the words of a person.
    fn told(&self, error: &reqwest::Error) -> FetchError {
        // The outer causes only repeat what was tried.
        let cause = causes(error).last().map(ToString::to_string).unwrap_or_default();
        if error.is_builder() {
            FetchError::Unasked(cause)
        } else if error.is_connect() && error.is_timeout() {
            FetchError::NoConnectionInTime(self.connect)
        } else if error.is_connect() {
            FetchError::NoConnection(dial_error(error, cause))
        } else if cause.ends_with(" parsed") {
            // So hyper ends whatever it says of a head that it cannot read.
            FetchError::Malformed(cause)
        } else {
            FetchError::Closed(cause)
        }
    }
}

impl Fetched {
    /// The text of a header.
    pub(crate) fn header(&self, name: header::HeaderName) -> Option<String> {
        let value = self.headers.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    }
}

impl FetchError {
    /// Whether the target may not be running: nobody has taken the connection.
    pub(crate) fn is_absence(&self) -> bool {
        match self {
            Self::NoConnection(error) => error.is_absence(),
            Self::NoConnectionInTime(_) => true,
            Self::Unasked(_) | Self::Malformed(_) | Self::Closed(_) | Self::Exchange(_) => false,
        }
    }
}

/// What an error of reqwest's says of a connection that was not made, in the words that
/// [`Dialer`](super::Dialer) has for it.
fn dial_error(error: &reqwest::Error, cause: String) -> DialError {
    let mut kind = io::ErrorKind::Other;
    for cause in causes(error) {
        let Some(cause) = cause.downcast_ref::<io::Error>() else { continue };
        kind = cause.kind();
        // An I/O error within another one is the handshake's.
        #[cfg(feature = "tls")]
        if let Some(inner) = cause.get_ref().and_then(|inner| inner.downcast_ref()) {
            return super::tls::refused(inner);
        }
    }
    io::Error::new(kind, cause).into()
}

/// An error and its causes, from the outside in. [`io::Error::source`] passes over what the error
/// holds itself.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(Some(error as &(dyn Error + 'static)), |&error| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        }
    })
}
