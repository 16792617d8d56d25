//! What an application's own handlers begin and end: a sign-in with wishes of its own, and the session.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    config::Vestibule,
    cookie::Cookies,
    endpoints::{StartParameter, Visit, Wishes, with_further},
    entropy::{Entropy, Seed},
    flow::{Outcome, Step},
    paths::Endpoint,
    refusal::Refusal,
    request::{self, RequestHead, asker},
    response::Response,
    return_target::ReturnTarget,
    time::Timestamp,
};

/// What a provider is to do with the person (OpenID Connect Core §3.1.2.1, Prompt Create 1.0 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Prompt {
    /// Say who is signed in there, and ask nobody anything.
    None,
    /// Ask who they are, even if it knows.
    Login,
    /// Ask for their consent, even if it has it.
    Consent,
    /// Let them choose an account.
    SelectAccount,
    /// Let them make an account.
    Create,
}

impl Prompt {
    pub(crate) const ALL: [Self; 5] =
        [Self::None, Self::Login, Self::Consent, Self::SelectAccount, Self::Create];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Login => "login",
            Self::Consent => "consent",
            Self::SelectAccount => "select_account",
            Self::Create => "create",
        }
    }
}

/// A sign-in as a handler of the application begins it.
///
/// ```
/// use std::time::Duration;
/// use vestibule::config::{Prompt, SignInWith};
///
/// let again = SignInWith::new().max_age(Duration::from_secs(300)).return_to("/transfer");
/// let other = SignInWith::new().provider("op").prompt(Prompt::SelectAccount).login_hint("ada@a.example");
/// # let _ = (again, other);
/// ```
#[derive(Clone, Default)]
pub struct SignInWith {
    provider: Option<String>,
    return_to: Option<String>,
    prompt: Option<Prompt>,
    login_hint: Option<String>,
    max_age: Option<Duration>,
}

/// A hint says who somebody is, and stays out.
impl fmt::Debug for SignInWith {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInWith")
            .field("provider", &self.provider)
            .field("prompt", &self.prompt)
            .field("max_age", &self.max_age)
            .finish_non_exhaustive()
    }
}

impl SignInWith {
    /// A sign-in that leads to `/`, or wherever `Builder::land_on` says.
    pub fn new() -> Self {
        Self::default()
    }

    /// Through this provider. Without one it is that of whoever is signed in, or the only one there is; else the
    /// browser is sent to the page to choose, from where a prompt and a hint come along only if the site lets those of
    /// anybody through (`Builder::start_parameter`).
    pub fn provider(mut self, id: impl Into<String>) -> Self {
        self.provider = Some(id.into());
        self
    }

    /// Leads there afterwards: a path of this site, or an address of an origin that may be returned to. Anything else
    /// counts as none. The page that begins the sign-in is a bad choice: it would begin the next.
    pub fn return_to(mut self, target: impl Into<String>) -> Self {
        self.return_to = Some(target.into());
        self
    }

    /// Asks the provider for this.
    pub fn prompt(mut self, prompt: Prompt) -> Self {
        self.prompt = Some(prompt);
        self
    }

    /// Tells the provider who is probably coming, by an e-mail address or whatever names accounts there. One that is
    /// longer than [`LOGIN_HINT_BYTES_MAX`](crate::limits::LOGIN_HINT_BYTES_MAX), or has control characters, is left out.
    pub fn login_hint(mut self, hint: impl Into<String>) -> Self {
        self.login_hint = Some(hint.into());
        self
    }

    /// Asks that the person shows the provider who they are, unless they did within that time. A provider that says
    /// when that was is held to it; and where somebody is signed in here, it must be them: whoever changes accounts is
    /// let choose by [`Prompt::SelectAccount`] instead. Where no other prompt is set, it is [`Prompt::Login`].
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    fn wishes(&self) -> Wishes {
        let prompt = self.prompt.or(self.max_age.map(|_| Prompt::Login));
        let hint = self.login_hint.clone();
        Wishes {
            prompt: prompt.map(|prompt| prompt.as_str().to_owned()),
            login_hint: hint.filter(|hint| StartParameter::LoginHint.accepts(hint)),
            max_age: self.max_age.map(|age| age.as_secs()),
        }
    }
}

impl Vestibule {
    /// Begins a sign-in from one of the application's own pages, in answer to a visit or a form.
    pub fn begin(
        self: &Arc<Self>,
        head: &(impl RequestHead + ?Sized),
        with: &SignInWith,
        now: Timestamp,
        seed: Seed,
    ) -> Step {
        if let Some(response) = request::without_effect(head) {
            return Outcome::from(response).into();
        }
        match self.visit(head, now, seed) {
            Ok(visit) => visit.begin(with),
            Err(outcome) => outcome.into(),
        }
    }

    /// Ends the session from a handler of the application, and sends the browser to `return_to`, or to the page that
    /// says so. It is what `sign_out` does, but that the handler has asked whoever is to be asked; another site's forms
    /// are refused here, too.
    pub fn end(
        self: &Arc<Self>,
        head: &(impl RequestHead + ?Sized),
        return_to: Option<&str>,
        now: Timestamp,
        seed: Seed,
    ) -> Step {
        if let Some(response) = request::without_effect(head) {
            return Outcome::from(response).into();
        }
        let target = return_to.and_then(|text| ReturnTarget::parse(text, &self.policy));
        match self.visit(head, now, seed) {
            Ok(visit) => visit.end_for_application(target.as_ref()),
            Err(outcome) => outcome.into(),
        }
    }

    /// A request to a page of the application's, looked at as one to an endpoint is.
    fn visit<'v, R: RequestHead + ?Sized>(
        self: &'v Arc<Self>,
        head: &'v R,
        now: Timestamp,
        seed: Seed,
    ) -> Result<Visit<'v, R>, Outcome> {
        let asker = asker(head);
        let Ok(cookies) = Cookies::read(head) else { return Err(self.too_many_cookies(asker)) };
        let (entropy, person) = (Entropy::new(seed), self.person(head, now));
        Ok(Visit { vestibule: self, head, body: b"", now, entropy, asker, cookies, person })
    }
}

impl<R: RequestHead + ?Sized> Visit<'_, R> {
    fn begin(self, with: &SignInWith) -> Step {
        let vestibule = self.vestibule;
        let parse = |text: &String| ReturnTarget::parse(text, &vestibule.policy);
        let target = with.return_to.as_ref().and_then(parse).unwrap_or_else(|| vestibule.landing.clone());
        let person = self.person.as_ref().filter(|person| person.may_enter);
        let id = with.provider.as_deref().or(person.map(|person| person.provider.as_str()));
        let provider = match (id, vestibule.providers.as_slice()) {
            (Some(id), _) => vestibule.provider(id),
            (None, [only]) => Some(only),
            (None, _) => return self.begun_elsewhere(Endpoint::SignIn, None, &target, with).into(),
        };
        let Some(provider) = provider.cloned() else {
            return vestibule.refused(self.asker, Refusal::UnknownProvider).into();
        };
        if vestibule.is_at_a_sibling(self.head) {
            return self.begun_elsewhere(Endpoint::Start, Some(provider.id()), &target, with).into();
        }
        self.begin_attempt_with(provider, target, with.wishes())
    }

    /// It goes on at an endpoint, which is told what is wished as anybody may tell it.
    fn begun_elsewhere(
        &self,
        endpoint: Endpoint,
        provider: Option<&str>,
        target: &ReturnTarget,
        with: &SignInWith,
    ) -> Outcome {
        let vestibule = self.vestibule;
        let Wishes { prompt, login_hint, max_age } = with.wishes();
        let said =
            [("prompt", prompt), ("login_hint", login_hint), ("max_age", max_age.map(|age| age.to_string()))];
        let target = vestibule.meant_at(self.head, target.clone());
        let mut wishes =
            said.into_iter().filter_map(|(name, value)| Some((name, value?))).collect::<Vec<_>>();
        wishes.push(("rd", target.as_str().to_owned()));
        let endpoint = vestibule.paths.of(endpoint);
        let path = provider.map_or_else(|| endpoint.to_owned(), |id| format!("{endpoint}/{id}"));
        Response::see_other(&vestibule.address(&with_further(&path, wishes))).into()
    }
}
