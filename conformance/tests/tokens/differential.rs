//! The same tokens shown to another library: `jsonwebtoken` over aws-lc, which shares no code with the `rsa` and `p256`
//! crates that check here. What we accept and it rejects would be a mistake of ours.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, jwk::Jwk};
use serde_json::{Value, json};
use vestibule_conformance::{Alg, Edit, HmacKey, Lie, Object, Secret, Signing, Site, client};

use crate::now;

fn header(name: &str, edit: Edit) -> Vec<Lie> {
    vec![Lie::member(Object::Header, name, edit)]
}

fn claim(name: &str, value: impl Into<Value>) -> Vec<Lie> {
    vec![Lie::claim(name, value)]
}

/// Tokens of every kind: sound ones that look odd, and forged ones that look sound.
fn corpus() -> Vec<Vec<Lie>> {
    let odd = [
        vec![],
        header("typ", Edit::Remove),
        header("typ", Edit::Set(json!("jwt"))),
        header("kid", Edit::Remove),
        header("extra", Edit::Set(json!("text"))),
        header("jku", Edit::Set(json!("https://evil.example"))),
        claim("aud", json!([client::ID])),
        claim("azp", client::ID),
        claim("exp", now() - 30),
        claim("exp", 4_102_444_800_u64),
        vec![Lie::member(Object::Claims, "exp", Edit::Text(format!("{}.5", now() + 60)))],
        claim("nbf", now() + 30),
        claim("iat", now() - 3_600),
        vec![Lie::no_claim("at_hash")],
        claim("extra", "x".repeat(20_000)),
        vec![Lie::RawHeader(r#"{ "kid" : {{kid}}, "alg" : "RS256" }"#.into())],
    ];
    let forged = [
        vec![Signing::Unsigned.into()],
        vec![Signing::OtherKey.into()],
        vec![Signing::EmbeddedKey.into()],
        vec![Signing::Corrupted.into()],
        vec![Signing::Bytes(Vec::new()).into()],
        vec![Signing::Hmac(Alg::Hs256, HmacKey::PublicPem).into()],
        vec![Signing::Hmac(Alg::Hs256, HmacKey::ClientSecret).into()],
        vec![Signing::With(Alg::Rs384).into()],
        vec![Signing::With(Alg::Ps256).into()],
        vec![Signing::With(Alg::Es256).into()],
        vec![Signing::OfHonestToken.into(), Lie::claim("sub", "1002")],
        header("alg", Edit::Set(json!("none"))),
        header("crit", Edit::Set(json!(["exp"]))),
        claim("aud", "another"),
        claim("aud", json!(["another"])),
        claim("iss", "https://evil.example"),
        claim("exp", now() - 120),
        claim("exp", "4102444800"),
        claim("nbf", now() + 120),
        claim("nbf", "0"),
        vec![Lie::no_claim("exp")],
        vec![Lie::no_claim("sub")],
        vec![Lie::RawIdToken("{{header}}.{{payload}}".into())],
        vec![Lie::RawIdToken("{{header}}.{{payload}}.{{signature}}=".into())],
        vec![Lie::RawIdToken("{{header}}.{{payload}}.{{signature}}.".into())],
        vec![Lie::RawPayload("[]".into())],
    ];
    odd.into_iter().chain(forged).collect()
}

/// Whether the other library takes the token, at the limits that we have.
fn theirs(site: &Site, token: &str) -> bool {
    let key: Jwk = serde_json::from_value(site.provider().public_key(Alg::Rs256)).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&[client::ID]);
    validation.set_issuer(&[site.provider().issuer()]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.leeway = vestibule::limits::CLOCK_LEEWAY.as_secs();
    validation.validate_nbf = true;
    decode::<Value>(token, &DecodingKey::from_jwk(&key).unwrap(), &validation).is_ok()
}

#[tokio::test]
async fn jt_42_what_we_accept_another_library_accepts_too() {
    let site = Site::start().await;
    let (mut both, mut neither) = (0, 0);
    for lies in corpus() {
        site.provider().honest();
        for lie in &lies {
            site.provider().lie(lie.clone());
        }
        let ours = site.sign_in().await.is_signed_in();
        let issued = site.provider().issued();
        let token = &issued.iter().rfind(|issued| issued.kind == Secret::IdToken).unwrap().value;
        let theirs = theirs(&site, token);
        assert!(theirs || !ours, "we accept what they reject: {lies:?} {token}");
        both += usize::from(ours && theirs);
        neither += usize::from(!ours && !theirs);
    }
    assert!(both >= 15 && neither >= 20, "it compares nothing: {both} accepted, {neither} rejected by both");
}
