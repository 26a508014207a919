//! The target's base URL.

use super::Trust;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The longest path that a socket's address holds on Linux (`sun_path` of unix(7), less its end).
const MAX_SOCKET_PATH: usize = 107;

/// Where a target is, in the words of its user:
///
/// - `http://host[:port][/prefix]`, and `https://` with the feature `tls`;
/// - `unix:/path/to/socket[:/prefix]`, as nginx writes it.
///
/// Printed, it is read back as the same; whom to [trust](BaseUrl::trusting) is no part of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    place: Place,
    prefix: String,
    trust: Trust,
}

/// What there is to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A port, with TLS or without.
    Port { tls: bool, host: String, port: u16 },
    /// A Unix domain socket.
    Socket(PathBuf),
}

/// Why a base URL was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// None of the known schemes.
    #[error(
        "`{0}` does not begin with http://, https:// or unix:/: give the target as http://HOST:PORT"
    )]
    Scheme(String),
    /// `https://`, and nothing here to speak it.
    #[error(
        "`{0}` needs TLS, and this limosa was built without: build it with the feature `tls`, which is on unless --no-default-features is given"
    )]
    NoTls(String),
    /// No host, or a character in it that no host has.
    #[error("`{0}` names no host: give the target as http://HOST:PORT")]
    Host(String),
    /// A port that is none.
    #[error("`{url}` has the port `{port}`: a port is a number from 1 to 65535")]
    Port {
        /// The whole URL.
        url: String,
        /// The part after the colon.
        port: String,
    },
    /// No socket's path, or one that the kernel does not take.
    #[error(
        "`{0}` names no socket: give its whole path, of at most {MAX_SOCKET_PATH} bytes, as unix:/run/app.sock or unix:/run/app.sock:/PREFIX"
    )]
    Socket(String),
    /// Something that a base URL cannot have.
    #[error(
        "`{0}` has a query, a fragment, a user name or a space: give only http://HOST:PORT[/PREFIX]"
    )]
    Extra(String),
}

impl BaseUrl {
    /// The `Host` header: the host, and the port unless it is the scheme's own. A socket has
    /// neither, and is `localhost` as with nginx and curl.
    pub fn authority(&self) -> String {
        match &self.place {
            Place::Port { tls, host, port } => {
                let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
                if *port == usual_port(*tls) { host } else { format!("{host}:{port}") }
            }
            Place::Socket(_) => "localhost".to_owned(),
        }
    }

    /// The path before every resource: empty, or `/prefix` without a slash at its end.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The URL of `path`, which is empty or begins with a slash, for people to read.
    pub fn at(&self, path: &str) -> String {
        let path = format!("{}{path}", self.prefix);
        match &self.place {
            Place::Port { tls, .. } => {
                format!("{}://{}{path}", if *tls { "https" } else { "http" }, self.authority())
            }
            Place::Socket(socket) if path.is_empty() => format!("unix:{}", socket.display()),
            Place::Socket(socket) => format!("unix:{}:{path}", socket.display()),
        }
    }

    /// The same target, which has to show a certificate that `trust` accepts. Without this it is
    /// the system's authorities that count; matters to `https` only.
    #[must_use]
    pub fn trusting(self, trust: Trust) -> Self {
        Self { trust, ..self }
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    #[cfg(feature = "tls")]
    pub(super) fn trust(&self) -> &Trust {
        &self.trust
    }
}

fn usual_port(tls: bool) -> u16 {
    if tls { 443 } else { 80 }
}

/// What follows `scheme` in `url`, however the scheme's letters are written.
fn after<'a>(url: &'a str, scheme: &str) -> Option<&'a str> {
    let (start, rest) = url.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(url: &str) -> Result<Self, BaseUrlError> {
        let (place, path) = if let Some(rest) = after(url, "unix:") {
            socket(url, rest)?
        } else if let Some(rest) = after(url, "http://") {
            port(url, rest, false)?
        } else if let Some(rest) = after(url, "https://") {
            if !cfg!(feature = "tls") {
                return Err(BaseUrlError::NoTls(url.to_owned()));
            }
            port(url, rest, true)?
        } else {
            return Err(BaseUrlError::Scheme(url.to_owned()));
        };
        let prefix = path.trim_end_matches('/').to_owned();
        if prefix.chars().any(|c| c.is_ascii_control() || "?#@ ".contains(c)) {
            return Err(BaseUrlError::Extra(url.to_owned()));
        }
        Ok(Self { place, prefix, trust: Trust::default() })
    }
}

/// Reads `host[:port]`; also what follows it.
fn port<'a>(url: &str, rest: &'a str, tls: bool) -> Result<(Place, &'a str), BaseUrlError> {
    let host_error = || BaseUrlError::Host(url.to_owned());
    if rest.contains(['?', '#', '@']) {
        return Err(BaseUrlError::Extra(url.to_owned()));
    }
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (host, port) = if let Some(v6) = authority.strip_prefix('[') {
        let (host, after) = v6.split_once(']').ok_or_else(host_error)?;
        host.parse::<std::net::Ipv6Addr>().map_err(|_| host_error())?;
        match after.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if after.is_empty() => (host, None),
            None => return Err(host_error()),
        }
    } else {
        match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        }
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
    if host.is_empty() || !host.chars().all(plain) {
        return Err(host_error());
    }
    let port = match port {
        None => usual_port(tls),
        Some(text) => match text.parse() {
            Ok(port @ 1..) => port,
            _ => {
                return Err(BaseUrlError::Port { url: url.to_owned(), port: text.to_owned() });
            }
        },
    };
    Ok((Place::Port { tls, host: host.to_owned(), port }, path))
}

/// Reads `/path/to/socket[:]`; also the prefix that follows. A colon ends the path, so that none can
/// be in it.
fn socket<'a>(url: &str, rest: &'a str) -> Result<(Place, &'a str), BaseUrlError> {
    let (path, prefix) = rest.split_once(':').unwrap_or((rest, ""));
    let is_path = Path::new(path).is_absolute()
        && path.len() <= MAX_SOCKET_PATH
        && !path.ends_with('/')
        && !path.chars().any(|c| c.is_ascii_control());
    if !is_path || !(prefix.is_empty() || prefix.starts_with('/')) {
        return Err(BaseUrlError::Socket(url.to_owned()));
    }
    Ok((Place::Socket(path.into()), prefix))
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.at(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn takes_what_people_type() {
        for (typed, authority, prefix) in [
            ("http://127.0.0.1:5001", "127.0.0.1:5001", ""),
            ("http://localhost/", "localhost", ""),
            ("HTTP://example.org:80/api/v1/", "example.org", "/api/v1"),
            ("http://example.org:443", "example.org:443", ""),
            ("http://[::1]:5001/simulator", "[::1]:5001", "/simulator"),
            ("http://[::1]", "[::1]", ""),
            ("unix:/run/app.sock", "localhost", ""),
            ("unix:/run/my app@2?.sock", "localhost", ""),
            ("Unix:/run/app.sock:", "localhost", ""),
            ("unix:/run/app.sock:/api/v1/", "localhost", "/api/v1"),
        ] {
            let url: BaseUrl = typed.parse().unwrap();
            assert_eq!((url.authority().as_str(), url.prefix()), (authority, prefix), "{typed}");
            assert_eq!(url.to_string().parse::<BaseUrl>().unwrap(), url);
        }
    }

    #[cfg(feature = "tls")]
    #[test]
    fn takes_https_on_its_own_port() {
        for (typed, authority, prefix) in [
            ("https://localhost", "localhost", ""),
            ("HTTPS://example.org:443/api/", "example.org", "/api"),
            ("https://example.org:80", "example.org:80", ""),
            ("https://[::1]:5001", "[::1]:5001", ""),
        ] {
            let url: BaseUrl = typed.parse().unwrap();
            assert_eq!((url.authority().as_str(), url.prefix()), (authority, prefix), "{typed}");
            assert_eq!(url.to_string().parse::<BaseUrl>().unwrap(), url);
        }
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn says_how_to_get_https() {
        let error = "https://localhost".parse::<BaseUrl>().unwrap_err().to_string();
        assert!(error.contains("build it with the feature `tls`"), "{error}");
    }

    #[test]
    fn refuses_the_rest_and_says_why() {
        let long = format!("unix:/{}", "s".repeat(MAX_SOCKET_PATH));
        for (typed, fragment) in [
            ("localhost:5001", "does not begin with http://"),
            ("ftp://localhost", "does not begin with http://"),
            ("http:/localhost", "does not begin with http://"),
            ("http://", "names no host"),
            ("http://a b", "names no host"),
            ("http://[::1", "names no host"),
            ("http://h:0", "from 1 to 65535"),
            ("http://h:99999", "from 1 to 65535"),
            ("http://h:", "from 1 to 65535"),
            ("http://h/?x=1", "a query"),
            ("http://me@h/", "a user name"),
            ("", "does not begin with http://"),
            ("ünïcödé", "does not begin with http://"),
            ("unix:", "names no socket"),
            ("unix:app.sock", "give its whole path"),
            ("unix://", "names no socket"),
            ("unix:/run/app.sock:api", "names no socket"),
            ("unix:/run/app.sock:/api?x", "a query"),
            ("unix:/run/\u{0}", "names no socket"),
            (&long, "at most 107 bytes"),
        ] {
            let error = typed.parse::<BaseUrl>().unwrap_err().to_string();
            assert!(error.contains(fragment), "{typed}: {error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_taken_is_printed_as_the_same(
            start in prop::sample::select(vec!["http://", "https://", "unix:/", "http://[::1]", ""]),
            rest in "[a-z0-9:/.@?\\[\\] -]{0,12}",
        ) {
            if let Ok(url) = format!("{start}{rest}").parse::<BaseUrl>() {
                prop_assert_eq!(url.to_string().parse::<BaseUrl>(), Ok(url));
            }
        }
    }
}
