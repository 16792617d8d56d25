//! How each flavour of proxy says what it asks about.

use super::*;
use crate::{
    oauth2::{OAuth2, OAuth2Spec},
    request::PlainHead,
    seal::KeyRing,
};

struct Plain(OAuth2Spec);

#[async_trait::async_trait]
impl OAuth2 for Plain {
    fn spec(&self) -> &OAuth2Spec {
        &self.0
    }

    async fn identify(
        &self,
        _: &crate::conversation::Http,
        _: &crate::identity::Tokens,
    ) -> Result<crate::identity::Identity, crate::provider::ProviderError> {
        Ok(crate::identity::Identity::new(1))
    }
}

fn vestibule(flavour: Flavour) -> Vestibule {
    let at = |path: &str| Url::parse("https://op.example").unwrap().join(path).unwrap();
    Vestibule::builder("https://app.example/oauth2/callback")
        .keys(KeyRing::new(["0123456789abcdef0123456789abcdef"]).unwrap())
        .provider(Plain(OAuth2Spec::new("op", "OP", at("authorize"), at("token"), "client", None)))
        .trusted_proxies(["10.0.0.1"])
        .allow_return_to("https://other.example")
        .flavour(flavour)
        .build()
        .unwrap()
}

fn from_proxy(target: &str) -> PlainHead {
    PlainHead::new("GET", target).from_peer("10.0.0.1".parse().unwrap())
}

fn forwarded(uri: &str) -> PlainHead {
    from_proxy("/oauth2/auth")
        .with("x-forwarded-method", "POST")
        .with("x-forwarded-proto", "https")
        .with("x-forwarded-host", "Other.example:8443")
        .with("x-forwarded-uri", uri)
}

/// Method, scheme, host, path.
fn shown(flavour: Flavour, head: &PlainHead) -> String {
    let Asked { method, scheme, host, path, .. } = vestibule(flavour).asked(head);
    let host = host.map(|Host { name, port }| port.map_or(name.clone(), |port| format!("{name}:{port}")));
    let part = |part: Option<&str>| part.unwrap_or("?").to_owned();
    [part(method), part(scheme), part(host.as_deref()), part(path.as_deref())].join(" ")
}

const NOTHING: &str = "? ? ? ?";

#[test]
fn each_flavour_reads_its_own_headers() {
    let original = from_proxy("/oauth2/auth")
        .with("x-original-url", "HTTPS://app.example/a%20b?x=/public/")
        .with("x-original-method", "GET");
    for flavour in [Flavour::OAuth2Proxy, Flavour::Nginx] {
        assert_eq!(shown(flavour, &original), "GET https app.example /a b");
        assert_eq!(shown(flavour, &forwarded("/c?d")), "POST https other.example:8443 /c");
    }
    assert_eq!(shown(Flavour::ForwardAuth, &original), NOTHING);
    assert_eq!(shown(Flavour::ForwardAuth, &forwarded("/c?d")), "POST https other.example:8443 /c");
    let in_place = from_proxy("/oauth2/auth/e/f?g").with("host", "app.example");
    assert_eq!(shown(Flavour::ExtAuthz, &in_place), "GET ? app.example /e/f");
    let with_scheme = in_place.with("x-forwarded-proto", "http");
    assert_eq!(shown(Flavour::ExtAuthz, &with_scheme), "GET http app.example /e/f");
}

#[test]
fn gw_04_a_stranger_says_nothing_and_neither_do_other_headers() {
    for flavour in [Flavour::OAuth2Proxy, Flavour::Nginx, Flavour::ForwardAuth] {
        let stranger = forwarded("/public/").from_peer("10.0.0.2".parse().unwrap());
        assert_eq!(shown(flavour, &stranger), NOTHING, "{flavour:?}");
        let nobody_knows_whom = PlainHead::new("GET", "/oauth2/auth").with("x-forwarded-uri", "/public/");
        assert_eq!(shown(flavour, &nobody_knows_whom), NOTHING, "{flavour:?}");
        let others = from_proxy("/oauth2/auth")
            .with("x-forwarded-prefix", "/public/")
            .with("x-forwarded-port", "443")
            .with("forwarded", "host=app.example;proto=https")
            .with("x-original-uri", "/public/")
            .with("x-rewrite-url", "/public/")
            .with("x-http-method-override", "GET")
            .with("host", "app.example");
        assert_eq!(shown(flavour, &others), NOTHING, "{flavour:?}");
    }
    let envoy = from_proxy("/oauth2/auth/admin")
        .with("host", "app.example")
        .with("x-forwarded-uri", "/public/")
        .with("x-original-url", "https://app.example/public/")
        .with("x-forwarded-host", "public.example")
        .with("x-forwarded-method", "OPTIONS");
    assert_eq!(shown(Flavour::ExtAuthz, &envoy), "GET ? app.example /admin");
    let stranger = envoy.from_peer("9.9.9.9".parse().unwrap()).with("x-forwarded-proto", "https");
    assert_eq!(shown(Flavour::ExtAuthz, &stranger), "GET ? app.example /admin");
}

#[test]
fn gw_02_what_stands_twice_or_cannot_be_read_is_not_known() {
    for flavour in [Flavour::Nginx, Flavour::ForwardAuth] {
        let twice = forwarded("/public/").with("x-forwarded-uri", "/admin");
        assert_eq!(shown(flavour, &twice), "POST https other.example:8443 ?");
        let all_twice = ["method", "proto", "host", "uri"]
            .iter()
            .fold(forwarded("/a"), |head, part| head.with(&format!("x-forwarded-{part}"), "/a"));
        assert_eq!(shown(flavour, &all_twice), NOTHING);
        for (name, value) in [
            ("x-forwarded-uri", &b"/\xff"[..]),
            ("x-forwarded-uri", b"https://app.example/a"),
            ("x-forwarded-uri", b""),
            ("x-forwarded-host", b"a@app.example"),
            ("x-forwarded-host", b""),
            ("x-forwarded-proto", b"https,http"),
            ("x-forwarded-method", b"get"),
        ] {
            let head = forwarded("/a").without(name).with(name, value);
            assert_eq!(shown(flavour, &head).matches('?').count(), 1, "{name} {value:?}");
        }
    }
    for url in ["", "/a", "https:/a", "app.example/a", "ftp://app.example/a", "https://a@app.example/a"] {
        let head = from_proxy("/").with("x-original-url", url).with("x-original-method", "GET");
        assert!(shown(Flavour::Nginx, &head).contains('?'), "{url}");
    }
    // The path begins after the host: where that is none, nobody knows where.
    for url in ["https://app.example%2f/public/", "https://app.example#/public/", "https://a@b/public/"] {
        let head = from_proxy("/").with("x-original-url", url).with("x-original-method", "GET");
        assert_eq!(shown(Flavour::Nginx, &head), "GET ? ? ?", "{url}");
    }
    for target in ["/oauth2/auth", "/oauth2/auth?/public/", "/oauth2/auth//public/"] {
        let head = from_proxy(target).with("host", "app.example");
        assert_eq!(shown(Flavour::ExtAuthz, &head), "GET ? app.example ?", "{target}");
    }
}

#[test]
fn gw_04_two_ways_of_saying_it_must_say_the_same() {
    let original =
        |url: &str| forwarded("/a?x=1").with("x-original-url", url).with("x-original-method", "POST");
    let same = original("https://other.example:8443/a?x=1");
    assert_eq!(shown(Flavour::Nginx, &same), "POST https other.example:8443 /a");
    for other in ["https://other.example:8443/public/", "https://other.example/a?x=1", "nonsense", ""] {
        assert_eq!(shown(Flavour::Nginx, &original(other)), NOTHING, "{other}");
    }
    let twice = same.with("x-original-url", "https://other.example:8443/a?x=1");
    assert_eq!(shown(Flavour::Nginx, &twice), NOTHING);
}

#[test]
fn the_way_back_leads_to_the_own_site_or_to_one_that_is_allowed() {
    let vestibule = vestibule(Flavour::ForwardAuth);
    let back = |proto: &str, host: &str, uri: &str| {
        let head = from_proxy("/oauth2/auth")
            .with("x-forwarded-proto", proto)
            .with("x-forwarded-host", host)
            .with("x-forwarded-uri", uri);
        vestibule.way_back(&vestibule.asked(&head)).map(|target| target.as_str().to_owned())
    };
    for (proto, host) in
        [("https", "app.example"), ("http", "App.Example."), ("", "app.example:443"), ("https", "a@x")]
    {
        assert_eq!(back(proto, host, "/a%2Fb?x=1&y").as_deref(), Some("/a%2Fb?x=1&y"), "{proto} {host}");
    }
    for proto in ["https", ""] {
        assert_eq!(back(proto, "other.example", "/a").as_deref(), Some("https://other.example/a"));
    }
    for (proto, host, uri) in [
        ("http", "other.example", "/a"),
        ("https", "other.example:8443", "/a"),
        ("https", "app.example:8443", "/a"),
        ("https", "evil.example", "/a"),
        ("https", "app.example", "//evil.example"),
        ("https", "app.example", "/oauth2/sign_out"),
        ("https", "app.example", "https://evil.example/"),
    ] {
        assert_eq!(back(proto, host, uri), None, "{proto} {host} {uri}");
    }
}
