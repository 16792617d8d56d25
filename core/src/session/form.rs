//! The form in which a session is sealed. All of its text lies in one piece at the end, so that the hot path checks
//! once that it is UTF-8 and then only cuts it up.
//!
//! 16 bytes of id, 8 each of when it began and when it ends, 1 of flags; then numbers of seven bits a byte, the lowest
//! first: how long the text is, how many groups there are, the version of the application's data, how long before it
//! began the provider had last seen the person, and how long each part of the text is, in the order in which [`write`]
//! names them. What may be missing counts one more, so that zero means that it is. Then the text.

use super::{SessionId, SessionView};
use crate::{provider::UserHeader, time::Timestamp};

const EMAIL_VERIFIED: u8 = 1;
const USER_HEADER_IS_USERNAME: u8 = 2;

/// The bytes of a session.
pub(super) fn write(session: &SessionView<'_>) -> Vec<u8> {
    let (version, data) = session.application.map_or((0, None), |(version, data)| (version, Some(data)));
    let mut parts = Parts::default();
    parts.needed(session.provider);
    parts.needed(session.issuer);
    parts.needed(session.subject);
    parts.optional(session.username);
    parts.optional(session.name);
    parts.optional(session.email);
    parts.optional(session.picture);
    parts.optional(session.idp_session);
    parts.needed(session.claims);
    parts.optional(data);
    session.groups.iter().for_each(|group| parts.needed(group));

    let mut bytes = session.id.0.to_vec();
    bytes.extend(session.signed_in.unix().to_be_bytes());
    bytes.extend(session.expires.unix().to_be_bytes());
    let user_header = match session.user_header {
        UserHeader::Subject => 0,
        UserHeader::Username => USER_HEADER_IS_USERNAME,
    };
    bytes.push(user_header | if session.email_verified { EMAIL_VERIFIED } else { 0 });
    push_number(&mut bytes, parts.text.len());
    push_number(&mut bytes, session.groups.len());
    push_number(&mut bytes, version as usize);
    // As many seconds as a number holds are as good as any more.
    let before = |at| session.signed_in.since(at).as_secs().min(u64::from(u32::MAX)) as usize + 1;
    push_number(&mut bytes, session.authenticated.map_or(0, before));
    bytes.extend(parts.lengths);
    bytes.extend(parts.text.as_bytes());
    bytes
}

/// A session out of its bytes, where they are the whole of one.
pub(super) fn read(bytes: &[u8]) -> Option<SessionView<'_>> {
    let (id, rest) = bytes.split_first_chunk()?;
    let (signed_in, rest) = rest.split_first_chunk()?;
    let (expires, rest) = rest.split_first_chunk()?;
    let (&flags, mut rest) = rest.split_first()?;
    let text = number(&mut rest)?;
    let (lengths, text) = rest.split_at_checked(rest.len().checked_sub(text)?)?;
    let mut reader = Reader { lengths, text: std::str::from_utf8(text).ok()? };
    let groups = number(&mut reader.lengths)?;
    let version = u32::try_from(number(&mut reader.lengths)?).ok()?;
    let before = number(&mut reader.lengths)?.checked_sub(1).map(u32::try_from).transpose().ok()?;
    let signed_in = i64::from_be_bytes(*signed_in);
    let session = SessionView {
        id: SessionId(*id),
        signed_in: Timestamp::from_unix(signed_in),
        authenticated: before.map(|before| Timestamp::from_unix(signed_in.saturating_sub(i64::from(before)))),
        expires: Timestamp::from_unix(i64::from_be_bytes(*expires)),
        email_verified: flags & EMAIL_VERIFIED != 0,
        user_header: match flags & USER_HEADER_IS_USERNAME {
            0 => UserHeader::Subject,
            _ => UserHeader::Username,
        },
        // The fields of a literal are read in the order in which they stand here.
        provider: reader.needed()?,
        issuer: reader.needed()?,
        subject: reader.needed()?,
        username: reader.optional()?,
        name: reader.optional()?,
        email: reader.optional()?,
        picture: reader.optional()?,
        idp_session: reader.optional()?,
        claims: reader.needed()?,
        application: reader.optional()?.map(|data| (version, data)),
        groups: reader.all(groups)?,
    };
    (reader.lengths.is_empty() && reader.text.is_empty()).then_some(session)
}

/// The text of a session under way into its bytes.
#[derive(Default)]
struct Parts {
    lengths: Vec<u8>,
    text: String,
}

impl Parts {
    fn needed(&mut self, part: &str) {
        push_number(&mut self.lengths, part.len());
        self.text.push_str(part);
    }

    fn optional(&mut self, part: Option<&str>) {
        push_number(&mut self.lengths, part.map_or(0, |part| part.len() + 1));
        self.text.push_str(part.unwrap_or_default());
    }
}

/// What is left of the lengths, and of the text that they cut up. Every request reads ten of its parts: no function
/// is called for any of them.
struct Reader<'c> {
    lengths: &'c [u8],
    text: &'c str,
}

impl<'c> Reader<'c> {
    #[inline(always)]
    fn needed(&mut self) -> Option<&'c str> {
        let length = number(&mut self.lengths)?;
        self.cut(length)
    }

    #[inline(always)]
    fn optional(&mut self) -> Option<Option<&'c str>> {
        match number(&mut self.lengths)?.checked_sub(1) {
            Some(length) => self.cut(length).map(Some),
            None => Some(None),
        }
    }

    fn all(&mut self, count: usize) -> Option<Vec<&'c str>> {
        // Each has a length of a byte or more: a count beyond that asks for no memory.
        let mut all = Vec::with_capacity(count.min(self.lengths.len()));
        for _ in 0..count {
            all.push(self.needed()?);
        }
        Some(all)
    }

    #[inline(always)]
    fn cut(&mut self, length: usize) -> Option<&'c str> {
        let (part, rest) = self.text.split_at_checked(length)?;
        self.text = rest;
        Some(part)
    }
}

fn push_number(bytes: &mut Vec<u8>, mut number: usize) {
    while number > 0x7f {
        bytes.push(0x80 | (number & 0x7f) as u8);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Takes a number off the front.
#[inline(always)]
fn number(bytes: &mut &[u8]) -> Option<usize> {
    match *bytes {
        // Most are of one byte.
        [byte @ 0..=0x7f, rest @ ..] => {
            *bytes = rest;
            Some(usize::from(*byte))
        }
        _ => longer_number(bytes),
    }
}

#[cold]
fn longer_number(bytes: &mut &[u8]) -> Option<usize> {
    let mut number = 0;
    for shift in (0..32).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= usize::from(byte & 0x7f) << shift;
        if byte <= 0x7f {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view<'c>(text: &'c str, groups: &[&'c str]) -> SessionView<'c> {
        SessionView {
            id: SessionId([7; 16]),
            provider: text,
            issuer: "https://op.example",
            subject: text,
            username: None,
            name: Some(""),
            email: Some(text),
            email_verified: true,
            picture: None,
            groups: groups.to_vec(),
            signed_in: Timestamp::from_unix(i64::MIN),
            authenticated: Some(Timestamp::from_unix(i64::MIN)),
            expires: Timestamp::from_unix(i64::MAX),
            idp_session: Some(text),
            user_header: UserHeader::Username,
            claims: "",
            application: Some((u32::MAX, text)),
        }
    }

    #[test]
    fn what_is_written_is_read_and_nothing_shorter_or_longer_is() {
        let long = "ж".repeat(9_000);
        for text in ["", "Zoë ✓", long.as_str()] {
            let session = view(text, &["", text, "staff"]);
            let bytes = write(&session);
            assert_eq!(read(&bytes), Some(session));
            assert_eq!(read(&[&bytes[..], b"x"].concat()), None);
            assert!((0..bytes.len().min(200)).all(|length| read(&bytes[..length]).is_none()));
        }
    }

    #[test]
    fn bytes_of_another_make_are_no_session_and_take_no_memory() {
        let bytes = write(&view("ж", &[]));
        for at in 33..bytes.len() {
            for byte in [0, 1, 0x7f, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[at] = byte;
                if let Some(session) = read(&changed) {
                    assert_eq!(read(&write(&session)).as_ref(), Some(&session), "{at} {byte}");
                }
            }
        }
        // Four thousand million groups, by their count.
        let mut many = bytes[..33].to_vec();
        many.extend([0, 0xff, 0xff, 0xff, 0xff, 0x0f]);
        assert_eq!(read(&many), None);
    }
}
