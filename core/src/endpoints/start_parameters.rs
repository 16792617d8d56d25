//! What whoever begins a sign-in may ask of the provider, where the site lets them.

use crate::{
    config::Builder,
    endpoints::{Prompt, Visit, with_further},
    limits::LOGIN_HINT_BYTES_MAX,
    request::RequestHead,
};

/// A parameter of `sign_in` and `start` that the provider gets too. Anybody can write a link with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartParameter {
    /// `login_hint`: the account that the person probably signs in with, such as an e-mail address.
    LoginHint,
    /// `prompt`: `login`, `consent`, `select_account`, `create`, or `none` for whoever is signed in at the provider
    /// already.
    Prompt,
}

impl StartParameter {
    fn name(self) -> &'static str {
        match self {
            Self::LoginHint => "login_hint",
            Self::Prompt => "prompt",
        }
    }

    pub(super) fn accepts(self, value: &str) -> bool {
        match self {
            Self::LoginHint => {
                (1..=LOGIN_HINT_BYTES_MAX).contains(&value.len()) && !value.contains(char::is_control)
            }
            Self::Prompt => Prompt::ALL.iter().any(|prompt| prompt.as_str() == value),
        }
    }
}

/// What is asked of the provider for one sign-in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    pub(crate) prompt: Option<String>,
    pub(crate) login_hint: Option<String>,
    /// How long ago the person may have shown the provider who they are, in seconds.
    pub(crate) max_age: Option<u64>,
}

impl Builder {
    /// Lets a parameter of `sign_in` and `start` through to the provider. None is by default.
    pub fn start_parameter(mut self, parameter: StartParameter) -> Self {
        self.start_parameters.push(parameter);
        self
    }

    /// Shows the page that names the providers even where there is only one, instead of going straight on.
    pub fn always_show_sign_in_page(mut self) -> Self {
        self.always_show_sign_in_page = true;
        self
    }
}

impl<R: RequestHead + ?Sized> Visit<'_, R> {
    /// What this request asks of the provider. What is not let through or not known counts as not there.
    pub(super) fn wishes(&self) -> Wishes {
        // Somebody who wants another account would otherwise be signed in with the same one again, silently.
        let switch = self.wants_to_switch().then(|| "select_account".to_owned());
        let max_age = self.max_age();
        // Not every provider knows `max_age`, and more do `prompt`.
        let again = max_age.map(|_| "login".to_owned());
        Wishes {
            prompt: self.wish(StartParameter::Prompt).or(switch).or(again),
            login_hint: self.wish(StartParameter::LoginHint),
            max_age,
        }
    }

    /// How long ago the person may have shown the provider who they are, in seconds. Anybody may ask that in a link: it
    /// makes a sign-in stricter and no other. Whoever wants another account is asked to choose one, and that is enough.
    pub(super) fn max_age(&self) -> Option<u64> {
        let seconds = self.parameter("max_age")?.parse::<u32>().ok()?;
        (!self.wants_to_switch()).then_some(seconds.into())
    }

    fn wish(&self, parameter: StartParameter) -> Option<String> {
        let allowed = self.vestibule.start_parameters.contains(&parameter);
        let value = if allowed { self.parameter(parameter.name()) } else { None };
        value.filter(|value| parameter.accepts(value))
    }

    /// `path` with whatever this request asks of the provider in its query.
    pub(super) fn passing_wishes_on(&self, path: String) -> String {
        let let_through = [StartParameter::LoginHint, StartParameter::Prompt]
            .into_iter()
            .filter_map(|parameter| Some((parameter.name(), self.wish(parameter)?)));
        let max_age = self.max_age().map(|seconds| ("max_age", seconds.to_string()));
        with_further(&path, let_through.chain(max_age))
    }
}
