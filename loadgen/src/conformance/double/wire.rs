//! Enough HTTP/1.1 to be walked over, and some servers that are none.

use super::service::{Reply, Request, Service};
use crate::client::BaseUrl;
use percent_encoding::percent_decode_str;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A listening double; it ends with the value.
pub(crate) struct Double {
    /// Its base URL.
    pub(crate) url: BaseUrl,
    task: JoinHandle<()>,
}

impl Drop for Double {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Double {
    /// Starts `service` on a free port.
    pub(crate) async fn start(service: Service) -> Self {
        let service = Arc::new(Mutex::new(service));
        listen(move |stream| serve(stream, Arc::clone(&service))).await
    }
}

async fn listen<F: Future<Output = ()> + Send + 'static>(
    answer: impl Fn(TcpStream) -> F + Send + 'static,
) -> Double {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    Double { url, task }
}

/// A server that reads a request, writes `bytes`, then `again` for ever, and closes; with nothing
/// to write at all it stays silent.
pub(crate) async fn hostile(bytes: &'static [u8], again: &'static [u8]) -> Double {
    listen(move |mut stream| async move {
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await;
        if bytes.is_empty() && again.is_empty() {
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        let _ = stream.write_all(bytes).await;
        while !again.is_empty() && stream.write_all(again).await.is_ok() {}
    })
    .await
}

/// Answers one connection's requests until it closes.
async fn serve(mut stream: TcpStream, service: Arc<Mutex<Service>>) {
    let mut bytes = Vec::new();
    while let Some((request, length, close)) = receive(&mut stream, &mut bytes).await {
        bytes.drain(..length);
        let reply = service.lock().unwrap().answer(&request);
        if let Some(later) = reply.later.clone() {
            let service = Arc::clone(&service);
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(250)).await;
                service.lock().unwrap().answer(&later);
            });
        }
        if stream.write_all(&encode(&reply)).await.is_err() || close {
            return;
        }
    }
}

/// A whole request, its length in bytes, and whether the client closes after it.
async fn receive(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<(Request, usize, bool)> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut head = httparse::Request::new(&mut headers);
        if let Ok(httparse::Status::Complete(start)) = head.parse(bytes) {
            let header = |name: &str| {
                let mut headers = head.headers.iter();
                let header = headers.find(|header| header.name.eq_ignore_ascii_case(name))?;
                String::from_utf8(header.value.to_vec()).ok()
            };
            let length = header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
            if bytes.len() >= start + length {
                let (path, query) = head.path?.split_once('?').unwrap_or((head.path?, ""));
                let request = Request {
                    method: head.method?.to_owned(),
                    path: path
                        .split('/')
                        .skip(1)
                        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
                        .collect(),
                    query: query
                        .split('&')
                        .filter_map(|pair| pair.split_once('='))
                        .map(|(key, value)| (key.to_owned(), value.to_owned()))
                        .collect(),
                    authorization: header("authorization"),
                    content_type: header("content-type"),
                    body: bytes[start..start + length].to_vec(),
                };
                let close = header("connection").is_some_and(|value| value == "close");
                return Some((request, start + length, close));
            }
        }
        if stream.read_buf(bytes).await.ok()? == 0 {
            return None;
        }
    }
}

fn encode(reply: &Reply) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} Whatever\r\n", reply.status);
    if reply.status != 204 || !reply.body.is_empty() {
        head.push_str(&format!("Content-Length: {}\r\n", reply.body.len()));
    }
    if !reply.body.is_empty() {
        head.push_str(&format!("Content-Type: {}\r\n", reply.content_type));
    }
    let mut bytes = (head + "\r\n").into_bytes();
    bytes.extend_from_slice(reply.body.as_bytes());
    bytes
}
