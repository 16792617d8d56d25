//! What an option is, as data: reading, checking and documenting are drawn from its row.

/// One option.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// Our variable, such as `VESTIBULE_CLIENT_ID`.
    pub name: &'static str,
    /// oauth2-proxy's variable for the same thing, where it has one.
    pub oauth2_proxy: Option<&'static str>,
    /// What its value may be.
    pub kind: Kind,
    /// The value where it is not set; empty where there is none, or where it follows from another option.
    pub default: &'static str,
    /// What it means.
    pub meaning: &'static str,
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
    /// `host:port`.
    Address,
    /// One of these.
    Choice(&'static [&'static str]),
    /// Here it is always as if it were set to one of these; any other value is refused, because it would not be heeded.
    Always(&'static [&'static str]),
}

impl Row {
    /// The name under which it is spoken of where it is not set: oauth2-proxy's, which more people know.
    pub fn known_as(&self) -> &'static str {
        self.oauth2_proxy.unwrap_or(self.name)
    }

    /// What both names end with.
    pub fn suffix(&self) -> &'static str {
        self.name.strip_prefix(OURS).unwrap_or(self.name)
    }
}

/// What our variables begin with.
pub const OURS: &str = "VESTIBULE_";
/// What oauth2-proxy's variables begin with.
pub const THEIRS: &str = "OAUTH2_PROXY_";
