//! How a token is signed, rightly or wrongly.

use super::{Alg, HmacKey};

/// A way to sign a token. Without a lie it is [`Signing::With`] the provider's own algorithm.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signing {
    /// By the provider's real key of this kind, with matching `alg` and `kid`; a MAC by the client's secret.
    With(Alg),
    /// Not at all: `alg` is `none` and the signature is empty.
    Unsigned,
    /// By a MAC over anything, under the `kid` of the RSA key.
    Hmac(Alg, HmacKey),
    /// By a key of the right kind that was never published, under the honest `alg` and `kid`.
    OtherKey,
    /// By a key that the token's own header carries as `jwk`.
    EmbeddedKey,
    /// Rightly, but for one flipped bit of the signature.
    Corrupted,
    /// These bytes for a signature, whatever they are.
    Bytes(Vec<u8>),
    /// The signature of the token that would have been sent without any lie.
    OfHonestToken,
    /// By the real P-256 key as ES256, but DER-encoded.
    Es256Der,
}
