//! Where the program listens: at an address, at a socket in the file system, or at one that it was started with.

#[cfg(unix)]
use std::path::PathBuf;
use std::{io, net::SocketAddr, path::Path, pin::Pin};

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
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct Placed {
    path: PathBuf,
    /// Which file it is: somebody else may have put another in its place.
    file: (u64, u64),
}

#[cfg(unix)]
impl Placed {
    fn at(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), file: Self::file(path)? })
    }

    fn file(path: &Path) -> io::Result<(u64, u64)> {
        use std::os::unix::fs::MetadataExt as _;
        let metadata = std::fs::symlink_metadata(path)?;
        Ok((metadata.dev(), metadata.ino()))
    }
}

#[cfg(unix)]
impl Drop for Placed {
    fn drop(&mut self) {
        if Self::file(&self.path).is_ok_and(|file| file == self.file) {
            // Whoever has taken it away already has done what is wanted.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The sockets that the program was started with, of which each listener takes its own.
pub(crate) struct Inherited {
    #[cfg(unix)]
    sockets: listenfd::ListenFd,
}

impl Inherited {
    /// Takes all of them, once: what the environment says about them is gone then. This changes the environment, so
    /// that it has to come before there is a second thread.
    pub(crate) fn take() -> Self {
        Self {
            #[cfg(unix)]
            sockets: listenfd::ListenFd::from_env(),
        }
    }

    /// A socket of systemd's, which keeps it open while the program restarts.
    #[cfg(unix)]
    fn listener(&mut self, number: i32) -> Result<Listener> {
        let index = usize::try_from(number - 3).unwrap_or(usize::MAX);
        if let Ok(Some(listener)) = self.sockets.take_tcp_listener(index) {
            listener.set_nonblocking(true)?;
            return Ok(Listener::Tcp(TcpListener::from_std(listener)?));
        }
        if let Ok(Some(listener)) = self.sockets.take_unix_listener(index) {
            listener.set_nonblocking(true)?;
            let listener = tokio::net::UnixListener::from_std(listener)?;
            return Ok(Listener::Unix { listener, _placed: None });
        }
        bail!(
            "the program was not started with a listening socket of number {number} that is free; start it by a systemd \
             socket unit, or listen at an address"
        )
    }

    #[cfg(not(unix))]
    fn listener(&mut self, _: i32) -> Result<Listener> {
        bail!("no sockets are handed on on this system; listen at an address")
    }
}

impl Listener {
    /// Listens where options say.
    pub(crate) async fn bind(listen: &Listen, inherited: &mut Inherited) -> Result<Self> {
        match listen {
            Listen::Tcp(address) => TcpListener::bind(address)
                .await
                .map(Self::Tcp)
                .with_context(|| format!("{address} cannot be listened at")),
            Listen::Unix { path, mode } => unix(path, *mode),
            Listen::Fd(number) => inherited.listener(*number),
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
    use std::os::unix::fs::PermissionsExt as _;
    use tokio::net::UnixListener;
    let listener = match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_dead_socket(path) => {
            std::fs::remove_file(path)?;
            UnixListener::bind(path)
        }
        bound => bound,
    };
    let listener = listener.with_context(|| format!("{} cannot be listened at", path.display()))?;
    let placed = Placed::at(path).context("the socket is gone already")?;
    if let Some(mode) = mode {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(path, permissions).context("the socket's mode cannot be set")?;
    }
    Ok(Listener::Unix { listener, _placed: Some(placed) })
}

/// Whether a program that was killed has left its socket behind. One that somebody answers at is somebody's, and so is
/// one that this program may not ask at, and every file that is no socket.
#[cfg(unix)]
fn is_dead_socket(path: &Path) -> bool {
    use std::os::unix::{fs::FileTypeExt as _, net::UnixStream};
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    is_socket
        && UnixStream::connect(path).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

#[cfg(not(unix))]
fn unix(_: &Path, _: Option<u32>) -> Result<Listener> {
    bail!("there are no such sockets on this system; listen at an address")
}
