//! `userinfo`: the session as JSON, for pages and programs.

use serde::Serialize;

use crate::{
    check::Verdict, endpoints::Visit, flow::Outcome, refusal::Refusal, request::RequestHead,
    response::Response, session::SessionView,
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

impl<R: RequestHead + ?Sized> Visit<'_, R> {
    pub(crate) fn userinfo(self) -> Outcome {
        if !matches!(self.head.method(), "GET" | "HEAD") {
            return Response::problem(Refusal::MethodNotAllowed, None).into();
        }
        let response = self.vestibule.check(self.head, self.now, |verdict| match verdict {
            Verdict::SignedIn(session) => Response::json(200, "application/json", &Userinfo::of(&session)),
            Verdict::Forbidden(refusal) => Response::problem(refusal, None),
            Verdict::Anonymous => Response::problem(Refusal::SignInRequired, None),
        });
        response.into()
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
