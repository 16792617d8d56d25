//! GitHub's replies: of the person, of an organisation's membership, of addresses, and of teams, page by page.

use std::sync::{Arc, OnceLock};

use serde_json::Value;
use url::Url;
use vestibule::{
    conversation::Http,
    exchange::{HttpResponse, Purpose},
    identity::SignIn,
    limits::CONVERSATION_REQUESTS_MAX,
    provider::{Provider as _, ProviderError},
    testkit,
};
use vestibule_github::GitHub;

use crate::{
    Seen,
    outside::{ACCESS_TOKEN, json_reply, reply},
    readers::clean_json,
    site::NOW,
    text::{first_line, lossy},
};

/// Replies, between lines of `--`: about the person, the membership and the addresses, then pages of teams, the last of
/// which comes as often as it is asked for. The first line of each is the status and, after a space, the `Link` header.
///
/// Whoever signs in has an account number, is an active member and in the team, as a second reader sees it; an address
/// is verified only where it is listed so; and the access token goes to GitHub's interface and nowhere else, whatever a
/// `Link` says.
pub fn github(data: &[u8]) -> Seen {
    let text = lossy(data);
    let replies: Vec<HttpResponse> = text.split("\n--\n").map(read).collect();
    let mut asked = Vec::new();
    let result = sign_in(&replies, &mut asked);
    assert!(asked.len() <= CONVERSATION_REQUESTS_MAX);
    for (_, address) in asked.iter().filter(|(purpose, _)| *purpose != Purpose::Token) {
        let url = Url::parse(address).expect("it was asked");
        assert_eq!(url.origin().ascii_serialization(), "https://api.github.com", "{address:?}");
    }
    let Ok(sign_in) = result else { return Seen::Refused };
    let identity = sign_in.identity;
    assert_eq!(identity.issuer, "https://github.com/login/oauth");

    let said = |number: usize| {
        let reply = replies.get(number).filter(|reply| reply.status() == 200);
        reply.and_then(|reply| clean_json(reply.body())).unwrap_or_default()
    };
    let user = said(0);
    assert_eq!(user["id"].as_u64().map(|id| id.to_string()), Some(identity.subject));
    assert_eq!(identity.username.as_deref(), user["login"].as_str());
    assert_eq!(said(1)["state"], "active");
    let pages = asked.iter().filter(|(purpose, _)| *purpose == Purpose::Groups).count() - 1;
    let teams = (3..3 + pages).map(|number| said(number.min(replies.len() - 1)));
    let same =
        |value: &Value, name: &str| value.as_str().is_some_and(|value| value.eq_ignore_ascii_case(name));
    let ours =
        |team: &Value| same(&team["slug"], "crates-io") && same(&team["organization"]["login"], "rust-lang");
    assert!(teams.flat_map(|page| page.as_array().cloned().unwrap_or_default()).any(|team| ours(&team)));
    if identity.email_verified {
        let emails = said(2);
        let is_listed = |email: &Value| {
            email["primary"] == true
                && email["verified"] == true
                && email["email"].as_str() == identity.email.as_deref()
        };
        assert!(emails.as_array().is_some_and(|emails| emails.iter().any(is_listed)));
    } else {
        assert_eq!(identity.email.as_deref(), user["email"].as_str());
    }
    Seen::Accepted
}

/// One reply out of its text.
fn read(text: &str) -> HttpResponse {
    let (first, body) = first_line(text.as_bytes());
    let first = lossy(first);
    let (status, link) = first.split_once(' ').unwrap_or((&first, ""));
    let mut response = reply(status.parse().unwrap_or(500), b"application/json", body);
    if let Ok(link) = http::HeaderValue::from_str(link) {
        response.headers_mut().insert(http::header::LINK, link);
    }
    response
}

/// A sign-in by a client that lets in one team of one organisation; writes down what is asked.
fn sign_in(replies: &[HttpResponse], asked: &mut Vec<(Purpose, String)>) -> Result<SignIn, ProviderError> {
    static CLIENT: OnceLock<Arc<GitHub>> = OnceLock::new();
    let client = CLIENT.get_or_init(|| {
        let builder =
            GitHub::builder("client", "client secret").organization("rust-lang").team("rust-lang/crates-io");
        Arc::new(builder.build().expect("the client is set up as the documentation says"))
    });
    let (client, mut pages) = (Arc::clone(client), 3..);
    let finish = async move |http: Http| {
        let redirect_uri = Url::parse("https://rp.example/oauth2/callback").expect("it is an address");
        let answered = testkit::answered("code", "nonce", "verifier", redirect_uri, Vec::new());
        client.finish(&http, &answered).await
    };
    testkit::converse(NOW, finish, |question| {
        let address = question.url();
        let number = match question.purpose() {
            Purpose::Profile => 0,
            Purpose::Groups if address == "https://api.github.com/user/memberships/orgs/rust-lang" => 1,
            Purpose::Emails => 2,
            Purpose::Token => 0,
            _ => pages.next().unwrap_or_default().min(replies.len() - 1),
        };
        asked.push((question.purpose(), address));
        if question.purpose() == Purpose::Token {
            let token = serde_json::json!({"access_token": ACCESS_TOKEN, "token_type": "bearer"});
            return question.respond(json_reply(&token));
        }
        let request = question.request().expect("GitHub is asked by exchanges only");
        let bearer = format!("Bearer {ACCESS_TOKEN}");
        assert_eq!(request.headers()[http::header::AUTHORIZATION], bearer.as_str());
        question
            .respond(replies.get(number).cloned().unwrap_or_else(|| reply(404, b"application/json", "{}")))
    })
}
