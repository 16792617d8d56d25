//! Single requests: those of `requests.txt`, written out to the byte, and a grid of the ordinary ones.

use anyhow::{Context, Result, ensure};

/// A request, and how it is named in the table.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    text: Vec<u8>,
    /// The client says nothing more after it.
    pub(crate) cut: bool,
}

impl Case {
    /// The bytes for one program, with the session cookie that it has given.
    pub(crate) fn bytes(&self, cookie: &str, session: &str) -> Vec<u8> {
        let mut bytes = self.text.clone();
        let middle = session.len() / 2;
        let changed = if session.as_bytes().get(middle) == Some(&b'A') { "B" } else { "A" };
        let tampered = format!("{}{changed}{}", &session[..middle], &session[middle + 1..]);
        for (name, value) in [
            ("{alice}", format!("{cookie}={session}")),
            ("{name}", cookie.to_owned()),
            ("{session}", session.to_owned()),
            ("{tampered}", tampered),
            ("{shortened}", session[..session.len() - 1].to_owned()),
        ] {
            bytes = replaced(&bytes, name.as_bytes(), value.as_bytes());
        }
        bytes
    }
}

/// Every request there is.
pub(crate) fn all() -> Result<Vec<Case>> {
    let mut cases = written(include_str!("requests.txt"))?;
    cases.extend(grid());
    let mut names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    names.sort_unstable();
    for pair in names.windows(2) {
        ensure!(pair[0] != pair[1], "two requests are called {}", pair[0]);
    }
    Ok(cases)
}

/// Reads the file: `== NAME`, or `== NAME (cut)`, and the request below. Its lines end in CRLF on the wire, a head that
/// has no end gets one, and within braces stands what this module knows: `{alice}`, `{a*1000}`, `{\x00}`.
fn written(file: &str) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for part in file.split("\n== ").skip(1) {
        let (name, text) = part.split_once('\n').context("a case has a name and a request")?;
        let (name, cut) = name.strip_suffix(" (cut)").map_or((name, false), |name| (name, true));
        let text = text.trim_end_matches('\n');
        let mut request = text.replace('\n', "\r\n");
        if !cut && !request.contains("\r\n\r\n") {
            request += "\r\n\r\n";
        }
        let text = unfold(&request).with_context(|| format!("in {name}"))?;
        cases.push(Case { name: name.to_owned(), text, cut });
    }
    Ok(cases)
}

/// Puts bytes in the place of `{\xNN}` and `{TEXT*TIMES}`; names stay for later.
fn unfold(text: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once('{') {
        let (inside, after) = inside.split_once('}').context("a brace is not closed")?;
        bytes.extend_from_slice(before.as_bytes());
        if let Some(hex) = inside.strip_prefix("\\x") {
            bytes.push(u8::from_str_radix(hex, 16)?);
        } else if let Some((piece, times)) = inside.rsplit_once('*') {
            let piece = piece.replace("\\r\\n", "\r\n");
            bytes.extend_from_slice(piece.repeat(times.parse()?).as_bytes());
        } else {
            bytes.extend_from_slice(format!("{{{inside}}}").as_bytes());
        }
        rest = after;
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

fn replaced(bytes: &[u8], name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at..].starts_with(name) {
            replaced.extend_from_slice(value);
            at += name.len();
        } else {
            replaced.push(bytes[at]);
            at += 1;
        }
    }
    replaced
}

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"];

const TARGETS: [&str; 21] = [
    "/",
    "/reports?year=2026",
    "/assets/index.js",
    "/assets/nothing.js",
    "/app/api/userinfo",
    "/app/api/first_seen",
    "/app/api/no_auth",
    "/app/api/nothing",
    "/app/oauth2/sign_in",
    "/app/oauth2/sign_in?rd=/reports&switch=1",
    "/app/oauth2/start",
    "/app/oauth2/start/oidc",
    "/app/oauth2/start/nobody",
    "/app/oauth2/callback",
    "/app/oauth2/callback?code=a&state=b",
    "/app/oauth2/auth",
    "/app/oauth2/userinfo",
    "/app/oauth2/sign_out",
    "/app/oauth2/sign_out?rd=/reports",
    "/app/oauth/logout",
    "/app/oauth2/nothing",
];

const ASKERS: [(&str, &str); 3] = [
    (
        "visit",
        "Accept: text/html\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Site: same-origin\r\n",
    ),
    (
        "script",
        "Accept: */*\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\nSec-Fetch-Site: same-origin\r\n",
    ),
    ("old", ""),
];

/// Each method at each address, by each kind of asker, with and without a session: `grid/alice/visit/GET /`.
fn grid() -> Vec<Case> {
    let mut cases = Vec::new();
    for (who, cookie) in [("nobody", ""), ("alice", "Cookie: {alice}\r\n")] {
        for (asker, headers) in ASKERS {
            for method in METHODS {
                for target in TARGETS {
                    let name = format!("grid/{who}/{asker}/{method} {target}");
                    let text =
                        format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n{headers}{cookie}\r\n");
                    cases.push(Case { name, text: text.into_bytes(), cut: false });
                }
            }
        }
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_what_is_written_with_names_and_braces_unfolded() {
        let file = "# words\n\n== a/b\nPOST / HTTP/1.1\nA: {x*3}{\\x00}\nCookie: {alice}; {tampered}\n\nbody\n\n\n== c (cut)\nGET /\n";
        let cases = written(file).unwrap();
        let names: Vec<_> = cases.iter().map(|case| (case.name.as_str(), case.cut)).collect();
        assert_eq!(names, [("a/b", false), ("c", true)]);
        let expected = b"POST / HTTP/1.1\r\nA: xxx\0\r\nCookie: s=xAx; xAx\r\n\r\nbody";
        let mut bytes = expected.to_vec();
        let at = bytes.len() - "; xAx\r\n\r\nbody".len();
        bytes[at - 2] = b'y';
        assert_eq!(cases[0].bytes("s", "xyx"), bytes);
        assert_eq!(cases[1].bytes("s", "xyx"), b"GET /");
        assert!(written("\n== a\n{").is_err());
    }
}
