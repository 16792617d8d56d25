//! What an option is, as data: reading, checking and documenting are drawn from its row.

use std::{collections::BTreeMap, sync::LazyLock};

use crate::rows::ROWS;

/// One option.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// Our variable, such as `VESTIBULE_CLIENT_ID`.
    pub name: &'static str,
    /// oauth2-proxy's variable for the same thing, where it has one.
    pub oauth2_proxy: Option<&'static str>,
    /// Who heeds it.
    pub heeded: Heeded,
    /// What its value may be.
    pub kind: Kind,
    /// The value where it is not set; empty where there is none, or where it follows from another option.
    pub default: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

/// Which programs heed an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Heeded {
    /// The gateway, and every application that reads settings.
    Everywhere,
    /// The gateway alone: applications have code for it.
    ByTheGateway,
}

/// What an option's value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Any text.
    Text,
    /// A text that is never shown.
    Secret,
    /// The path of a file.
    File,
    /// An absolute address.
    Url,
    /// `true` or `false`, as Go writes them too.
    Flag,
    /// Texts with commas between.
    List,
    /// Texts with spaces between.
    Words,
    /// A length of time as Go writes it: `168h`, `1h30m`, `5s`.
    Duration,
    /// `host:port`, and for the gateway also `unix:///path,mode=0660` and `fd:3`.
    Address,
    /// One of these.
    Choice(&'static [&'static str]),
    /// Here it is always as if it were set to one of these; any other value is refused, because it would not be heeded.
    Always(&'static [&'static str]),
}

impl Kind {
    /// Whether it may be written as a flag without a value.
    pub fn is_switch(self) -> bool {
        match self {
            Self::Flag => true,
            Self::Always(values) => values.iter().all(|value| matches!(*value, "true" | "false")),
            _ => false,
        }
    }
}

impl Row {
    /// The name under which it is spoken of where it is not set: oauth2-proxy's, which more people know.
    pub fn known_as(&self) -> &'static str {
        self.oauth2_proxy.unwrap_or(self.name)
    }

    /// What both variables' names end with.
    pub fn suffix(&self) -> &'static str {
        self.name.strip_prefix(OURS).unwrap_or(self.name)
    }

    /// Its name in a file, such as `client_id`.
    pub fn key(&self) -> &'static str {
        names(self).0
    }

    /// Its name on a command line, such as `--client-id`.
    pub fn flag(&self) -> &'static str {
        names(self).1
    }
}

/// What our variables begin with.
pub const OURS: &str = "VESTIBULE_";
/// What oauth2-proxy's variables begin with.
pub const THEIRS: &str = "OAUTH2_PROXY_";

/// The names that follow from the variables'. They live as long as the program, as rows do.
static NAMES: LazyLock<BTreeMap<&'static str, (&'static str, &'static str)>> = LazyLock::new(|| {
    ROWS.iter().map(|row| (row.name, (&*key(row.suffix()).leak(), &*flag(row.suffix()).leak()))).collect()
});

fn names(row: &Row) -> (&'static str, &'static str) {
    NAMES.get(row.name).copied().unwrap_or((row.name, row.name))
}

/// A file's name for an option.
pub(crate) fn key(suffix: &str) -> String {
    suffix.to_ascii_lowercase()
}

/// A command line's name for an option: oauth2-proxy's flags name one item where its variables name a list.
pub(crate) fn flag(suffix: &str) -> String {
    let suffix = if NAMES_ONE_ITEM.contains(&suffix) { &suffix[..suffix.len() - 1] } else { suffix };
    format!("--{}", suffix.to_ascii_lowercase().replace('_', "-"))
}

/// The options whose flag lacks the `s` at the end.
static NAMES_ONE_ITEM: [&str; 22] = [
    "ALLOWED_GROUPS",
    "ALLOWED_ROLES",
    "API_ROUTES",
    "COOKIE_DOMAINS",
    "EMAIL_DOMAINS",
    "ENTRA_ID_ALLOWED_TENANTS",
    "EXCLUDE_LOGGING_PATHS",
    "GITHUB_USERS",
    "GITLAB_GROUPS",
    "GITLAB_PROJECTS",
    "HTPASSWD_USER_GROUPS",
    "KEYCLOAK_GROUPS",
    "OIDC_AUDIENCE_CLAIMS",
    "OIDC_ENABLED_SIGNING_ALGS",
    "OIDC_EXTRA_AUDIENCES",
    "PROVIDER_CA_FILES",
    "SKIP_AUTH_ROUTES",
    "TLS_CIPHER_SUITES",
    "TRUSTED_IPS",
    "TRUSTED_PROXY_IPS",
    "UPSTREAMS",
    "WHITELIST_DOMAINS",
];

#[cfg(test)]
mod tests {
    use crate::rows;

    #[test]
    fn every_option_has_a_name_on_the_command_line_and_in_a_file() {
        for (row, flag, key) in [
            (&rows::CLIENT_ID, "--client-id", "client_id"),
            (&rows::EMAIL_DOMAINS, "--email-domain", "email_domains"),
            (&rows::ACR_VALUES, "--acr-values", "acr_values"),
        ] {
            assert_eq!((row.flag(), row.key()), (flag, key));
        }
    }
}
