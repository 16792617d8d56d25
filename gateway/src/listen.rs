//! Where the program listens: at an address, at a socket in the file system, or at one that it was started with.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    pin::Pin,
};

use anyhow::{Context as _, Result, bail};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};
use vestibule_settings::Listen;

/// Something to read a request from, and to write its answer to.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send {}
impl<S: AsyncRead + AsyncWrite + Send> Stream for S {}

/// A socket that connections come in at.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix {
        listener: tokio::net::UnixListener,
        /// `None` where somebody else made the socket.
        _placed: Option<Placed>,
    },
}

/// A socket's place in the file system, which is cleared when nobody listens there any more.
#[derive(Debug)]
pub(crate) struct Placed(PathBuf);

impl Drop for Placed {
    fn drop(&mut self) {
        // Whoever has taken it away already has done what is wanted.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Listener {
    /// Listens where options say.
    pub(crate) async fn bind(listen: &Listen) -> Result<Self> {
        match listen {
            Listen::Tcp(address) => TcpListener::bind(address)
                .await
                .map(Self::Tcp)
                .with_context(|| format!("{address} cannot be listened at")),
            Listen::Unix { path, mode } => unix(path, *mode),
            Listen::Fd(number) => inherited(*number),
            _ => bail!("sockets of that kind are not known"),
        }
    }

    /// Where it listens, with the port that the system chose.
    pub(crate) fn place(&self) -> Result<String> {
        Ok(match self {
            Self::Tcp(listener) => format!("http://{}", listener.local_addr()?),
            #[cfg(unix)]
            Self::Unix { listener, .. } => {
                let address = listener.local_addr()?;
                format!("unix://{}", address.as_pathname().unwrap_or(Path::new("")).display())
            }
        })
    }

    /// The next connection, and where it comes from. At a socket in the file system nobody has an address.
    pub(crate) async fn accept(&self) -> io::Result<(Pin<Box<dyn Stream>>, Option<SocketAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                // Answers are small and whole: waiting for more to send only delays them.
                let _ = stream.set_nodelay(true);
                Ok((Box::pin(stream), Some(peer)))
            }
            #[cfg(unix)]
            Self::Unix { listener, .. } => {
                let (stream, _) = listener.accept().await?;
                Ok((Box::pin(stream), None))
            }
        }
    }
}

#[cfg(unix)]
fn unix(path: &Path, mode: Option<u32>) -> Result<Listener> {
    use std::os::unix::{fs::PermissionsExt as _, net::UnixStream};
    use tokio::net::UnixListener;
    let listener = match UnixListener::bind(path) {
        // A program that was killed leaves its socket behind. One that somebody answers at is somebody's.
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && UnixStream::connect(path).is_err() => {
            std::fs::remove_file(path)?;
            UnixListener::bind(path)
        }
        bound => bound,
    };
    let listener = listener.with_context(|| format!("{} cannot be listened at", path.display()))?;
    if let Some(mode) = mode {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(path, permissions).context("the socket's mode cannot be set")?;
    }
    Ok(Listener::Unix { listener, _placed: Some(Placed(path.to_owned())) })
}

/// A socket of systemd's, which keeps it open while the program restarts.
#[cfg(unix)]
fn inherited(number: i32) -> Result<Listener> {
    let mut given = listenfd::ListenFd::from_env();
    let index = usize::try_from(number - 3).unwrap_or(usize::MAX);
    if let Ok(Some(listener)) = given.take_tcp_listener(index) {
        listener.set_nonblocking(true)?;
        return Ok(Listener::Tcp(TcpListener::from_std(listener)?));
    }
    if let Ok(Some(listener)) = given.take_unix_listener(index) {
        listener.set_nonblocking(true)?;
        let listener = tokio::net::UnixListener::from_std(listener)?;
        return Ok(Listener::Unix { listener, _placed: None });
    }
    bail!(
        "the program was not started with a listening socket of number {number}; start it by a systemd socket unit, or \
         listen at an address"
    )
}

#[cfg(not(unix))]
fn unix(_: &Path, _: Option<u32>) -> Result<Listener> {
    bail!("there are no such sockets on this system; listen at an address")
}

#[cfg(not(unix))]
fn inherited(_: i32) -> Result<Listener> {
    bail!("no sockets are handed on on this system; listen at an address")
}
