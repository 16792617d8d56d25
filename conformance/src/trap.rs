//! A listener on loopback that nobody may come to.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What a trap answers to whoever comes all the same: something that would be believed.
const BAIT: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 18\r\n\r\n{\"sub\":\"attacker\"}";

/// Counts who connects.
#[derive(Debug)]
pub struct Trap {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Trap {
    /// Listens on a free port.
    ///
    /// # Panics
    /// The system has no port left.
    pub async fn set() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                drop(stream.write_all(BAIT).await);
            }
        });
        Self { address, connections, task }
    }

    /// An address that leads into it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// Asserts that nobody has come.
    ///
    /// # Panics
    /// Somebody has.
    pub async fn untouched(self, case: impl std::fmt::Debug) {
        // Connections are accepted in order: once ours has been counted, every earlier one has been too.
        let ours = TcpStream::connect(self.address).await.expect("the listener lives as long as this value");
        while self.connections.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        drop(ours);
        assert_eq!(self.connections.load(Ordering::SeqCst), 1, "{case:?}: somebody came");
    }
}

impl Drop for Trap {
    fn drop(&mut self) {
        self.task.abort();
    }
}
