//! Where a server is. An address may hold a password, so whatever is wrong with one is said without showing it.

use std::path::PathBuf;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, RedisConnectionInfo};
use url::Url;
use vestibule::secret::Secret;

use crate::ConfigError;

/// The port of a Redis, and of a Valkey.
pub(crate) const REDIS_PORT: u16 = 6_379;
/// The port of a Sentinel.
pub(crate) const SENTINEL_PORT: u16 = 26_379;

/// One server's address, read.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) place: Place,
    pub(crate) database: Option<i64>,
    pub(crate) login: Login,
}

/// How to get to a server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    Tcp { host: String, port: u16, tls: bool },
    Socket(PathBuf),
}

/// Whom a server takes us for.
#[derive(Clone, Default, Debug)]
pub(crate) struct Login {
    pub(crate) username: Option<String>,
    pub(crate) password: Option<Secret>,
}

impl Login {
    /// This one, completed by another where it says nothing.
    pub(crate) fn or(self, other: &Self) -> Self {
        Self {
            username: self.username.or_else(|| other.username.clone()),
            password: self.password.or_else(|| other.password.clone()),
        }
    }

    /// What the client is to say when it connects.
    pub(crate) fn settings(&self, database: Option<i64>) -> RedisConnectionInfo {
        let mut settings = RedisConnectionInfo::default().set_db(database.unwrap_or(0));
        if let Some(username) = &self.username {
            settings = settings.set_username(username);
        }
        if let Some(password) = &self.password {
            settings = settings.set_password(password.expose());
        }
        settings
    }
}

impl Place {
    pub(crate) fn is_tls(&self) -> bool {
        matches!(self, Self::Tcp { tls: true, .. })
    }

    /// The same, in the client's words.
    pub(crate) fn address(&self) -> ConnectionAddr {
        match self.clone() {
            Self::Socket(path) => ConnectionAddr::Unix(path),
            Self::Tcp { host, port, tls: false } => ConnectionAddr::Tcp(host, port),
            Self::Tcp { host, port, tls: true } => {
                ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
            }
        }
    }
}

impl Address {
    /// Reads an address that has `port` where it names none.
    pub(crate) fn read(text: &str, port: u16) -> Result<Self, ConfigError> {
        let url = Url::parse(text.trim()).map_err(|error| match error {
            url::ParseError::InvalidPort => problem("its port is no number up to 65535"),
            _ => problem("it is no address"),
        })?;
        let place = match url.scheme() {
            "redis" | "valkey" => over_tcp(&url, port, false)?,
            "rediss" | "valkeys" => over_tcp(&url, port, true)?,
            "unix" | "redis+unix" | "valkey+unix" => at_socket(&url)?,
            _ => return Err(problem("it begins with none of redis://, rediss:// and unix://")),
        };
        if url.fragment().is_some() {
            // The client's `#insecure` among them: there is no connection whose certificate is not looked at.
            return Err(problem("it has a `#` in it; write %23 where the password has one"));
        }
        let (mut database, mut login) = (path_database(&url, &place)?, login(&url)?);
        for (name, value) in url.query_pairs() {
            match (&*name, &place) {
                ("db", _) => database = Some(number(&value)?),
                ("user", Place::Socket(_)) => login.username = Some(value.into_owned()),
                ("pass", Place::Socket(_)) => login.password = Some(Secret::new(value)),
                _ => {
                    return Err(problem(
                        "it has a parameter that is not known; `db` is, and for a socket `user` and `pass`",
                    ));
                }
            }
        }
        Ok(Self { place, database, login })
    }

    /// The same, in the client's words, with the address's own login where `login` says nothing.
    pub(crate) fn connection(&self, login: &Login) -> Result<ConnectionInfo, ConfigError> {
        let info = self.place.address().into_connection_info().map_err(|_| problem("it cannot be used"))?;
        Ok(info.set_redis_settings(login.clone().or(&self.login).settings(self.database)))
    }
}

fn over_tcp(url: &Url, port: u16, tls: bool) -> Result<Place, ConfigError> {
    // The form in which the system's resolver takes it: an IPv6 address without its brackets.
    let host = match url.host() {
        Some(url::Host::Domain(name)) if !name.is_empty() => name.to_owned(),
        Some(url::Host::Ipv4(address)) => address.to_string(),
        Some(url::Host::Ipv6(address)) => address.to_string(),
        _ => return Err(problem("it names no host")),
    };
    Ok(Place::Tcp { host, port: url.port().unwrap_or(port), tls })
}

fn at_socket(url: &Url) -> Result<Place, ConfigError> {
    let path =
        url.to_file_path().map_err(|()| problem("it names no socket; write unix:///path/of/the.sock"))?;
    Ok(Place::Socket(path))
}

fn path_database(url: &Url, place: &Place) -> Result<Option<i64>, ConfigError> {
    match (place, url.path().trim_matches('/')) {
        (Place::Socket(_), _) | (_, "") => Ok(None),
        (_, text) => number(text).map(Some),
    }
}

fn number(text: &str) -> Result<i64, ConfigError> {
    text.parse()
        .ok()
        .filter(|number| (0..=0xffff).contains(number))
        .ok_or_else(|| problem("its database is no number; write redis://host:6379/0"))
}

fn login(url: &Url) -> Result<Login, ConfigError> {
    let text = |raw: &str| {
        let decoded = percent_decoded(raw).ok_or_else(|| problem("its name or password is no UTF-8"))?;
        Ok((!decoded.is_empty()).then_some(decoded))
    };
    Ok(Login {
        username: text(url.username())?,
        password: text(url.password().unwrap_or_default())?.map(Secret::new),
    })
}

/// `%2F` and the like undone.
fn percent_decoded(raw: &str) -> Option<String> {
    let bytes = raw.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = raw.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], hex) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                at += 3;
            }
            (byte, _) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).ok()
}

fn problem(what: &'static str) -> ConfigError {
    ConfigError::Address { problem: what }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Address {
        Address::read(text, REDIS_PORT).expect("the address is good")
    }

    fn tcp(host: &str, port: u16, tls: bool) -> Place {
        Place::Tcp { host: host.to_owned(), port, tls }
    }

    #[test]
    fn addresses_of_every_kind_are_read() {
        assert_eq!(read("redis://localhost").place, tcp("localhost", 6_379, false));
        assert_eq!(read("valkeys://cache.example:7000/3").place, tcp("cache.example", 7_000, true));
        assert_eq!(read("rediss://[::1]:7000/3").database, Some(3));
        assert_eq!(read("redis://[::1]").place, tcp("::1", 6_379, false));
        assert_eq!(Address::read("redis://s", SENTINEL_PORT).expect("good").place, tcp("s", 26_379, false));
        let socket = read("unix:///run/redis.sock?db=2&user=us&pass=pw");
        assert_eq!(socket.place, Place::Socket("/run/redis.sock".into()));
        assert_eq!((socket.database, socket.login.username.as_deref()), (Some(2), Some("us")));
    }

    #[test]
    fn a_login_in_the_address_is_decoded_and_counts_after_another() {
        let login = read("redis://us%40er:p%2Fw%25@h").login;
        assert_eq!(login.username.as_deref(), Some("us@er"));
        assert_eq!(login.password.as_ref().map(Secret::expose), Some("p/w%"));
        let other = Login { username: None, password: Some(Secret::new("theirs")) };
        let both = other.or(&login);
        assert_eq!(both.username.as_deref(), Some("us@er"));
        assert_eq!(both.password.as_ref().map(Secret::expose), Some("theirs"));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for (text, word) in [
            ("http://us:hunter2@h", "redis://"),
            ("redis://us:hunter2@h:99999", "port"),
            ("redis://us:hunter2@h/zero", "database"),
            ("redis://us:hunter2@h/0?protocol=hunter2", "parameter"),
            ("rediss://us:hunter2@h/#insecure", "%23"),
            ("redis:///0", "host"),
            ("hunter2", "no address"),
            ("redis://us:%ff%fehunter2@h", "UTF-8"),
        ] {
            let error = Address::read(text, REDIS_PORT).err().expect("the address is refused");
            for said in [error.to_string(), format!("{error:?}")] {
                assert!(said.contains(word) && !said.contains("hunter2"), "{text}: {said}");
            }
        }
    }
}
