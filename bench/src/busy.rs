//! A load that never sleeps.
//!
//! wrk waits in `epoll` whenever no answer is there, and whoever answers it then pays for waking it: an interrupt to
//! the other core, inside the server's own `send`. How often that happens depends on how fast the server is, and in the
//! wrong way for a comparison: a bare route keeps wrk busy, while behind a route that takes a microsecond longer wrk
//! catches up, sleeps for many more of the answers, and lets the slower route pay for that, too. Up to 0.8 µs of a
//! request was such waking, as much as opening a session takes.
//!
//! So here is nothing to wake. Sockets are asked one after the other, over and over, whether something has come; the
//! load's core is never idle, and what the server's core spends is the server's work. That is no more true to life than
//! wrk is: a proxy sleeps at times. A reader of the report sees both figures.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use crate::{
    answer::{self, Worthless},
    latencies::Latencies,
};

/// Room for any answer that is loaded.
const ANSWER_BYTES_MAX: usize = 8_192;
/// A server that answers nothing at all for so long answers no more.
const SILENCE_MAX: Duration = Duration::from_secs(5);

/// What is asked, on how many connections, and what the answer must be.
#[derive(Clone, Debug)]
pub struct Busy {
    /// The server.
    pub address: SocketAddr,
    /// A whole request, as it is sent each time.
    pub request: Vec<u8>,
    /// How many connections ask, each for one thing at a time.
    pub connections: usize,
    /// The only status that counts.
    pub status: u16,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Counted {
    /// How long it was.
    pub took: Duration,
    /// One for each answer.
    pub latencies: Latencies,
}

impl Busy {
    /// Asks for that long.
    ///
    /// # Errors
    /// A connection broke, or an answer was not the expected one: then nothing counts.
    pub fn run(&self, time: Duration) -> io::Result<Counted> {
        let connections = (0..self.connections).map(|_| Connection::open(self));
        let mut connections = connections.collect::<io::Result<Vec<_>>>()?;
        let mut latencies = Latencies::default();
        let start = Instant::now();
        let mut heard = start;
        while start.elapsed() < time {
            for connection in &mut connections {
                if let Some(latency) = connection.look(self)? {
                    latencies.count(latency);
                    heard = connection.asked;
                }
            }
            if SILENCE_MAX < heard.elapsed() {
                return Err(io::Error::from(io::ErrorKind::TimedOut));
            }
        }
        Ok(Counted { took: start.elapsed(), latencies })
    }
}

/// One connection, with a request under way.
struct Connection {
    socket: TcpStream,
    asked: Instant,
    received: Box<[u8; ANSWER_BYTES_MAX]>,
    length: usize,
}

impl Connection {
    fn open(busy: &Busy) -> io::Result<Self> {
        let mut socket = TcpStream::connect(busy.address)?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        let asked = Instant::now();
        socket.write_all(&busy.request)?;
        Ok(Self { socket, asked, received: Box::new([0; ANSWER_BYTES_MAX]), length: 0 })
    }

    /// Sees whether the answer has come whole; then asks again, and tells how long it took.
    fn look(&mut self, busy: &Busy) -> io::Result<Option<Duration>> {
        let worthless = |why: Worthless| io::Error::new(io::ErrorKind::InvalidData, why);
        match self.socket.read(&mut self.received[self.length..]) {
            Ok(0) => return Err(worthless(Worthless::Closed)),
            Ok(more) => self.length += more,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error),
        }
        if !answer::is_whole(&self.received[..self.length], busy.status).map_err(worthless)? {
            return Ok(None);
        }
        let now = Instant::now();
        let latency = now - self.asked;
        (self.asked, self.length) = (now, 0);
        // One request fits into any socket's buffer, since the answer to the one before has come.
        self.socket.write_all(&busy.request)?;
        Ok(Some(latency))
    }
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

    /// A load on a server that answers each request with what `answer` gives for its number.
    fn load(time: Duration, answer: impl Fn(usize) -> &'static str + Send + 'static) -> io::Result<Counted> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            socket.set_nodelay(true).unwrap();
            let mut request = [0; REQUEST.len()];
            let mut number = 0;
            // Ends when the load does.
            while socket.read_exact(&mut request).is_ok() && !answer(number).is_empty() {
                for part in answer(number).as_bytes().chunks(20) {
                    let _ = socket.write_all(part);
                }
                number += 1;
            }
        });
        let busy = Busy { address, request: REQUEST.to_vec(), connections: 1, status: 202 };
        let counted = busy.run(time);
        server.join().unwrap();
        counted
    }

    #[test]
    fn answers_are_counted_even_in_pieces() {
        let time = Duration::from_millis(200);
        let counted = load(time, |_| "HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\nno").unwrap();
        assert!(counted.latencies.total() > 1 && time <= counted.took);
    }

    #[test]
    fn a_load_that_met_another_answer_counts_for_nothing() {
        let first_ones_fit = |number| match number {
            0..=2 => "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n",
            _ => "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n",
        };
        // It ends with the answer, long before that.
        let time = Duration::from_secs(60);
        let error = load(time, first_ones_fit).unwrap_err();
        assert_eq!(error.to_string(), Worthless::Status(401).to_string());
        assert_eq!(load(time, |_| "").unwrap_err().to_string(), Worthless::Closed.to_string());
    }
}
