//! From texts to values. Each says what is wrong with a text, never the text itself: it may be a secret.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

/// What is wrong with a text, and what to write instead.
pub(crate) type Fault = (&'static str, &'static str);

/// A flag as Go reads it.
pub(crate) fn flag(text: &str) -> Result<bool, Fault> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(("it is neither true nor false", "write `true` or `false`")),
    }
}

/// Texts with commas between; spaces around them do not count.
pub(crate) fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// Texts with spaces between.
pub(crate) fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// A length of time as Go's `time.ParseDuration` reads it, but never a negative one.
pub(crate) fn duration(text: &str) -> Result<Duration, Fault> {
    const FAULT: Fault =
        ("it is no length of time", "write a number and a unit, such as `168h`, `1h30m` or `5s`");
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text;
    let mut whole = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or(FAULT)?;
        let number: f64 = rest[..digits].parse().map_err(|_| FAULT)?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let seconds = match &rest[..letters] {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(FAULT),
        };
        rest = &rest[letters..];
        let part = Duration::try_from_secs_f64(number * seconds).map_err(|_| FAULT)?;
        whole = whole.checked_add(part).ok_or(FAULT)?;
    }
    if text.is_empty() { Err(FAULT) } else { Ok(whole) }
}

/// Where a program listens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Listen {
    /// At an address; port 0 takes a free one.
    Tcp(SocketAddr),
    /// At a socket in the file system.
    Unix {
        /// Where it is.
        path: PathBuf,
        /// Who may connect, such as `0o660`; what the process's own mask leaves where it is not set.
        mode: Option<u32>,
    },
    /// At a socket that the program was started with, by its number: systemd's first is 3.
    Fd(i32),
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "http://{address}"),
            Self::Unix { path, .. } => write!(f, "unix://{}", path.display()),
            Self::Fd(number) => write!(f, "fd:{number}"),
        }
    }
}

const NO_ADDRESS: Fault = (
    "it is no address to listen at",
    "write `127.0.0.1:4180`, `[::1]:4180`, or `:4180` for all; `unix:///run/name.sock,mode=0660`; or `fd:3`",
);

/// Where to listen: `host:port`, with `http://` before it or not; `unix:///path,mode=0660`; or `fd:3`.
pub(crate) fn listen(text: &str) -> Result<Listen, Fault> {
    if let Some(number) = text.strip_prefix("fd:") {
        let number: i32 = number.parse().map_err(|_| NO_ADDRESS)?;
        // The first three are the program's input and outputs.
        return if 3 <= number { Ok(Listen::Fd(number)) } else { Err(NO_ADDRESS) };
    }
    if let Some(rest) = text.strip_prefix("unix:") {
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (path, mode) = match rest.split_once(",mode=") {
            Some((path, mode)) => (path, Some(u32::from_str_radix(mode, 8).map_err(|_| NO_ADDRESS)?)),
            None => (rest, None),
        };
        let is_sound = !path.is_empty() && mode.is_none_or(|mode| mode <= 0o777);
        return is_sound.then(|| Listen::Unix { path: path.into(), mode }).ok_or(NO_ADDRESS);
    }
    address(text).map(Listen::Tcp)
}

/// An address of a socket. Without a host it is every address.
fn address(text: &str) -> Result<SocketAddr, Fault> {
    let text = text.strip_prefix("http://").unwrap_or(text);
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let (host, port) = text.rsplit_once(':').ok_or(NO_ADDRESS)?;
    let port: u16 = port.parse().map_err(|_| NO_ADDRESS)?;
    match host {
        "" => Ok((Ipv6Addr::UNSPECIFIED, port).into()),
        "localhost" => Ok((Ipv4Addr::LOCALHOST, port).into()),
        _ => Err(NO_ADDRESS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_go_s() {
        for (text, expected) in [
            ("168h", Some(604_800_000)),
            ("1h30m", Some(5_400_000)),
            ("5s", Some(5_000)),
            ("1.5h", Some(5_400_000)),
            ("300ms", Some(300)),
            ("1m0.5s", Some(60_500)),
            ("0", Some(0)),
            ("0s", Some(0)),
            ("", None),
            ("5", None),
            ("5d", None),
            ("-5s", None),
            ("h", None),
            ("5s ", None),
            ("1.2.3s", None),
            ("99999999999999999999h", None),
            ("9h9", None),
        ] {
            let parsed = duration(text).ok().map(|length| length.as_millis());
            assert_eq!(parsed, expected, "{text:?}");
        }
    }

    #[test]
    fn addresses_are_sockets() {
        for (text, expected) in [
            ("127.0.0.1:4180", Some("127.0.0.1:4180")),
            ("http://127.0.0.1:0", Some("127.0.0.1:0")),
            ("[::1]:80", Some("[::1]:80")),
            ("localhost:80", Some("127.0.0.1:80")),
            (":80", Some("[::]:80")),
            ("127.0.0.1", None),
            ("host.example:80", None),
            ("127.0.0.1:x", None),
            ("unix:", None),
            ("unix:///run/x,mode=9", None),
            ("fd:0", None),
            ("fd:systemd", None),
            ("", None),
        ] {
            let address = listen(text).ok().map(|listen| listen.to_string());
            assert_eq!(address.as_deref(), expected.map(|at| format!("http://{at}")).as_deref(), "{text:?}");
        }
        let path: PathBuf = "/run/x".into();
        assert_eq!(
            listen("unix:///run/x,mode=0660"),
            Ok(Listen::Unix { path: path.clone(), mode: Some(0o660) })
        );
        assert_eq!(listen("unix:/run/x"), Ok(Listen::Unix { path, mode: None }));
        assert_eq!(listen("fd:3"), Ok(Listen::Fd(3)));
    }

    #[test]
    fn lists_and_flags() {
        assert_eq!(list(" a, b,,c "), ["a", "b", "c"]);
        assert_eq!(words(" openid  email "), ["openid", "email"]);
        assert_eq!((flag("T"), flag("0")), (Ok(true), Ok(false)));
        assert!(flag("yes").is_err());
    }
}
