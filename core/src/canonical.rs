//! One spelling for whatever a rule is compared with: paths, hosts, methods.
//!
//! A proxy, this crate and the application behind them read one request each in their own way, and what opens a door
//! is where they differ. So nothing here is tidied up: what could be read in two ways is doubtful, and has no
//! canonical form at all. [`crate::access`] says what becomes of that.

use url::Host as ParsedHost;

use crate::limits::ASKED_PATH_BYTES_MAX;

/// The path that every reader takes `written` for, decoded; `None` where readers differ.
///
/// Percent signs are decoded once. Doubtful are: what is not a path from the root (an address, nothing); what is not
/// decodable, or could be decoded again; dots as segments, empty segments, path parameters (`;`), backslashes, control
/// characters, encoded delimiters; and whatever is not UTF-8.
pub(crate) fn path(written: &str) -> Option<String> {
    let plain = written.bytes().all(|byte| byte.is_ascii_graphic());
    if !plain || !written.starts_with('/') || ASKED_PATH_BYTES_MAX < written.len() {
        return None;
    }
    let path = decoded_once(written)?;
    let doubtful = |c: char| c.is_control() || matches!(c, '\\' | '%' | '?' | '#' | ';');
    let slashes = |text: &str| text.bytes().filter(|byte| *byte == b'/').count();
    if path.contains(doubtful) || slashes(&path) != slashes(written) {
        return None;
    }
    let mut segments = path[1..].split('/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        let dots = !segment.is_empty() && segment.trim().bytes().all(|byte| byte == b'.');
        if dots || (segment.is_empty() && !is_last) {
            return None;
        }
    }
    Some(path)
}

/// As [`path`], for a path that an operator writes down, who may leave letters and spaces as they are.
pub(crate) fn path_of_rule(written: &str) -> Option<String> {
    let mut encoded = String::with_capacity(written.len());
    for byte in written.bytes() {
        if byte.is_ascii_graphic() {
            encoded.push(char::from(byte));
        } else {
            encoded += &format!("%{byte:02X}");
        }
    }
    path(&encoded)
}

/// Decodes every percent sign once; `None` where one is no code, or where UTF-8 does not come out.
fn decoded_once(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let value = digit()? * 16 + digit()?;
        decoded.push(u8::try_from(value).ok()?);
    }
    String::from_utf8(decoded).ok()
}

/// A method that is written as methods are; `None` for `get`, which some servers take for `GET`, and for nonsense.
pub(crate) fn method(written: &str) -> Option<&str> {
    let plain = |byte: u8| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_');
    (!written.is_empty() && written.len() <= 32 && written.bytes().all(plain)).then_some(written)
}

/// A host as it stands in an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    /// In lower case, in Punycode, without a dot at its end.
    pub(crate) name: String,
    pub(crate) port: Option<u16>,
}

/// Reads `host` or `host:port`; `None` for anything else, a user name above all.
pub(crate) fn host(written: &str) -> Option<Host> {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'[' | b']');
    written.bytes().all(plain).then(|| host_of_rule(written)).flatten()
}

/// As [`host`], for a host that an operator writes down, who may use any letters.
pub(crate) fn host_of_rule(written: &str) -> Option<Host> {
    let bracket = if written.starts_with('[') { written.find(']')? + 1 } else { 0 };
    let (name, port) = match written[bracket..].find(':') {
        Some(colon) => (&written[..bracket + colon], Some(&written[bracket + colon + 1..])),
        None => (written, None),
    };
    let port = match port {
        None => None,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
        Some(_) => return None,
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.contains(['%', '*']) || (bracket == 0 && name.split('.').any(str::is_empty)) {
        return None;
    }
    Some(Host { name: ParsedHost::parse(name).ok()?.to_string(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_path_is_decoded_once() {
        for (written, read) in [
            ("/", "/"),
            ("/a/b/", "/a/b/"),
            ("/a%20b/%C3%BC.css", "/a b/ü.css"),
            ("/app%2ejs", "/app.js"),
            ("/.well-known/x..y/a.b.", "/.well-known/x..y/a.b."),
            ("/a=b&c,d+e@f:g~h", "/a=b&c,d+e@f:g~h"),
        ] {
            assert_eq!(path(written).as_deref(), Some(read), "{written}");
        }
        assert_eq!(path_of_rule("/über uns/").as_deref(), Some("/über uns/"));
    }

    #[test]
    fn pc_what_can_be_read_in_two_ways_has_no_canonical_form() {
        let long = format!("/{}", "a".repeat(64 * 1024));
        for doubtful in [
            "",
            "a",
            "*",
            "http://a.example/",
            "//a",
            "/a//b",
            "/./a",
            "/a/.",
            "/a/..",
            "/../a",
            "/...",
            "/%2e%2E/a",
            "/.%2e/a",
            "/%20../a",
            "/a%2fb",
            "/%2fa",
            "/a%5cb",
            "/a\\b",
            "/a%252e",
            "/a%25",
            "/a%",
            "/a%2",
            "/a%zz",
            "/%u002e",
            "/a%00",
            "/a%0ab",
            "/a\nb",
            "/a%7f",
            "/a%C2%85",
            "/%c0%ae",
            "/%ff",
            "/a;b",
            "/a%3bb",
            "/a%23b",
            "/a%3fb",
            "/a#b",
            "/a b",
            "/ü",
            &long,
        ] {
            assert_eq!(path(doubtful), None, "{doubtful}");
        }
    }

    #[test]
    fn gw_18_a_host_has_one_spelling() {
        let named = |name: &str, port| Some(Host { name: name.to_owned(), port });
        for (written, read) in [
            ("app.example", named("app.example", None)),
            ("APP.Example.", named("app.example", None)),
            ("app.example:443", named("app.example", Some(443))),
            ("app.example.:8443", named("app.example", Some(8443))),
            ("xn--bcher-kva.example", named("xn--bcher-kva.example", None)),
            ("127.0.0.1:80", named("127.0.0.1", Some(80))),
            ("0x7f.1", named("127.0.0.1", None)),
            ("[::1]:80", named("[::1]", Some(80))),
            ("[::0:1]", named("[::1]", None)),
            ("my_app", named("my_app", None)),
        ] {
            assert_eq!(host(written), read, "{written}");
        }
        assert_eq!(host_of_rule("Bücher.example"), named("xn--bcher-kva.example", None));
    }

    #[test]
    fn gw_18_what_is_no_host_is_none() {
        for written in [
            "",
            ".",
            "a..b",
            "app.example..",
            ".app.example",
            "app.example:",
            "app.example:x",
            "app.example:+443",
            "app.example:99999",
            "user@app.example",
            "app.example, evil.example",
            "app%2eexample",
            "app.example/",
            "app.example evil",
            "bücher.example",
            "[::1",
            "[::1]x",
            "::1",
            "xn--a",
            "\u{ff41}pp.example",
        ] {
            assert_eq!(host(written), None, "{written}");
        }
    }

    #[test]
    fn gw_09_a_method_is_compared_as_it_is_written() {
        for written in ["GET", "HEAD", "PROPFIND", "M-SEARCH", "FOO"] {
            assert_eq!(method(written), Some(written));
        }
        for written in ["", "get", "GeT", "GET ", "G\u{0130}T", "GET,POST", &"A".repeat(33)] {
            assert_eq!(method(written), None, "{written}");
        }
    }
}
