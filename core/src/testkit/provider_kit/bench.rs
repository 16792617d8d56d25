//! The provider under test, what it does on a good day, and what rows ask of it.

use std::cell::{OnceCell, RefCell};

use serde_json::Value;
use url::Url;

use super::{
    Asked, OpenId, ProviderKit,
    change::{changed, json_of, set},
    openid::Mint,
    play::{Fault, Play, Ran, Seen},
};
use crate::{
    exchange::{HttpRequest, HttpResponse, Purpose},
    identity::SignIn,
    provider::{AuthorizationRequest, Begun, EndSession, ProviderError},
    secret::{AuthorizationCode, CodeVerifier, Nonce, Secret, State},
};

/// Why a row is not passed.
#[derive(Debug)]
pub(super) enum Not {
    Failed(String),
    Applicable(String),
}

/// What came of a row.
pub(super) type Outcome = Result<(), Not>;

pub(super) fn failed(seen: impl Into<String>) -> Not {
    Not::Failed(seen.into())
}

pub(super) fn left_out(why: impl Into<String>) -> Not {
    Not::Applicable(why.into())
}

/// Fails with `seen` unless `sound`.
pub(super) fn ensure(sound: bool, seen: impl FnOnce() -> String) -> Outcome {
    if sound { Ok(()) } else { Err(failed(seen())) }
}

/// Who asks `purpose`s that tell about a person.
pub(super) const PERSON: [Purpose; 3] = [Purpose::Profile, Purpose::Emails, Purpose::Groups];

/// What the application asks for at the attempt of that number.
pub(super) fn attempt(number: u8) -> AuthorizationRequest {
    let value = |what: &str| {
        format!("{what}-{number}-{}", &"k7Jt0vQm1xZr5LbN3sYw8HcPdGf2TaEuRo4i9XjV6qM"[what.len()..])
    };
    // What a careless reader and writer of addresses would spell otherwise.
    let redirect_uri = format!("https://app.example/oauth2/callback/kit?a=%7E%2f+b&n={number}");
    AuthorizationRequest::new(
        State::new(value("state")),
        Nonce::new(value("nonce")),
        CodeVerifier::new(value("verifier")),
        Url::parse(&redirect_uri).expect("a constant but for a number, which every row uses"),
    )
}

/// The code that the callback of an attempt brings: opaque, and with every character that gets lost easily.
pub(super) fn code(number: u8) -> AuthorizationCode {
    AuthorizationCode::new(format!("code/{number}+%2B=&~ a.b-c_d"))
}

/// Where the browser comes back to after a sign-out.
pub(super) fn sign_out() -> EndSession {
    let back_to = Url::parse("https://app.example/bye?x=%2F").expect("a constant, which every row uses");
    EndSession::new(back_to).state(State::new("state-of-the-sign-out-k7Jt0vQm1xZr5"))
}

pub(super) struct Bench<'k> {
    pub(super) kit: &'k ProviderKit,
    begin: OnceCell<Ran<Begun>>,
    finish: OnceCell<Ran<SignIn>>,
    refresh: OnceCell<Ran<SignIn>>,
    revoke: OnceCell<Ran<()>>,
    end_session: OnceCell<Ran<Option<Url>>>,
    /// Errors and what else the provider made, printed.
    pub(super) printed: RefCell<Vec<String>>,
    pub(super) logged: RefCell<String>,
}

impl<'k> Bench<'k> {
    pub(super) fn new(kit: &'k ProviderKit) -> Self {
        Self {
            kit,
            begin: OnceCell::new(),
            finish: OnceCell::new(),
            refresh: OnceCell::new(),
            revoke: OnceCell::new(),
            end_session: OnceCell::new(),
            printed: RefCell::default(),
            logged: RefCell::default(),
        }
    }

    pub(super) fn play(&'k self) -> Play<'k> {
        Play::new(self)
    }

    /// The beginning of a good day; the other parts follow.
    pub(super) fn base_begin(&'k self) -> &'k Ran<Begun> {
        self.begin.get_or_init(|| self.play().begin())
    }

    pub(super) fn base_finish(&'k self) -> &'k Ran<SignIn> {
        self.finish.get_or_init(|| self.play().finish())
    }

    /// `None` where nobody signs in.
    pub(super) fn base_refresh(&'k self) -> Option<&'k Ran<SignIn>> {
        let old = self.base_finish().ended.as_ref().ok()?;
        Some(self.refresh.get_or_init(|| self.play().refresh(old)))
    }

    pub(super) fn base_revoke(&'k self) -> Option<&'k Ran<()>> {
        let old = self.base_finish().ended.as_ref().ok()?;
        Some(self.revoke.get_or_init(|| self.play().revoke(&old.tokens)))
    }

    pub(super) fn base_end_session(&'k self) -> Option<&'k Ran<Option<Url>>> {
        let old = self.base_finish().ended.as_ref().ok()?;
        let request = sign_out().id_token(old.tokens.id_token.clone());
        Some(self.end_session.get_or_init(|| self.play().end_session(&request)))
    }

    pub(super) fn begun(&'k self) -> Result<&'k Begun, Not> {
        self.base_begin().ended.as_ref().map_err(|_| left_out("no attempt begins: see `begins`"))
    }

    pub(super) fn signed_in(&'k self) -> Result<&'k SignIn, Not> {
        self.base_finish().ended.as_ref().map_err(|_| left_out("nobody signs in: see `signs_in`"))
    }

    /// The sign-in that can be refreshed.
    pub(super) fn refreshable(&'k self) -> Result<&'k SignIn, Not> {
        let old = self.signed_in()?;
        if old.tokens.refresh_token.is_none() {
            return Err(left_out(
                "there is no refresh token: if the provider gives any, record a token reply with one",
            ));
        }
        match self.base_refresh().map(|ran| &ran.ended) {
            Some(Ok(_)) => Ok(old),
            Some(Err(Fault::Error(ProviderError::Unsupported))) => Err(left_out("it refreshes nothing")),
            _ => Err(left_out("no refresh succeeds: see `refreshes`")),
        }
    }

    /// The parameters of the authorization request: in the address, or pushed before it (RFC 9126).
    pub(super) fn query(&'k self) -> Result<Vec<(String, String)>, Not> {
        self.oauth2()?;
        let query: Vec<_> = self.begun()?.location.query_pairs().into_owned().collect();
        let pushed = self.base_begin().asked(Purpose::Begin).find_map(|seen| seen.request.as_ref());
        match pushed.filter(|_| !values(&query, "request_uri").is_empty()) {
            Some(request) => Ok(form(request)),
            None => Ok(query),
        }
    }

    /// The request that brought the code.
    pub(super) fn token_request(&'k self) -> Result<&'k HttpRequest, Not> {
        self.oauth2()?;
        self.signed_in()?;
        let request = self.base_finish().asked(Purpose::Token).find_map(|seen| seen.request.as_ref());
        request.ok_or_else(|| failed("nothing is sent as `Purpose::Token`"))
    }

    pub(super) fn oauth2(&self) -> Outcome {
        self.kit.other_protocol.as_ref().map_or(Ok(()), |why| Err(left_out(format!("not OAuth 2: {why}"))))
    }

    pub(super) fn openid(&self) -> Result<&OpenId, Not> {
        self.kit.openid.as_ref().ok_or_else(|| left_out("not OpenID Connect: the kit was given no `openid`"))
    }

    /// The purposes of a good sign-in that are about the person.
    pub(super) fn person(&'k self) -> Vec<Purpose> {
        let asked = |purpose: &Purpose| self.base_finish().asked(*purpose).next().is_some();
        PERSON.into_iter().filter(asked).collect()
    }

    /// What is recorded as the first reply for a purpose, as JSON.
    pub(super) fn recorded_json(&'k self, purpose: Purpose) -> Option<Value> {
        let kept = RefCell::new(None);
        let keep = |seen: &Seen, response: HttpResponse| {
            if seen.purpose == purpose && seen.number == 0 {
                *kept.borrow_mut() = json_of(&response);
            }
            Ok(response)
        };
        self.play().replies(keep).finish();
        kept.into_inner()
    }

    pub(super) fn recorded(&self, asked: &Asked, number: usize, mint: &Mint) -> Option<HttpResponse> {
        let purpose = asked.purpose();
        let for_purpose = |purpose: Purpose| {
            let mut replies =
                self.kit.replies.iter().filter(|(of, _)| *of == purpose).map(|(_, reply)| reply);
            replies.clone().nth(number).or_else(|| replies.next_back())
        };
        let reply = for_purpose(purpose);
        let reply = reply.or_else(|| (purpose == Purpose::Refresh).then(|| for_purpose(Purpose::Token))?);
        let response = reply?(asked);
        let minted = matches!(purpose, Purpose::Token | Purpose::Refresh).then(|| mint.token()).flatten();
        let Some(token) = minted else { return Some(response) };
        Some(changed(response, |reply| set(reply, "/id_token", token.clone().into())))
    }

    /// What the attempt of that number seals.
    pub(super) fn private(&'k self, number: u8) -> Vec<u8> {
        let of = |ran: &Ran<Begun>| ran.ended.as_ref().map(|begun| begun.private.clone()).unwrap_or_default();
        if number == 1 { of(self.base_begin()) } else { of(&self.play().attempt(number).begin()) }
    }

    pub(super) fn overhear<T: std::fmt::Debug>(&self, ended: &Result<T, Fault>, logged: String) {
        let text = match ended {
            Ok(made) => format!("{made:?}"),
            Err(Fault::Error(error)) => format!("{error:?} {error}"),
            Err(Fault::Panicked(text)) => text.clone(),
        };
        self.printed.borrow_mut().push(text);
        self.logged.borrow_mut().push_str(&logged);
    }

    /// Everything that must not be seen, with its name.
    pub(super) fn planted(&'k self) -> Result<Vec<(&'static str, String)>, Not> {
        let tokens = &self.signed_in()?.tokens;
        let text = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
        let mut planted = vec![("the access token", tokens.access_token.expose().to_owned())];
        planted.extend(text(&tokens.refresh_token).map(|token| ("the refresh token", token)));
        planted.extend(text(&tokens.id_token).map(|token| ("the ID token", token)));
        planted.extend(self.kit.client_secret.clone().map(|secret| ("the client's secret", secret)));
        if let Some((what, _)) = planted.iter().find(|(_, value)| value.len() < 8) {
            return Err(failed(format!(
                "{what} is too short to be looked for: record one of 8 characters or more"
            )));
        }
        for number in [1, 2] {
            planted.push(("the code", code(number).expose().to_owned()));
            planted.push(("the code verifier", attempt(number).code_verifier.expose().to_owned()));
        }
        Ok(planted)
    }

    /// Nobody signs in.
    pub(super) fn refused(&self, play: Play<'_>, case: &str) -> Outcome {
        match play.finish().ended {
            Ok(_) => Err(failed(format!("{case}: somebody is signed in"))),
            Err(Fault::Error(_)) => Ok(()),
            Err(panicked) => Err(failed(format!("{case}: {panicked}"))),
        }
    }

    /// The same person signs in as on a good day.
    pub(super) fn accepted(&'k self, play: Play<'_>, case: &str) -> Outcome {
        let expected = &self.signed_in()?.identity.subject;
        let sign_in = play.finish().ended.map_err(|fault| failed(format!("{case}: {fault}")))?;
        let subject = &sign_in.identity.subject;
        ensure(subject == expected, || format!("{case}: the subject is `{subject}`, not `{expected}`"))
    }

    /// Nobody signs in, and the error is this one.
    pub(super) fn ends_as(play: Play<'_>, expected: ProviderError, case: &str) -> Outcome {
        ends_as(play.finish(), &expected, case)
    }
}

/// The error is this one.
pub(super) fn ends_as<T>(ran: Ran<T>, expected: &ProviderError, case: &str) -> Outcome {
    match ran.ended {
        Ok(_) => Err(failed(format!("{case}: it succeeds"))),
        Err(Fault::Error(error)) if error == *expected => Ok(()),
        Err(fault) => Err(failed(format!("{case}: {fault}; it should say: {expected}"))),
    }
}

/// The values of a parameter.
pub(super) fn values<'q>(query: &'q [(String, String)], name: &str) -> Vec<&'q str> {
    query.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
}

/// A request's body as a form.
pub(super) fn form(request: &HttpRequest) -> Vec<(String, String)> {
    url::form_urlencoded::parse(request.body()).into_owned().collect()
}
