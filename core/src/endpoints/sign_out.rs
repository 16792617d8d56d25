//! `sign_out`: ends the session, and lands where nobody is signed in again at once.

use crate::{
    endpoints::Visit,
    flow::{Outcome, Step},
    pages::{Act, Page},
    paths::Endpoint,
    refusal::Refusal,
    request::{self, RequestHead, asker},
    response::{Event, Response},
    return_target::ReturnTarget,
};

/// Stands in the query of the page that says that the session has ended; that page never ends one.
const ENDED: &str = "ended";

impl<R: RequestHead + ?Sized> Visit<'_, R> {
    pub(crate) fn sign_out(self, is_alias: bool) -> Step {
        let vestibule = self.vestibule;
        let query = request::query(self.head.target());
        let target =
            request::parameter(query, "rd").and_then(|text| ReturnTarget::parse(&text, &vestibule.policy));
        if self.has_no_effect() {
            return Step::Done(Response::new(200).into());
        }
        let session = vestibule.session(self.head, self.now).ok();
        Step::Done(match (self.head.method(), session) {
            ("GET", _) if request::parameter(query, ENDED).is_some() => self.ended_page().into(),
            ("GET" | "POST", None) => self.nobody(is_alias, target.as_ref()).into(),
            ("GET", Some(_)) if !request::is_own_navigation(self.head) => {
                self.question(target.as_ref()).into()
            }
            ("POST", Some(_)) if self.is_cross_site() => {
                vestibule.refused(asker(self.head), Refusal::CrossSite, None, None)
            }
            ("GET" | "POST", Some(session)) => {
                let response = self.end(target.as_ref());
                Outcome { response, event: Some(Event::SignedOut { provider: session.provider }) }
            }
            _ => vestibule.refused(asker(self.head), Refusal::MethodNotAllowed, None, None),
        })
    }

    /// Another site may not sign anybody out. Browsers say who asks; what says nothing is no browser of today.
    fn is_cross_site(&self) -> bool {
        if let Some(site) = request::text(self.head, "sec-fetch-site") {
            return !matches!(site, "same-origin" | "none");
        }
        request::text(self.head, "origin").is_some_and(|origin| origin != self.vestibule.origin)
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

    /// A session cookie goes whether it opened or not.
    fn cleared(&self, response: Response) -> Response {
        let cookies = &self.vestibule.cookies;
        response
            .cookie(cookies.clear(&self.vestibule.session_cookie))
            .cookie(cookies.clear(&cookies.remembered()))
    }

    fn question(&self, target: Option<&ReturnTarget>) -> Response {
        let action = super::with_query(self.vestibule.paths.of(Endpoint::SignOut), target, false);
        let acts = vec![
            Act::Post { label: "Sign out", action: &action },
            Act::Link { label: "Stay signed in", href: "/", quiet: true },
        ];
        Page {
            title: "Sign out?",
            paragraphs: vec!["This ends your session on this site."],
            acts,
            code: None,
        }
        .render(200)
    }

    fn ended_page(&self) -> Response {
        let sign_in = self.vestibule.sign_in_path(None, false);
        let acts = vec![Act::Link { label: "Sign in again", href: &sign_in, quiet: true }];
        let said = vec![
            "You are signed out of this site.",
            "At the provider that you signed in with, you may still be signed in.",
        ];
        Page { title: "Signed out", paragraphs: said, acts, code: None }.render(200)
    }
}
