//! Providers of others, by the names that configurations call them.

use std::{collections::BTreeMap, fmt, sync::Arc};

use vestibule::{config::ConfigError, provider::Provider, secret::Secret};

use crate::{
    given::Value,
    options::Options,
    providers::{Common, Made},
    row::Row,
    rows::ROWS,
    value,
};

/// Makes a provider out of what options say about it.
type Make = dyn Fn(&mut ProviderOptions<'_>) -> Result<Arc<dyn Provider>, ConfigError> + Send + Sync;

/// The kinds of providers that a program has beside those that are always there (`oidc`, `github`, `twitter`, `oauth2`).
///
/// ```
/// use vestibule_oidc::Oidc;
/// let providers = vestibule_settings::Providers::default().with("company", |options| {
///     let tenant = options.text("tenant").unwrap_or_else(|| "main".to_owned());
///     let issuer = format!("https://id.company.example/{tenant}");
///     Oidc::builder(issuer, options.client_id()).id(options.id()).label("Company").build()
/// });
/// ```
#[derive(Clone, Default)]
pub struct Providers {
    kinds: BTreeMap<String, Arc<Make>>,
}

impl Providers {
    /// Adds a kind: `make` is called for each provider that a configuration calls `kind`.
    #[must_use]
    pub fn with<P: Provider>(
        mut self,
        kind: impl Into<String>,
        make: impl Fn(&mut ProviderOptions<'_>) -> Result<P, ConfigError> + Send + Sync + 'static,
    ) -> Self {
        let make = move |options: &mut ProviderOptions<'_>| {
            make(options).map(|provider| Arc::new(provider) as Arc<dyn Provider>)
        };
        self.kinds.insert(kind.into(), Arc::new(make));
        self
    }

    pub(super) fn has(&self, kind: &str) -> bool {
        self.kinds.contains_key(kind)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.kinds.keys().map(String::as_str)
    }

    pub(super) fn make(
        &self,
        kind: &str,
        options: &mut Options,
        common: Common,
        own: &mut BTreeMap<String, Value>,
    ) -> Option<Made> {
        let make = self.kinds.get(kind)?;
        match make(&mut ProviderOptions { kind, common: &common, options, own }) {
            Ok(provider) => Some(Made { provider, names_members: false }),
            Err(error) => {
                options.adopt_renamed(error.problems);
                None
            }
        }
    }
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.kinds.keys()).finish()
    }
}

/// What a configuration says about one provider.
pub struct ProviderOptions<'o> {
    kind: &'o str,
    common: &'o Common,
    options: &'o mut Options,
    own: &'o mut BTreeMap<String, Value>,
}

impl ProviderOptions<'_> {
    /// The provider's id: that of its table, or the kind's name where it is the only one.
    pub fn id(&self) -> &str {
        self.common.id.as_deref().unwrap_or(self.kind)
    }

    /// The name that people know it by, where one is set.
    pub fn label(&self) -> Option<&str> {
        self.common.label.as_deref()
    }

    /// The client id that is registered there.
    pub fn client_id(&self) -> &str {
        &self.common.client_id
    }

    /// The client's secret, wherever it was read from.
    pub fn client_secret(&self) -> Option<Secret> {
        self.common.client_secret.clone()
    }

    /// The scopes to ask for; none where none are set.
    pub fn scopes(&self) -> &[String] {
        &self.common.scopes
    }

    /// `prompt` of the authorization request.
    pub fn prompt(&self) -> Option<&str> {
        self.common.prompt.as_deref()
    }

    /// An option by its name in a file: one of everybody's, such as `login_url`, or one of this kind's own, which
    /// stands in its `[[provider]]` table. Whatever stands there and is never asked for is a problem.
    pub fn text(&mut self, name: &str) -> Option<String> {
        match self.own.remove(name) {
            Some(Value::Text(text)) => Some(text),
            Some(Value::List(items)) => Some(items.join(",")),
            Some(Value::NotText) => None,
            None => self.row(name).and_then(|row| self.options.text(row)),
        }
    }

    /// As [`ProviderOptions::text`], but a list.
    pub fn list(&mut self, name: &str) -> Vec<String> {
        match self.own.remove(name) {
            Some(Value::List(items)) => items,
            Some(Value::Text(text)) => value::list(&text),
            Some(Value::NotText) => Vec::new(),
            None => self.row(name).map(|row| self.options.list(row)).unwrap_or_default(),
        }
    }

    fn row(&self, name: &str) -> Option<&'static Row> {
        ROWS.iter().find(|row| row.key() == name).copied()
    }
}

impl fmt::Debug for ProviderOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderOptions").field("id", &self.id()).finish_non_exhaustive()
    }
}
