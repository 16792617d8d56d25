//! `sign_in`: a page to choose the provider, or straight on where there is only one.

use std::time::Duration;

use crate::{
    endpoints::Visit,
    flow::{Outcome, Step},
    pages::{Page, PageAction, PageKind},
    paths::Endpoint,
    refusal::Refusal,
    request::RequestHead,
    response::Response,
    return_target::ReturnTarget,
};

impl<R: RequestHead + ?Sized> Visit<'_, R> {
    pub(crate) fn sign_in(self) -> Step {
        let vestibule = self.vestibule;
        if self.head.method() != "GET" {
            return vestibule.refused(self.asker, Refusal::MethodNotAllowed).into();
        }
        let target = self.return_target();
        if let Some(person) =
            self.person.as_ref().filter(|person| person.may_enter && !self.wants_to_switch())
        {
            let is_fresh = |seconds| person.freshness.within(Duration::from_secs(seconds), self.now);
            if self.max_age().is_none_or(is_fresh) {
                return Outcome::from(self.onwards(&target)).into();
            }
            // Whoever has to sign in again does so where they did before.
            if let Some(provider) = vestibule.provider(&person.provider).cloned() {
                return self.begin_attempt(provider, target);
            }
        }
        match vestibule.providers.as_slice() {
            [only] if !vestibule.always_show_sign_in_page => {
                let only = only.clone();
                self.begin_attempt(only, target)
            }
            _ => Outcome::from(self.choice(&target)).into(),
        }
    }

    /// Whoever is signed in already goes where they wanted to go.
    fn onwards(&self, target: &ReturnTarget) -> Response {
        let vestibule = self.vestibule;
        let remembered = vestibule.cookies.remembered();
        let used_up = self.cookies.has(&remembered).then(|| vestibule.cookies.clear(&remembered));
        Response::see_other(&target.location(&vestibule.redirect_url)).cookies(used_up)
    }

    fn choice(&self, target: &ReturnTarget) -> Response {
        let start = self.vestibule.paths.of(Endpoint::Start);
        let choices: Vec<_> = self
            .vestibule
            .providers
            .iter()
            .map(|provider| {
                let path = format!("{start}/{}", provider.id());
                let href = self.vestibule.with_query(&path, Some(target), self.wants_to_switch());
                (format!("Sign in with {}", provider.label()), self.passing_wishes_on(href))
            })
            .collect();
        let acts = choices.iter().map(|(label, href)| PageAction::visit(label, href)).collect();
        let said = match choices.len() {
            1 => vec!["You are sent there, and then back to the page that you wanted to see."],
            _ => vec!["Choose how you want to sign in."],
        };
        self.vestibule.draw(200, Page::new(PageKind::SignIn, "Sign in", said, acts))
    }
}
