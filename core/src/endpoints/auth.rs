//! `auth`: the question that a proxy asks before it lets a request through.

use crate::{
    check::Verdict,
    config::{Flavour, Vestibule},
    entropy::Entropy,
    flow::Outcome,
    request::{self, RequestHead},
    response::Response,
    session::SessionView,
    time::Timestamp,
};

impl Vestibule {
    /// Answers a proxy's question about somebody who is signed in; `None` for every other request. This is the hot
    /// path: it needs no randomness, and [`Vestibule::handle`] begins with it too.
    pub fn grant(&self, head: &(impl RequestHead + ?Sized), now: Timestamp) -> Option<Outcome> {
        if !self.paths.is_question(request::path(head.target()), self.flavour) {
            return None;
        }
        // A token that somebody brings decides before the session does, and is not proven here.
        if !self.bearers.issuers.is_empty() && head.header("authorization").is_some() {
            return None;
        }
        self.grant_by_session(head, now)
    }

    fn grant_by_session(&self, head: &(impl RequestHead + ?Sized), now: Timestamp) -> Option<Outcome> {
        self.check(head, now, |verdict| match verdict {
            Verdict::SignedIn(session) => Some(allowed(self.flavour, &session).into()),
            Verdict::Forbidden(refusal) => Some(self.forbidden(head, refusal, None)),
            Verdict::Anonymous => None,
        })
    }

    /// Answers by the session, to any method, and never reads a body.
    pub(crate) fn by_session(
        &self,
        head: &(impl RequestHead + ?Sized),
        now: Timestamp,
        entropy: &mut Entropy,
    ) -> Outcome {
        self.grant_by_session(head, now).unwrap_or_else(|| self.nobody(head, now, entropy))
    }
}

/// Every identity header always goes out, empty if need be: a proxy that copies what is there would otherwise let
/// the client's own copy pass.
pub(crate) fn allowed(flavour: Flavour, session: &SessionView<'_>) -> Response {
    let status = match flavour {
        Flavour::OAuth2Proxy => 202,
        // Envoy takes 200 and nothing else for a yes.
        Flavour::Nginx | Flavour::ForwardAuth | Flavour::ExtAuthz => 200,
    };
    let user = session.user();
    Response::new(status)
        .header("gap-auth", header_value(session.email.unwrap_or(user)))
        .header("x-auth-request-user", header_value(user))
        .header("x-auth-request-email", header_value(session.email.unwrap_or_default()))
        .header("x-auth-request-preferred-username", header_value(session.username.unwrap_or_default()))
        .header("x-auth-request-groups", groups(&session.groups))
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
