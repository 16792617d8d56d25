//! Second readers of what the code under test reads: of addresses, cookies, forms and JSON. Each is written after its
//! standard and shares no code with the first reader, so that both being wrong in one way is unlikely.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

/// Scheme, authority and path of an address (RFC 3986, appendix B).
pub(crate) fn split_address(text: &str) -> (&str, &str, &str) {
    let hierarchy = text.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = match hierarchy.split_once(':') {
        Some((scheme, rest)) if !scheme.contains('/') => (scheme, rest),
        _ => ("", hierarchy),
    };
    match rest.strip_prefix("//") {
        Some(rest) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            (scheme, authority, path)
        }
        None => (scheme, "", rest),
    }
}

/// The query of an address, empty where there is none.
pub(crate) fn query(text: &str) -> &str {
    let before_fragment = text.split('#').next().unwrap_or_default();
    before_fragment.split_once('?').map_or("", |(_, query)| query)
}

/// Name and value of every cookie in these header lines (RFC 6265 §4.2.1), byte for byte.
pub(crate) fn cookies<'l>(lines: impl IntoIterator<Item = &'l [u8]>) -> Vec<(&'l [u8], &'l [u8])> {
    let mut cookies = Vec::new();
    for line in lines {
        for pair in line.split(|byte| *byte == b';') {
            let blank = |byte: &&u8| matches!(**byte, b' ' | b'\t');
            let start = pair.iter().take_while(blank).count();
            let end = pair.len() - pair[start..].iter().rev().take_while(blank).count();
            let pair = &pair[start..end.max(start)];
            if let Some(equals) = pair.iter().position(|byte| *byte == b'=') {
                cookies.push((&pair[..equals], &pair[equals + 1..]));
            }
        }
    }
    cookies
}

/// The value of the cookie `name`, where there is exactly one.
pub(crate) fn only_cookie<'l>(cookies: &[(&'l [u8], &'l [u8])], name: &str) -> Option<&'l [u8]> {
    let mut found = cookies.iter().filter(|(own, _)| *own == name.as_bytes());
    let (_, value) = found.next()?;
    found.next().is_none().then_some(value)
}

/// Name and value of every pair of a form or query (the URL standard's `application/x-www-form-urlencoded`).
pub(crate) fn form(text: &[u8]) -> Vec<(String, String)> {
    let decoded = |text: &[u8]| {
        let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        String::from_utf8_lossy(&percent_decoded(&spaced)).into_owned()
    };
    let pairs = text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| match pair.iter().position(|byte| *byte == b'=') {
            Some(equals) => (decoded(&pair[..equals]), decoded(&pair[equals + 1..])),
            None => (decoded(pair), String::new()),
        })
        .collect()
}

/// All values of one name.
pub(crate) fn values<'f>(form: &'f [(String, String)], name: &str) -> Vec<&'f str> {
    form.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect()
}

/// Decodes percents once.
pub(crate) fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let digit = |index: usize| after.get(index).and_then(|digit| char::from(*digit).to_digit(16));
        match (byte, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                rest = &after[2..];
            }
            _ => {
                decoded.push(byte);
                rest = after;
            }
        }
    }
    decoded
}

/// A JSON value that has no two members of one name anywhere.
///
/// `serde_json` keeps one of two members of one name. Each member has one colon outside of texts, so that fewer
/// members than colons means that one was dropped.
pub(crate) fn clean_json(text: &[u8]) -> Option<Value> {
    let value: Value = serde_json::from_slice(text).ok()?;
    (members(&value) == Layout::of(text).colons).then_some(value)
}

fn members(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(members).sum(),
        Value::Object(object) => object.values().map(|value| 1 + members(value)).sum(),
        _ => 0,
    }
}

/// What a JSON text looks like from afar.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Layout {
    /// Colons outside of texts.
    pub(crate) colons: usize,
    /// How deep brackets and braces nest.
    pub(crate) depth: usize,
}

impl Layout {
    pub(crate) fn of(text: &[u8]) -> Self {
        let (mut layout, mut open, mut in_text, mut escaped) = (Self::default(), 0_usize, false, false);
        for byte in text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_text => escaped = true,
                b'"' => in_text = !in_text,
                _ if in_text => {}
                b':' => layout.colons += 1,
                b'[' | b'{' => {
                    open += 1;
                    layout.depth = layout.depth.max(open);
                }
                b']' | b'}' => open = open.saturating_sub(1),
                _ => {}
            }
        }
        layout
    }
}

/// Bytes as base64url without padding (RFC 4648 §5).
pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of a base64url text, if it is one.
pub(crate) fn from_base64url(text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_apart_as_rfc_3986_says() {
        assert_eq!(split_address("https://a.b:1/c/d?e//f#g"), ("https", "a.b:1", "/c/d"));
        assert_eq!(split_address("/a:b//c"), ("", "", "/a:b//c"));
        assert_eq!((query("/a?b=c#d?e"), query("/a#b?c")), ("b=c", ""));
    }

    #[test]
    fn cookies_are_pairs_between_semicolons() {
        let read = cookies([&b" a=1;b = 2 ;novalue; =x"[..], b"a=\"3;c=4\""]);
        let expected: [(&[u8], &[u8]); 5] =
            [(b"a", b"1"), (b"b ", b" 2"), (b"", b"x"), (b"a", b"\"3"), (b"c", b"4\"")];
        assert_eq!(read, expected);
        assert_eq!((only_cookie(&read, "c"), only_cookie(&read, "a")), (Some(&b"4\""[..]), None));
    }

    #[test]
    fn forms_are_decoded_once() {
        let read = form(b"a=b%2Bc+d&&%61=%&e");
        assert_eq!((values(&read, "a"), values(&read, "e")), (vec!["b+c d", "%"], vec![""]));
    }

    #[test]
    fn json_with_two_members_of_one_name_is_not_clean() {
        assert!(clean_json(br#"{"a:\":":[{"b":1},{"b":{}}]}"#).is_some());
        for text in [&br#"{"a":1,"a":1}"#[..], br#"[{"b":{"c":1,"\u0063":2}}]"#, b"{"] {
            assert!(clean_json(text).is_none());
        }
        assert_eq!(Layout::of(br#"{"[":[[1],"]"]}"#).depth, 3);
    }
}
