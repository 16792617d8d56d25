//! One answer of a server, as far as a load has to read it: whether it is whole, and the one that was expected.

use memchr::{memchr, memchr_iter, memmem};

/// More than any answer that is loaded has before its body.
const HEAD_BYTES_MAX: usize = 4_096;

/// What makes a load worthless: the server did something else than what is to be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Worthless {
    /// It answered with another status.
    #[error("an answer has the status {0}")]
    Status(u16),
    /// What came is no head of HTTP/1.1.
    #[error("an answer is not HTTP/1.1")]
    NotHttp,
    /// It is not said once, in plain digits, how long the body is: a load does not read chunks.
    #[error("an answer does not say how long it is")]
    Unframed,
    /// More came than was asked for.
    #[error("more came than one answer")]
    Surplus,
    /// The server hung up.
    #[error("the server closed a connection")]
    Closed,
}

/// Whether `received` is one whole answer with this status, which is all that was asked for.
///
/// # Errors
/// It is another answer, or none.
pub fn is_whole(received: &[u8], status: u16) -> Result<bool, Worthless> {
    let Some(end) = memmem::find(received, b"\r\n\r\n") else {
        return if received.len() <= HEAD_BYTES_MAX { Ok(false) } else { Err(Worthless::NotHttp) };
    };
    let (head, body) = (&received[..end + 2], &received[end + 4..]);
    let mut start = 0;
    let mut lines = memchr_iter(b'\n', head).map(|at| &head[std::mem::replace(&mut start, at + 1)..at]);
    let first = status_of(lines.next().unwrap_or_default()).ok_or(Worthless::NotHttp)?;
    if first != status {
        return Err(Worthless::Status(first));
    }
    match body.len().checked_sub(body_bytes(lines).ok_or(Worthless::Unframed)?) {
        None => Ok(false),
        Some(0) => Ok(true),
        Some(_) => Err(Worthless::Surplus),
    }
}

fn status_of(line: &[u8]) -> Option<u16> {
    let digits = line.strip_prefix(b"HTTP/1.1 ")?.first_chunk::<3>()?;
    digits.iter().all(u8::is_ascii_digit).then(|| number(digits))?.and_then(|number| number.try_into().ok())
}

fn body_bytes<'h>(lines: impl Iterator<Item = &'h [u8]>) -> Option<usize> {
    let mut bytes = None;
    for line in lines {
        let (name, value) = line.split_at_checked(memchr(b':', line)?)?;
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            return None;
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            let own = number(value[1..].trim_ascii())?;
            if bytes.replace(own).is_some() {
                return None;
            }
        }
    }
    bytes
}

fn number(digits: &[u8]) -> Option<usize> {
    // `parse` would take a sign, too.
    let plain = digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| plain)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCEPTED: &[u8] =
        b"HTTP/1.1 202 Accepted\r\ncache-control: no-store\r\nContent-Length:  0\r\ndate: x\r\n\r\n";
    const LINE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nHello";

    #[test]
    fn an_answer_is_whole_with_its_last_byte_and_not_before() {
        for (answer, status) in [(ACCEPTED, 202), (LINE, 200)] {
            for length in 0..answer.len() {
                assert_eq!(is_whole(&answer[..length], status), Ok(false), "{length}");
            }
            assert_eq!(is_whole(answer, status), Ok(true));
            assert_eq!(is_whole(&[answer, b"H"].concat(), status), Err(Worthless::Surplus));
        }
    }

    #[test]
    fn another_answer_than_the_expected_one_makes_the_load_worthless() {
        assert_eq!(is_whole(ACCEPTED, 200), Err(Worthless::Status(202)));
        assert_eq!(
            is_whole(b"HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n", 202),
            Err(Worthless::Status(401))
        );
        for head in ["HTTP/1.0 200 OK", "HTTP/2 200", "HTTP/1.1 2x0 OK", "HTTP/1.1 20", "", "x"] {
            let answer = format!("{head}\r\ncontent-length: 0\r\n\r\n");
            assert_eq!(is_whole(answer.as_bytes(), 200), Err(Worthless::NotHttp), "{head}");
        }
        assert_eq!(is_whole(&[b'x'; HEAD_BYTES_MAX + 1], 200), Err(Worthless::NotHttp));
    }

    #[test]
    fn an_answer_must_say_once_how_long_it_is() {
        for framing in [
            "server: x",
            "content-length: ",
            "content-length: +5",
            "content-length: 5x",
            "content-length: 99999999999999999999999",
            "content-length: 5\r\ncontent-length: 5",
            "content-length: 5\r\ntransfer-encoding: chunked",
            "no colon",
        ] {
            let answer = format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\nHello");
            assert_eq!(is_whole(answer.as_bytes(), 200), Err(Worthless::Unframed), "{framing}");
        }
    }
}
