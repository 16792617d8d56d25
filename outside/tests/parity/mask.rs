//! What must differ between two answers to the same request, and nothing else: randomness and time. A mask keeps what
//! is around a value, its length, and that it looks as it must.

/// Bytes of `state`, `nonce` and `code_challenge`, as text.
const RANDOM: usize = 43;
/// Bytes of the text that tells one attempt's cookie from another's.
const KEY: usize = 15;

/// Whether this is base64url without padding, of that length if one is given.
fn is_sealed(text: &str, length: Option<usize>) -> bool {
    !text.is_empty()
        && length.is_none_or(|length| text.len() == length)
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// A header's value without what is random in it. `name` is in lower case.
pub(crate) fn header(name: &str, value: &str) -> String {
    match name {
        "date" if is_date(value) => "[date]".to_owned(),
        "set-cookie" => cookie(value),
        "location" => location(value),
        _ => value.to_owned(),
    }
}

/// `Tue, 24 Nov 2026 12:00:00 GMT` (RFC 9110 §5.6.7).
fn is_date(value: &str) -> bool {
    const SHAPE: &[u8] = b"Aaa, 00 Aaa 0000 00:00:00 GMT";
    value.len() == SHAPE.len()
        && value.bytes().zip(SHAPE).all(|(byte, shape)| match shape {
            b'A' if value.ends_with("GMT") => byte.is_ascii_uppercase(),
            b'a' => byte.is_ascii_lowercase(),
            b'0' => byte.is_ascii_digit(),
            other => byte == *other,
        })
}

/// A `Set-Cookie` line of ours: what is sealed, and which attempt it is for, are random; what it is called otherwise and
/// every attribute are not. A cookie that is cleared has no value, and keeps having none.
fn cookie(line: &str) -> String {
    let (pair, attributes) = line.split_at(line.find(';').unwrap_or(line.len()));
    let Some((name, value)) = pair.split_once('=') else { return line.to_owned() };
    let name = match name.split_once("_try_") {
        Some((stem, key)) if is_sealed(key, Some(KEY)) => format!("{stem}_try_[key]"),
        _ => name.to_owned(),
    };
    let ours = name.trim_start_matches("__Host-").split('_').next() == Some("vestibule");
    match value {
        sealed if ours && is_sealed(sealed, None) => {
            format!("{name}=[{} sealed bytes]{attributes}", sealed.len())
        }
        other => format!("{name}={other}{attributes}"),
    }
}

/// An address with a query: some of its parameters are random where they are as long as they must be.
fn location(address: &str) -> String {
    let Some((path, query)) = address.split_once('?') else { return address.to_owned() };
    let parameters = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name @ ("state" | "nonce" | "code_challenge"), value)) if is_sealed(value, Some(RANDOM)) => {
            format!("{name}=[random]")
        }
        _ => pair.to_owned(),
    });
    format!("{path}?{}", parameters.collect::<Vec<_>>().join("&"))
}

/// A body, where it is JSON: the times in it.
pub(crate) fn body(media_type: &str, text: &str) -> String {
    if media_type != "application/json" {
        return text.to_owned();
    }
    let seconds = |value: &str| value.len() == 10 && value.bytes().all(|byte| byte.is_ascii_digit());
    let mut masked = text.to_owned();
    for name in ["signedIn", "expires"] {
        masked = member(&masked, &format!("\"{name}\":"), [',', '}'], seconds);
    }
    for (name, shape) in [("now", "0000-00-00T00:00:00.000Z"), ("first_seen", "0000-00-00T00:00:00Z")] {
        let fits = |value: &str| {
            value.len() == shape.len()
                && value.bytes().zip(shape.bytes()).all(|(byte, shape)| match shape {
                    b'0' => byte.is_ascii_digit(),
                    other => byte == other,
                })
        };
        masked = member(&masked, &format!("\"{name}\":\""), ['"', '"'], fits);
    }
    masked
}

/// The value after `before`, to the first of `ends`, masked where it fits.
fn member(text: &str, before: &str, ends: [char; 2], fits: impl Fn(&str) -> bool) -> String {
    let Some((start, rest)) = text.split_once(before) else { return text.to_owned() };
    let value = rest.split(ends).next().unwrap_or_default();
    let mask = if fits(value) { "[time]" } else { value };
    format!("{start}{before}{mask}{}", &rest[value.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLM_01"; // 43
    const STATE: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM-_01";

    #[test]
    fn what_is_random_is_masked_and_its_length_is_not() {
        assert_eq!((TEXT.len(), STATE.len()), (RANDOM, RANDOM));
        for (line, masked) in [
            ("vestibule=abc-_D; Path=/; HttpOnly", "vestibule=[6 sealed bytes]; Path=/; HttpOnly"),
            ("__Host-vestibule_to=ab", "__Host-vestibule_to=[2 sealed bytes]"),
            ("vestibule_try_abcdefghijklm-_=a; Path=/", "vestibule_try_[key]=[1 sealed bytes]; Path=/"),
            ("vestibule_try_abcdefghijklm-_=; Max-Age=0", "vestibule_try_[key]=; Max-Age=0"),
        ] {
            assert_eq!(header("set-cookie", line), masked);
        }
        let away =
            format!("http://op/authorize?client_id=a&state={TEXT}&nonce={STATE}&code_challenge={TEXT}");
        let masked = "http://op/authorize?client_id=a&state=[random]&nonce=[random]&code_challenge=[random]";
        assert_eq!(header("location", &away), masked);
        assert_eq!(header("date", "Tue, 24 Nov 2026 12:00:00 GMT"), "[date]");
        let json = r#"{"signedIn":1796127052,"expires":1796127053}"#;
        assert_eq!(body("application/json", json), r#"{"signedIn":[time],"expires":[time]}"#);
        let json = r#"{"now":"2026-11-24T12:00:00.123Z","first_seen":"2026-11-24T12:00:00Z"}"#;
        assert_eq!(body("application/json", json), r#"{"now":"[time]","first_seen":"[time]"}"#);
    }

    #[test]
    fn what_is_not_as_it_must_be_stays_to_be_seen() {
        for (name, value) in [
            ("date", "Tue, 24 nov 2026 12:00:00 GMT"),
            ("date", "Tue, 24 Nov 2026 12:00:00 UTC"),
            ("date", "2026-11-24T12:00:00Z"),
            ("last-modified", "Tue, 24 Nov 2026 12:00:00 GMT"),
            ("set-cookie", "vestibule=; Path=/"),
            ("set-cookie", "vestibule=a+b; Path=/"),
            ("set-cookie", "vestibule=a%3D; Path=/"),
            ("set-cookie", "theirs=abc; Path=/"),
            ("set-cookie", "vestibule"),
            ("location", "/callback?code=abc&state=abc"),
            ("location", "/?session=abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLM_01"),
            ("location", "/?State=abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLM_01"),
            ("x-state", STATE),
        ] {
            assert_eq!(header(name, value), value);
        }
        let key = header("set-cookie", "vestibule_try_abc=ab");
        assert_eq!(key, "vestibule_try_abc=[2 sealed bytes]", "an attempt's key has its length");
        for text in [r#"{"expires":1}"#, r#"{"now":"today"}"#, r#"{"email":"1796127052"}"#] {
            assert_eq!(body("application/json", text), text);
        }
        let html = r#"<p>"now":"2026-11-24T12:00:00.123Z"</p>"#;
        assert_eq!(body("text/html; charset=utf-8", html), html);
    }
}
