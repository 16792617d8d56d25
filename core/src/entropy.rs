//! Randomness, as a value: everything that must not be guessed in one request is drawn from one seed.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng as _, SeedableRng as _},
};
use sha2::{Digest as _, Sha256};

use crate::secret::{CodeVerifier, Nonce, State};

/// 32 bytes from the operating system's generator, for one request.
pub type Seed = [u8; 32];

/// A stream of unguessable bytes, the same for the same seed: that is what makes a run replayable.
pub(crate) struct Entropy(ChaCha20Rng);

impl Entropy {
    pub(crate) fn new(seed: Seed) -> Self {
        Self(ChaCha20Rng::from_seed(seed))
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    pub(crate) fn state(&mut self) -> State {
        State::new(self.text())
    }

    pub(crate) fn nonce(&mut self) -> Nonce {
        Nonce::new(self.text())
    }

    pub(crate) fn code_verifier(&mut self) -> CodeVerifier {
        CodeVerifier::new(self.text())
    }

    /// 256 bits as 43 characters that every protocol message can carry.
    fn text(&mut self) -> String {
        URL_SAFE_NO_PAD.encode(self.bytes::<32>())
    }
}

impl std::fmt::Debug for Entropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entropy")
    }
}

/// `code_challenge` for S256: BASE64URL(SHA256(verifier)) (RFC 7636 §4.2).
pub(crate) fn code_challenge(verifier: &CodeVerifier) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_rfc_7636_appendix_b() {
        let verifier = CodeVerifier::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(code_challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn a_seed_always_gives_the_same_values_and_another_seed_others() {
        let draw = |seed| {
            let mut entropy = Entropy::new([seed; 32]);
            (entropy.state(), entropy.nonce(), entropy.code_verifier())
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1).0, draw(2).0);
        let (state, nonce, verifier) = draw(1);
        assert!(state.expose() != nonce.expose() && nonce.expose() != verifier.expose());
        assert_eq!(verifier.expose().len(), 43);
    }
}
