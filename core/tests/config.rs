//! Everything an operator can get wrong is refused at construction: all of it at once, each with field and remedy.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod world;

use std::time::Duration;

use vestibule::{
    Vestibule,
    config::{Builder, Flavour, Problem},
    paths::{Endpoint, Paths},
    seal::KeyRing,
};
use world::{Plain, SECRET, builder};

fn problems(builder: Builder) -> Vec<Problem> {
    builder.build().err().map(|error| error.problems).unwrap_or_default()
}

fn fields(builder: Builder) -> Vec<&'static str> {
    problems(builder).iter().map(|problem| problem.field).collect()
}

fn sound() -> Builder {
    builder().provider(Plain::new("plain"))
}

fn with_redirect_url(url: &str) -> Builder {
    Vestibule::builder(url).keys(KeyRing::new([SECRET]).unwrap()).provider(Plain::new("plain"))
}

#[test]
fn a_sound_configuration_has_no_problems() {
    assert_eq!(problems(sound()), []);
    assert_eq!(problems(with_redirect_url("http://127.0.0.1:4180/oauth2/callback")), []);
    assert_eq!(problems(with_redirect_url("http://localhost/oauth2/callback")), []);
    assert_eq!(problems(with_redirect_url("http://[::1]:8080/oauth2/callback")), []);
}

#[test]
fn all_problems_are_named_at_once_each_with_what_to_do() {
    let broken = Vestibule::builder("http://app.example/other?x=1")
        .cookie_name("a b")
        .session_age(Duration::ZERO)
        .email_domains(["not a domain"])
        .allow_return_to("ftp://x");
    let found = problems(broken);
    let fields: Vec<_> = found.iter().map(|problem| problem.field).collect();
    for field in
        ["redirect_url", "provider", "keys", "cookie_name", "session_age", "email_domains", "allow_return_to"]
    {
        assert!(fields.contains(&field), "{field} in {fields:?}");
    }
    assert_eq!(fields.iter().filter(|field| **field == "redirect_url").count(), 3, "{found:?}");
    assert!(found.iter().all(|problem| !problem.fault.is_empty() && !problem.remedy.is_empty()));
}

#[test]
fn the_redirect_url_is_the_callbacks_own_address_over_https() {
    for url in ["", "/oauth2/callback", "app.example/oauth2/callback", "https://"] {
        assert_eq!(fields(with_redirect_url(url)), ["redirect_url"], "{url}");
    }
    for url in [
        "http://app.example/oauth2/callback",
        "http://localhost.evil.example/oauth2/callback",
        "http://127.0.0.1.evil.example/oauth2/callback",
        "https://app.example/callback",
        "https://app.example/oauth2/callback#part",
        "https://user@app.example/oauth2/callback",
        "ftp://app.example/oauth2/callback",
    ] {
        assert_eq!(fields(with_redirect_url(url)), ["redirect_url"], "{url}");
    }
    let renamed = with_redirect_url("https://app.example/back")
        .paths(Paths::default().rename(Endpoint::Callback, "/back"));
    assert_eq!(problems(renamed), []);
}

#[test]
fn providers_need_names_that_can_stand_in_a_path_each_its_own() {
    assert_eq!(fields(builder()), ["provider"]);
    assert_eq!(fields(sound().provider(Plain::new("plain"))), ["provider"]);
    for id in ["", "Upper", "a/b", "a b", "ü"] {
        let odd = vestibule::oauth2::OAuth2Spec::new(
            id,
            "Odd",
            url::Url::parse("https://odd.example/a").unwrap(),
            url::Url::parse("https://odd.example/t").unwrap(),
            "client",
            None,
        );
        assert_eq!(fields(builder().provider(Named(odd))), ["provider"], "{id:?}");
    }
}

struct Named(vestibule::oauth2::OAuth2Spec);

#[async_trait::async_trait]
impl vestibule::oauth2::OAuth2 for Named {
    fn spec(&self) -> &vestibule::oauth2::OAuth2Spec {
        &self.0
    }

    async fn identify(
        &self,
        _http: &vestibule::conversation::Http,
        _tokens: &vestibule::identity::Tokens,
    ) -> Result<vestibule::identity::Identity, vestibule::provider::ProviderError> {
        Ok(vestibule::identity::Identity::new(1))
    }
}

#[test]
fn a_rule_that_lets_nobody_in_is_a_mistake() {
    assert_eq!(fields(sound().email_domains(Vec::<String>::new())), ["email_domains"]);
    assert_eq!(fields(sound().groups(Vec::<String>::new())), ["groups"]);
}

#[test]
fn what_is_wrong_with_a_providers_spec_is_named_too() {
    let url = |text: &str| url::Url::parse(text).unwrap();
    let spec = vestibule::oauth2::OAuth2Spec::new(
        "odd",
        "Odd",
        url("http://odd.example/authorize"),
        url("https://odd.example/token#part"),
        "",
        None,
    );
    let odd = Named(spec.extra_parameter("redirect_uri", "https://evil.example"));
    let expected = ["authorization_endpoint", "token_endpoint", "client_id", "extra_parameter"];
    assert_eq!(fields(builder().provider(odd)), expected);
}

#[test]
fn cookie_names_leave_the_prefix_to_us() {
    for name in ["", "a;b", "a=b", "__Host-x", "__secure-x", "ü"] {
        assert!(fields(sound().cookie_name(name)).contains(&"cookie_name"), "{name:?}");
    }
    assert_eq!(problems(sound().cookie_name("_my-app.1")), []);
}

#[test]
fn paths_are_plain_and_each_endpoint_has_its_own() {
    let twice = Paths::default().rename(Endpoint::Auth, "/oauth2/userinfo");
    assert_eq!(fields(sound().paths(twice)), ["paths"]);
    let below = Paths::default().rename(Endpoint::Auth, "/oauth2/start/auth");
    assert_eq!(fields(sound().paths(below)), ["paths"]);
    for path in ["auth", "/a//b", "/a/", "/a?b", "/a b", "/../a%2f"] {
        assert_eq!(fields(sound().paths(Paths::default().rename(Endpoint::Auth, path))), ["paths"], "{path}");
    }
}

#[test]
fn gw_05_whoever_is_believed_is_listed_and_forward_auth_needs_somebody() {
    let forward_auth = || sound().flavour(Flavour::ForwardAuth);
    assert_eq!(fields(forward_auth()), ["trusted_proxies"]);
    assert!(problems(forward_auth())[0].remedy.contains("trusted_proxies = [\"127.0.0.1\"]"));
    assert_eq!(problems(forward_auth().trusted_proxies(["unix", "127.0.0.1", "10.0.0.0/8", "::1"])), []);
    for odd in ["", "0.0.0.0/0", "::/0", "10.0.0.1/8", "proxy.example", "Unix"] {
        assert_eq!(fields(sound().trusted_proxies([odd])), ["trusted_proxies"], "{odd}");
    }
    for odd in ["", "x real ip", "x_real_ip", "ü"] {
        assert_eq!(fields(sound().client_address_from(odd)), ["client_address_from"], "{odd}");
    }
    assert_eq!(problems(sound().client_address_from("X-Real-IP")), []);
}

#[test]
fn nothing_else_lies_where_envoy_asks_about_pages() {
    let below = Paths::default().rename(Endpoint::Userinfo, "/oauth2/auth/userinfo");
    assert_eq!(problems(sound().paths(below.clone())), []);
    assert_eq!(fields(sound().paths(below).flavour(Flavour::ExtAuthz)), ["paths"]);
}
