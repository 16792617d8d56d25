//! OpenID's conformance suite for relying parties: the rows of the plans «basic» and «config», and those of the
//! comprehensive plan that concern the code flow, by the suite's own names and judged as the suite judges: by which
//! requests come next. One test prints the whole table.
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

use std::{panic::AssertUnwindSafe, pin::Pin};

use futures_util::FutureExt as _;
use serde_json::{Value, json};
use vestibule_conformance::{
    Alg, Behaviour, Edit, Endpoint, Lie, Object, Outcome, Person, Signing, Site, SiteBuilder, client,
    strange_keys,
};
use vestibule_oidc::Algorithm;

type Check<'s> = Pin<Box<dyn Future<Output = ()> + 's>>;

/// A row: the suite's name without `oidcc-client-test`, what is right, and how it is looked at.
struct Row<'s>(&'static str, &'static str, Option<Check<'s>>);

fn row<'s>(name: &'static str, right: &'static str, check: impl Future<Output = ()> + 's) -> Row<'s> {
    Row(name, right, Some(Box::pin(check)))
}

/// A row that asks for something that there is not here.
fn without(name: &'static str, reason: &'static str) -> Row<'static> {
    Row(name, reason, None)
}

/// As the suite sets up its provider: the issuer ends with a slash (RP-00g).
fn suite() -> SiteBuilder {
    Site::builder().provider(|provider| provider.issuer_path("/test/a/vestibule/"))
}

/// Tells the lies of a row, beside those that the suite tells in every row.
fn tell(site: &Site, lies: impl IntoIterator<Item = Lie>) {
    let provider = site.provider();
    let nameless = |alg| {
        let mut key = provider.public_key(alg);
        key.as_object_mut().unwrap().remove("alg");
        key
    };
    let mut for_encryption = [nameless(Alg::Rs256), nameless(Alg::Es256)];
    for key in &mut for_encryption {
        (key["use"], key["kid"]) = (json!("enc"), json!("enc"));
    }
    // RP-00h: keys that nobody can use, and keys that do not say for what. RP-00i: response types in odd orders.
    let keys = [strange_keys(), for_encryption.into(), vec![nameless(Alg::Es256k)]].concat();
    let types = json!(["id_token code", "token code id_token", "code"]);
    provider
        .honest()
        .lie(Lie::ExtraKeys(keys))
        .lie(Lie::member(Object::Key, "alg", Edit::Remove))
        .lie(Lie::member(Object::Metadata, "response_types_supported", Edit::Set(types)));
    lies.into_iter().for_each(|lie| {
        provider.lie(lie);
    });
}

/// Every request that the provider got is one that the suite would let pass (RP-00a to RP-00g).
fn well_formed(site: &Site) {
    for request in site.provider().requests() {
        assert!(
            !request.mentions("access_token="),
            "{}: an access token in an address or a form",
            request.path
        );
        match request.path.strip_prefix("/test/a/vestibule").unwrap() {
            "/authorize" => {
                assert_eq!(request.query("client_id"), Some(client::ID));
                assert_eq!(request.query("redirect_uri"), Some(client::REDIRECT_URI));
                assert_eq!(request.query("response_type"), Some("code"));
                assert_eq!(request.query("code_challenge_method"), Some("S256"));
                assert!(request.query("scope").unwrap().split(' ').any(|scope| scope == "openid"));
                assert!(request.query("prompt") != Some("none") || request.query("max_age") != Some("0"));
            }
            "/token" => {
                assert_eq!(request.form("redirect_uri"), Some(client::REDIRECT_URI));
                let basic = request.header("authorization").unwrap().starts_with("Basic ");
                assert!(basic && request.form("client_secret").is_none(), "one way to authenticate");
            }
            "/userinfo" => assert!(request.header("authorization").unwrap().starts_with("Bearer ")),
            "/.well-known/openid-configuration" | "/jwks" => assert_eq!(request.method, "GET"),
            other => panic!("nobody should ask for {other}"),
        }
    }
}

/// One round trip with these lies to a site of its own.
async fn once(builder: SiteBuilder, lies: impl IntoIterator<Item = Lie>) -> Outcome {
    let site = builder.start().await;
    tell(&site, lies);
    let outcome = site.sign_in().await;
    well_formed(&site);
    outcome
}

async fn accepts(lies: impl IntoIterator<Item = Lie>) {
    once(suite(), lies).await.session();
}

async fn refuses(builder: SiteBuilder, lie: impl Into<Lie>) {
    once(builder, [lie.into()]).await.refused_id_token("");
}

fn claim(name: &str, edit: Edit) -> Lie {
    Lie::member(Object::Claims, name, edit)
}

fn append(name: &str) -> Lie {
    claim(name, Edit::Append("1".into()))
}

fn pinned(alg: Alg, algorithm: Algorithm) -> SiteBuilder {
    suite()
        .provider(move |provider| provider.issuer_path("/test/a/vestibule/").id_token_alg(alg))
        .client(move |client| client.algorithms([algorithm]))
}

/// Key sets of which no key has a name.
async fn without_key_ids(generations: usize) {
    let site = suite().start().await;
    let provider = site.provider();
    let mut keys = Vec::new();
    for generation in 0..generations {
        if generation > 0 {
            provider.rotate_keys();
        }
        for alg in [Alg::Rs256, Alg::Es256, Alg::Es256k, Alg::EdDsa] {
            let mut key = provider.public_key(alg);
            key.as_object_mut().unwrap().retain(|name, _| name != "kid" && name != "alg");
            keys.push(key);
        }
    }
    let keys = Lie::RawKeys(json!({"keys": keys}).to_string());
    tell(&site, [keys, Lie::member(Object::Header, "kid", Edit::Remove)]);
    assert!(site.sign_in().await.is_signed_in());
    well_formed(&site);
}

async fn userinfo_of_another() {
    let lie = Lie::member(Object::Userinfo, "sub", Edit::Append("invalid".into()));
    once(suite(), [lie]).await.refused("subject_mismatch", "");
}

async fn claims_by_scope() {
    use vestibule::config::Keep;
    let names = ["address", "phone_number", "zoneinfo"];
    let site = suite()
        .client(|client| client.scopes(["profile", "email", "phone", "address"]))
        .site(move |site| site.keep_claims(Keep::named(names)))
        .start()
        .await;
    tell(&site, []);
    let person = Person::new("3001", "ada")
        .verified_email("ada@example.com")
        .with("address", json!({"country": "GB"}))
        .with("phone_number", "+44 20 7946 0000")
        .with("zoneinfo", "Europe/London");
    site.provider().person(person).sign_in_as(Some("ada"));
    let identity = site.sign_in().await.session().identity.clone();
    assert_eq!((identity.email.as_deref(), identity.email_verified), (Some("ada@example.com"), true));
    assert_eq!(names.map(|name| identity.claims.contains_key(name)), [true; 3]);
    well_formed(&site);
}

async fn pointers_elsewhere() {
    let trap = vestibule_conformance::Trap::set().await;
    let source = json!({"there": {"endpoint": trap.url("claims"), "access_token": "x"}});
    let member = |name: &str, value: Value| Lie::member(Object::Userinfo, name, Edit::Set(value));
    let lies = [member("_claim_names", json!({"groups": "there"})), member("_claim_sources", source)];
    let outcome = once(suite(), lies).await;
    assert!(outcome.is_signed_in() && outcome.elsewhere.is_empty());
    trap.untouched("a distributed claim").await;
}

/// The place of the keys is another in each run.
async fn keys_where_the_description_says() {
    for run in ["a1b2", "c3d4"] {
        let site = suite().start().await;
        let address = format!("{}?run={run}", site.provider().url(Endpoint::Keys));
        tell(&site, [Lie::member(Object::Metadata, "jwks_uri", Edit::Set(json!(address)))]);
        assert!(site.sign_in().await.is_signed_in());
        let asked = site.provider().requests_to(Endpoint::Keys);
        assert!(!asked.is_empty() && asked.iter().all(|request| request.query("run") == Some(run)));
    }
}

async fn discovery_of_another_issuer() {
    let lie = Lie::member(Object::Metadata, "issuer", Edit::Append("INVALID".into()));
    let outcome = once(suite(), [lie]).await;
    outcome.refused("provider_answer_invalid", "");
    assert_eq!(outcome.asked, [Endpoint::Metadata], "no authorization request at all");
}

/// The keys are known, and then they are other ones: at the moment of signing, or from one sign-in to the next.
async fn rotation(just_before_signing: bool) {
    let site = suite().start().await;
    tell(&site, []);
    assert!(site.sign_in().await.is_signed_in());
    if just_before_signing {
        tell(&site, [Lie::RotateBeforeSigning]);
    } else {
        site.provider().rotate_keys();
        tell(&site, []);
    }
    let outcome = site.sign_in().await;
    assert!(outcome.is_signed_in(), "{:?}", outcome.code());
    assert_eq!(outcome.asked_since_callback(), [Endpoint::Token, Endpoint::Keys, Endpoint::Userinfo]);
    well_formed(&site);
}

/// The provider takes `client_secret_basic` only, and says so.
async fn basic_only() {
    let methods = Edit::Set(json!(["client_secret_basic"]));
    let lie = Lie::member(Object::Metadata, "token_endpoint_auth_methods_supported", methods);
    assert!(once(suite(), [lie]).await.is_signed_in());
    let silent = Lie::member(Object::Metadata, "token_endpoint_auth_methods_supported", Edit::Remove);
    assert!(once(suite(), [silent]).await.is_signed_in());
}

async fn whole_flow() {
    let outcome = once(suite(), []).await;
    outcome.session();
    use Endpoint::{Authorize, Keys, Metadata, Token, Userinfo};
    assert_eq!(outcome.asked, [Metadata, Authorize, Token, Keys, Userinfo]);
}

async fn signed_userinfo() {
    accepts([Lie::SignedUserinfo(Signing::With(Alg::Rs256))]).await;
    let forged = once(suite(), [Lie::SignedUserinfo(Signing::OtherKey)]).await;
    forged.refused("provider_answer_invalid", "");
}

async fn bearer_in_the_header() {
    // What is sent otherwise the provider refuses, and so would the suite.
    accepts([Lie::At(Endpoint::Userinfo, Behaviour::Header("x-seen".into(), "1".into()))]).await;
}

fn basic_plan<'s>() -> Vec<Row<'s>> {
    vec![
        row("", "signs in", whole_flow()),
        row("-invalid-iss", "no session", refuses(suite(), append("iss"))),
        row("-missing-sub", "no session", refuses(suite(), claim("sub", Edit::Remove))),
        row("-invalid-aud", "no session", refuses(suite(), append("aud"))),
        row("-missing-iat", "no session", refuses(suite(), claim("iat", Edit::Remove))),
        row("-kid-absent-single-jwks", "signs in", without_key_ids(1)),
        row("-kid-absent-multiple-jwks", "signs in: every key that fits is tried", without_key_ids(3)),
        row("-idtoken-sig-rs256", "signs in", accepts([Signing::With(Alg::Rs256).into()])),
        row("-idtoken-sig-none", "no session", refuses(suite(), Signing::Unsigned)),
        row("-invalid-sig-rs256", "no session", refuses(suite(), Signing::Corrupted)),
        row("-userinfo-invalid-sub", "no session", userinfo_of_another()),
        row("-nonce-invalid", "no session", refuses(suite(), append("nonce"))),
        row("-scope-userinfo-claims", "the claims arrive", claims_by_scope()),
        row("-client-secret-basic", "signs in by Basic", basic_only()),
    ]
}

fn config_plan<'s>() -> Vec<Row<'s>> {
    vec![
        row("-discovery-openid-config", "signs in", whole_flow()),
        row("-discovery-jwks-uri-keys", "the keys are found there", keys_where_the_description_says()),
        row("-discovery-issuer-mismatch", "no authorization request", discovery_of_another_issuer()),
        row("-idtoken-sig-none", "no session", refuses(suite(), Signing::Unsigned)),
        row("-signing-key-rotation-just-before-signing", "signs in, keys fetched once more", rotation(true)),
        row("-signing-key-rotation", "signs in, keys fetched once more", rotation(false)),
    ]
}

fn comprehensive_plan<'s>() -> Vec<Row<'s>> {
    let (hs256, es256) = (|| pinned(Alg::Hs256, Algorithm::Hs256), || pinned(Alg::Es256, Algorithm::Es256));
    vec![
        row("-missing-aud", "no session", refuses(suite(), claim("aud", Edit::Remove))),
        row("-invalid-sig-hs256", "no session", refuses(hs256(), Signing::Corrupted)),
        row("-invalid-sig-es256", "no session", refuses(es256(), Signing::Corrupted)),
        row("-invalid-athash", "no session", refuses(suite(), append("at_hash"))),
        row(
            "-missing-athash",
            "signs in: the code flow may leave it out",
            accepts([claim("at_hash", Edit::Remove)]),
        ),
        without("-invalid-chash", "the hybrid flow alone has it, and there is none here"),
        without("-missing-chash", "the hybrid flow alone has it, and there is none here"),
        row("-userinfo-bearer-header", "signs in", bearer_in_the_header()),
        without("-userinfo-bearer-body", "the access token goes into the header, always"),
        row("-userinfo-signed", "signs in; a forged one does not", signed_userinfo()),
        row("-nonce-unless-code-flow", "no session: we send a nonce always, and miss it", {
            refuses(suite(), claim("nonce", Edit::Remove))
        }),
        row("-aggregated-claims", "signs in, and nobody follows them", pointers_elsewhere()),
        row("-distributed-claims", "signs in, and nobody follows them", pointers_elsewhere()),
        without("-mtls-endpoint-aliases", "there is no client authentication by TLS"),
    ]
}

#[tokio::test]
#[allow(clippy::print_stdout, reason = "the table is for whoever compares it with the suite's")]
async fn the_rows_of_the_certification_plans_that_the_code_flow_has() {
    let mut failed = 0;
    for (plan, rows) in
        [("basic", basic_plan()), ("config", config_plan()), ("comprehensive", comprehensive_plan())]
    {
        for Row(name, right, check) in rows {
            let verdict = match check {
                None => "n/a",
                Some(check) => match AssertUnwindSafe(check).catch_unwind().await {
                    Ok(()) => "pass",
                    Err(_) => {
                        failed += 1;
                        "FAIL"
                    }
                },
            };
            println!("{plan:13} oidcc-client-test{name:42} {verdict:4} {right}");
        }
    }
    assert_eq!(failed, 0, "rows that fail are marked above");
}
