//! The two pages, as values: how they are answered with is a framework's matter.

use vestibule::{pages::escaped, paths::Endpoint, session::Session};

use crate::{Login, TwitterSession};

/// What browsers are told about both.
pub(crate) const HEADERS: [(&str, &str); 3] = [
    ("content-type", "text/html; charset=utf-8"),
    (
        "content-security-policy",
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
];

/// The page to sign in from: a link. A fancier one would be a template.
pub(crate) fn login(login: &Login) -> String {
    // A path that a vestibule has accepted needs no escaping.
    format!(r#"<a href="{}">login</a>"#, login.paths().of(Endpoint::Start))
}

/// The page of whoever is signed in.
pub(crate) fn hello(session: &Session, login: &Login) -> String {
    let paths = login.paths();
    // What an older release has attached cannot be read any more, and X may know a person by no name.
    let name = TwitterSession::of(session).map_or_else(String::new, |twitter| twitter.screen_name);
    let sign_out = paths.of(Endpoint::SignOut);
    format!(r#"<p>Hello {}</p><p><a href="{sign_out}">sign out</a></p>"#, escaped(&name))
}
