//! Who gets through a guard, and what the others get.

use crate::{
    check::Verdict,
    config::{ConfigError, Vestibule},
    flow::Outcome,
    guarded::{Condition, condition::Lack},
    refusal::Refusal,
    refuse::Circumstances,
    request::{self, Asker, RequestHead},
    response::Response,
    return_target::ReturnTarget,
    session::Session,
    time::Timestamp,
};

impl Vestibule {
    /// The session of whoever asks and meets `condition`; what anybody else gets. As [`Vestibule::check`] it needs
    /// nothing from the outside.
    ///
    /// # Errors
    /// What to answer: browsers of strangers, and of people who must sign in again, are sent to do that and come back;
    /// scripts get a problem that says so, and whoever may not have it a page or a problem with 403.
    pub fn admit(
        &self,
        head: &(impl RequestHead + ?Sized),
        condition: &Condition,
        now: Timestamp,
    ) -> Result<Session, Box<Outcome>> {
        let admitted = self.check(head, now, |verdict| match verdict {
            Verdict::SignedIn(session) => match condition.admit(&session, self.rules.unverified_email, now) {
                Ok(()) => Ok(session.to_session()),
                Err(lack) => Err((lack, Some(session.provider.to_owned()))),
            },
            Verdict::Forbidden(refusal, _) => Err((Lack::Refused(refusal), None)),
            Verdict::Anonymous => Err((Lack::Refused(Refusal::SignInRequired), None)),
        });
        admitted.map_err(|(lack, provider)| {
            Box::new(match (provider, self.check_condition(condition)) {
                // Nobody is told that they may not have what nobody can have.
                (Some(_), Err(error)) => self.impossible(head, &error),
                (provider, _) => self.lacking(head, lack, provider.as_deref()),
            })
        })
    }

    fn impossible(&self, head: &(impl RequestHead + ?Sized), error: &ConfigError) -> Outcome {
        let problems: Vec<_> = error.problems.iter().map(ToString::to_string).collect();
        let known = Circumstances { detail: Some(problems.join("; ")), ..Circumstances::default() };
        self.refused_with(request::asker(head), Refusal::GuardImpossible, known)
    }

    fn lacking(&self, head: &(impl RequestHead + ?Sized), lack: Lack, provider: Option<&str>) -> Outcome {
        match (lack, provider) {
            (Lack::Fresh(time), Some(provider)) => self.asked_again(head, provider, time.as_secs()),
            (Lack::Fresh(_), None) => self.turn_back(head, Refusal::SignInRequired),
            (Lack::Refused(refusal), _) => self.turn_back(head, refusal),
        }
    }

    /// Somebody who is signed in shows the provider once more who they are, and comes back (RFC 9470 §3 for scripts).
    fn asked_again(&self, head: &(impl RequestHead + ?Sized), provider: &str, max_age: u64) -> Outcome {
        let asker = request::asker(head);
        if self.is_own_path(request::path(head.target())) {
            return self.refused(asker, Refusal::EndpointGuarded);
        }
        if asker == Asker::Program {
            let known = Circumstances { max_age: Some(max_age), ..Circumstances::default() };
            return self.refused_with(asker, Refusal::SignInAgain, known);
        }
        let path = self.start_path(Some(provider), self.page_asked_for(head).as_ref(), Some(max_age));
        Response::see_other(&self.address(&path)).into()
    }

    /// The page that a browser wanted to see and can come back to.
    pub(crate) fn page_asked_for(&self, head: &(impl RequestHead + ?Sized)) -> Option<ReturnTarget> {
        let returns = matches!(head.method(), "GET" | "HEAD");
        let target = returns.then(|| ReturnTarget::parse(head.target(), &self.policy)).flatten();
        target.map(|target| self.meant_at(head, target))
    }
}
