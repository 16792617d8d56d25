//! What a proxy is told about somebody who is not signed in, or who may not have what they ask for.

use crate::{
    access::Ruling,
    asked::Asked,
    config::{Flavour, Vestibule},
    endpoints::Demand,
    entropy::Entropy,
    flow::Outcome,
    limits::{REMEMBERED_AGE_MAX, REMEMBERED_BYTES_MAX},
    paths::Endpoint,
    refusal::Refusal,
    refuse::Circumstances,
    request::{self, Asker, RequestHead},
    response::Response,
    return_target::ReturnTarget,
    time::Timestamp,
};

impl Vestibule {
    /// Nobody is signed in: a browser is shown the way to the sign-in, as far as the proxy hands that on.
    pub(super) fn nobody(
        &self,
        head: &(impl RequestHead + ?Sized),
        demand: &Demand,
        now: Timestamp,
        entropy: &mut Entropy,
    ) -> Outcome {
        let navigates = request::asker(head) == Asker::Navigation;
        if self.flavour.hands_answers_on() && navigates {
            return self.sent_to_sign_in(head, demand);
        }
        let mut outcome = self.refused(Asker::Program, Refusal::SignInRequired);
        if self.flavour.hands_answers_on() {
            return outcome;
        }
        let visited = self.visited_page(head);
        if self.flavour == Flavour::Nginx && navigates {
            let path = self.way_in(demand, visited.as_ref());
            outcome.response = outcome.response.header("location", self.address(&path));
        }
        if let Some(target) = visited {
            outcome.response = outcome.response.cookie(self.remember(&target, now, entropy));
        }
        outcome
    }

    /// A browser that the proxy will send on in our name, to the sign-in and back.
    fn sent_to_sign_in(&self, head: &(impl RequestHead + ?Sized), demand: &Demand) -> Outcome {
        let asked = self.asked(head);
        // A proxy that asks about the sign-in itself would send everybody round in circles.
        let is_own = self.elsewhere(&asked).is_none();
        if is_own
            && asked
                .path
                .as_deref()
                .is_some_and(|path| self.paths.route(path).is_some() || self.is_sign_in_page(path))
        {
            return self.refused(Asker::Navigation, Refusal::EndpointGuarded);
        }
        let mut outcome = self.refused(Asker::Program, Refusal::SignInRequired);
        let path = self.way_in(demand, self.page(&asked).as_ref());
        outcome.response = Response::see_other(&self.address(&path));
        outcome
    }

    /// The path of the sign-in, through the provider that a rule asks for where it is one.
    fn way_in(&self, demand: &Demand, target: Option<&ReturnTarget>) -> String {
        let only = match &demand.ruling {
            Ruling::SignedIn(Some(requirement)) => requirement.only_provider(),
            Ruling::SignedIn(None) | Ruling::Public { .. } | Ruling::Closed(..) => None,
        };
        // An issuer of tokens for API clients has no page to sign in at.
        match only.filter(|id| self.providers.len() > 1 && self.provider(id).is_some()) {
            Some(id) => self.with_query(&format!("{}/{id}", self.paths.of(Endpoint::Start)), target, false),
            None => self.sign_in_path(target, false),
        }
    }

    /// 403, never 401: a proxy would send somebody who is signed in round in circles. Where the proxy hands it on, a
    /// person gets a page.
    pub(super) fn forbidden(
        &self,
        head: &(impl RequestHead + ?Sized),
        refusal: Refusal,
        detail: Option<&'static str>,
    ) -> Outcome {
        let shows_pages = self.flavour.hands_answers_on();
        let asker = if shows_pages { request::asker(head) } else { Asker::Program };
        let target = if shows_pages { self.page(&self.asked(head)) } else { None };
        let detail = detail.map(str::to_owned);
        let known =
            Circumstances { detail, target: target.as_ref(), elsewhere: true, ..Circumstances::default() };
        self.refused_with(asker, refusal, known)
    }

    /// The page that the proxy asks about, where a browser can come back to it.
    fn page(&self, asked: &Asked<'_>) -> Option<ReturnTarget> {
        asked.method.filter(|method| matches!(*method, "GET" | "HEAD")).and_then(|_| self.way_back(asked))
    }

    /// The page that a browser visits, by what the proxy's configuration says for this very purpose (harmless in
    /// anybody's mouth, since it leads to places of this site only), or by what it asks about.
    fn visited_page(&self, head: &(impl RequestHead + ?Sized)) -> Option<ReturnTarget> {
        if !request::is_document_visit(head) {
            return None;
        }
        let target = match request::text(head, "x-auth-request-redirect") {
            Some(text) => ReturnTarget::parse(text, &self.policy).map(|target| self.meant_at(head, target)),
            None => self.way_back(&self.asked(head)),
        };
        target.filter(|target| target.as_str().len() <= REMEMBERED_BYTES_MAX)
    }

    /// The one cookie that `auth` ever sets: where the browser wanted to go. nginx hands it on from the subrequest.
    fn remember(&self, target: &ReturnTarget, now: Timestamp, entropy: &mut Entropy) -> String {
        let name = self.cookies.remembered();
        let binding = self.binding("remembered", &name);
        let until = now.after(REMEMBERED_AGE_MAX);
        let sealed = self.keys.seal(&binding, entropy.bytes(), until, target.as_str().as_bytes());
        self.cookies.set(&name, sealed.expose(), REMEMBERED_AGE_MAX, false)
    }
}
