//! Which addresses may be asked.

use url::Url;
use vestibule::{address::is_safe, exchange::HttpFailure};

/// Reads an address that may be asked: https anywhere, plain http on this machine only.
///
/// What is read here is what is connected to, so no second parser can see another host in it.
pub(crate) fn askable(text: &str) -> Result<Url, HttpFailure> {
    let url = Url::parse(text).map_err(|_| HttpFailure::AddressRefused)?;
    // Credentials in an address would become a header that nobody decided to send.
    let plain = url.username().is_empty() && url.password().is_none();
    if is_safe(&url) && plain { Ok(url) } else { Err(HttpFailure::AddressRefused) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_may_be_asked() {
        for address in [
            "https://op.example/token",
            "https://10.0.0.1/",
            "http://localhost:8080/",
            "http://127.0.0.1/",
            "http://127.8.8.8:1/",
            "http://[::1]:1/",
        ] {
            assert!(askable(address).is_ok(), "{address}");
        }
        for address in [
            "http://op.example/",
            "http://10.0.0.1/",
            "http://0.0.0.0/",
            "http://[::ffff:127.0.0.1]/",
            "http://localhost.example/",
            "http://127.0.0.1.example/",
            "http://user@127.0.0.1/",
            "https://user:password@op.example/",
            "ftp://127.0.0.1/",
            "file:///etc/passwd",
            "/token",
            "",
        ] {
            assert_eq!(askable(address), Err(HttpFailure::AddressRefused), "{address}");
        }
    }
}
