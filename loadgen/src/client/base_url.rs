//! The target's base URL.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

/// Where a target is: `http://host[:port][/prefix]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    host: String,
    port: u16,
    prefix: String,
}

/// Why a base URL was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// Not `http://`.
    #[error("`{0}` does not begin with http://: give the target as http://HOST:PORT")]
    Scheme(String),
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
    /// Something that a base URL cannot have.
    #[error("`{0}` has a query, a fragment or a user name: give only http://HOST:PORT[/PREFIX]")]
    Extra(String),
}

impl BaseUrl {
    /// The `Host` header: the host, and the port unless it is 80.
    pub fn authority(&self) -> String {
        let host = self.bracketed();
        if self.port == 80 { host } else { format!("{host}:{}", self.port) }
    }

    /// The path before every resource: empty, or `/prefix` without a slash at its end.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The addresses that the host's name stands for.
    ///
    /// # Errors
    /// The resolver's.
    pub async fn resolve(&self) -> std::io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((self.host.as_str(), self.port)).await?.collect())
    }

    fn bracketed(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(url: &str) -> Result<Self, BaseUrlError> {
        let host_error = || BaseUrlError::Host(url.to_owned());
        let port_error =
            |port: &str| BaseUrlError::Port { url: url.to_owned(), port: port.to_owned() };
        let rest = url
            .get(..7)
            .filter(|scheme| scheme.eq_ignore_ascii_case("http://"))
            .map(|_| &url[7..])
            .ok_or_else(|| BaseUrlError::Scheme(url.to_owned()))?;
        if rest.contains(['?', '#', '@']) {
            return Err(BaseUrlError::Extra(url.to_owned()));
        }
        let (authority, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, ""),
        };
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
            None => 80,
            Some(text) => match text.parse() {
                Ok(port @ 1..) => port,
                _ => return Err(port_error(text)),
            },
        };
        let prefix = path.trim_end_matches('/').to_owned();
        if prefix.chars().any(|c| c.is_ascii_control() || c == ' ') {
            return Err(BaseUrlError::Extra(url.to_owned()));
        }
        Ok(Self { host: host.to_owned(), port, prefix })
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority(), self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_people_type() {
        for (typed, authority, prefix) in [
            ("http://127.0.0.1:5001", "127.0.0.1:5001", ""),
            ("http://localhost/", "localhost", ""),
            ("HTTP://example.org:80/api/v1/", "example.org", "/api/v1"),
            ("http://[::1]:5001/simulator", "[::1]:5001", "/simulator"),
            ("http://[::1]", "[::1]", ""),
        ] {
            let url: BaseUrl = typed.parse().unwrap();
            assert_eq!((url.authority().as_str(), url.prefix()), (authority, prefix), "{typed}");
            assert_eq!(url.to_string().parse::<BaseUrl>().unwrap(), url);
        }
    }

    #[test]
    fn refuses_the_rest_and_says_why() {
        for (typed, fragment) in [
            ("localhost:5001", "does not begin with http://"),
            ("https://localhost", "does not begin with http://"),
            ("http://", "names no host"),
            ("http://a b", "names no host"),
            ("http://[::1", "names no host"),
            ("http://h:0", "from 1 to 65535"),
            ("http://h:99999", "from 1 to 65535"),
            ("http://h:", "from 1 to 65535"),
            ("http://h/?x=1", "a query"),
            ("http://me@h/", "a user name"),
            ("", "does not begin with http://"),
        ] {
            let error = typed.parse::<BaseUrl>().unwrap_err().to_string();
            assert!(error.contains(fragment), "{typed}: {error}");
        }
    }
}
