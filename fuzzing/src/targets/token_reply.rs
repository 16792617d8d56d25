//! A token endpoint's reply.

use serde_json::Value;
use vestibule::{exchange::Purpose, request::PlainHead, token_reply};

use crate::{
    Seen,
    outside::{Begun, Outside, json_reply, reply, session_set},
    readers::{clean_json, form, values},
    site::plain,
    text::{first_line, lossy},
};

/// Status and media type in the first line, as `200 application/json`; then the body.
///
/// An accepted reply has status 200, no error, and one bearer token that a second reader finds in it too and that can
/// stand in a header; brought into the one form, it is accepted again and stays. The person is asked about with exactly
/// that token, and nobody is signed in without it (ND-10).
pub fn token_reply(data: &[u8]) -> Seen {
    let (first, body) = first_line(data);
    let first = lossy(first);
    let (status, media_type) = first.split_once(' ').unwrap_or((&first, ""));
    let Ok(status @ 100..=599) = status.parse::<u16>() else { return Seen::Refused };
    let response = reply(status, media_type.as_bytes(), body);
    let accepted = token_reply::normalise(Purpose::Token, &response);
    if let Ok(members) = &accepted {
        assert_eq!(status, 200);
        let token = members["access_token"].as_str().expect("a token is a text");
        assert!(!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()), "{token:?}");
        assert!(members["token_type"].as_str().is_some_and(|name| name.eq_ignore_ascii_case("bearer")));
        assert!(!members.contains_key("error"));
        let seconds = members.get("expires_in");
        assert!(
            seconds.is_none_or(|seconds| seconds.as_u64().is_some_and(|seconds| seconds <= u32::MAX.into()))
        );
        let scope = members.get("scope").map(|scope| scope.as_str().expect("scopes are a text"));
        assert!(
            scope.is_none_or(|scope| scope.split(' ').all(|scope| !scope.is_empty() && !scope.contains(',')))
        );
        assert_eq!(tokens_in(media_type, body), [token]);
        let again = token_reply::normalise(Purpose::Token, &json_reply(&Value::Object(members.clone())));
        assert_eq!(again.as_ref(), Ok(members), "brought into the one form, it stays");
    }

    let begun = Begun::new(plain(), "/", 1);
    let head = PlainHead::navigation(&format!("/oauth2/callback?code=c&state={}", begun.state))
        .with("cookie", begun.cookie());
    let mut outside = Outside::honest();
    outside.token = response;
    let signed_in = session_set(&outside.visit(plain(), head, b"").response).is_some();
    match &outside.requests[..] {
        [(Purpose::Token, _)] => assert!(!signed_in),
        [(Purpose::Token, _), (Purpose::Profile, asked)] => {
            let members = accepted.as_ref().expect("whoever asks about the person has a token");
            let bearer = format!("Bearer {}", members["access_token"].as_str().unwrap_or_default());
            assert_eq!(asked.headers()[http::header::AUTHORIZATION].as_bytes(), bearer.as_bytes());
            assert!(signed_in, "the provider knows Ada");
        }
        other => panic!("a token request, and perhaps a question about the person: {other:?}"),
    }
    Seen::accepted(signed_in)
}

/// Every access token in a reply, after a second reader.
fn tokens_in(media_type: &str, body: &[u8]) -> Vec<String> {
    if media_type.trim_start().starts_with("application/x-www-form-urlencoded") {
        return values(&form(body), "access_token").into_iter().map(str::to_owned).collect();
    }
    let value = clean_json(body).unwrap_or_default();
    value["access_token"].as_str().map(str::to_owned).into_iter().collect()
}
