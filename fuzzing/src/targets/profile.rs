//! What a provider says about a person, on its way into the headers that applications believe.

use serde_json::Value;
use vestibule::request::PlainHead;

use crate::{
    Seen,
    oracle::refusal,
    outside::{Begun, Outside, reply, session_set},
    readers::clean_json,
    site::{SESSION, keeping_groups},
};

/// The profile, as JSON.
///
/// Whoever signs in has an account and a name, and each identity header says what the profile says or nothing: nothing
/// where it could be read as another header, another person or another group. The session as JSON says the same
/// (GW-20, GW-H08, CK-09).
pub fn profile(data: &[u8]) -> Seen {
    let site = keeping_groups();
    let begun = Begun::new(site, "/", 1);
    let head = PlainHead::navigation(&format!("/oauth2/callback?code=c&state={}", begun.state))
        .with("cookie", begun.cookie());
    let mut outside = Outside::honest();
    outside.profile = reply(200, b"application/json", data);
    let response = outside.visit(site, head, b"").response;
    let said = clean_json(data).unwrap_or_default();
    let account = said["id"].as_str().filter(|id| !id.is_empty());
    let login = said["login"].as_str().or(account).unwrap_or_default();
    // Without a name all such people would be one person to an application that goes by the header.
    let account = account.filter(|_| !fit(login).is_empty());
    let Some(session) = session_set(&response) else {
        let too_large = refusal(&response).as_deref() == Some("session_too_large");
        assert!(account.is_none() || too_large, "{response:?}");
        return Seen::Refused;
    };
    let account = account.expect("nobody is signed in without an account");
    let text = |name: &str| said[name].as_str().unwrap_or_default();

    let ask = |path: &str| {
        let head = PlainHead::fetch(path).with("cookie", format!("{SESSION}={session}"));
        Outside::honest().visit(site, head, b"").response
    };
    let auth = ask("/oauth2/auth");
    assert_eq!(auth.status, 202);
    let header = |name: &str| auth.get(name).expect("every identity header goes out");
    assert_eq!(header("x-auth-request-user"), login);
    // An address that nobody has verified is nobody's, and a name that looks like one is not shown in its place.
    let email = if said["verified"] == true { fit(text("email")) } else { "" };
    assert_eq!(header("x-auth-request-email"), email);
    assert_eq!(header("x-auth-request-preferred-username"), fit(text("login")));
    let name = if login.contains('@') { account } else { login };
    assert_eq!(header("gap-auth"), if email.is_empty() { fit(name) } else { email });
    let groups: Vec<&str> =
        said["groups"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let fitting = groups.iter().filter(|group| !fit(group).is_empty() && !group.contains(','));
    assert_eq!(header("x-auth-request-groups"), fitting.copied().collect::<Vec<_>>().join(","));

    let info: Value = serde_json::from_slice(&ask("/oauth2/userinfo").body).expect("userinfo is JSON");
    assert_eq!((info["user"].as_str(), info["subject"].as_str()), (Some(login), Some(account)));
    assert_eq!(
        (info["email"].as_str(), info["groups"].as_array().map(Vec::len)),
        (Some(text("email")), Some(groups.len()))
    );
    assert_eq!(info["emailVerified"] == true, said["verified"] == true && said["email"].is_string());
    Seen::Accepted
}

/// The text, where it can be the whole value of a header.
fn fit(text: &str) -> &str {
    if text.contains(char::is_control) || text.trim().len() < text.len() { "" } else { text }
}
