//! A connection spoken by hand: requests that no HTTP client would send.

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::PATIENCE;

/// One connection to a port of this machine.
#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
    read: Vec<u8>,
}

/// An answer, taken apart no further than tests need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its status line and headers, as they came.
    pub head: String,
    /// Its body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Its body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Wire {
    /// Connects.
    pub async fn to(port: u16) -> Result<Self> {
        Ok(Self { stream: TcpStream::connect(("127.0.0.1", port)).await?, read: Vec::new() })
    }

    /// Writes what one likes. A server may have heard enough and closed; then the rest is not written.
    pub async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = timeout(PATIENCE, self.stream.write_all(bytes.as_ref())).await;
    }

    /// Says that nothing more will be said. What is answered can still be heard.
    pub async fn hush(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// The next answer, read to the end that its head announces; `None` where the connection ends without one.
    pub async fn reply(&mut self) -> Result<Option<Reply>> {
        self.reply_to("GET").await
    }

    /// The same for a request of this method: what answers HEAD has no body.
    pub async fn reply_to(&mut self, method: &str) -> Result<Option<Reply>> {
        let end = loop {
            if let Some(at) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if !self.more().await? {
                return Ok(None);
            }
        };
        let head = String::from_utf8_lossy(&self.read[..end]).into_owned();
        self.read.drain(..end);
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let mut reply =
            Reply { status: status.with_context(|| format!("no answer: {head}"))?, head, body: Vec::new() };
        let length = reply.header("content-length").map_or(Ok(0), str::parse::<usize>)?;
        if method != "HEAD" {
            while self.read.len() < length && self.more().await? {}
            reply.body = self.read.drain(..length.min(self.read.len())).collect();
        }
        Ok(Some(reply))
    }

    /// Everything that comes until the other side closes.
    pub async fn rest(&mut self) -> Result<Vec<u8>> {
        while self.more().await? {}
        Ok(std::mem::take(&mut self.read))
    }

    /// Whether more has come; a connection that is reset has ended as one that is closed.
    async fn more(&mut self) -> Result<bool> {
        match timeout(PATIENCE, self.stream.read_buf(&mut self.read)).await {
            Ok(Ok(0) | Err(_)) => Ok(false),
            Ok(Ok(_)) => Ok(true),
            Err(_) => bail!(
                "neither an answer nor an end within {PATIENCE:?}, after {:?}",
                String::from_utf8_lossy(&self.read)
            ),
        }
    }
}
