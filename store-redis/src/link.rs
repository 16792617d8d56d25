//! The connection that all calls share: made when it is first needed, replaced when it breaks, never in a storm.
//!
//! The client's own `ConnectionManager` knows neither Sentinel nor Cluster, and tries for many seconds before it says
//! that nobody is there; so whoever holds the connection is this file, and the client makes it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use redis::{Cmd, RedisResult, Value, aio::MultiplexedConnection, cluster_async::ClusterConnection};
use tokio::sync::watch;

use crate::{
    failure::{self, Failure},
    server::Server,
};

/// How long one attempt to connect may take, TLS, login and the Sentinels' answers included.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(4);

/// How many milliseconds to leave a server alone after so many failed attempts in a row.
const PAUSES: [u64; 6] = [0, 50, 100, 200, 400, 1_000];

/// A pause that a call waits out; while pauses are longer, it is told at once that nobody is there.
const PAUSE_WAITED_OUT: Duration = Duration::from_millis(400);

/// A connection that broke before it was this old counts as a failed attempt.
const CONNECTION_PROVEN: Duration = Duration::from_secs(1);

/// A connection, of one of two kinds.
#[derive(Clone)]
pub(crate) enum Line {
    Node(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Line {
    /// Sends a command and waits for its answer.
    pub(crate) async fn send(&mut self, command: &Cmd) -> RedisResult<Value> {
        match self {
            Self::Node(line) => command.query_async(line).await,
            Self::Cluster(line) => command.query_async(line).await,
        }
    }
}

/// Keeps the connection.
pub(crate) struct Link {
    inner: Arc<Inner>,
}

struct Inner {
    server: Server,
    state: Mutex<State>,
    /// Counts the attempts that have ended; whoever waits for one watches it.
    ended: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    up: Option<Up>,
    connecting: bool,
    /// Failed attempts since the last connection that proved to be good.
    failures: usize,
    /// When the next attempt may begin.
    next: Option<Instant>,
    /// Counts connections.
    made: u64,
}

struct Up {
    line: Line,
    number: u64,
    since: Instant,
    /// When a call last succeeded.
    worked: Instant,
    doubtful: bool,
}

/// What to do about a connection that is wanted.
enum Step {
    Use(Line, u64),
    Await(watch::Receiver<u64>),
    Pause(Duration),
    GiveUp,
}

impl Link {
    pub(crate) fn new(server: Server) -> Self {
        Self { inner: Arc::new(Inner { server, state: Mutex::default(), ended: watch::channel(0).0 }) }
    }

    pub(crate) fn server(&self) -> &Server {
        &self.inner.server
    }

    /// The connection and its number; a new one where there is none. The caller bounds the time.
    pub(crate) async fn line(&self) -> Result<(Line, u64), Failure> {
        loop {
            match self.inner.step() {
                Step::Use(line, number) => return Ok((line, number)),
                Step::GiveUp => return Err(Failure::AWAY),
                Step::Pause(time) => tokio::time::sleep(time).await,
                // An attempt ends even where whoever began it has left, so this is woken.
                Step::Await(mut ended) => drop(ended.changed().await),
            }
        }
    }

    /// A call on this connection has succeeded.
    pub(crate) fn works(&self, number: u64) {
        let mut state = self.inner.lock();
        if let Some(up) = state.up.as_mut().filter(|up| up.number == number) {
            up.worked = Instant::now();
        }
    }

    /// This connection is of no more use, or leads to the wrong server.
    pub(crate) fn spent(&self, number: u64) {
        self.inner.spent(number);
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held; and a state is whole after every statement.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(self: &Arc<Self>) -> Step {
        let mut state = self.lock();
        if let Some(up) = &state.up {
            let step = Step::Use(up.line.clone(), up.number);
            if up.doubtful {
                self.begin(&mut state);
            }
            return step;
        }
        if !state.connecting {
            match state.next.map(|next| next.saturating_duration_since(Instant::now())) {
                Some(pause) if pause > PAUSE_WAITED_OUT => return Step::GiveUp,
                Some(pause) if !pause.is_zero() => return Step::Pause(pause),
                _ => self.begin(&mut state),
            }
        } else if state.failures >= PAUSES.len() {
            // It has not been there for seconds, and nobody waits for it to come back.
            return Step::GiveUp;
        }
        Step::Await(self.ended.subscribe())
    }

    /// Begins an attempt, unless one is under way or it is too early for one.
    fn begin(self: &Arc<Self>, state: &mut State) {
        let early = state.next.is_some_and(|next| Instant::now() < next);
        if state.connecting || early {
            return;
        }
        state.connecting = true;
        let inner = Arc::clone(self);
        // A task of its own: whoever asked may leave, and others wait for it too.
        tokio::spawn(async move {
            let begun = Instant::now();
            let made = tokio::time::timeout(CONNECT_TIME_MAX, inner.server.connect()).await;
            let made = made.map_err(|_| "no answer".to_owned());
            inner.end(begun, made.and_then(|made| made.map_err(|error| failure::name(&error))));
        });
    }

    fn end(&self, begun: Instant, made: Result<Line, String>) {
        let mut state = self.lock();
        state.connecting = false;
        match made {
            Ok(line) => {
                let now = Instant::now();
                state.made += 1;
                let number = state.made;
                state.up = Some(Up { line, number, since: now, worked: now, doubtful: false });
                tracing::debug!(attempts = state.failures + 1, "connected to the session store");
            }
            Err(reason) => {
                if state.failures == 0 {
                    tracing::warn!(reason, "the session store cannot be reached");
                } else {
                    tracing::debug!(reason, attempts = state.failures + 1, "the session store is still away");
                }
                // A cluster's connection is kept while some of its nodes answer.
                if state.up.as_ref().is_some_and(|up| up.worked < begun) {
                    state.up = None;
                }
                state.fail();
            }
        }
        drop(state);
        self.ended.send_modify(|count| *count += 1);
    }

    fn spent(self: &Arc<Self>, number: u64) {
        let mut state = self.lock();
        let Some(up) = state.up.as_mut().filter(|up| up.number == number && !up.doubtful) else { return };
        let proven = CONNECTION_PROVEN < up.since.elapsed();
        if matches!(up.line, Line::Cluster(_)) {
            // The other nodes may well answer: a new connection, which asks who holds what, is made beside it.
            up.doubtful = true;
        } else {
            state.up = None;
        }
        if proven {
            state.failures = 0;
            state.next = None;
        } else {
            state.fail();
        }
        if state.up.is_some() {
            self.begin(&mut state);
        }
    }
}

impl State {
    fn fail(&mut self) {
        self.failures = self.failures.saturating_add(1);
        let pause = Duration::from_millis(PAUSES[self.failures.min(PAUSES.len() - 1)]);
        self.next = Some(Instant::now() + pause.mul_f64(1.0 + spread()));
    }
}

/// Up to a half, at random, so that many instances do not come back at once.
fn spread() -> f64 {
    let mut byte = [0];
    match getrandom::fill(&mut byte) {
        Ok(()) => f64::from(byte[0]) / 512.0,
        Err(_) => 0.0,
    }
}
