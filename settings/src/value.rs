//! From texts to values. Each says what is wrong with a text, never the text itself: it may be a secret.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
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

/// Where to listen: `host:port`, with `http://` before it or not. Without a host it is every address.
pub(crate) fn address(text: &str) -> Result<SocketAddr, Fault> {
    const FAULT: Fault =
        ("it is no address to listen at", "write `127.0.0.1:4180`, `[::1]:4180`, or `:4180` for all");
    if text.starts_with("unix:") || text.starts_with("fd:") {
        return Err(("sockets of that kind are not listened at yet", FAULT.1));
    }
    let text = text.strip_prefix("http://").unwrap_or(text);
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let (host, port) = text.rsplit_once(':').ok_or(FAULT)?;
    let port: u16 = port.parse().map_err(|_| FAULT)?;
    match host {
        "" => Ok((Ipv6Addr::UNSPECIFIED, port).into()),
        "localhost" => Ok((Ipv4Addr::LOCALHOST, port).into()),
        _ => Err(FAULT),
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
            ("unix:///run/x", None),
            ("", None),
        ] {
            assert_eq!(
                address(text).ok().map(|address| address.to_string()).as_deref(),
                expected,
                "{text:?}"
            );
        }
    }

    #[test]
    fn lists_and_flags() {
        assert_eq!(list(" a, b,,c "), ["a", "b", "c"]);
        assert_eq!(words(" openid  email "), ["openid", "email"]);
        assert_eq!((flag("T"), flag("0")), (Ok(true), Ok(false)));
        assert!(flag("yes").is_err());
    }
}
