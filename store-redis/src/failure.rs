//! From the client's errors to what may be done about them. Nothing of an error's text goes on: it may hold addresses,
//! and what a server of somebody else's choosing says.

use redis::{ErrorKind, RedisError, ServerErrorKind};
use vestibule::store::StoreError;

/// A call that did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What whoever asked is told.
    pub(crate) error: StoreError,
    /// Whether the connection is still good for others.
    pub(crate) connection: Connection,
    /// What is known about the command.
    pub(crate) command: Command,
}

/// What a failure says about the connection that it happened on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connection {
    Good,
    /// It is broken, silent, or leads to a server that has become a replica: another one is made.
    Spent,
}

/// What a failure says about the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// The server has refused it, for now: it may be sent again.
    NotDone,
    /// It may have been carried out, and may not.
    Unknown,
    /// The server has refused it, and will refuse it again.
    Refused,
    /// It names a script that the server has not seen.
    Unseen,
}

impl Failure {
    /// There is no connection, and it is not worth waiting for one.
    pub(crate) const AWAY: Self =
        Self { error: StoreError::Unavailable, connection: Connection::Good, command: Command::Refused };
}

/// What `error` means. Whatever is not known is [`StoreError::Broken`]: it does not go away by itself.
pub(crate) fn of(error: &RedisError) -> Failure {
    use Command::{NotDone, Refused, Unknown, Unseen};
    use Connection::{Good, Spent};
    use StoreError::{Broken, Full, Unavailable};
    let (told, connection, command) = match error.kind() {
        ErrorKind::Io => (Unavailable, Spent, Unknown),
        ErrorKind::ClusterConnectionNotFound
        | ErrorKind::MasterNameNotFoundBySentinel
        | ErrorKind::Server(ServerErrorKind::ReadOnly) => (Unavailable, Spent, NotDone),
        ErrorKind::Server(
            ServerErrorKind::BusyLoading
            | ServerErrorKind::TryAgain
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::MasterDown
            | ServerErrorKind::Moved
            | ServerErrorKind::Ask,
        ) => (Unavailable, Good, NotDone),
        ErrorKind::Server(ServerErrorKind::NoScript) => (Broken, Good, Unseen),
        // Whatever talks there does not talk Redis; what it says next would be taken for an answer to something else.
        ErrorKind::Parse => (Broken, Spent, Refused),
        _ => match error.code() {
            Some("OOM") => (Full, Good, Refused),
            // It cannot write its dump, has too few replicas, or runs somebody's script.
            Some("MISCONF" | "NOREPLICAS" | "BUSY") => (Unavailable, Good, NotDone),
            Some("ERR") if error.detail().is_some_and(is_too_many_clients) => (Unavailable, Spent, NotDone),
            _ => (Broken, Good, Refused),
        },
    };
    Failure { error: told, connection, command }
}

fn is_too_many_clients(detail: &str) -> bool {
    detail.starts_with("max number of clients")
}

/// The server's word for it, for the log: `WRONGPASS`, `NOPERM`, `OOM`; or the client's, `I/O error`.
pub(crate) fn name(error: &RedisError) -> String {
    let code = error.code().filter(|code| code.len() <= 20 && code.bytes().all(|b| b.is_ascii_uppercase()));
    code.unwrap_or_else(|| error.category()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the client makes of a server's reply.
    fn reply(text: &str) -> Failure {
        let value = redis::parse_redis_value(format!("-{text}\r\n").as_bytes()).expect("it is a reply");
        of(&value.extract_error().expect_err("it is an error"))
    }

    #[test]
    fn what_passes_is_unavailable_and_what_does_not_is_broken() {
        for text in [
            "LOADING Redis is loading the dataset in memory",
            "READONLY You can't write against a read only replica.",
            "CLUSTERDOWN The cluster is down",
            "TRYAGAIN Multiple keys request during rehashing of slot",
            "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
            "MOVED 3999 127.0.0.1:6381",
            "MISCONF Redis is configured to save RDB snapshots",
            "NOREPLICAS Not enough good replicas to write.",
            "BUSY Redis is busy running a script.",
            "ERR max number of clients reached",
        ] {
            let failure = reply(text);
            assert_eq!(failure.error, StoreError::Unavailable, "{text}");
            assert_eq!(failure.command, Command::NotDone, "{text}");
        }
        for text in
            ["WRONGTYPE Operation against", "NOPERM this user", "WRONGPASS invalid", "ERR unknown command"]
        {
            assert_eq!(reply(text).error, StoreError::Broken, "{text}");
        }
        let full = reply("OOM command not allowed when used memory > 'maxmemory'.");
        assert_eq!((full.error, full.connection), (StoreError::Full, Connection::Good));
    }

    #[test]
    fn another_connection_is_made_after_a_broken_one_and_after_a_replica_only() {
        assert_eq!(reply("READONLY You can't write").connection, Connection::Spent);
        assert_eq!(reply("LOADING Redis is loading").connection, Connection::Good);
        let reset = RedisError::from(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
        assert_eq!((of(&reset).connection, of(&reset).command), (Connection::Spent, Command::Unknown));
    }

    #[test]
    fn the_log_is_told_a_code_and_no_text() {
        let value = redis::parse_redis_value(b"-WRONGPASS invalid username-password pair: hunter2\r\n");
        let error = value.expect("it is a reply").extract_error().expect_err("it is an error");
        assert_eq!(name(&error), "WRONGPASS");
        assert_eq!(name(&RedisError::from(std::io::Error::other("redis://:hunter2@host"))), "I/O error");
    }
}
