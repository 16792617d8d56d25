//! What is refused before the first request, all at once.

use std::collections::BTreeSet;

use vestibule::{oauth2::ClientAuthentication, provider::Provider as _};
use vestibule_oidc::{Algorithm, Builder, Oidc};

use crate::mint::{CLIENT, ISSUER};

fn fields(builder: Builder) -> Vec<&'static str> {
    match builder.build() {
        Ok(_) => Vec::new(),
        Err(error) => {
            let complete = |problem: &vestibule::config::Problem| {
                !problem.fault.is_empty() && !problem.remedy.is_empty()
            };
            assert!(error.problems.iter().all(complete), "{error}");
            error.problems.into_iter().map(|problem| problem.field).collect()
        }
    }
}

fn sound() -> Builder {
    Oidc::builder(ISSUER, CLIENT)
}

#[test]
fn every_problem_is_named_at_once() {
    let all_wrong = Oidc::builder("http://op.example?x#y", "")
        .id("Not Good")
        .client_secret("")
        .scopes(["two scopes"])
        .extra_parameter("state", "fixed")
        .extra_parameter("max_age", "1")
        .acr_values([""])
        .algorithms([])
        .groups_claim("")
        .username_claim("")
        .discovery_tenant("a/b");
    let found: BTreeSet<_> = fields(all_wrong).into_iter().collect();
    let expected = [
        "acr_values",
        "algorithms",
        "client_id",
        "client_secret",
        "discovery_tenant",
        "extra_parameter",
        "groups_claim",
        "id",
        "issuer",
        "scopes",
        "username_claim",
    ];
    assert_eq!(found, expected.into());
}

#[test]
fn an_issuer_is_an_https_address() {
    for issuer in [
        "https://op.example",
        "https://op.example/",
        "https://op.example:8443/realms/x",
        "http://127.0.0.1:9000",
        "http://[::1]:9000",
        "http://localhost:9000/x",
    ] {
        assert!(fields(Oidc::builder(issuer, CLIENT)).is_empty(), "{issuer}");
    }
    for issuer in [
        "",
        "op.example",
        "http://op.example",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://op.example?x=1",
        "https://op.example#x",
        "https://user:password@op.example",
        "https://op.example/.well-known/openid-configuration",
    ] {
        let found = fields(Oidc::builder(issuer, CLIENT));
        assert!(!found.is_empty() && found.iter().all(|field| *field == "issuer"), "{issuer}: {found:?}");
    }
}

#[test]
fn parameters_of_the_protocol_cannot_be_set() {
    for name in
        ["state", "nonce", "redirect_uri", "scope", "client_id", "code_challenge", "response_type", "request"]
    {
        assert_eq!(fields(sound().extra_parameter(name, "x")), ["extra_parameter"], "{name}");
    }
    for name in ["max_age", "acr_values", "response_mode"] {
        assert_eq!(fields(sound().extra_parameter(name, "x")), ["extra_parameter"], "{name}");
    }
    assert!(fields(sound().extra_parameter("prompt", "login").extra_parameter("audience", "x")).is_empty());
}

#[test]
fn tenants_and_template_belong_together() {
    let template = || Oidc::builder("https://login.example/{tenantid}/v2.0", CLIENT);
    assert_eq!(fields(template()), ["tenants"], "whose accounts?");
    assert_eq!(fields(sound().any_tenant()), ["tenants"], "where does the tenant stand?");
    assert_eq!(fields(template().tenants(["contoso.example"])), ["tenants"], "tokens carry identifiers");
    assert_eq!(fields(template().tenants::<String>([])), ["tenants"]);
    assert_eq!(
        fields(Oidc::builder("https://{tenantid}.example/{tenantid}", CLIENT).any_tenant()),
        ["tenants"]
    );
    assert!(fields(template().any_tenant().discovery_tenant("organizations")).is_empty());
}

#[test]
fn a_public_client_does_not_authenticate() {
    assert_eq!(fields(sound().client_authentication(ClientAuthentication::Post)), ["client_authentication"]);
    assert_eq!(fields(sound().algorithms([Algorithm::Hs256])), ["algorithms"]);
    let long = || sound().client_secret("0123456789abcdef0123456789abcdef").algorithms([Algorithm::Hs256]);
    assert!(fields(long()).is_empty());
    assert_eq!(fields(long().trusted_audience("other")), ["trusted_audience"]);
    assert_eq!(
        fields(sound().client_secret("0123456789abcdef0123456789abcdef").algorithms([Algorithm::Hs512])),
        ["algorithms"]
    );
}

#[test]
fn lk_02_nothing_secret_is_printed() {
    let builder = sound().client_secret("canary-of-the-client");
    let printed = format!("{builder:?} {:?}", builder.clone().build().unwrap());
    assert!(!printed.contains("canary"), "{printed}");
    let error = sound().client_secret("canary-of-the-client").scopes(["a b"]).build().unwrap_err();
    assert!(!format!("{error} {error:?}").contains("canary"));
}

#[test]
fn id_and_label_are_what_people_and_paths_show() {
    let oidc = sound().id("work").label("Work").build().unwrap();
    assert_eq!((oidc.id(), oidc.label()), ("work", "Work"));
    assert_eq!(sound().build().unwrap().id(), "oidc");
}
