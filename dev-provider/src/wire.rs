//! The connection itself, so that an answer can be other bytes than HTTP, or end before its time.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// What happens to a connection in place of the next bytes that HTTP would write.
#[derive(Debug)]
pub(crate) enum Tamper {
    /// These bytes are written, and the connection ends.
    Raw(Vec<u8>),
    /// The connection is reset.
    Reset,
}

/// A handler's hold on the connection that its request came by.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tap(Arc<Mutex<Option<Tamper>>>);

impl Tap {
    pub(crate) fn tamper(&self, tamper: Tamper) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(tamper);
    }

    fn taken(&self) -> Option<Tamper> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Connected<IncomingStream<'_, Door>> for Tap {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().tap.clone()
    }
}

/// Accepts connections until the provider stops.
#[derive(Debug)]
pub(crate) struct Door {
    listener: TcpListener,
    stopped: watch::Receiver<bool>,
}

impl Door {
    pub(crate) fn new(listener: TcpListener, stopped: watch::Receiver<bool>) -> Self {
        Self { listener, stopped }
    }
}

impl Listener for Door {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        let mut stopped = self.stopped.clone();
        // A sender that is gone has stopped too.
        let stopped = Box::pin(async move { drop(stopped.wait_for(|stopped| *stopped).await) });
        (Wire { stream, tap: Tap::default(), raw: None, stopped }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// One connection. When the provider stops it fails at once, whatever was going on: a silent or endless answer
/// must not keep a test waiting.
pub(crate) struct Wire {
    stream: TcpStream,
    tap: Tap,
    raw: Option<(Vec<u8>, usize)>,
    stopped: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Wire {
    fn poll_open(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.stopped.as_mut().poll(cx) {
            Poll::Ready(()) => {
                // The future is spent; the next poll must find one that can be polled.
                self.stopped = Box::pin(std::future::ready(()));
                Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the provider has stopped"))
            }
            Poll::Pending => Ok(()),
        }
    }

    fn poll_raw(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let Some((bytes, sent)) = &mut self.raw else { return Poll::Pending };
        while *sent < bytes.len() {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, &bytes[*sent..])) {
                Ok(0) => break,
                Ok(count) => *sent += count,
                Err(error) => return Poll::Ready(error),
            }
        }
        Poll::Ready(io::Error::new(io::ErrorKind::ConnectionAborted, "ended on command"))
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        wire.poll_open(cx)?;
        Pin::new(&mut wire.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let wire = self.get_mut();
        wire.poll_open(cx)?;
        match wire.tap.taken() {
            Some(Tamper::Reset) => {
                wire.stream.set_zero_linger()?;
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionReset, "reset on command")));
            }
            Some(Tamper::Raw(bytes)) => wire.raw = Some((bytes, 0)),
            None => {}
        }
        if wire.raw.is_some() {
            return wire.poll_raw(cx).map(Err);
        }
        Pin::new(&mut wire.stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
