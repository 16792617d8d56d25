//! What an issuer says of itself, and what it must not say.

use serde_json::{Value, json};
use vestibule::{
    exchange::{Freshness, HttpFailure, Purpose},
    provider::ProviderError,
};
use vestibule_oidc::Oidc;

use crate::{
    mint::{CLIENT, ISSUER, Mint},
    op::{Answer, Op, client},
};

fn is_broken(error: &ProviderError) -> bool {
    matches!(error, ProviderError::Broken { purpose: Purpose::Metadata, .. })
}

#[test]
fn the_description_is_asked_for_where_the_specification_says() {
    let op = Op::honest();
    op.begin(client()).unwrap();
    let came = op.came(Purpose::Metadata).remove(0);
    assert_eq!(came.url, "https://op.example/.well-known/openid-configuration");
    assert_eq!(came.freshness, Some(Freshness::Cached));
    let op = Op::honest().metadata("issuer", "https://op.example/a/b/");
    op.begin(Oidc::builder("https://op.example/a/b/", CLIENT).build().unwrap()).unwrap();
    assert_eq!(op.came(Purpose::Metadata)[0].url, "https://op.example/a/b/.well-known/openid-configuration");
}

#[test]
fn another_issuer_s_description_sends_nobody_anywhere() {
    for issuer in [
        json!(format!("{ISSUER}INVALID")),
        json!(format!("{ISSUER}/")),
        json!("https://OP.example"),
        json!("https://op.example:443"),
        json!([ISSUER]),
        json!(null),
        json!(""),
        json!("https://op.example/{tenantid}"),
    ] {
        let op = Op::honest().metadata("issuer", issuer.clone());
        assert!(is_broken(&op.begin(client()).unwrap_err()), "{issuer}");
        let op = Op::honest().metadata("issuer", issuer.clone()).minted(&Mint::thin());
        assert!(is_broken(&op.sign_in().unwrap_err()), "{issuer}");
        assert_eq!(op.asked(), [Purpose::Metadata], "{issuer}: the code was sent");
    }
}

#[test]
fn what_is_required_and_missing_is_named() {
    for name in [
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "id_token_signing_alg_values_supported",
    ] {
        for op in [Op::honest().without_metadata(name), Op::honest().metadata(name, Value::Null)] {
            let error = op.begin(client()).unwrap_err();
            assert!(is_broken(&error) && error.to_string().contains(name), "{name}: {error}");
        }
    }
    for name in
        ["response_types_supported", "subject_types_supported", "token_endpoint_auth_methods_supported"]
    {
        let op = Op::honest().without_metadata(name);
        assert!(op.begin(client()).is_ok() && op.sign_in().is_ok(), "{name} is not needed");
    }
}

#[test]
fn nd_02_an_address_is_https_or_it_is_not_asked() {
    let addresses = [
        "http://op.example/x",
        "http://127.0.0.1:22/",
        "http://[::1]/",
        "http://localhost/x",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "data:application/json,{}",
        "gopher://op.example/",
        "javascript:alert(1)",
        "ftp://op.example/",
        "https://",
        "/relative",
        "op.example/x",
        "",
        "https://op.example/x#fragment",
        "https://user:password@op.example/x",
        "https://user@op.example/x",
    ];
    for address in addresses {
        for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
            let op = Op::honest().metadata(name, address);
            assert!(is_broken(&op.begin(client()).unwrap_err()), "{name} {address}");
            assert!(is_broken(&op.sign_in().unwrap_err()), "{name} {address}");
            assert!(op.asked().iter().all(|purpose| *purpose == Purpose::Metadata), "{name} {address}");
        }
        let op = Op::honest().metadata("userinfo_endpoint", address);
        assert!(op.sign_in().is_ok(), "nobody needs it");
        let op = Op::honest().metadata("userinfo_endpoint", address).minted(&Mint::thin());
        assert!(is_broken(&op.sign_in().unwrap_err()), "userinfo {address}");
        assert!(op.came(Purpose::Profile).is_empty(), "userinfo {address}");
    }
    for value in [json!(1), json!(["https://op.example/token"]), json!({}), json!(true)] {
        let op = Op::honest().metadata("token_endpoint", value.clone());
        assert!(is_broken(&op.begin(client()).unwrap_err()), "{value}");
    }
}

#[test]
fn plain_http_never_leaves_this_machine() {
    let local = |name: &str, address: &str| {
        let mut op = Op::honest();
        op.metadata =
            serde_json::from_str(&op.metadata.to_string().replace(ISSUER, "http://127.0.0.1:9000")).unwrap();
        op.metadata[name] = json!(address);
        op.begin(Oidc::builder("http://127.0.0.1:9000", CLIENT).build().unwrap())
    };
    for address in [
        "http://127.0.0.1:9000/keys",
        "http://[::1]:9000/keys",
        "http://localhost/keys",
        "https://op.example/",
    ] {
        assert!(local("jwks_uri", address).is_ok(), "{address}");
    }
    for address in ["http://op.example/keys", "http://169.254.169.254/", "http://localhost.evil.example/"] {
        assert!(is_broken(&local("jwks_uri", address).unwrap_err()), "{address}");
    }
}

#[test]
fn nd_04_what_is_no_description_is_a_fault_with_a_name() {
    let with = |body: &[u8]| {
        let mut op = Op::honest();
        op.metadata_answer = Some(Answer::Body(200, "application/json", body.to_vec()));
        op.begin(client()).unwrap_err()
    };
    let sound = Op::honest().metadata.to_string();
    let with_bom = [b"\xef\xbb\xbf", sound.as_bytes()].concat();
    let doubled = sound.replacen('{', &format!("{{\"issuer\":\"{ISSUER}\","), 1);
    let trailing = format!("{sound} x");
    let bodies: [&[u8]; 8] =
        [b"", b"<html>", b"[]", b"null", b"\x1f\x8b\x08", &with_bom, doubled.as_bytes(), trailing.as_bytes()];
    for body in bodies {
        assert!(is_broken(&with(body)), "{:.60}", String::from_utf8_lossy(body));
    }
    let mut op = Op::honest();
    // The media type is not what makes it JSON.
    op.metadata_answer = Some(Answer::Body(200, "text/plain", sound.into_bytes()));
    assert!(op.begin(client()).is_ok());
}

#[test]
fn nd_05_an_issuer_that_cannot_be_reached_is_told_from_one_that_is_broken() {
    for failure in
        [HttpFailure::Connect, HttpFailure::TimedOut, HttpFailure::TooLarge, HttpFailure::Certificate]
    {
        let mut op = Op::honest();
        op.metadata_answer = Some(Answer::Nothing(failure));
        let expected = ProviderError::Unreachable { purpose: Purpose::Metadata, failure };
        assert_eq!(op.begin(client()).unwrap_err(), expected);
        op.metadata_answer = None;
        assert!(op.begin(client()).is_ok(), "nothing is remembered of the failure");
    }
}

#[test]
fn an_issuer_that_does_not_sign_as_agreed_is_found_out_before_the_browser_leaves() {
    for offered in [json!([]), json!(["ES256"]), json!(["none"]), json!(["rs256"]), json!([1])] {
        let op = Op::honest().metadata("id_token_signing_alg_values_supported", offered.clone());
        let error = op.begin(client()).unwrap_err();
        assert!(
            matches!(error, ProviderError::Misconfigured { field: "algorithms", .. }),
            "{offered}: {error:?}"
        );
    }
    let op = Op::honest().metadata("id_token_signing_alg_values_supported", json!(["none", 1, "RS256"]));
    assert!(op.begin(client()).is_ok());
}

#[test]
fn the_keys_are_where_the_description_says() {
    for path in ["keys", "other/place", "a?b=c"] {
        let address = format!("https://keys.example/{path}");
        let op = Op::honest().metadata("jwks_uri", address.clone());
        op.sign_in().unwrap();
        assert_eq!(op.came(Purpose::Keys)[0].url, address);
    }
}
