//! JOSE by hand: a library that only makes correct tokens could not lie.

mod alg;
mod forge;
mod hmac_key;
mod keys;
mod signing;

pub use alg::Alg;
pub use hmac_key::HmacKey;
pub use signing::Signing;

pub(crate) use forge::{Draft, Workshop};
pub(crate) use keys::KeyRing;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// Base64url without padding, as JOSE writes everything.
pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A fresh text of 256 random bits.
pub(crate) fn random_text() -> String {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system's random source answers");
    base64url(bytes)
}
