//! One issuer for each tenant, as Microsoft Entra has it.

use serde_json::{Value, json};
use vestibule::{exchange::Purpose, provider::ProviderError};
use vestibule_oidc::{Builder, Oidc};

use crate::{
    mint::{CLIENT, Mint, keyring},
    op::{Op, no_session_for},
};

const TEMPLATE: &str = "https://login.example/{tenantid}/v2.0";
const A: &str = "11111111-2222-3333-4444-555555555555";
const B: &str = "aaaaaaaa-2222-3333-4444-555555555555";

fn issuer_of(tenant: &str) -> String {
    TEMPLATE.replace("{tenantid}", tenant)
}

fn of_tenant(mint: Mint, tenant: &str) -> Mint {
    mint.claim("tid", tenant).claim("iss", issuer_of(tenant))
}

/// The common endpoint: its description names the template, literally.
fn entra() -> Op {
    Op::honest().metadata("issuer", TEMPLATE)
}

fn entra_client() -> Builder {
    Oidc::builder(TEMPLATE, CLIENT)
}

fn only_a() -> Oidc {
    entra_client().tenants([A]).build().unwrap()
}

#[test]
fn the_tenant_of_the_token_fills_the_template() {
    for oidc in [
        only_a(),
        entra_client().tenants([B, A]).build().unwrap(),
        entra_client().any_tenant().build().unwrap(),
    ] {
        let signed_in = entra().minted(&of_tenant(Mint::sound(), A)).sign_in_to(oidc).unwrap();
        assert_eq!(
            signed_in.identity.issuer,
            issuer_of(A),
            "the account is this tenant's, whoever else may sign in"
        );
        assert_eq!(signed_in.identity.claims["tid"], A);
    }
}

#[test]
fn jt_12_another_tenant_does_not_enter() {
    let thin = |tenant: &str| of_tenant(Mint::thin(), tenant);
    no_session_for(&entra().minted(&thin(B)), only_a(), "a tenant that is not listed");
    for (case, mint) in [
        ("the listed tenant's name on another's token", thin(B).claim("tid", A)),
        ("another's name on the listed tenant's token", thin(A).claim("tid", B)),
        ("the template itself", thin(A).claim("iss", TEMPLATE)),
        ("no tenant", thin(A).without("tid")),
        ("a tenant of the wrong type", thin(A).claim("tid", json!([A]))),
        ("the common name", of_tenant(Mint::thin(), "common")),
        ("the placeholder", of_tenant(Mint::thin(), "{tenantid}")),
        ("another host", thin(A).claim("iss", format!("https://evil.example/{A}/v2.0"))),
        ("another version", thin(A).claim("iss", format!("https://login.example/{A}/v1.0"))),
    ] {
        no_session_for(&entra().minted(&mint), only_a(), case);
        no_session_for(&entra().minted(&mint), entra_client().any_tenant().build().unwrap(), case);
    }
}

#[test]
fn a_key_of_one_tenant_signs_for_no_other() {
    let key_of = |issuer: Value| {
        let mut key = keyring().rsa.jwk("k1");
        key["issuer"] = issuer;
        key
    };
    let any = || entra_client().any_tenant().build().unwrap();
    let sound = || of_tenant(Mint::sound(), A);
    for issuer in [json!(TEMPLATE), json!(issuer_of(A))] {
        assert!(
            entra().keys([key_of(issuer.clone())]).minted(&sound()).sign_in_to(any()).is_ok(),
            "{issuer}"
        );
    }
    let op = entra().keys([key_of(json!(issuer_of(B)))]).minted(&of_tenant(Mint::thin(), A));
    no_session_for(&op, any(), "another tenant's key");
}

#[test]
fn the_description_is_that_of_the_template_or_of_an_admitted_tenant() {
    assert!(entra().begin(only_a()).is_ok());
    assert!(entra().metadata("issuer", issuer_of(A)).begin(only_a()).is_ok());
    for issuer in [issuer_of(B), issuer_of("common"), "https://evil.example/{tenantid}/v2.0".into()] {
        let error = entra().metadata("issuer", issuer.clone()).begin(only_a()).unwrap_err();
        assert!(matches!(error, ProviderError::Broken { purpose: Purpose::Metadata, .. }), "{issuer}");
    }
}

#[test]
fn the_description_is_asked_for_under_a_tenant_s_name() {
    for (builder, tenant) in [
        (entra_client().tenants([A]), A),
        (entra_client().tenants([A, B]), "common"),
        (entra_client().any_tenant(), "common"),
        (entra_client().any_tenant().discovery_tenant("organizations"), "organizations"),
    ] {
        let op = entra();
        op.begin(builder.build().unwrap()).unwrap();
        let expected = format!("https://login.example/{tenant}/v2.0/.well-known/openid-configuration");
        assert_eq!(op.came(Purpose::Metadata)[0].url, expected);
    }
}

#[test]
fn the_callback_s_issuer_is_known_where_there_is_one_tenant() {
    let begun = |builder: Builder| {
        let op = entra().metadata("authorization_response_iss_parameter_supported", true);
        op.begin(builder.build().unwrap()).unwrap()
    };
    let one = begun(entra_client().tenants([A]));
    assert_eq!((one.issuer, one.issuer_required), (Some(issuer_of(A)), true));
    let several = begun(entra_client().tenants([A, B]));
    assert_eq!(
        (several.issuer, several.issuer_required),
        (None, true),
        "some issuer, checked in the ID token"
    );
}

#[test]
fn a_refreshed_token_is_of_the_same_tenant() {
    let any = || entra_client().any_tenant().build().unwrap();
    let old = entra().minted(&of_tenant(Mint::sound(), A)).sign_in_to(any()).unwrap();
    assert!(entra().minted(&of_tenant(Mint::sound(), A)).refresh(any(), old.clone()).is_ok());
    let error = entra().minted(&of_tenant(Mint::sound(), B)).refresh(any(), old).unwrap_err();
    assert!(matches!(error, ProviderError::IdToken(_)), "{error:?}");
}
