//! What a plugin asks beside the token endpoint: before the browser leaves, and about the person.

use async_trait::async_trait;
use serde_json::Value;
use url::Url;
use vestibule::{
    conversation::Http,
    exchange::Purpose,
    identity::{Identity, Tokens},
    oauth2::{ClientAuthentication, Json, OAuth2, OAuth2Spec, expect_ok, json_body},
    provider::ProviderError,
};

use crate::op::{JSON, at, begin, finish, honest, spec};

/// Tells the provider what it will ask before it sends the browser there (RFC 9126), and asks for a person's team only
/// when the person has one.
struct Careful(OAuth2Spec);

#[async_trait]
impl OAuth2 for Careful {
    fn spec(&self) -> &OAuth2Spec {
        &self.0
    }

    async fn before_redirect(&self, http: &Http, authorization: Url) -> Result<Url, ProviderError> {
        let asked = authorization.query_pairs();
        let response = self.0.post_form(http, Purpose::Begin, &at("pushed"), asked).await?;
        let pushed: Value = json_body(Purpose::Begin, &response)?;
        let lacks = ProviderError::Broken { purpose: Purpose::Begin, fault: "it lacks request_uri" };
        let name = pushed["request_uri"].as_str().ok_or(lacks)?;
        let mut short = authorization.clone();
        short
            .query_pairs_mut()
            .clear()
            .append_pair("client_id", &self.0.client_id)
            .append_pair("request_uri", name);
        Ok(short)
    }

    async fn identify(&self, http: &Http, tokens: &Tokens) -> Result<Identity, ProviderError> {
        let user: Value = http.get_json(Purpose::Profile, &at("user"), tokens).await?;
        let mut groups = Vec::new();
        if let Some(team) = user["team"].as_str() {
            let team: Value = http.get_json(Purpose::Groups, &at(&format!("teams/{team}")), tokens).await?;
            groups.extend(team["name"].as_str().map(str::to_owned));
        }
        Ok(Identity::new(&user["id"]).groups(groups))
    }
}

fn client(by: ClientAuthentication) -> OAuth2Spec {
    let secret = Some("s+cr~t".into());
    OAuth2Spec::new("op", "OP", at("authorize"), at("token"), "client", secret).client_authentication(by)
}

#[test]
fn a_provider_can_be_told_before_the_browser_comes() {
    for by in [ClientAuthentication::Basic, ClientAuthentication::BasicUnencoded, ClientAuthentication::Post]
    {
        let (begun, sent) = begin(Careful(client(by)), |asked| {
            asked.answer(201, JSON, r#"{"request_uri":"urn:op:1","expires_in":60}"#)
        });
        let location = begun.unwrap().location;
        assert_eq!(
            location.as_str(),
            "https://op.example/authorize?client_id=client&request_uri=urn%3Aop%3A1"
        );
        let [sent] = sent.as_slice() else { panic!("{sent:?}") };
        assert_eq!((sent.purpose, &*sent.url), (Purpose::Begin, "https://op.example/pushed"));
        assert_eq!((sent.field("state"), sent.field("code_challenge_method")), (Some("state"), Some("S256")));
        let (_, at_token_endpoint) = finish(Careful(client(by)), honest);
        assert_eq!(sent.authorization, at_token_endpoint[0].authorization, "{by:?}");
        let in_form = by == ClientAuthentication::Post;
        assert_eq!(sent.authorization.is_some(), !in_form, "{by:?}");
        assert_eq!(sent.field("client_id"), in_form.then_some("client"), "{by:?}");
        assert_eq!(sent.field("client_secret"), in_form.then_some("s+cr~t"), "{by:?}");
    }
    let (begun, _) = begin(Careful(spec()), |asked| asked.answer(201, JSON, "{}"));
    assert!(matches!(begun, Err(ProviderError::Broken { purpose: Purpose::Begin, .. })));
}

#[test]
fn one_question_can_follow_from_the_answer_to_another() {
    let person = |profile: &'static str| {
        finish(Careful(spec()), move |asked| match &*asked.url() {
            "https://op.example/user" => asked.answer(200, JSON, profile),
            "https://op.example/teams/9" => asked.answer(200, JSON, r#"{"name":"staff"}"#),
            _ => honest(asked),
        })
    };
    let (sign_in, sent) = person(r#"{"id":7,"team":"9"}"#);
    assert_eq!(sign_in.unwrap().identity.groups, ["staff"]);
    let asked: Vec<_> = sent.iter().map(|sent| sent.purpose).collect();
    assert_eq!(asked, [Purpose::Token, Purpose::Profile, Purpose::Groups]);
    assert!(sent[1..].iter().all(|sent| sent.authorization.as_deref() == Some("Bearer a")), "{sent:?}");
    let (sign_in, sent) = person(r#"{"id":7,"team":null}"#);
    assert_eq!((sign_in.unwrap().identity.groups.len(), sent.len()), (0, 2));
}

/// Takes whatever it is told for the account.
struct Careless(OAuth2Spec, &'static str);

#[async_trait]
impl OAuth2 for Careless {
    fn spec(&self) -> &OAuth2Spec {
        &self.0
    }

    async fn identify(&self, _http: &Http, _tokens: &Tokens) -> Result<Identity, ProviderError> {
        Ok(Identity::new(self.1).email("ada@example.com".to_owned()))
    }
}

#[test]
fn what_names_no_account_for_good_is_refused_in_words() {
    let subject = |subject| finish(Careless(spec(), subject), honest).0;
    assert!(matches!(subject(""), Err(ProviderError::Broken { purpose: Purpose::Profile, .. })));
    for address in ["ada@example.com", "Ada@Example.com"] {
        let error = subject(address).unwrap_err();
        assert!(matches!(error, ProviderError::Misconfigured { field: "subject", .. }), "{error:?}");
    }
    assert!(subject("somebody@else.example").is_ok(), "perhaps an identifier in the form of an address");
}

/// Names the person in its token reply.
struct Terse(OAuth2Spec);

#[async_trait]
impl OAuth2 for Terse {
    fn spec(&self) -> &OAuth2Spec {
        &self.0
    }

    async fn identify(&self, http: &Http, _tokens: &Tokens) -> Result<Identity, ProviderError> {
        let reply = http.token_reply();
        let hidden = ["access_token", "refresh_token", "id_token"].map(|name| reply.text(name));
        assert_eq!(hidden, [None, None, None], "tokens are in `Tokens`, and nowhere else");
        Ok(reply.identity("/person/id")?.username(reply.text("/person/login")))
    }
}

#[test]
fn a_provider_may_say_who_it_is_together_with_the_tokens() {
    let reply = r#"{"access_token":"a","token_type":"bearer","refresh_token":"r","id_token":"i","person":{"id":7,"login":"ada"}}"#;
    let (sign_in, sent) = finish(Terse(spec()), |asked| asked.answer(200, JSON, reply));
    let identity = sign_in.unwrap().identity;
    assert_eq!((&*identity.subject, identity.username.as_deref(), sent.len()), ("7", Some("ada"), 1));
    let (sign_in, _) = finish(Terse(spec()), honest);
    assert!(matches!(sign_in, Err(ProviderError::Broken { .. })), "not in this reply");
}

/// Asks an interface that wants headers of its own.
struct Particular(OAuth2Spec, [(&'static str, &'static str); 2]);

#[async_trait]
impl OAuth2 for Particular {
    fn spec(&self) -> &OAuth2Spec {
        &self.0
    }

    async fn identify(&self, http: &Http, tokens: &Tokens) -> Result<Identity, ProviderError> {
        let response = http.get_with_headers(Purpose::Profile, &at("user"), tokens, &self.1).await?;
        expect_ok(Purpose::Profile, &response)?;
        Json::read(Purpose::Profile, &response)?.identity("id")
    }
}

#[test]
fn an_interface_may_want_headers_of_its_own() {
    let asked_with = |headers| {
        finish(Particular(spec(), headers), |asked| {
            let request = asked.request().unwrap();
            let header = |name: &str| request.headers().get_all(name).iter().collect::<Vec<_>>();
            if asked.purpose() == Purpose::Profile {
                assert_eq!(header("client-id"), ["client"]);
                assert_eq!(
                    header("authorization"),
                    ["Bearer a"],
                    "nothing takes its place, nothing stands beside it"
                );
                assert_eq!(header("accept").len(), 1);
            }
            honest(asked)
        })
        .0
    };
    assert!(asked_with([("Client-Id", "client"), ("Accept", "application/vnd.op+json")]).is_ok());
    assert!(asked_with([("Client-Id", "client"), ("authorization", "Basic x")]).is_ok());
    assert!(asked_with([("Client-Id", "client"), ("x", "a\nb")]).is_err());
}
