//! From a refusal to what goes out: a page for a person, a problem for a program, an event for the log.

use crate::{
    config::Vestibule,
    flow::Outcome,
    pages::{Page, PageAction},
    refusal::Refusal,
    request::Asker,
    response::{Event, Response},
    return_target::ReturnTarget,
    store::StoreError,
};

/// A refusal with what is known about it.
#[derive(Default)]
pub(crate) struct Circumstances<'c> {
    /// The provider that is involved.
    pub(crate) provider: Option<&'c str>,
    /// The application's own word on it, which the person reads.
    pub(crate) reason: Option<&'c str>,
    /// What the operator reads in the log, in words of ours.
    pub(crate) detail: Option<String>,
    /// Where the person wanted to go.
    pub(crate) target: Option<&'c ReturnTarget>,
    /// How long ago the person may have signed in, in seconds.
    pub(crate) max_age: Option<u64>,
    /// Whether the page is shown at another site's address, so that a link of ours must be an absolute one.
    pub(crate) elsewhere: bool,
}

impl Vestibule {
    /// Refuses somebody of whom nothing else is known.
    pub(crate) fn refused(&self, asker: Asker, refusal: Refusal) -> Outcome {
        self.refused_with(asker, refusal, Circumstances::default())
    }

    /// Refuses.
    pub(crate) fn refused_with(&self, asker: Asker, refusal: Refusal, known: Circumstances<'_>) -> Outcome {
        let Circumstances { provider, reason, detail, target, max_age, elsewhere } = known;
        let response = match asker {
            Asker::Program => Response::problem(refusal, reason, max_age),
            Asker::Navigation => {
                let act = self
                    .act(refusal, target)
                    .map(|(label, href)| (label, if elsewhere { self.address(&href) } else { href }));
                let act = act.as_ref().map(|(label, href)| PageAction::visit(label, href));
                self.draw(refusal.status(), Page::refused(refusal, reason, act.into_iter().collect()))
            }
        };
        let provider = provider.map(str::to_owned);
        Outcome { response, event: Some(Event::Refused { refusal, provider, detail }) }
    }

    /// What somebody gets whose session cannot be looked up, or not be written down. Their cookies stay as they are.
    pub(crate) fn store_failed(&self, asker: Asker, error: StoreError) -> Outcome {
        let known = Circumstances { detail: Some(error.to_string()), ..Circumstances::default() };
        self.refused_with(asker, Refusal::StoreUnreachable, known)
    }

    /// What the page for a refusal offers: a label and an address.
    fn act(&self, refusal: Refusal, target: Option<&ReturnTarget>) -> Option<(String, String)> {
        let act = |label: &str, href: String| Some((label.to_owned(), href));
        match refusal {
            Refusal::AttemptAlreadyAnswered => {
                act("Go on", target.unwrap_or(&self.landing).as_str().to_owned())
            }
            refusal if !refusal.may_be_tried_again() => None,
            refusal if refusal.status() == 403 => act("Use another account", self.sign_in_path(target, true)),
            _ => act("Sign in again", self.sign_in_path(target, false)),
        }
    }
}
