//! The head of a request as a client, or a proxy on its behalf, writes it.

use std::sync::OnceLock;

use vestibule::{
    paths::Endpoint,
    refusal::Refusal,
    request::{PlainHead, RequestHead as _},
};

use crate::{
    Seen,
    oracle::{Landing, lands, refusal},
    outside::{Outside, session, session_set},
    readers::{form, query, values},
    site::{OWN, SESSION, plain, renamed},
    text::{expand, first_line, headers, lossy},
};

/// Method, request target, then headers, a line each.
///
/// A path leads to an endpoint if it is that endpoint's to the byte; what must have no effect has none; a session ends
/// for the site's own pages and for nobody else; and a browser that the application turns back comes to `sign_in` with
/// a target that it may come back to (SE-26, LO-01, GW-02).
pub fn request_head(data: &[u8]) -> Seen {
    static SIGNED_IN: OnceLock<String> = OnceLock::new();
    // The sites share keys, origin and names of cookies, so that a session of one is a session of the other.
    let session = SIGNED_IN.get_or_init(|| format!("{SESSION}={}", session(plain())));
    let data = expand(data, &[("session", session)]);
    let (method, rest) = first_line(&data);
    let (target, rest) = first_line(rest);
    let (method, target) = (lossy(method), lossy(target));
    let head =
        headers(rest).fold(PlainHead::new(&method, &target), |head, (name, value)| head.with(&name, value));

    let endpoint = endpoint(target.split(['?', '#']).next().unwrap_or_default());
    let is_callback = endpoint.is_some_and(|(endpoint, _)| endpoint == Endpoint::Callback);
    assert_eq!(renamed().wants_body(&head), is_callback && method == "POST");

    let mut outside = Outside::honest();
    let response = outside.visit(renamed(), head.clone(), b"").response;
    assert!(outside.is_untouched(), "no sign-in is under way that this could finish");
    assert_eq!(session_set(&response), None);
    let misses = ["mounted_elsewhere", "not_found", "request_too_large"].map(|code| Some(code.to_owned()));
    assert!(endpoint.is_some() || misses.contains(&refusal(&response)), "{target:?}: {response:?}");
    has_no_effect(&head, endpoint, &response);
    turned_back(&head, endpoint.is_some());
    Seen::accepted(endpoint.is_some() && response.status != 413)
}

/// The endpoint at a path, and the provider that the path names.
fn endpoint(path: &str) -> Option<(Endpoint, Option<&str>)> {
    let paths = [
        (Endpoint::SignIn, "/login", false),
        (Endpoint::Start, "/oauth2/start", true),
        (Endpoint::Callback, "/oauth2/callback", true),
        (Endpoint::Auth, "/oauth2/auth", false),
        (Endpoint::Userinfo, "/oauth2/userinfo", false),
        (Endpoint::SignOut, "/oauth2/sign_out", false),
        (Endpoint::SignOut, "/app/oauth/logout", false),
    ];
    paths.into_iter().find_map(|(endpoint, own, names_a_provider)| {
        if path == own {
            return Some((endpoint, None));
        }
        let provider = path.strip_prefix(own)?.strip_prefix('/')?;
        (names_a_provider && !provider.contains('/')).then_some((endpoint, Some(provider)))
    })
}

/// HEAD and what a browser loads ahead of time change nothing; another site ends nobody's session.
fn has_no_effect(
    head: &PlainHead,
    endpoint: Option<(Endpoint, Option<&str>)>,
    response: &vestibule::response::Response,
) {
    let text =
        |name: &str| head.header(name).map(|value| lossy(value).to_ascii_lowercase()).unwrap_or_default();
    let ahead = ["prefetch", "prerender", "preview"];
    let says_ahead =
        |name: &&str| text(name).is_ascii() && ahead.iter().any(|word| text(name).contains(word));
    let ahead = ["sec-purpose", "purpose", "x-moz"].iter().any(says_ahead);
    let asks_only = matches!(endpoint, Some((Endpoint::Auth | Endpoint::Userinfo, _)));
    let broken = endpoint.is_some() && response.status >= 500;
    if endpoint.is_some() && !asks_only && response.status != 413 && (ahead || head.method() == "HEAD") {
        // Of a page that is loaded ahead of time a browser must not show that nothing instead of the page.
        let status = if ahead { 503 } else { 200 };
        assert_eq!((response.status, response.set_cookies().count()), (status, 0), "{response:?}");
    } else {
        assert!(!broken, "{response:?}");
    }
    let ends = response.set_cookies().any(|line| line.starts_with(&format!("{SESSION}=; ")));
    let signed_in = renamed().session(head, crate::site::NOW).is_ok();
    if ends && signed_in && response.status != 431 {
        let site = text("sec-fetch-site");
        let own = ["same-origin", "none"].contains(&&*site);
        let by_button = head.method() == "POST"
            && (own || (site.is_empty() && text("origin").is_empty()) || text("origin") == OWN);
        let by_visit = head.method() == "GET" && own && text("sec-fetch-mode") == "navigate";
        assert!(endpoint.is_some_and(|(endpoint, _)| endpoint == Endpoint::SignOut));
        assert!(by_button || by_visit, "another site has ended a session");
    }
}

/// What the application answers for its own pages where nobody is signed in.
fn turned_back(head: &PlainHead, is_endpoint: bool) {
    let response = renamed().turn_back(head, Refusal::SignInRequired).response;
    crate::oracle::sound(&response);
    let Some(location) = response.get("location") else {
        // A guard in front of the endpoints is a fault of the application, and is told so.
        let expected = if is_endpoint { (500, "endpoint_guarded") } else { (401, "sign_in_required") };
        assert_eq!((response.status, refusal(&response).as_deref()), (expected.0, Some(expected.1)));
        return;
    };
    assert!(!is_endpoint, "round in circles");
    assert_eq!(lands(location), Landing::Own("/login".to_owned()));
    let asked = form(query(location).as_bytes());
    if let [target] = values(&asked, "rd")[..] {
        let absolute = if target.starts_with('/') { format!("{OWN}{target}") } else { target.to_owned() };
        assert_ne!(lands(&absolute), Landing::Provider);
    }
}
