//! [`SessionStore`] in commands.

use std::{
    fmt,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures_util::future::try_join_all;
use redis::{Cmd, Value, cmd};
use tokio::{sync::Semaphore, time::timeout};
use vestibule::{
    limits::{CLOCK_JUMP_MAX, STORE_CALL_TIME_MAX},
    store::{Record, Replaced, SessionStore, StoreError, StoreKey},
};

use crate::{
    ConfigError, RedisBuilder,
    failure::{self, Command, Connection, Failure},
    link::Link,
    scripts::{self, Script},
};

/// How many calls of one store may be under way. Whoever comes beyond that waits, within the time of its own call.
pub const CALLS_UNDER_WAY_MAX: usize = 1_000;

/// How long a call may take: a little less than the core waits, so that the store sees that a server is silent, and
/// looks for another connection, before the core gives the call up.
const CALL_TIME_MAX: Duration = STORE_CALL_TIME_MAX.saturating_sub(Duration::from_millis(200));

/// How long to wait before a command is sent again that the server has refused for now.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);

/// How often one command is sent at most.
const SENT_MAX: u32 = 3;

/// How long a command is unanswered before it is the server's fault.
const SILENCE_TIME: Duration = Duration::from_secs(1);

/// Bytes of a key in a list, as long as [`StoreKey`] says.
const KEY_BYTES_MAX: usize = 64;

/// A version's length, in front of each value.
const VERSION_BYTES: usize = 8;

/// The longest life: about a century. The server computes with it, and beyond some thousand centuries it overflows.
const LIFE_MAX: Duration = Duration::from_secs(100 * 366 * 24 * 60 * 60);

/// Keeps sessions in Redis or Valkey. See the [crate] for what it does when they are away.
pub struct RedisStore {
    link: Link,
    prefix: String,
    calls: Semaphore,
}

/// A reply, and whether the command may have been carried out once before.
struct Reply {
    value: Value,
    repeated: bool,
}

impl RedisStore {
    /// Sessions in one server, at an address like `redis://localhost`, with nothing else configured. Nothing is asked
    /// of it yet.
    ///
    /// # Errors
    /// The address cannot be used.
    pub fn connect(url: &str) -> Result<Self, ConfigError> {
        RedisBuilder::node(url).build()
    }

    pub(crate) fn new(link: Link, prefix: String) -> Self {
        Self { link, prefix, calls: Semaphore::new(CALLS_UNDER_WAY_MAX) }
    }

    /// Asks the server, all nodes of a cluster, whether it is there: for readiness.
    ///
    /// # Errors
    /// It does not answer, or not with what a Redis says.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let reply = self.bounded(async { Ok(self.ask(&cmd("PING")).await?) }).await?;
        match reply.value {
            Value::SimpleString(_) | Value::Okay => Ok(()),
            _ => Err(StoreError::Broken),
        }
    }

    fn name(&self, key: &StoreKey) -> String {
        format!("{}{}", self.prefix, key.as_str())
    }

    /// Does `work`, in the time that a call has.
    async fn bounded<T>(&self, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let permitted = async {
            let _permit = self.calls.acquire().await.map_err(|_| StoreError::Unavailable)?;
            work.await
        };
        timeout(CALL_TIME_MAX, permitted).await.unwrap_or(Err(StoreError::Unavailable))
    }

    /// Sends a command until there is an answer to it, and to no other. It may be carried out twice: whoever uses it
    /// says what that means.
    async fn ask(&self, command: &Cmd) -> Result<Reply, Failure> {
        let mut repeated = self.link.server().repeats();
        let mut sent = 0;
        loop {
            let failure = match self.send(command).await {
                Ok(value) => return Ok(Reply { value, repeated }),
                Err(failure) => failure,
            };
            sent += 1;
            match failure.command {
                _ if sent == SENT_MAX => return Err(failure),
                Command::Refused | Command::Unseen => return Err(failure),
                // The connection may have been dead for hours: with another one the answer is a matter of moments.
                Command::Unknown => repeated = true,
                Command::NotDone => tokio::time::sleep(REFUSED_PAUSE).await,
            }
        }
    }

    /// Sends a command once.
    async fn send(&self, command: &Cmd) -> Result<Value, Failure> {
        let (mut line, number) = self.link.line().await?;
        let mut silence = Silence { link: &self.link, number, since: Some(Instant::now()) };
        let result = line.send(command).await;
        silence.since = None;
        result.inspect(|_| self.link.works(number)).map_err(|error| {
            let failure = failure::of(&error);
            if failure.error == StoreError::Broken && failure.command != Command::Unseen {
                tracing::warn!(reason = failure::name(&error), "the session store refuses a command");
            }
            if failure.connection == Connection::Spent {
                self.link.spent(number);
            }
            failure
        })
    }

    /// Runs a script, which the server may not have seen yet.
    async fn run(&self, script: &Script, key: &str, with: impl Fn(&mut Cmd)) -> Result<Value, StoreError> {
        let prepared = |mut command: Cmd| {
            with(&mut command);
            command
        };
        let reply = match self.ask(&prepared(script.known(key))).await {
            Err(Failure { command: Command::Unseen, .. }) => self.ask(&prepared(script.told(key))).await,
            reply => reply,
        };
        Ok(reply?.value)
    }

    /// Whether the record under this name is there in this version.
    async fn has_version(&self, name: &str, version: u64) -> Result<bool, StoreError> {
        let reply = self.ask(cmd("GETRANGE").arg(name).arg(0).arg(VERSION_BYTES - 1)).await?;
        Ok(bytes(&reply.value)? == version.to_be_bytes())
    }

    async fn list(&self, index: &StoreKey, key: &StoreKey, life: Duration) -> Result<(), StoreError> {
        // The next master's clock may be ahead of this one's, or this one's jump before the record is replaced.
        let life = milliseconds(life.saturating_add(CLOCK_JUMP_MAX));
        let with = |command: &mut Cmd| {
            command.arg(key.as_str()).arg(life);
        };
        self.run(&scripts::LIST, &self.name(index), with).await.map(drop)
    }

    /// What has been removed may stay listed: its listing ends by itself, and the removal is what counts.
    async fn unlist(&self, indexes: &[StoreKey], key: &StoreKey) {
        for index in indexes {
            if let Err(failure) = self.ask(cmd("ZREM").arg(self.name(index)).arg(key.as_str())).await {
                tracing::debug!(error = %failure.error, "a removed record stays listed for a while");
            }
        }
    }
}

#[async_trait]
impl SessionStore for RedisStore {
    async fn load(&self, key: &StoreKey) -> Result<Option<Record>, StoreError> {
        self.bounded(async {
            let reply = self.ask(cmd("GET").arg(self.name(key))).await?;
            if reply.value == Value::Nil {
                return Ok(None);
            }
            let (version, value) =
                bytes(&reply.value)?.split_first_chunk::<VERSION_BYTES>().ok_or(StoreError::Broken)?;
            Ok(Some(Record::new(u64::from_be_bytes(*version), value.to_vec())))
        })
        .await
    }

    async fn insert(
        &self,
        key: &StoreKey,
        value: &[u8],
        life: Duration,
        indexes: &[StoreKey],
    ) -> Result<bool, StoreError> {
        self.bounded(async {
            // First, so that nobody is signed in whom "sign out everywhere" does not find.
            try_join_all(indexes.iter().map(|index| self.list(index, key, life))).await?;
            let (name, version) = (self.name(key), fresh_version()?);
            let mut set = cmd("SET");
            set.arg(&name).arg(versioned(version, value)).arg("NX").arg("PX").arg(milliseconds(life));
            let reply = self.ask(&set).await?;
            match reply.value {
                Value::Okay => Ok(true),
                // Where the first answer was lost, what is in the way may be our own.
                Value::Nil if reply.repeated => self.has_version(&name, version).await,
                Value::Nil => Ok(false),
                _ => Err(StoreError::Broken),
            }
        })
        .await
    }

    async fn replace(
        &self,
        key: &StoreKey,
        version: u64,
        value: &[u8],
        life: Duration,
    ) -> Result<Replaced, StoreError> {
        self.bounded(async {
            let next = fresh_version()?;
            let (value, life) = (versioned(next, value), milliseconds(life));
            let with = |command: &mut Cmd| {
                command.arg(&version.to_be_bytes()[..]).arg(&value[..]).arg(life);
            };
            match self.run(&scripts::REPLACE, &self.name(key), with).await? {
                Value::Int(2) => Ok(Replaced::Now(next)),
                Value::Int(1) => Ok(Replaced::Changed),
                Value::Int(0) => Ok(Replaced::Gone),
                _ => Err(StoreError::Broken),
            }
        })
        .await
    }

    async fn remove(&self, key: &StoreKey, indexes: &[StoreKey]) -> Result<bool, StoreError> {
        self.bounded(async {
            let name = self.name(key);
            let mut certainly_gone = false;
            if self.link.server().repeats() {
                certainly_gone = self.ask(cmd("EXISTS").arg(&name)).await?.value == Value::Int(0);
            }
            let reply = self.ask(cmd("DEL").arg(&name)).await?;
            self.unlist(indexes, key).await;
            match reply.value {
                Value::Int(1) => Ok(true),
                // It is gone. Whether it was this call that removed it is not known, where its first answer was lost.
                Value::Int(0) if reply.repeated && !certainly_gone => Err(StoreError::Unavailable),
                Value::Int(0) => Ok(false),
                _ => Err(StoreError::Broken),
            }
        })
        .await
    }

    async fn listed(&self, index: &StoreKey) -> Result<Vec<StoreKey>, StoreError> {
        self.bounded(async {
            match self.run(&scripts::LISTED, &self.name(index), |_| ()).await? {
                Value::Array(members) => members.iter().map(listed_key).collect(),
                _ => Err(StoreError::Broken),
            }
        })
        .await
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("server", self.link.server()).finish_non_exhaustive()
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

/// Watches over a command that is waited for. Where it is given up after a while, the server is silent, and the next
/// call looks for another connection; so what a silent server has been sent does not pile up either.
struct Silence<'l> {
    link: &'l Link,
    number: u64,
    since: Option<Instant>,
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        // Sooner than that, it was whoever asked that has lost patience.
        if self.since.is_some_and(|since| SILENCE_TIME <= since.elapsed()) {
            self.link.spent(self.number);
        }
    }
}

fn listed_key(member: &Value) -> Result<StoreKey, StoreError> {
    let text = std::str::from_utf8(bytes(member)?).map_err(|_| StoreError::Broken)?;
    if KEY_BYTES_MAX < text.len() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(StoreError::Broken);
    }
    Ok(StoreKey::known(text))
}

fn bytes(value: &Value) -> Result<&[u8], StoreError> {
    match value {
        Value::BulkString(bytes) => Ok(bytes),
        _ => Err(StoreError::Broken),
    }
}

/// The version in front of the value: eight bytes, so that it is compared without reading the rest.
fn versioned(version: u64, value: &[u8]) -> Vec<u8> {
    [&version.to_be_bytes()[..], value].concat()
}

/// A version that nobody has used and nobody will: a random one, which needs no counter that could be lost with the
/// record, and says whose doing a record is.
fn fresh_version() -> Result<u64, StoreError> {
    getrandom::u64().map_err(|_| StoreError::Unavailable)
}

/// A life as the server takes it: at least a millisecond, since none at all is an error to it.
fn milliseconds(life: Duration) -> u64 {
    let life = life.min(LIFE_MAX);
    u64::try_from(life.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_rounded_up_and_bounded() {
        assert_eq!(milliseconds(Duration::ZERO), 1);
        assert_eq!(milliseconds(Duration::from_nanos(1)), 1);
        assert_eq!(milliseconds(Duration::from_micros(1_500)), 2);
        assert!(milliseconds(Duration::MAX) < 1 << 52);
    }

    #[test]
    fn what_is_listed_must_be_a_key() {
        let member = |text: &str| listed_key(&Value::BulkString(text.as_bytes().to_vec()));
        assert_eq!(member("session:abc"), Ok(StoreKey::known("session:abc")));
        for text in ["with space", "ümlaut", &"x".repeat(65)] {
            assert_eq!(member(text), Err(StoreError::Broken));
        }
    }

    #[test]
    fn debug_says_neither_address_nor_password() {
        let store = RedisStore::connect("redis://user:hunter2@host.example").expect("the address is good");
        assert_eq!(format!("{store:?}"), "RedisStore { server: one node, .. }");
    }
}
