//! `sign_in`: a page to choose the provider, or straight on where there is only one.

use crate::{
    check::Verdict,
    endpoints::{Visit, with_query},
    flow::Step,
    pages::{Act, Page},
    paths::Endpoint,
    refusal::Refusal,
    request::{self, RequestHead, asker},
    response::Response,
    return_target::ReturnTarget,
};

impl<R: RequestHead + ?Sized> Visit<'_, R> {
    pub(crate) fn sign_in(self) -> Step {
        let vestibule = self.vestibule;
        if self.has_no_effect() {
            return Step::Done(Response::new(200).into());
        }
        if self.head.method() != "GET" {
            return vestibule.refuse(asker(self.head), Refusal::MethodNotAllowed);
        }
        let cookies = match self.cookies() {
            Ok(cookies) => cookies,
            Err(outcome) => return Step::Done(outcome),
        };
        let target = self.return_target(&cookies);
        let switch = request::parameter(request::query(self.head.target()), "switch").is_some();
        let signed_in =
            vestibule.check(self.head, self.now, |verdict| matches!(verdict, Verdict::SignedIn(_)));
        if signed_in && !switch {
            return Step::Done(Response::see_other(&target.location(&vestibule.redirect_url)).into());
        }
        match vestibule.providers.as_slice() {
            [only] => {
                let only = only.clone();
                self.begin(only, target)
            }
            _ => Step::Done(self.choice(&target, switch).into()),
        }
    }

    fn choice(&self, target: &ReturnTarget, switch: bool) -> Response {
        let start = self.vestibule.paths.of(Endpoint::Start);
        let choices: Vec<_> = self
            .vestibule
            .providers
            .iter()
            .map(|provider| {
                let href = with_query(&format!("{start}/{}", provider.id()), Some(target), switch);
                (format!("Sign in with {}", provider.label()), href)
            })
            .collect();
        let acts = choices.iter().map(|(label, href)| Act::Link { label, href, quiet: false }).collect();
        Page { title: "Sign in", paragraphs: vec!["Choose how you want to sign in."], acts, code: None }
            .render(200)
    }
}
