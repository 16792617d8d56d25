//! What a browser brings back from X by OAuth 1.0a: the callback's query, and the cookies of attempts.

use std::sync::{Arc, OnceLock};

use sha2::{Digest as _, Sha256};
use url::Url;
use vestibule::{
    Vestibule,
    exchange::Purpose,
    limits::{
        CALLBACK_PARAMETERS_MAX, CODE_BYTES_MAX, COOKIE_HEADER_BYTES_MAX, COOKIES_MAX,
        REQUEST_TARGET_BYTES_MAX,
    },
    request::PlainHead,
};

use crate::{
    Seen,
    outside::{Outside, cookies_set, json_reply, reply, session_set},
    readers::{base64url, cookies, form, only_cookie, percent_decoded, values},
    site::{ATTEMPTS, SESSION, by_token},
    text::{expand, first_line, header_values, lossy},
};

/// A sign-in that a browser has begun.
struct Begun {
    token: String,
    cookie_name: String,
    cookie_value: String,
    lands: &'static str,
}

impl Begun {
    /// Begins one for which X gives out the request token `token`.
    fn new(token: &str, path: &'static str, lands: &'static str) -> Self {
        let mut outside = x(token);
        let response = outside.visit(by_token(), PlainHead::navigation(path), b"").response;
        let location = Url::parse(response.get("location").expect("a visit of `start` begins a sign-in"));
        let location = location.expect("the browser is sent to an address");
        assert_eq!(values(&form(location.query().unwrap_or_default().as_bytes()), "oauth_token"), [token]);
        let mut set = cookies_set(&response).into_iter();
        let (cookie_name, cookie_value) = set
            .rfind(|(name, value)| name.starts_with(ATTEMPTS) && !value.is_empty())
            .expect("what is begun is sealed");
        Self { token: token.to_owned(), cookie_name, cookie_value, lands }
    }

    fn cookie(&self) -> String {
        format!("{}={}", self.cookie_name, self.cookie_value)
    }
}

/// An X that gives out that request token, and knows Ada.
fn x(token: &str) -> Outside {
    let mut outside = Outside::honest();
    let secrets = "&oauth_token_secret=secret&oauth_callback_confirmed=true";
    outside.begin = reply(200, b"text/html", format!("oauth_token={token}{secrets}"));
    let account = "oauth_token=7-access&oauth_token_secret=secret&user_id=7&screen_name=ada";
    outside.token = reply(200, b"text/html", account);
    outside.profile = json_reply(&serde_json::json!({"id_str": "7", "screen_name": "ada"}));
    outside
}

fn attempts() -> &'static [Begun; 2] {
    static BOTH: OnceLock<[Begun; 2]> = OnceLock::new();
    BOTH.get_or_init(|| {
        let elsewhere = "/oauth2/start?rd=https%3A%2F%2Fone.apps.example%2Fp";
        [
            Begun::new("first-request-token", "/oauth2/start?rd=/deep", "https://rp.example/deep"),
            Begun::new("second-request-token", elsewhere, "https://one.apps.example/p"),
        ]
    })
}

/// The query of a callback in the first line, `Cookie` headers in the others.
///
/// X is not asked unless the query brings exactly one request token and one verifier, nothing of OAuth 2, and the browser
/// the sealed cookie of the attempt that was begun with that token; what is then sent is that token and that verifier
/// (SE-01, SE-06, SE-16, SE-17).
pub fn callback_token(data: &[u8]) -> Seen {
    let [one, two] = attempts();
    let (cookie, other_cookie) = (one.cookie(), two.cookie());
    let named = [
        ("token", one.token.as_str()),
        ("cookie", &cookie),
        ("name", &one.cookie_name),
        ("value", &one.cookie_value),
        ("other token", &two.token),
        ("other cookie", &other_cookie),
        ("other value", &two.cookie_value),
    ];
    let data = expand(data, &named);
    let (query, rest) = first_line(&data);
    let target = format!("/oauth2/callback?{}", lossy(query));
    let sent = Sent {
        form: form(target.split_once('?').map_or("", |(_, query)| query).as_bytes()),
        cookies: header_values(rest).collect(),
        target,
    };
    sent.to(by_token())
}

/// A callback on its way in.
struct Sent<'d> {
    target: String,
    form: Vec<(String, String)>,
    cookies: Vec<&'d [u8]>,
}

impl Sent<'_> {
    fn to(&self, site: &Arc<Vestibule>) -> Seen {
        let head = PlainHead::navigation(&self.target);
        let head = self.cookies.iter().fold(head, |head, line| head.with("cookie", line.to_vec()));
        let mut outside = x("a-token-that-nobody-asked-for");
        let response = outside.visit(site, head, b"").response;
        let expected = self.answered();
        if outside.is_untouched() {
            assert!(expected.is_none() || !self.is_small(), "an honest callback was refused");
            assert_eq!(session_set(&response), None, "X was not asked, and yet somebody is signed in");
            let consumes = self.names_an_attempt() || response.status == 431;
            assert!(consumes || response.set_cookies().next().is_none(), "no match consumes nothing");
            return Seen::Refused;
        }
        let attempt = expected.expect("X was asked about what answers no attempt of this browser");
        self.sent_to_x(&outside, attempt);
        assert_eq!((response.status, response.get("location")), (303, Some(attempt.lands)));
        let session = session_set(&response).expect("a finished sign-in is a session");
        let asks = PlainHead::fetch("/").with("cookie", format!("{SESSION}={session}"));
        assert!(site.session(&asks, outside.now).is_ok_and(|session| session.identity.subject == "7"));
        let gone = (attempt.cookie_name.clone(), String::new());
        assert!(cookies_set(&response).contains(&gone), "it is used up");
        Seen::Accepted
    }

    /// The attempt that is answered, after a second reader.
    fn answered(&self) -> Option<&'static Begun> {
        let values = |name| values(&self.form, name);
        let ([token], [verifier], [] | [_]) =
            (&values("oauth_token")[..], &values("oauth_verifier")[..], &values("iss")[..])
        else {
            return None;
        };
        if ["state", "code", "error", "denied"].iter().any(|name| !values(name).is_empty()) {
            return None;
        }
        let attempt = attempts().iter().find(|attempt| attempt.token == *token)?;
        let value = only_cookie(&self.all_cookies(), &attempt.cookie_name)?;
        let whole =
            (1..=CODE_BYTES_MAX).contains(&verifier.len()) && value == attempt.cookie_value.as_bytes();
        (whole && self.target.len() <= REQUEST_TARGET_BYTES_MAX).then_some(attempt)
    }

    /// Whether the browser has a cookie, sealed or not, that is called after what came.
    fn names_an_attempt(&self) -> bool {
        let named = |hash: &[u8]| {
            only_cookie(&self.all_cookies(), &format!("{ATTEMPTS}{}", base64url(&hash[..11]))).is_some()
        };
        let token =
            ["oauth_token", "denied"].iter().find_map(|name| values(&self.form, name).first().copied());
        let state = values(&self.form, "state").first().copied();
        token.is_some_and(|token| named(&Sha256::digest(format!("oauth_token {token}"))))
            || state.is_some_and(|state| named(&Sha256::digest(state)))
    }

    fn all_cookies(&self) -> Vec<(&[u8], &[u8])> {
        cookies(self.cookies.iter().copied())
    }

    /// Whether no limit stands in the way of what would otherwise be answered.
    fn is_small(&self) -> bool {
        let bytes: usize = self.cookies.iter().map(|line| line.len() + 1).sum();
        let pieces: usize = self.cookies.iter().map(|line| line.split(|byte| *byte == b';').count()).sum();
        self.form.len() <= CALLBACK_PARAMETERS_MAX
            && bytes <= COOKIE_HEADER_BYTES_MAX
            && pieces <= COOKIES_MAX
    }

    /// The request for an access token is about that request token, with the verifier that came, and nothing else was
    /// asked before.
    fn sent_to_x(&self, outside: &Outside, attempt: &Begun) {
        let [(Purpose::Token, request), (Purpose::Profile, _)] = &outside.requests[..] else {
            panic!("an access token, then who it is from: {:?}", outside.requests);
        };
        assert_eq!((outside.claims, request.uri().path()), (1, "/oauth/access_token"));
        let header = request.headers()["authorization"].as_bytes();
        let pairs = header.strip_prefix(b"OAuth ").expect("the scheme").split(|byte| *byte == b',');
        let only = |name: &str| {
            let start = format!("{name}=\"");
            let mut found = pairs.clone().filter_map(|pair| pair.trim_ascii().strip_prefix(start.as_bytes()));
            let value = found.next().and_then(|value| value.strip_suffix(b"\"")).expect("it is sent");
            assert!(found.next().is_none(), "{name} is sent once");
            percent_decoded(value)
        };
        assert_eq!(only("oauth_token"), attempt.token.as_bytes());
        assert_eq!(only("oauth_verifier"), values(&self.form, "oauth_verifier")[0].as_bytes());
        assert_eq!(request.uri().host(), Some("api.x.com"), "nobody else");
    }
}
