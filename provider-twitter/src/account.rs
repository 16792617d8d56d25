//! What an account at X is, however somebody signed in to it.

use vestibule::{exchange::Purpose, identity::Identity, provider::ProviderError};

/// Who vouches for accounts. It stays what it is, wherever requests are sent, and is the same for both protocols, so that
/// a site that changes from one to the other finds its people again.
const ISSUER: &str = "https://x.com";

/// The account of that number. The name that people see can be changed and given to somebody else; the number cannot.
pub(crate) fn identity(purpose: Purpose, number: &str) -> Result<Identity, ProviderError> {
    let is_number = (1..=20).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        return Err(ProviderError::Broken {
            purpose,
            fault: "it does not say by a number which account it is",
        });
    }
    Ok(Identity::new(number).issuer(ISSUER))
}
