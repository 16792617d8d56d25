//! Front-channel logout: a frame in a browser that brings no cookie of ours.

use vestibule::{request::PlainHead, response::Response};

use crate::site::{FRONT, Issuer, Site, builder, issuer, refused};

/// What a browser asks for in a frame on another site.
fn frame(site: &Site, query: &str) -> Response {
    let head = PlainHead::new("GET", &format!("{FRONT}{query}"))
        .with("sec-fetch-site", "cross-site")
        .with("sec-fetch-mode", "navigate")
        .with("sec-fetch-dest", "iframe");
    site.send(&head, "")
}

#[test]
fn lo_18_a_frame_ends_the_one_session_that_it_names() {
    let site = Site::new();
    let (one, two) = (site.signed_in("ada:1"), site.signed_in("ada:2"));
    site.asked();
    let page = frame(&site, "?iss=https%3A%2F%2Fop.example&sid=1");
    assert_eq!((page.status, page.get("cache-control")), (200, Some("no-store")));
    assert_eq!((one.is_signed_in(), two.is_signed_in()), (false, true));
    assert!(site.asked().is_empty(), "nobody vouches for a frame: no token is taken back for it");
    assert_eq!(page.set_cookies().count(), 0);
}

#[test]
fn lo_18_what_does_not_name_a_session_of_a_known_issuer_ends_nothing() {
    let site = Site::new();
    let browser = site.signed_in("ada:1");
    for query in [
        "",
        "?sid=1",
        "?iss=https%3A%2F%2Fop.example",
        "?iss=https%3A%2F%2Fop.example&sid=",
        "?iss=https%3A%2F%2Fother.example&sid=1",
        "?iss=https%3A%2F%2Fop.example%2F&sid=1",
        "?iss=https%3A%2F%2Fop.example&sid=1&sid=1",
        "?iss=https%3A%2F%2Fop.example&iss=https%3A%2F%2Fop.example&sid=1",
    ] {
        let answer = frame(&site, query);
        assert_eq!(refused(&answer), (400, "frontchannel_malformed".into()), "{query}");
        if let Some(policy) = answer.get("content-security-policy") {
            assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        }
    }
    let long = "1".repeat(3_000);
    assert_eq!(frame(&site, &format!("?iss=https%3A%2F%2Fop.example&sid={long}")).status, 400);
    let kept = site.store.len();
    let unknown = frame(&site, "?iss=https%3A%2F%2Fop.example&sid=2");
    assert_eq!(unknown.status, 200);
    assert_eq!(site.store.len(), kept, "strangers cannot fill the store");
    assert!(browser.is_signed_in());
    assert_eq!(unknown, frame(&site, "?iss=https%3A%2F%2Fop.example&sid=1"), "nobody learns who is here");
    assert!(!browser.is_signed_in());
}

#[test]
fn lo_18_this_page_alone_can_be_framed_and_only_by_its_issuer() {
    let site = Site::new();
    let page = frame(&site, "?iss=https%3A%2F%2Fop.example&sid=1");
    let policy = page.get("content-security-policy").unwrap();
    assert!(policy.ends_with("frame-ancestors https://op.example"), "{policy}");
    assert!(policy.starts_with("default-src 'none';"));
    assert_eq!(page.get("x-frame-options"), None);
    let other = site.send(&PlainHead::navigation("/oauth2/sign_out?ended"), "");
    assert!(other.get("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
    assert_eq!(other.get("x-frame-options"), Some("DENY"));
}

#[test]
fn lo_18_only_a_visit_counts_and_only_where_it_is_wanted() {
    let query = "?iss=https%3A%2F%2Fop.example&sid=1";
    let site = Site::new();
    let browser = site.signed_in("ada:1");
    let target = format!("{FRONT}{query}");
    assert_eq!(site.send(&PlainHead::new("POST", &target), "").status, 405);
    assert_eq!(site.send(&PlainHead::new("HEAD", &target), "").status, 200);
    site.send(&PlainHead::navigation(&target).with("sec-purpose", "prefetch"), "");
    assert!(browser.is_signed_in());
    site.store.fail("sid:");
    assert_eq!(frame(&site, query).status, 503);
    site.store.work();
    assert!(browser.is_signed_in());

    let off = Site::of(builder().provider(issuer()).backchannel_logout());
    let browser = off.signed_in("ada:1");
    assert_eq!(refused(&frame(&off, query)), (404, "not_found".into()));
    assert!(browser.is_signed_in());
    let problems = builder().provider(issuer()).frontchannel_logout().build().unwrap_err().problems;
    assert_eq!(problems.iter().map(|problem| problem.field).collect::<Vec<_>>(), ["frontchannel_logout"]);
}

#[test]
fn lo_18_where_a_provider_is_named_another_s_issuer_is_none() {
    let other = Issuer { id: "other", issuer: "https://other.example", by_form: false, tells: true };
    let site = Site::of(builder().provider(issuer()).provider(other).frontchannel_logout()).several();
    let browser = site.signed_in_at("other", "ada:1");
    let query = "?iss=https%3A%2F%2Fother.example&sid=1";
    assert_eq!(frame(&site, &format!("/op{query}")).status, 400);
    assert!(browser.is_signed_in());
    assert_eq!(frame(&site, &format!("/other{query}")).status, 200);
    assert!(!browser.is_signed_in());
}
