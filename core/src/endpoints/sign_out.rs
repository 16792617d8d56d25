//! `sign_out`: ends the session, and lands where nobody is signed in again at once.

use std::sync::Arc;

use url::Url;

use crate::{
    endpoints::{Visit, with_query},
    entropy::Entropy,
    flow::{self, Outcome, Step},
    pages::{Page, PageAction, PageKind},
    paths::Endpoint,
    refusal::Refusal,
    request::{self, RequestHead},
    response::{Event, Response},
    return_target::ReturnTarget,
    stored::end::Ending,
};

/// Stands in the query of the page that says that the session has ended: a visit of that page never ends one.
const ENDED: &str = "ended";

impl<R: RequestHead + ?Sized> Visit<'_, R> {
    pub(crate) fn sign_out(self, is_alias: bool) -> Step {
        let vestibule = self.vestibule;
        let target = self.parameter("rd").and_then(|text| ReturnTarget::parse(&text, &vestibule.policy));
        let target = target.as_ref();
        match (self.head.method(), &self.person) {
            // Before anything else: to a form on another site the browser adds no cookie of ours, but it would take
            // our word that there is none any more.
            ("POST", _) if self.is_cross_site() => vestibule.refused(self.asker, Refusal::CrossSite).into(),
            ("GET" | "POST", None) => Outcome::from(self.nobody(is_alias, target)).into(),
            ("GET", Some(_)) if !request::is_own_navigation(self.head) || self.parameter(ENDED).is_some() => {
                Outcome::from(self.question(target)).into()
            }
            ("GET" | "POST", Some(_)) => self.ended(target.cloned()),
            _ => vestibule.refused(self.asker, Refusal::MethodNotAllowed).into(),
        }
    }

    /// The application ends the session, by a handler of its own that has decided to.
    pub(crate) fn end_for_application(self, target: Option<&ReturnTarget>) -> Step {
        if !matches!(self.head.method(), "GET" | "HEAD") && self.is_cross_site() {
            return self.vestibule.refused(self.asker, Refusal::CrossSite).into();
        }
        match &self.person {
            None => Outcome::from(self.nobody(false, target)).into(),
            Some(_) => self.ended(target.cloned()),
        }
    }

    /// The session ends, and what else ends with it: its record, and the provider's own.
    fn ended(self, target: Option<ReturnTarget>) -> Step {
        let vestibule = Arc::clone(self.vestibule);
        let Some(person) = &self.person else {
            return Outcome::from(self.nobody(false, target.as_ref())).into();
        };
        let event = Event::SignedOut { provider: person.provider.clone() };
        let outcome = Outcome { response: self.end(target.as_ref()), event: Some(event) };
        let (id, provider) = (person.id, vestibule.provider(&person.provider).cloned());
        let ticket = vestibule.keeps_sessions().then_some(id);
        let at_provider = vestibule.keeping.sign_out_at_provider;
        let tokens = vestibule.tokens_of(self.head, id, self.now);
        let refreshes = tokens.as_ref().is_some_and(|tokens| tokens.refresh.is_some());
        if ticket.is_none() && !at_provider && !refreshes {
            return outcome.into();
        }
        let back = vestibule.address(vestibule.paths.of(Endpoint::SignOut));
        let back = Url::parse(&back).ok().filter(|_| at_provider);
        let now = self.now;
        let mut browser = self.browser();
        let entropy = Entropy::new(browser.entropy.bytes());
        let ending = Ending { provider, ticket, tokens, back, entropy };
        flow::end_session(vestibule, browser, ending, outcome, now)
    }

    /// Another site may not sign anybody out. Browsers say who asks; what says nothing is no browser of today.
    fn is_cross_site(&self) -> bool {
        if let Some(site) = self.head.header("sec-fetch-site") {
            return !matches!(site, b"same-origin" | b"none");
        }
        self.head.header("origin").is_some_and(|origin| origin != self.vestibule.origin.as_bytes())
    }

    fn end(&self, target: Option<&ReturnTarget>) -> Response {
        let vestibule = self.vestibule;
        let location = match target {
            Some(target) => target.location(&vestibule.redirect_url),
            None => vestibule.address(&format!("{}?{ENDED}", vestibule.paths.of(Endpoint::SignOut))),
        };
        self.cleared(Response::see_other(&location))
    }

    /// Nobody is signed in. A page that found its session ended sends the browser to an alias: from there it goes to
    /// the start of the site, which asks to sign in if it needs to.
    fn nobody(&self, is_alias: bool, target: Option<&ReturnTarget>) -> Response {
        let vestibule = self.vestibule;
        let response = match target {
            Some(target) => Response::see_other(&target.location(&vestibule.redirect_url)),
            None if is_alias => Response::see_other(&vestibule.address("/")),
            None => self.ended_page(),
        };
        self.cleared(response)
    }

    /// What is ours goes, whether it opened or not, as far as the browser brought it.
    fn cleared(&self, response: Response) -> Response {
        let vestibule = self.vestibule;
        let ours = vestibule.own_cookies();
        let brought = ours.iter().filter(|name| self.cookies.has(name));
        response.cookies(brought.map(|name| vestibule.cookies.clear(name)))
    }

    fn question(&self, target: Option<&ReturnTarget>) -> Response {
        let vestibule = self.vestibule;
        let action = with_query(
            vestibule.paths.of(Endpoint::SignOut),
            target.filter(|target| **target != ReturnTarget::root()),
            false,
        );
        let acts =
            vec![PageAction::post("Sign out", &action), PageAction::quiet_visit("Stay signed in", "/")];
        let mut page =
            Page::new(PageKind::SignOut, "Sign out?", vec!["This ends your session on this site."], acts);
        // Browsers hold the redirect that follows a form against the page's policy too.
        page.form_leads_to = target.map(|target| target.origin(&vestibule.redirect_url));
        vestibule.draw(200, page)
    }

    fn ended_page(&self) -> Response {
        let sign_in = self.vestibule.sign_in_path(None, false);
        let acts = vec![PageAction::quiet_visit("Sign in again", &sign_in)];
        let said = vec![
            "You are signed out of this site.",
            "At the provider that you signed in with, you may still be signed in.",
        ];
        self.vestibule.draw(200, Page::new(PageKind::SignedOut, "Signed out", said, acts))
    }
}
