//! `userinfo`: the session as JSON, for pages and programs.

use serde::Serialize;

use crate::{
    check::Verdict,
    config::Vestibule,
    flow::Outcome,
    refusal::Refusal,
    request::{Asker, RequestHead},
    response::Response,
    session::SessionView,
    time::Timestamp,
};

/// What oauth2-proxy's endpoint of that name says, and more.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Userinfo<'s> {
    user: &'s str,
    email: &'s str,
    groups: &'s [&'s str],
    preferred_username: Option<&'s str>,
    name: Option<&'s str>,
    picture: Option<&'s str>,
    email_verified: bool,
    provider: &'s str,
    issuer: &'s str,
    subject: &'s str,
    signed_in: i64,
    expires: i64,
}

impl Vestibule {
    pub(crate) fn userinfo(&self, head: &(impl RequestHead + ?Sized), now: Timestamp) -> Outcome {
        if !matches!(head.method(), "GET" | "HEAD") {
            return self.refused(Asker::Program, Refusal::MethodNotAllowed);
        }
        self.check(head, now, |verdict| match verdict {
            Verdict::SignedIn(session) => {
                Response::json(200, "application/json", &Userinfo::of(&session)).into()
            }
            Verdict::Forbidden(refusal, _) => self.refused(Asker::Program, refusal),
            Verdict::Anonymous => self.refused(Asker::Program, Refusal::SignInRequired),
        })
    }
}

impl<'s> Userinfo<'s> {
    fn of(session: &'s SessionView<'s>) -> Self {
        Self {
            user: session.user(),
            email: session.email.unwrap_or_default(),
            groups: &session.groups,
            preferred_username: session.username,
            name: session.name,
            picture: session.picture,
            email_verified: session.email_verified,
            provider: session.provider,
            issuer: session.issuer,
            subject: session.subject,
            signed_in: session.signed_in.unix(),
            expires: session.expires.unix(),
        }
    }
}
