//! A look at the bytes themselves: what follows the head of an answer that must have no body.

use super::case::Stop;
use crate::client::{BaseUrl, DialError, Dialer};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// How long to wait for bytes that should not come.
const QUIET: Duration = Duration::from_millis(300);

/// The most that is read.
const LIMIT: usize = 64 * 1024;

/// An answer's head, and what came after it on the kept-alive connection.
#[derive(Debug)]
pub(super) struct Bare {
    /// The status.
    pub(super) status: u16,
    /// What came after the head, up to 64 KiB.
    pub(super) rest: Vec<u8>,
}

/// Posts `json` to `base` + `path` with `Connection: keep-alive`; `limit` bounds connecting and
/// the answer's head, each.
pub(super) async fn post(
    base: &BaseUrl,
    path: &str,
    authorization: &str,
    json: &str,
    limit: Duration,
) -> Result<Bare, Stop> {
    let broken = |what: String| Stop::Broken(format!("POST {path}: {what}"));
    let request = format!(
        "POST {}{path} HTTP/1.1\r\nHost: {}\r\nConnection: keep-alive\r\n\
         Content-Type: application/json\r\nAuthorization: {authorization}\r\n\
         Content-Length: {}\r\n\r\n{json}",
        base.prefix(),
        base.authority(),
        json.len()
    );

    let head = async {
        let mut stream = Dialer::new(base.clone()).dial().await?;
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await?;
        let mut bytes = Vec::new();
        while split(&bytes).is_none() && bytes.len() < LIMIT {
            if stream.read_buf(&mut bytes).await? == 0 {
                break;
            }
        }
        Ok::<_, DialError>((stream, bytes))
    };
    let (mut stream, mut bytes) = timeout(2 * limit, head)
        .await
        .map_err(|_| broken(format!("no answer within {} ms", 2 * limit.as_millis())))?
        .map_err(|error| broken(error.to_string()))?;
    let Some((status, head)) = split(&bytes) else {
        return Err(broken("the answer is not HTTP/1.1".to_owned()));
    };
    let listen = async {
        while bytes.len() < LIMIT && stream.read_buf(&mut bytes).await.is_ok_and(|read| read > 0) {}
    };
    // Silence is the good case: it ends by this timeout.
    let _ = timeout(QUIET, listen).await;
    Ok(Bare { status, rest: bytes.split_off(head) })
}

/// The status and the length of a complete head.
fn split(bytes: &[u8]) -> Option<(u16, usize)> {
    let mut headers = [httparse::EMPTY_HEADER; 100];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => Some((response.code?, length)),
        _ => None,
    }
}
