//! `auth`: the question that a proxy asks before it lets a request through.

use crate::{
    access::Ruling,
    check::Verdict,
    config::{Flavour, Vestibule},
    endpoints::Demand,
    entropy::Entropy,
    flow::Outcome,
    request::{self, RequestHead},
    response::Response,
    session::SessionView,
    time::Timestamp,
};

impl Vestibule {
    /// Answers a proxy's question about somebody who is signed in, or about something that is everybody's or nobody's;
    /// `None` for every other request. This is the hot path: it needs no randomness, and [`Vestibule::handle`] begins
    /// with it too.
    pub fn grant(&self, head: &(impl RequestHead + ?Sized), now: Timestamp) -> Option<Outcome> {
        if !self.paths.is_question(request::path(head.target()), self.flavour) {
            return None;
        }
        let demand = self.demand(head);
        // A token that somebody brings decides before the session does, and is not proven here.
        if demand.asks_for_somebody() && self.brings_a_token(head) {
            return None;
        }
        self.grant_by_session(head, &demand, now)
    }

    fn grant_by_session(
        &self,
        head: &(impl RequestHead + ?Sized),
        demand: &Demand,
        now: Timestamp,
    ) -> Option<Outcome> {
        match demand.ruling {
            Ruling::Closed(refusal, detail) => return Some(self.forbidden(head, refusal, detail)),
            Ruling::Public { anonymous: true } => return Some(allowed(self.flavour, None).into()),
            Ruling::Public { anonymous: false } | Ruling::SignedIn(_) => {}
        }
        let is_public = !demand.asks_for_somebody();
        self.check(head, now, |verdict| match verdict {
            Verdict::SignedIn(session) => Some(match self.meets(demand, &session) {
                Ok(()) => allowed(self.flavour, Some(&session)).into(),
                Err((refusal, detail)) => self.forbidden(head, refusal, detail),
            }),
            Verdict::Forbidden(_) | Verdict::Anonymous if is_public => {
                Some(allowed(self.flavour, None).into())
            }
            Verdict::Forbidden(refusal) => Some(self.forbidden(head, refusal, None)),
            Verdict::Anonymous => None,
        })
    }

    /// Answers by the session, to any method, and never reads a body.
    pub(crate) fn by_session(
        &self,
        head: &(impl RequestHead + ?Sized),
        demand: &Demand,
        now: Timestamp,
        entropy: &mut Entropy,
    ) -> Outcome {
        let granted = self.grant_by_session(head, demand, now);
        granted.unwrap_or_else(|| self.nobody(head, demand, now, entropy))
    }

    fn brings_a_token(&self, head: &(impl RequestHead + ?Sized)) -> bool {
        !self.bearers.issuers.is_empty() && head.header("authorization").is_some()
    }
}

/// Every identity header always goes out, empty if need be, and all of them where nobody is signed in: a proxy that
/// copies what is there would otherwise let the client's own copy pass.
pub(crate) fn allowed(flavour: Flavour, session: Option<&SessionView<'_>>) -> Response {
    let status = match flavour {
        Flavour::OAuth2Proxy => 202,
        // Envoy takes 200 and nothing else for a yes.
        Flavour::Nginx | Flavour::ForwardAuth | Flavour::ExtAuthz => 200,
    };
    let user = session.map_or("", SessionView::user);
    let email = session.and_then(|session| session.email);
    let username = session.and_then(|session| session.username);
    Response::new(status)
        .header("gap-auth", header_value(email.unwrap_or(user)))
        .header("x-auth-request-user", header_value(user))
        .header("x-auth-request-email", header_value(email.unwrap_or_default()))
        .header("x-auth-request-preferred-username", header_value(username.unwrap_or_default()))
        .header("x-auth-request-groups", session.map_or_else(String::new, |session| groups(&session.groups)))
}

/// Text that can stand in a header, or nothing: anything else would be read as another header, or another person.
pub(crate) fn header_value(text: &str) -> &str {
    if text.chars().any(char::is_control) || text.trim() != text { "" } else { text }
}

/// Whether a group can stand in the list of groups: one that contains a comma would count as two.
pub(crate) fn group_fits(group: &str) -> bool {
    !group.contains(',') && !header_value(group).is_empty()
}

/// Groups, joined by commas.
fn groups(groups: &[&str]) -> String {
    let mut joined = String::new();
    for group in groups.iter().filter(|group| group_fits(group)) {
        if !joined.is_empty() {
            joined.push(',');
        }
        joined.push_str(group);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gw_h08_a_value_never_becomes_two_headers_or_two_groups() {
        for hostile in ["a\r\nx: y", "a\0", "a\u{85}", " a", "a ", "\u{7f}"] {
            assert_eq!(header_value(hostile), "", "{hostile:?}");
        }
        assert_eq!(header_value("Zoë ✓"), "Zoë ✓");
        assert_eq!(groups(&["a", "b,c", "d\n", "e f"]), "a,e f");
    }
}
