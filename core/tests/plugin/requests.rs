//! What a spec says, seen in the requests that come of it.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use url::Url;
use vestibule::{
    exchange::Purpose,
    identity::{Identity, SignIn, Tokens},
    oauth2::{ClientAuthentication, OAuth2Spec, PROTOCOL_PARAMETERS, TOKEN_PROTOCOL_PARAMETERS},
};

use crate::op::{JSON, Plain, Sent, at, begin, finish, honest, problems, redirect_uri, refresh, spec};

/// The authorization request's parameters, each once.
fn asked(spec: OAuth2Spec) -> BTreeMap<String, String> {
    let begun = begin(Plain(spec), |_| unreachable!()).0.unwrap();
    let mut parameters = BTreeMap::new();
    for (name, value) in begun.location.query_pairs() {
        let before = parameters.insert(name.clone().into_owned(), value.into_owned());
        assert_eq!(before, None, "{name} is there twice");
    }
    parameters
}

/// The request for tokens, with a code and with a refresh token.
fn for_tokens(spec: &OAuth2Spec) -> [Sent; 2] {
    let (result, mut sent) = finish(Plain(spec.clone()), honest);
    let sign_in = result.unwrap();
    let (result, mut later) = refresh(Plain(spec.clone()), sign_in, honest);
    result.unwrap();
    [sent.remove(0), later.remove(0)]
}

fn public() -> OAuth2Spec {
    OAuth2Spec::new("op", "OP", at("authorize"), at("token"), "client", None)
}

#[test]
fn an_authorization_request_is_whole_and_has_what_the_spec_adds() {
    let spec = spec()
        .scopes(["read:user", "groups"])
        .extra_parameter("audience", "api")
        .issuer("https://op.example");
    let asked = asked(spec);
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "client"),
        ("redirect_uri", redirect_uri().as_str()),
        ("state", "state"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
        ("scope", "read:user groups"),
        ("audience", "api"),
    ] {
        assert_eq!(asked.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert_eq!(asked.len(), 8, "{asked:?}");
}

#[test]
fn scopes_stand_apart_as_the_provider_wants_them() {
    let of = |separator| asked(spec().scopes(["a", "b"]).scope_separator(separator)).remove("scope").unwrap();
    assert_eq!((of(" "), of(","), of(", ")), ("a b".into(), "a,b".into(), "a, b".into()));
    assert_eq!(asked(spec()).get("scope"), None, "none are asked for");
}

#[test]
fn iss_is_expected_where_it_is_known_and_demanded_where_it_always_comes() {
    let expected = |spec| {
        let begun = begin(Plain(spec), |_| unreachable!()).0.unwrap();
        (begun.issuer, begun.issuer_required)
    };
    let issuer = "https://op.example/login";
    assert_eq!(expected(spec()), (None, false));
    assert_eq!(expected(spec().issuer(issuer)), (Some(issuer.into()), false));
    assert_eq!(expected(spec().issuer(issuer).issuer_required()), (Some(issuer.into()), true));
    assert_eq!(problems(spec().issuer_required()), ["issuer"]);
}

#[test]
fn a_client_says_who_it_is_in_one_way() {
    let id = "the client";
    let secret = "a+b/c=d~e%:f";
    let as_ = |by| {
        OAuth2Spec::new("op", "OP", at("authorize"), at("token"), id, Some(secret.into()))
            .client_authentication(by)
    };
    let basic = |text: String| Some(format!("Basic {}", STANDARD.encode(text)));
    for sent in for_tokens(&as_(ClientAuthentication::Basic)) {
        assert_eq!(sent.authorization, basic("the+client:a%2Bb%2Fc%3Dd%7Ee%25%3Af".into()));
        assert_eq!((sent.field("client_id"), sent.field("client_secret")), (None, None));
    }
    for sent in for_tokens(&as_(ClientAuthentication::BasicUnencoded)) {
        assert_eq!(sent.authorization, basic(format!("{id}:{secret}")));
        assert_eq!((sent.field("client_id"), sent.field("client_secret")), (None, None));
    }
    for sent in for_tokens(&as_(ClientAuthentication::Post)) {
        assert_eq!(sent.authorization, None);
        assert_eq!((sent.field("client_id"), sent.field("client_secret")), (Some(id), Some(secret)));
    }
    for sent in for_tokens(&public()) {
        assert_eq!(sent.authorization, None);
        assert_eq!((sent.field("client_id"), sent.field("client_secret")), (Some("client"), None));
    }
}

#[test]
fn a_secret_and_how_it_is_used_fit_together() {
    let without = |by| problems(public().client_authentication(by));
    let with = |secret: &str, by| {
        let secret = Some(secret.into());
        let spec = OAuth2Spec::new("op", "OP", at("authorize"), at("token"), "a:b", secret);
        problems(spec.client_authentication(by))
    };
    let none: [&str; 0] = [];
    for by in [ClientAuthentication::Basic, ClientAuthentication::Post] {
        assert_eq!(without(by), ["client_secret"], "{by:?} without a secret");
        assert_eq!(with("", by), ["client_secret"], "{by:?} with an empty one");
        assert_eq!(with("secret", by), none, "{by:?}");
    }
    assert_eq!(without(ClientAuthentication::None), none);
    assert_eq!(with("secret", ClientAuthentication::None), ["client_secret"]);
    assert_eq!(with("secret", ClientAuthentication::BasicUnencoded), ["client_id"], "a colon ends the id");
}

#[test]
fn token_requests_carry_what_the_spec_adds_and_all_of_the_protocol() {
    let [with_code, with_refresh_token] =
        for_tokens(&spec().token_parameter("resource", "https://api.example"));
    assert_eq!((with_code.purpose, with_refresh_token.purpose), (Purpose::Token, Purpose::Refresh));
    for (name, value) in [
        ("grant_type", "authorization_code"),
        ("code", "code"),
        ("code_verifier", "verifier"),
        ("redirect_uri", redirect_uri().as_str()),
        ("resource", "https://api.example"),
    ] {
        assert_eq!(with_code.field(name), Some(value), "{name}");
    }
    let printed = format!("{:?}", spec().token_parameter("key", "canary"));
    assert!(!printed.contains("canary"), "{printed}");
    for (name, value) in
        [("grant_type", "refresh_token"), ("refresh_token", "r"), ("resource", "https://api.example")]
    {
        assert_eq!(with_refresh_token.field(name), Some(value), "{name}");
    }
}

#[test]
fn the_protocol_s_own_parameters_are_nobody_s_to_set() {
    for name in PROTOCOL_PARAMETERS {
        assert_eq!(problems(spec().extra_parameter(name, "x")), ["extra_parameter"], "{name}");
    }
    for name in TOKEN_PROTOCOL_PARAMETERS {
        assert_eq!(problems(spec().token_parameter(name, "x")), ["token_parameter"], "{name}");
    }
    // Names that some servers read as one of those, or that not every server reads alike.
    for name in ["STATE", "redirect.uri", "state[]", "state ", "", "a&b", "état"] {
        assert_eq!(problems(spec().extra_parameter(name, "x")), ["extra_parameter"], "{name}");
        assert_eq!(problems(spec().token_parameter(format!("{name}&"), "x")), ["token_parameter"], "{name}");
    }
    let twice = spec().extra_parameter("audience", "a").extra_parameter("audience", "b");
    assert_eq!(problems(twice), ["extra_parameter"]);
    for name in ["audience", "access_type", "prompt", "user-scope", "hd", "resource", "max_age"] {
        assert_eq!(problems(spec().extra_parameter(name, "x")), Vec::<&str>::new(), "{name}");
    }
}

#[test]
fn an_endpoint_s_own_query_stays_and_sets_nothing_that_a_sign_in_sets() {
    let with = |query: &str| {
        let mut spec = spec().extra_parameter("audience", "api");
        spec.authorization_endpoint = Some(at(&format!("authorize?{query}")));
        spec
    };
    assert_eq!(asked(with("tenant=7")).get("tenant").map(String::as_str), Some("7"));
    for query in ["state=fixed", "Redirect_URI=x", "scope=all", "prompt=none", "audience=other"] {
        assert_eq!(problems(with(query)), ["authorization_endpoint"], "{query}");
    }
}

#[test]
fn addresses_that_could_be_overheard_are_problems() {
    for bad in ["http://op.example/x", "https://op.example/x#f", "https://u:p@op.example/x", "javascript:x"] {
        let bad = Url::parse(bad).unwrap();
        let spec = OAuth2Spec::new("op", "OP", bad.clone(), bad.clone(), "client", Some("secret".into()))
            .revocation_endpoint(bad.clone())
            .end_session_endpoint(bad.clone())
            .metadata_address(bad.clone())
            .issuer("https://op.example");
        let fields = [
            "authorization_endpoint",
            "token_endpoint",
            "revocation_endpoint",
            "end_session_endpoint",
            "metadata_address",
        ];
        assert_eq!(problems(spec), fields, "{bad}");
    }
    let at_home = Url::parse("http://127.0.0.1:1/x").unwrap();
    let spec = OAuth2Spec::new("op", "OP", at_home.clone(), at_home, "client", None);
    assert_eq!(problems(spec), Vec::<&str>::new());
}

#[test]
fn a_refresh_brings_new_tokens_and_never_another_account() {
    let before = |subject: &str| {
        let mut tokens = Tokens::new("old");
        tokens.refresh_token = Some("old-r".into());
        SignIn::new("op", Identity::new(subject).issuer("https://op.example"), tokens)
    };
    let (refreshed, sent) = refresh(Plain(spec()), before("7"), honest);
    let refreshed = refreshed.unwrap();
    assert_eq!(sent[0].field("refresh_token"), Some("old-r"));
    assert_eq!(refreshed.tokens.refresh_token, Some("r".into()));
    assert!(refresh(Plain(spec()), before("8"), honest).0.is_err(), "somebody else");
    // The provider keeps the old one where it sends no new one.
    let kept = refresh(Plain(spec()), before("7"), |asked| match asked.purpose() {
        Purpose::Refresh => asked.answer(200, JSON, r#"{"access_token":"b","token_type":"bearer"}"#),
        _ => honest(asked),
    });
    assert_eq!(kept.0.unwrap().tokens.refresh_token, Some("old-r".into()));
}
