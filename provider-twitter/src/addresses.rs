//! Where X is, and what both builders check.

use url::Url;
use vestibule::{address::is_safe, config::Problem};

/// Where X's interface is.
pub(crate) const API: &str = "https://api.x.com";
/// Where X's pages are.
pub(crate) const SITE: &str = "https://x.com";

/// Reads an address that may be asked: https, or plain http on this machine. What cannot be is a problem, and X's own
/// stands in for it until all problems are found.
pub(crate) fn address(field: &'static str, text: &str, problems: &mut Vec<Problem>) -> Url {
    let sound = |url: &Url| {
        is_safe(url)
            && url.fragment().is_none()
            && url.query().is_none()
            && url.username().is_empty()
            && url.password().is_none()
            && url.as_str().parse::<http::Uri>().is_ok()
    };
    match Url::parse(text) {
        Ok(url) if sound(&url) => url,
        _ => {
            let remedy =
                "write the whole address, beginning with https://; plain http is for this machine only";
            problems.push(Problem::new(field, "it is no address that may be asked", remedy));
            Url::parse(API).expect("a constant that the tests parse")
        }
    }
}

/// What stands in paths and sessions.
pub(crate) fn check_id(id: &str, problems: &mut Vec<Problem>) {
    let is_id_byte = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    if id.is_empty() || !id.bytes().all(is_id_byte) {
        let remedy = "use lower-case letters, digits, - and _";
        problems.push(Problem::new("id", "it cannot stand in a path as it is", remedy));
    }
}

/// What must not be empty.
pub(crate) fn check_given(field: &'static str, is_empty: bool, problems: &mut Vec<Problem>) {
    if is_empty {
        let remedy = "give it as X's developer console shows it";
        problems.push(Problem::new(field, "it is empty", remedy));
    }
}
