//! Sealing: what a browser keeps for us and must neither read nor change.
//!
//! AES-256-GCM-SIV (RFC 8452): it bears random nonces for far more seals than a key will see, and a repeated nonce
//! gives away no more than that two texts are equal. Purpose, cookie name and origin are associated data, so that a
//! value moved anywhere else does not open; the expiry lies inside. Several keys: the first seals, all open.

use std::fmt;

use aes_gcm_siv::{Aes256GcmSiv, KeyInit as _, aead::AeadInOut as _};
use base64::Engine as _;
use sha2::{Digest as _, Sha256};

use crate::{base64url::BASE64URL, secret::Secret, time::Timestamp};

/// What is sealed in another way counts as absent.
const VERSION: u8 = 2;
const KEY_ID_BYTES: usize = 4;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
const EXPIRY_BYTES: usize = 8;
const HEAD_BYTES: usize = 1 + KEY_ID_BYTES + NONCE_BYTES;
/// The shortest secret that a key is made of.
pub const SECRET_BYTES_MIN: usize = 32;

/// The nonce of one seal, drawn from the request's entropy.
pub(crate) type SealNonce = [u8; NONCE_BYTES];

/// The keys that seal and open cookies. The first seals; each opens. Rotation is: put a new one first, and take the
/// last one away once the longest session has ended, or sooner: see [`crate::Vestibule::sealed_anew`].
#[derive(Clone)]
pub struct KeyRing {
    keys: Vec<Key>,
}

#[derive(Clone)]
struct Key {
    id: [u8; KEY_ID_BYTES],
    cipher: Aes256GcmSiv,
}

/// Why a secret makes no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WeakSecret {
    /// There is none.
    #[error("there is no secret: generate one with `openssl rand -base64 32`")]
    Missing,
    /// It is there twice.
    #[error("one secret is there twice: take one of the two away")]
    Twice,
    /// Fewer than [`SECRET_BYTES_MIN`] bytes.
    #[error("the secret is shorter than 32 bytes: generate one with `openssl rand -base64 32`")]
    Short,
    /// It is one byte repeated, or a word out of a documentation.
    #[error("the secret can be guessed: generate one with `openssl rand -base64 32`")]
    Guessable,
}

impl KeyRing {
    /// Keys made of these secrets, the sealing one first. White space around a text does not count.
    ///
    /// # Errors
    /// A secret is missing, too short, or can be guessed.
    pub fn new(secrets: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Result<Self, WeakSecret> {
        Self::with_at_least(SECRET_BYTES_MIN, secrets)
    }

    /// As [`KeyRing::new`], but with secrets of 16 bytes and more, as oauth2-proxy accepts them.
    ///
    /// # Errors
    /// A secret is missing, shorter than 16 bytes, or can be guessed.
    pub fn insecure_short_secrets(
        secrets: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> Result<Self, WeakSecret> {
        Self::with_at_least(16, secrets)
    }

    fn with_at_least(
        bytes: usize,
        secrets: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> Result<Self, WeakSecret> {
        let keys = secrets.into_iter().map(|secret| Key::new(trimmed(secret.as_ref()), bytes));
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        let twice =
            keys.iter().enumerate().any(|(index, key)| keys[..index].iter().any(|other| other.id == key.id));
        match keys.is_empty() {
            true => Err(WeakSecret::Missing),
            false if twice => Err(WeakSecret::Twice),
            false => Ok(Self { keys }),
        }
    }

    /// Seals `payload` until `expires`. A cookie of this text is valid for that `binding` only.
    pub(crate) fn seal(
        &self,
        binding: &Binding,
        nonce: SealNonce,
        expires: Timestamp,
        payload: &[u8],
    ) -> Secret {
        let key = &self.keys[0];
        let mut sealed = Vec::with_capacity(HEAD_BYTES + EXPIRY_BYTES + payload.len() + TAG_BYTES);
        sealed.push(VERSION);
        sealed.extend_from_slice(&key.id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&expires.unix().to_be_bytes());
        sealed.extend_from_slice(payload);
        let text = &mut sealed[HEAD_BYTES..];
        let tag = key
            .cipher
            .encrypt_inout_detached(&nonce.into(), &binding.0, text.into())
            .expect("the cipher refuses only texts of more than 64 GiB");
        sealed.extend_from_slice(&tag);
        Secret::new(BASE64URL.encode(&sealed))
    }

    /// Whether there are keys that only open.
    pub(crate) fn are_several(&self) -> bool {
        self.keys.len() > 1
    }

    /// Whether the key that seals now has sealed this.
    pub(crate) fn first_sealed(&self, sealed: impl AsRef<[u8]>) -> bool {
        let mut head = Vec::with_capacity(HEAD_BYTES);
        // Four characters are three bytes: that many hold version and key id.
        let start = sealed.as_ref().get(..8).unwrap_or_default();
        BASE64URL.decode_vec(start, &mut head).is_ok()
            && head.get(1..=KEY_ID_BYTES) == Some(&self.keys[0].id[..])
    }

    /// Opens what [`KeyRing::seal`] made for the same `binding`.
    pub(crate) fn open(
        &self,
        binding: &Binding,
        sealed: impl AsRef<[u8]>,
        now: Timestamp,
    ) -> Result<Opened, Unopened> {
        let sealed = sealed.as_ref();
        let mut buffer = Vec::with_capacity(sealed.len());
        BASE64URL.decode_vec(sealed, &mut buffer).map_err(|_| Unopened::Malformed)?;
        if buffer.len() < HEAD_BYTES + EXPIRY_BYTES + TAG_BYTES || buffer[0] != VERSION {
            return Err(Unopened::Malformed);
        }
        // The id is drawn from the key itself: under another id, another key would have to fit the tag.
        let key =
            self.keys.iter().find(|key| key.id == buffer[1..=KEY_ID_BYTES]).ok_or(Unopened::UnknownKey)?;
        let end = buffer.len() - TAG_BYTES;
        let (head, rest) = buffer.split_at_mut(HEAD_BYTES);
        let (text, tag) = rest.split_at_mut(end - HEAD_BYTES);
        let nonce: SealNonce = head[1 + KEY_ID_BYTES..].try_into().map_err(|_| Unopened::Malformed)?;
        let tag: [u8; TAG_BYTES] = (&*tag).try_into().map_err(|_| Unopened::Malformed)?;
        key.cipher
            .decrypt_inout_detached(&nonce.into(), &binding.0, (&mut *text).into(), &tag.into())
            .map_err(|_| Unopened::Forged)?;
        let expiry = text[..EXPIRY_BYTES].try_into().map_err(|_| Unopened::Malformed)?;
        let expires = Timestamp::from_unix(i64::from_be_bytes(expiry));
        if expires <= now {
            return Err(Unopened::Expired);
        }
        Ok(Opened { buffer, start: HEAD_BYTES + EXPIRY_BYTES, end, expires })
    }
}

/// A secret without the white space that files and variables end in; bytes that are no text are taken as they are.
fn trimmed(secret: &[u8]) -> &[u8] {
    if std::str::from_utf8(secret).is_ok() { secret.trim_ascii() } else { secret }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

impl Key {
    fn new(secret: &[u8], bytes_min: usize) -> Result<Self, WeakSecret> {
        let guessable = secret.iter().all(|byte| *byte == secret[0])
            || [&b"changeme"[..], b"secret", b"password", b"OQINaROshtE9TcZkNAm-5Zs2Pv3xaWytBmc5W7sPX7w="]
                .iter()
                .any(|word| secret.eq_ignore_ascii_case(word));
        if secret.is_empty() {
            return Err(WeakSecret::Missing);
        }
        if guessable {
            return Err(WeakSecret::Guessable);
        }
        if secret.len() < bytes_min {
            return Err(WeakSecret::Short);
        }
        // The secret has full entropy, so that extracting is all that a key derivation has to do (RFC 5869 §3.3);
        // the label keeps the key apart from whatever else the operator derives from the same secret.
        let key: [u8; 32] =
            Sha256::new().chain_update(b"vestibule cookie key 1\0").chain_update(secret).finalize().into();
        let id: [u8; 32] =
            Sha256::new().chain_update(b"vestibule key id 1\0").chain_update(key).finalize().into();
        let id = [id[0], id[1], id[2], id[3]];
        Ok(Self { id, cipher: Aes256GcmSiv::new(&key.into()) })
    }
}

/// What a sealed value is for, and where: it opens nowhere else. Fields are framed by their lengths, so that moving
/// a boundary makes another binding.
///
/// It is the first half of a hash: one block for the cipher with every cookie, not six. The fields are the operator's
/// and our own, so that whoever wants one binding to pass for another must hit a given one, in 2^128 trials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binding([u8; 16]);

impl Binding {
    pub(crate) fn new(purpose: &str, cookie_name: &str, origin: &str) -> Self {
        let mut framed = Sha256::new();
        for field in ["vestibule", purpose, cookie_name, origin] {
            framed.update((field.len() as u64).to_be_bytes());
            framed.update(field);
        }
        let hash: [u8; 32] = framed.finalize().into();
        Self(*hash.first_chunk().expect("half of it is there"))
    }
}

/// An opened value, still in the buffer that it was decoded into.
pub(crate) struct Opened {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    expires: Timestamp,
}

impl Opened {
    pub(crate) fn payload(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub(crate) fn expires(&self) -> Timestamp {
        self.expires
    }
}

/// Why a value does not open. For tests and diagnosis only: to a browser all of them are "no such cookie".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unopened {
    Malformed,
    UnknownKey,
    Forged,
    Expired,
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_000);
    const LATER: Timestamp = Timestamp::from_unix(2_000);

    fn ring(secrets: &[&str]) -> KeyRing {
        KeyRing::new(secrets.iter().map(|secret| secret.repeat(8))).unwrap()
    }

    fn binding() -> Binding {
        Binding::new("session", "__Host-s", "https://a.example")
    }

    fn open(ring: &KeyRing, binding: &Binding, text: &str, now: Timestamp) -> Result<Vec<u8>, Unopened> {
        ring.open(binding, text, now).map(|opened| opened.payload().to_vec())
    }

    #[test]
    fn ck_10_any_change_to_a_sealed_value_is_noticed() {
        let ring = ring(&["abcd"]);
        let sealed = ring.seal(&binding(), [1; 12], LATER, b"payload");
        assert_eq!(open(&ring, &binding(), sealed.expose(), NOW), Ok(b"payload".to_vec()));
        let raw = URL_SAFE_NO_PAD.decode(sealed.expose()).unwrap();
        for bit in 0..raw.len() * 8 {
            let mut flipped = raw.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&ring, &binding(), &URL_SAFE_NO_PAD.encode(flipped), NOW).is_err(), "bit {bit}");
        }
        for length in 0..sealed.expose().len() {
            assert!(open(&ring, &binding(), &sealed.expose()[..length], NOW).is_err(), "length {length}");
        }
        for text in ["", "null", "{}", &format!("{}=", sealed.expose()), &format!("{}A", sealed.expose())] {
            assert!(open(&ring, &binding(), text, NOW).is_err(), "{text}");
        }
    }

    #[test]
    fn ck_11_a_value_opens_for_its_own_purpose_name_and_origin_only() {
        let ring = ring(&["abcd"]);
        let sealed = ring.seal(&binding(), [1; 12], LATER, b"payload");
        for other in [
            Binding::new("attempt", "__Host-s", "https://a.example"),
            Binding::new("session", "__Host-t", "https://a.example"),
            Binding::new("session", "__Host-s", "https://b.example"),
            Binding::new("session__", "Host-s", "https://a.example"),
        ] {
            assert_eq!(open(&ring, &other, sealed.expose(), NOW), Err(Unopened::Forged));
        }
    }

    #[test]
    fn ck_12_older_keys_open_removed_keys_do_not() {
        let sealed = ring(&["old1"]).seal(&binding(), [1; 12], LATER, b"payload");
        assert!(open(&ring(&["new1", "old1"]), &binding(), sealed.expose(), NOW).is_ok());
        assert_eq!(open(&ring(&["new1"]), &binding(), sealed.expose(), NOW), Err(Unopened::UnknownKey));
    }

    #[test]
    fn ck_13_the_expiry_is_inside() {
        let ring = ring(&["abcd"]);
        let sealed = ring.seal(&binding(), [1; 12], LATER, b"payload");
        assert!(open(&ring, &binding(), sealed.expose(), Timestamp::from_unix(1_999)).is_ok());
        assert_eq!(open(&ring, &binding(), sealed.expose(), LATER), Err(Unopened::Expired));
    }

    #[test]
    fn ck_23_weak_secrets_make_no_key() {
        let make = |secret: &str| KeyRing::new([secret]).err();
        assert_eq!(make(""), Some(WeakSecret::Missing));
        assert_eq!(make(" \n"), Some(WeakSecret::Missing));
        assert_eq!(make("0123456789abcdef"), Some(WeakSecret::Short));
        assert_eq!(make("changeme"), Some(WeakSecret::Guessable));
        assert_eq!(make(&"\0".repeat(32)), Some(WeakSecret::Guessable));
        assert_eq!(KeyRing::new(Vec::<String>::new()).err(), Some(WeakSecret::Missing));
        let twice = ["0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef "];
        assert_eq!(KeyRing::new(twice).err(), Some(WeakSecret::Twice));
        assert!(KeyRing::insecure_short_secrets(["0123456789abcdef"]).is_ok());
        let with_newline = KeyRing::new(["0123456789abcdef0123456789abcdef\n"]).unwrap();
        let without = KeyRing::new(["0123456789abcdef0123456789abcdef"]).unwrap();
        assert_eq!(with_newline.keys[0].id, without.keys[0].id);
        let binary: Vec<u8> = (0..32).map(|number| if number == 31 { b' ' } else { 0xc0 + number }).collect();
        assert!(KeyRing::new([binary]).is_ok(), "the last of 32 random bytes may look like white space");
    }
}
