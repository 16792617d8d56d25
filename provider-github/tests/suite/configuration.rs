//! Where GitHub is, and what is refused before the first request.

use std::collections::BTreeSet;

use vestibule::provider::Provider as _;
use vestibule_github::{Builder, GitHub};

use crate::hub::{Answer, Hub, begin, emails, github, token, user};

fn fields(builder: Builder) -> Vec<&'static str> {
    builder
        .build()
        .err()
        .map_or_else(Vec::new, |error| error.problems.iter().map(|problem| problem.field).collect())
}

/// A GitHub at other addresses: where the browser goes, and the account's issuer.
fn elsewhere(builder: Builder, base: &str, api: &str) -> (String, String) {
    let at = |path: &str| format!("{api}/{path}");
    let hub = Hub::honest()
        .at("https://github.com/login/oauth/access_token", &Answer::new(500, ""))
        .at("https://api.github.com/user", &Answer::new(500, ""))
        .at(&format!("{base}/login/oauth/access_token"), &Answer::json(&token()))
        .at(&at("user"), &Answer::json(&user()))
        .at(&at("user/emails"), &Answer::json(&emails()));
    let mut location = begin(builder.clone()).location;
    location.set_query(None);
    (location.into(), hub.sign_in(builder).unwrap().identity.issuer)
}

#[test]
fn an_enterprise_server_has_everything_below_its_address() {
    for (base, with) in
        [("https://ghe.example", "https://ghe.example"), ("https://ghe.example", "https://ghe.example/")]
    {
        let (location, issuer) = elsewhere(github().enterprise(with), base, "https://ghe.example/api/v3");
        assert_eq!(location, "https://ghe.example/login/oauth/authorize");
        assert_eq!(issuer, "https://ghe.example/login/oauth");
    }
    let base = "https://example.com/github";
    let (location, _) = elsewhere(github().enterprise(base), base, "https://example.com/github/api/v3");
    assert_eq!(location, "https://example.com/github/login/oauth/authorize");
}

#[test]
fn an_enterprise_cloud_has_its_interface_on_a_host_of_its_own() {
    let base = "https://octocorp.ghe.com";
    let (location, issuer) = elsewhere(github().enterprise(base), base, "https://api.octocorp.ghe.com");
    assert_eq!(location, "https://octocorp.ghe.com/login/oauth/authorize");
    assert_eq!(issuer, "https://octocorp.ghe.com/login/oauth");
}

#[test]
fn single_addresses_can_be_set_as_oauth2_proxy_s_options_do() {
    let base = "http://127.0.0.1:4000";
    let set = |api: &str| {
        github()
            .login_url(format!("{base}/login/oauth/authorize"))
            .redeem_url(format!("{base}/login/oauth/access_token"))
            .api_url(api)
    };
    for (api, expected) in [
        (base.to_owned(), base.to_owned()),
        (format!("{base}/"), base.to_owned()),
        (format!("{base}/api/v3"), format!("{base}/api/v3")),
        (format!("{base}/api/v3/"), format!("{base}/api/v3")),
        (format!("{base}/api/v3/user/emails"), format!("{base}/api/v3")),
    ] {
        let (location, issuer) = elsewhere(set(&api), base, &expected);
        assert_eq!(location, format!("{base}/login/oauth/authorize"), "{api}");
        assert_eq!(issuer, format!("{base}/login/oauth"), "{api}");
    }
    let named = set(base).issuer("https://github.com/login/oauth");
    assert_eq!(begin(named).issuer.as_deref(), Some("https://github.com/login/oauth"));
}

#[test]
fn every_problem_is_named_at_once() {
    let all_wrong = GitHub::builder("", "")
        .id("Not Good")
        .enterprise("http://ghe.example")
        .login_url("javascript:alert(1)")
        .redeem_url("ftp://x")
        .api_url("nowhere")
        .scopes(["a b"])
        .extra_parameter("state", "fixed")
        .organization("../evil")
        .team("no-organisation");
    let error = all_wrong.build().unwrap_err();
    assert!(error.problems.iter().all(|problem| !problem.fault.is_empty() && !problem.remedy.is_empty()));
    let found: BTreeSet<_> = error.problems.iter().map(|problem| problem.field).collect();
    let expected = [
        "api_url",
        "client_id",
        "client_secret",
        "enterprise",
        "extra_parameter",
        "id",
        "login_url",
        "organization",
        "redeem_url",
        "scopes",
        "team",
    ];
    assert_eq!(found, expected.into());
}

#[test]
fn names_and_addresses_that_cannot_be_are_refused() {
    for name in ["", "a/b", "a b", "a?b", "..", "a%2fb", "é"] {
        assert_eq!(fields(github().organization(name)), ["organization"], "{name}");
    }
    for name in ["", "a", "a/", "/b", "a/b/c", "a/b c", "a:b"] {
        assert_eq!(fields(github().team(name)), ["team"], "{name}");
    }
    assert!(fields(github().organization("octo-org").team("octo-org/core_1")).is_empty());
    for base in
        ["http://github.com", "https://user:password@ghe.example", "https://ghe.example#x", "ghe.example", ""]
    {
        assert_eq!(fields(github().enterprise(base)), ["enterprise"], "{base}");
    }
    assert!(fields(github().enterprise("http://127.0.0.1:4000")).is_empty());
    assert_eq!(fields(github().extra_parameter("redirect_uri", "https://evil.example")), ["extra_parameter"]);
}

#[test]
fn lk_02_nothing_secret_is_printed() {
    let builder = GitHub::builder("id", "canary-of-the-client");
    let printed = format!("{builder:?} {:?}", builder.clone().build().unwrap());
    assert!(!printed.contains("canary"), "{printed}");
}

#[test]
fn id_and_label() {
    let github = github().build().unwrap();
    assert_eq!((github.id(), github.label()), ("github", "GitHub"));
}
