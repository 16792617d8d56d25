//! An application that shows what has come to it, byte by byte, and keeps it.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// The application behind a proxy. It answers each request with the request itself, takes WebSockets, and ends with
/// the value that holds it.
#[derive(Debug)]
pub struct Echo {
    port: u16,
    came: Came,
    task: JoinHandle<()>,
}

/// All requests that have come, as they came.
type Came = Arc<Mutex<Vec<String>>>;

impl Echo {
    /// Starts it on a port of the system's choice.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let came = Came::default();
        let keep = Arc::clone(&came);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&keep)));
            }
        });
        Ok(Self { port, came, task })
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What has come since it was last asked.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.came.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers one request; a connection that ends early, as proxies' tries do, is nobody's business.
async fn answer(mut stream: TcpStream, came: Came) {
    let mut bytes = Vec::new();
    while !is_whole(&bytes) {
        if !matches!(stream.read_buf(&mut bytes).await, Ok(1..)) {
            return;
        }
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    came.lock().unwrap_or_else(PoisonError::into_inner).push(text.clone());
    let is_web_socket = lines_named(&text, "upgrade").any(|value| value.eq_ignore_ascii_case("websocket"));
    let reply = if is_web_socket {
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: not-looked-at\r\n\r\n"
            .to_owned()
    } else {
        let length = text.len();
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}"
        )
    };
    let _ = stream.write_all(reply.as_bytes()).await;
}

/// Whether a request has come to its end: head, and body as it announces it.
fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    if lines_named(head, "transfer-encoding").next().is_some() {
        return body.contains("0\r\n") && body.ends_with("\r\n\r\n");
    }
    let length = lines_named(head, "content-length").next().and_then(|length| length.parse().ok());
    length.unwrap_or(0) <= body.len()
}

/// The values of all headers of a request that are called `name`, in any case.
pub fn lines_named<'t>(request: &'t str, name: &'t str) -> impl Iterator<Item = &'t str> {
    let head = request.split("\r\n\r\n").next().unwrap_or_default();
    let lines = head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
    lines.filter(move |(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_ends_where_it_says() {
        for whole in [
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\nab",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Late: b\r\n\r\n",
        ] {
            assert!(is_whole(whole.as_bytes()), "{whole}");
            assert!(!is_whole(&whole.as_bytes()[..whole.len() - 1]), "{whole}");
        }
    }
}
