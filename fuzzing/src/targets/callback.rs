//! What a browser brings back from a provider: the callback's query or form, and the cookies of attempts.

use std::sync::{Arc, OnceLock};

use sha2::{Digest as _, Sha256};
use vestibule::{
    Vestibule,
    exchange::Purpose,
    limits::{
        BODY_BYTES_MAX, CALLBACK_PARAMETERS_MAX, CODE_BYTES_MAX, COOKIE_HEADER_BYTES_MAX, COOKIES_MAX,
        REQUEST_TARGET_BYTES_MAX,
    },
    request::PlainHead,
};

use crate::{
    Seen,
    outside::{Begun, Outside, cookies_set, session_set},
    readers::{base64url, cookies, form, only_cookie, values},
    site::{ATTEMPTS, OWN, SESSION, by_form, plain},
    text::{expand, first_line, header_values, lossy},
};

/// A browser's two sign-ins under way, and what an input calls their parts.
struct Attempts {
    both: [Begun; 2],
}

impl Attempts {
    fn new(site: &Arc<Vestibule>) -> Self {
        Self { both: [Begun::new(site, "/deep?x=1", 1), Begun::new(site, "https://one.apps.example/p", 2)] }
    }

    fn expand(&self, text: &[u8]) -> Vec<u8> {
        let [one, two] = &self.both;
        let (cookie_one, cookie_two) = (one.cookie(), two.cookie());
        let values = [
            ("state", one.state.as_str()),
            ("cookie", &cookie_one),
            ("name", &one.cookie_name),
            ("value", &one.cookie_value),
            ("other state", &two.state),
            ("other cookie", &cookie_two),
            ("other value", &two.cookie_value),
        ];
        expand(text, &values)
    }
}

/// The query of a callback in the first line, `Cookie` headers in the others.
///
/// Nobody outside is asked unless the query answers, with exactly one code and one state, an attempt whose sealed
/// cookie the browser brought exactly once; what is then sent is that code, and the verifier of that attempt (SE-01,
/// SE-06, SE-10, SE-16, SE-17).
pub fn callback_query(data: &[u8]) -> Seen {
    static ATTEMPTS: OnceLock<Attempts> = OnceLock::new();
    let attempts = ATTEMPTS.get_or_init(|| Attempts::new(plain()));
    let data = attempts.expand(data);
    let (query, rest) = first_line(&data);
    let query = lossy(query);
    let target = format!("/oauth2/callback?{query}");
    let sent = Sent {
        cookies: header_values(rest).map(<[u8]>::to_vec).collect(),
        form: query.as_bytes().to_vec(),
        is_readable: target.len() <= REQUEST_TARGET_BYTES_MAX,
        head: PlainHead::navigation(&target),
        body: Vec::new(),
    };
    sent.to(plain(), attempts)
}

/// The query of a callback in the first line, empty where it should be, a `Cookie` header in the second, and the rest
/// is the body that the provider's form posts. It has to pass what a query has to pass; an answer in both places is
/// no answer (SE-18).
pub fn callback_form(data: &[u8]) -> Seen {
    static ATTEMPTS: OnceLock<Attempts> = OnceLock::new();
    let attempts = ATTEMPTS.get_or_init(|| Attempts::new(by_form()));
    let data = attempts.expand(data);
    let (query, rest) = first_line(&data);
    let (cookie, body) = first_line(rest);
    let target = if query.is_empty() {
        "/oauth2/callback".to_owned()
    } else {
        format!("/oauth2/callback?{}", lossy(query))
    };
    let head = PlainHead::new("POST", &target)
        .with("sec-fetch-mode", "navigate")
        .with("sec-fetch-site", "cross-site");
    assert!(by_form().wants_body(&head), "the body of a callback has to be read");
    let sent = Sent {
        cookies: header_values(cookie).map(<[u8]>::to_vec).collect(),
        form: body.to_vec(),
        is_readable: query.is_empty() && body.len() <= BODY_BYTES_MAX,
        head,
        body: body.to_vec(),
    };
    sent.to(by_form(), attempts)
}

/// A callback on its way in.
struct Sent {
    head: PlainHead,
    cookies: Vec<Vec<u8>>,
    body: Vec<u8>,
    /// Its parameters, from the query or from the body.
    form: Vec<u8>,
    /// Whether they are where they belong, and not too many bytes.
    is_readable: bool,
}

impl Sent {
    fn to(self, site: &Arc<Vestibule>, attempts: &Attempts) -> Seen {
        let form = form(&self.form);
        let head =
            self.cookies.iter().fold(self.head.clone(), |head, line| head.with("cookie", line.clone()));
        let mut outside = Outside::honest();
        let response = outside.visit(site, head, &self.body).response;

        let expected = self.answered(&form, attempts);
        if outside.is_untouched() {
            assert!(expected.is_none() || !self.is_small(&form), "an honest callback was refused");
            assert_eq!(session_set(&response), None, "nobody was asked, and yet somebody is signed in");
            let consumes = self.names_an_attempt(&form) || response.status == 431;
            assert!(consumes || response.set_cookies().next().is_none(), "no match consumes nothing");
            return Seen::Refused;
        }
        let attempt = expected.expect("somebody was asked about what answers no attempt of this browser");
        sent_to_the_provider(&outside, &form, attempt);
        assert_eq!((response.status, response.get("location")), (303, Some(attempt.lands.as_str())));
        let session = session_set(&response).expect("a finished sign-in is a session");
        let asks = PlainHead::fetch("/").with("cookie", format!("{SESSION}={session}"));
        assert!(site.session(&asks, outside.now).is_ok_and(|session| session.identity.subject == "7"));
        assert!(
            cookies_set(&response).contains(&(attempt.cookie_name.clone(), String::new())),
            "it is used up"
        );
        Seen::Accepted
    }

    /// The attempt that is answered, after a second reader.
    fn answered<'a>(&self, form: &[(String, String)], attempts: &'a Attempts) -> Option<&'a Begun> {
        let ([state], [code], [], [] | ["https://plain.example"]) = (
            &values(form, "state")[..],
            &values(form, "code")[..],
            &values(form, "error")[..],
            &values(form, "iss")[..],
        ) else {
            return None;
        };
        // Parameters of the other protocol make it an answer in two.
        if ["oauth_token", "oauth_verifier", "denied"].iter().any(|name| !values(form, name).is_empty()) {
            return None;
        }
        let attempt = attempts.both.iter().find(|attempt| attempt.state == *state)?;
        let value = only_cookie(&self.all_cookies(), &attempt.cookie_name)?;
        let whole = (1..=CODE_BYTES_MAX).contains(&code.len()) && value == attempt.cookie_value.as_bytes();
        (self.is_readable && whole).then_some(attempt)
    }

    /// Whether the browser has a cookie, sealed or not, that is called after the state that came.
    fn names_an_attempt(&self, form: &[(String, String)]) -> bool {
        let [state] = values(form, "state")[..] else { return false };
        let hash = base64url(&Sha256::digest(state)[..11]);
        only_cookie(&self.all_cookies(), &format!("{ATTEMPTS}{hash}")).is_some()
    }

    fn all_cookies(&self) -> Vec<(&[u8], &[u8])> {
        cookies(self.cookies.iter().map(Vec::as_slice))
    }

    /// Whether no limit stands in the way of what would otherwise be answered.
    fn is_small(&self, form: &[(String, String)]) -> bool {
        let bytes: usize = self.cookies.iter().map(|line| line.len() + 1).sum();
        let pieces: usize = self.cookies.iter().map(|line| line.split(|byte| *byte == b';').count()).sum();
        form.len() <= CALLBACK_PARAMETERS_MAX && bytes <= COOKIE_HEADER_BYTES_MAX && pieces <= COOKIES_MAX
    }
}

/// The token request carries the code that came and the secrets of that attempt, and nothing else was asked before.
fn sent_to_the_provider(outside: &Outside, form: &[(String, String)], attempt: &Begun) {
    let [(Purpose::Token, request), (Purpose::Profile, _)] = &outside.requests[..] else {
        panic!("a token request and a question about the person, in this order: {:?}", outside.requests);
    };
    assert_eq!(outside.claims, 1);
    let sent = crate::readers::form(request.body());
    let only = |name: &str| match values(&sent, name)[..] {
        [value] => value.to_owned(),
        _ => panic!("{name} stands in a token request once"),
    };
    assert_eq!([only("code").as_str()], values(form, "code")[..]);
    assert_eq!(base64url(Sha256::digest(only("code_verifier"))), attempt.challenge);
    assert_eq!(only("redirect_uri"), format!("{OWN}/oauth2/callback"));
    assert_eq!(only("grant_type"), "authorization_code");
}
