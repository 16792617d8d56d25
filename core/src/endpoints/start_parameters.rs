//! What whoever begins a sign-in may ask of the provider, where the site lets them.

use crate::{
    config::Builder,
    endpoints::Visit,
    limits::LOGIN_HINT_BYTES_MAX,
    request::{self, RequestHead},
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

/// The prompts that providers know (OpenID Connect Core §3.1.2.1, Prompt Create 1.0 §4).
const PROMPTS: [&str; 5] = ["none", "login", "consent", "select_account", "create"];

impl StartParameter {
    fn name(self) -> &'static str {
        match self {
            Self::LoginHint => "login_hint",
            Self::Prompt => "prompt",
        }
    }

    fn accepts(self, value: &str) -> bool {
        match self {
            Self::LoginHint => {
                (1..=LOGIN_HINT_BYTES_MAX).contains(&value.len()) && !value.contains(char::is_control)
            }
            Self::Prompt => PROMPTS.contains(&value),
        }
    }
}

/// What is asked of the provider for one sign-in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    pub(crate) prompt: Option<String>,
    pub(crate) login_hint: Option<String>,
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
        Wishes {
            prompt: self.wish(StartParameter::Prompt).or(switch),
            login_hint: self.wish(StartParameter::LoginHint),
        }
    }

    fn wish(&self, parameter: StartParameter) -> Option<String> {
        let allowed = self.vestibule.start_parameters.contains(&parameter);
        let value = if allowed { self.parameter(parameter.name()) } else { None };
        value.filter(|value| parameter.accepts(value))
    }

    /// `path` with whatever this request asks of the provider in its query.
    pub(super) fn passing_wishes_on(&self, path: String) -> String {
        let mut query = url::form_urlencoded::Serializer::new(request::query(&path).to_owned());
        let mut any = false;
        for parameter in [StartParameter::LoginHint, StartParameter::Prompt] {
            if let Some(value) = self.wish(parameter) {
                query.append_pair(parameter.name(), &value);
                any = true;
            }
        }
        if any { format!("{}?{}", request::path(&path), query.finish()) } else { path }
    }
}
