//! What a proxy asks about, against a rule that opens a part of a site to everybody.

use vestibule::{config::Flavour, request::PlainHead, response::Response};

use crate::{
    Seen,
    outside::Outside,
    readers::percent_decoded,
    site::partly_public,
    text::{first_line, headers, lossy},
};

/// A method, a request's target, then headers that the client sent with it, a line each.
///
/// The site opens `GET` below `/public/`. Whatever is let through without a session is a `GET`, is still below there
/// once every reader has decoded and resolved as it likes, goes out as nobody's, and would have been let through
/// without the client's own headers too (PC-01, PC-03, GW-04, GW-09, GW-H12).
pub fn access_rules(data: &[u8]) -> Seen {
    let (method, rest) = first_line(data);
    let (target, rest) = first_line(rest);
    let method = lossy(method);
    // No server takes another kind of target (RFC 9112 §3.2), but for `*` and the `host:port` of CONNECT.
    let is_target = ["/", "http://", "https://"].iter().any(|begins| target.starts_with(begins.as_bytes()));
    if !is_target
        || [target, method.as_bytes()].iter().any(|text| http::HeaderValue::from_bytes(text).is_err())
    {
        return Seen::Refused;
    }
    let mut open = false;
    for flavour in [Flavour::Nginx, Flavour::ForwardAuth, Flavour::ExtAuthz] {
        let alone = ask(flavour, &method, target, b"");
        let with_headers = ask(flavour, &method, target, rest);
        for response in [&alone, &with_headers] {
            assert!(response.status == 200 || response.status >= 300, "{flavour:?}: {response:?}");
        }
        assert!(with_headers.status != 200 || alone.status == 200, "{flavour:?}: a client opened something");
        if alone.status == 200 {
            assert_eq!(method, "GET", "{flavour:?}");
            assert!(is_public(target), "{flavour:?} let {} through", lossy(target));
            for (name, value) in &alone.headers {
                assert!(*name == "cache-control" || value.is_empty(), "{flavour:?} says who: {name}");
            }
            open = true;
        }
    }
    Seen::accepted(open)
}

/// Asks as a proxy does that overwrites its own headers, and hands on all others of the client's.
fn ask(flavour: Flavour, method: &str, target: &[u8], client: &[u8]) -> Response {
    let url = [b"https://rp.example", target].concat();
    let own: &[(&str, &[u8])] = match flavour {
        Flavour::Nginx => &[("x-original-url", &url), ("x-original-method", method.as_bytes())],
        Flavour::ExtAuthz => &[("host", b"rp.example")],
        _ => &[
            ("x-forwarded-method", method.as_bytes()),
            ("x-forwarded-proto", b"https"),
            ("x-forwarded-host", b"rp.example"),
            ("x-forwarded-uri", target),
        ],
    };
    let head = match flavour {
        Flavour::ExtAuthz => PlainHead::new(method, &format!("/oauth2/auth{}", lossy(target))),
        _ => PlainHead::new("GET", "/oauth2/auth"),
    };
    let head = own.iter().fold(head, |head, (name, value)| head.with(name, *value));
    let clients = headers(client).filter(|(name, _)| !own.iter().any(|(own, _)| own == name));
    let head = clients.fold(head, |head, (name, value)| head.with(&name, value));
    Outside::honest().visit(partly_public(flavour), head, b"").response
}

/// Whether everybody agrees that this is below `/public/`: with its percent signs decoded once, or as often as anybody likes,
/// without anything in it that some reader takes for a separator or a step.
fn is_public(target: &[u8]) -> bool {
    let raw = target.split(|byte| *byte == b'?').next().unwrap_or_default();
    let mut path = percent_decoded(raw);
    if raw.iter().any(|byte| b"\\;#".contains(byte)) {
        return false;
    }
    loop {
        let strange = |byte: &u8| byte.is_ascii_control() || b"\\;#?".contains(byte);
        let steps = |segment: &[u8]| segment == b"." || segment == b"..";
        let below = path.starts_with(b"/public/") && !path.windows(2).any(|pair| pair == b"//");
        if !below || path.iter().any(strange) || path.split(|byte| *byte == b'/').any(steps) {
            return false;
        }
        let decoded = percent_decoded(&path);
        if decoded == path {
            return std::str::from_utf8(&path).is_ok();
        }
        path = decoded;
    }
}
