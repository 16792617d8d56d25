//! What is asked of whoever wants something: by the rules, and by the proxy in its question.

use crate::{
    access::Ruling,
    config::{Flavour, Keep, Vestibule},
    constraints::Constraints,
    refusal::Refusal,
    request::{self, RequestHead},
    session::SessionView,
};

/// What a question to `auth` comes down to, before anybody knows who asks.
#[derive(Clone, Debug)]
pub(crate) struct Demand {
    pub(crate) ruling: Ruling,
    constraints: Option<Constraints>,
}

impl Demand {
    /// Whether it depends on who asks.
    pub(crate) fn asks_for_somebody(&self) -> bool {
        matches!(self.ruling, Ruling::SignedIn(_))
    }
}

/// Why somebody who is signed in may not have something, and what the operator should know about it.
pub(crate) type Denial = (Refusal, Option<&'static str>);

impl Vestibule {
    /// Reads what is asked. Where there are no rules, nobody needs to know what the proxy asks about.
    pub(crate) fn demand(&self, head: &(impl RequestHead + ?Sized)) -> Demand {
        let ruling = if self.access.is_empty() {
            Ruling::SignedIn(None)
        } else {
            // A stranger who asks may be another proxy on the way, which says nothing that counts about its client.
            let counts = self.access.go_by_client() && self.proxies.trust_peer(head);
            let client = if counts { self.client(head) } else { None };
            self.access.decide(&self.asked(head), client)
        };
        // Envoy's question is the browser's request, whose query is the browser's own.
        let query = if self.flavour == Flavour::ExtAuthz { "" } else { request::query(head.target()) };
        let constraints = (!query.is_empty()).then(|| Constraints::read(query));
        Demand { ruling, constraints }
    }

    /// Decides about somebody who is signed in and may enter.
    pub(crate) fn meets(&self, demand: &Demand, session: &SessionView<'_>) -> Result<(), Denial> {
        let unverified_email = self.rules.unverified_email;
        match &demand.ruling {
            Ruling::Public { .. } => return Ok(()),
            Ruling::Closed(refusal, detail) => return Err((*refusal, *detail)),
            Ruling::SignedIn(None) => {}
            Ruling::SignedIn(Some(requirement)) => {
                requirement.admit(session, unverified_email).map_err(|refusal| (refusal, None))?;
            }
        }
        let Some(constraints) = &demand.constraints else { return Ok(()) };
        constraints.admit(session, unverified_email).map_err(|refusal| {
            let forgotten = refusal == Refusal::GroupNotAllowed && self.forgets_groups(constraints);
            (refusal, forgotten.then_some("the session keeps none of the groups that the proxy asks for"))
        })
    }

    /// Whether a proxy asks for groups that no session has: nobody could ever be let in.
    fn forgets_groups(&self, constraints: &Constraints) -> bool {
        self.keep_groups != Keep::All
            && !constraints.named_groups().any(|group| self.keep_groups.keeps(group))
    }
}
