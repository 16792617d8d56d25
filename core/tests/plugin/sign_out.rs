//! The end: of a token's life, and of the session at the provider.

use vestibule::{
    plugin::*,
    provider::{EndSession, Provider as _},
    secret::State,
    testkit::{Asked, Reaction},
};

use crate::op::{JSON, Plain, Sent, at, problems, spec, talk};

fn tokens(refresh_token: Option<&str>) -> Tokens {
    let mut tokens = Tokens::new("a");
    tokens.refresh_token = refresh_token.map(Into::into);
    tokens
}

fn revoke(answer: impl Fn(&Asked) -> Reaction) -> (Result<(), ProviderError>, Vec<Sent>) {
    let provider = Plain(spec().revocation_endpoint(at("revoke")));
    talk(async move |http| provider.revoke(&http, &tokens(Some("r"))).await, answer)
}

#[test]
fn a_provider_that_says_where_takes_tokens_back() {
    let (result, sent) = revoke(|asked| asked.answer(200, JSON, ""));
    assert_eq!(result, Ok(()));
    let [sent] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!((sent.purpose, &*sent.url), (Purpose::Revocation, "https://op.example/revoke"));
    assert_eq!(sent.field("token"), Some("r"));
    assert_eq!(sent.field("token_type_hint"), Some("refresh_token"));
    assert!(sent.authorization.as_ref().unwrap().starts_with("Basic "), "the client says who it is");
}

#[test]
fn without_a_place_for_it_nothing_is_asked() {
    let (result, sent) =
        talk(async |http| Plain(spec()).revoke(&http, &tokens(None)).await, |_| unreachable!());
    assert_eq!((result, sent.len()), (Ok(()), 0));
}

#[test]
fn what_comes_back_says_whether_the_token_is_dead() {
    let unavailable = ProviderError::Unavailable { purpose: Purpose::Revocation, status: 503 };
    for (status, body, expected) in [
        (200, "", Ok(())),
        (200, "anything", Ok(())),
        (204, "", Ok(())),
        (401, r#"{"error":"invalid_client"}"#, Err(ProviderError::Refused(OAuthError::InvalidClient))),
        (400, "<html>", Err(ProviderError::Refused(OAuthError::Other))),
        (503, "", Err(unavailable)),
    ] {
        assert_eq!(revoke(|asked| asked.answer(status, JSON, body)).0, expected, "{status} {body}");
    }
    for status in [202, 302, 404] {
        let (result, _) = revoke(|asked| asked.answer(status, JSON, ""));
        assert!(matches!(result, Err(ProviderError::Broken { .. })), "{status}: {result:?}");
    }
}

#[test]
fn an_address_that_may_not_be_asked_is_a_problem_of_the_set_up() {
    assert_eq!(problems(spec().revocation_endpoint(at("revoke"))), Vec::<&str>::new());
    let plain = url::Url::parse("http://op.example/revoke").unwrap();
    assert_eq!(problems(spec().revocation_endpoint(plain)), ["revocation_endpoint"]);
}

fn end(spec: vestibule::oauth2::OAuth2Spec) -> Option<String> {
    let back_to = url::Url::parse("https://app.example/bye?x=1").unwrap();
    let request = EndSession::new(back_to).state(State::new("s")).id_token(Some("not-sent".into()));
    let part = async move |http| Plain(spec).end_session(&http, &request).await;
    talk(part, |_| unreachable!()).0.unwrap().map(String::from)
}

#[test]
fn a_browser_signs_out_of_the_provider_where_the_spec_says() {
    assert_eq!(end(spec()), None);
    let back = "https%3A%2F%2Fapp.example%2Fbye%3Fx%3D1";
    assert_eq!(
        end(spec().end_session_endpoint(at("end?tenant=7"))).unwrap(),
        format!("https://op.example/end?tenant=7&client_id=client&post_logout_redirect_uri={back}&state=s")
    );
    let own_name = spec().end_session_endpoint(at("end")).end_session_return_parameter("returnTo");
    assert_eq!(
        end(own_name).unwrap(),
        format!("https://op.example/end?client_id=client&returnTo={back}&state=s")
    );
}

/// Wants the token in its address, and no form.
struct Own(OAuth2Spec);

#[async_trait]
impl OAuth2 for Own {
    fn spec(&self) -> &OAuth2Spec {
        &self.0
    }

    async fn identify(&self, _http: &Http, _tokens: &Tokens) -> Result<Identity, ProviderError> {
        Ok(Identity::new(7))
    }

    async fn take_back(&self, http: &Http, tokens: &Tokens) -> Result<(), ProviderError> {
        let purpose = Purpose::Revocation;
        let token = tokens.access_token.expose();
        let request = http::Request::delete(at("grant").as_str()).body(token.into()).unwrap();
        let sent = http.send(purpose, request).await;
        expect_ok(purpose, &sent.map_err(|failure| ProviderError::Unreachable { purpose, failure })?)
    }
}

#[test]
fn a_provider_may_want_to_be_told_in_another_way() {
    let (result, sent) = talk(
        async |http| Own(spec()).revoke(&http, &tokens(None)).await,
        |asked| asked.answer(200, JSON, ""),
    );
    assert_eq!((result, &*sent[0].url), (Ok(()), "https://op.example/grant"));
}
