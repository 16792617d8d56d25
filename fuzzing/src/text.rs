//! How inputs are written: as text, so that a person can read a corpus and a fuzzer's bytes still mean something.
//!
//! The first lines say what the rest is about, and a word in angle brackets stands for a value that only a run knows,
//! such as `<session>` for a sealed session cookie. A fuzzer may break such a word; it is then text like any other.

use std::borrow::Cow;

/// The first line, and what follows it.
pub(crate) fn first_line(data: &[u8]) -> (&[u8], &[u8]) {
    match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (data, &[]),
    }
}

/// All lines, without the empty one after the last line's end.
pub(crate) fn lines(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let data = data.strip_suffix(b"\n").unwrap_or(data);
    data.split(|byte| *byte == b'\n')
}

/// What of it is text; the rest becomes a character that no value of ours has.
pub(crate) fn lossy(data: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(data)
}

/// Puts values where their names stand: `<name>` becomes the value.
pub(crate) fn expand(data: &[u8], values: &[(&str, &str)]) -> Vec<u8> {
    let mut expanded = Vec::with_capacity(data.len());
    let mut rest = data;
    while let Some((&byte, after)) = rest.split_first() {
        let found = values.iter().find_map(|(name, value)| {
            let after = after.strip_prefix(name.as_bytes())?.strip_prefix(b">")?;
            Some((value, after))
        });
        match found.filter(|_| byte == b'<') {
            Some((value, after)) => {
                expanded.extend_from_slice(value.as_bytes());
                rest = after;
            }
            None => {
                expanded.push(byte);
                rest = after;
            }
        }
    }
    expanded
}

/// The lines that can be values of a header: every server refuses a request with others in it.
pub(crate) fn header_values(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    lines(data).filter(|line| http::HeaderValue::from_bytes(line).is_ok())
}

/// The lines that are headers, `name: value`; names in lower case.
pub(crate) fn headers(data: &[u8]) -> impl Iterator<Item = (String, &[u8])> {
    header_values(data).filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = http::HeaderName::from_bytes(&line[..colon]).ok()?;
        Some((name.as_str().to_owned(), line[colon + 1..].trim_ascii()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_values_and_everything_else_stays() {
        let values = [("a", "1"), ("ab", "2<a>")];
        assert_eq!(expand(b"<a> <ab> <abc> <a <<a>>", &values), b"1 2<a> <abc> <a <1>");
    }

    #[test]
    fn lines_and_headers_come_apart() {
        assert_eq!(first_line(b"one\ntwo\n"), (&b"one"[..], &b"two\n"[..]));
        assert_eq!(lines(b"one\n\ntwo\n").collect::<Vec<_>>(), [&b"one"[..], b"", b"two"]);
        let read: Vec<_> = headers(b"Cookie:  a=b \nno header\nx: \0\n: y\nX:").collect();
        assert_eq!(read, [("cookie".to_owned(), &b"a=b"[..]), ("x".to_owned(), b"")]);
    }
}
