//! Setting up what a proxy that asks `auth` sends, expects, and is believed.

use crate::{
    access::{AccessRule, AccessRules, Requirement},
    config::{Builder, Keep, Problem},
    identity_headers::{ChosenHeaders, IdentityHeaders},
    paths::{Endpoint, Paths},
    proxies::{FORWARDED_FOR, TrustedProxies},
};

/// What the proxy that asks `auth` expects, and how it says what it asks about.
///
/// A browser that has to sign in first is sent there by the proxy's own configuration, or by ours: where the proxy
/// hands our whole answer on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flavour {
    /// As oauth2-proxy answers: 202, 401, 403. What is asked about stands in `X-Original-URL` and `X-Original-Method`,
    /// or in `X-Forwarded-Method`, `-Proto`, `-Host` and `-Uri`.
    #[default]
    OAuth2Proxy,
    /// nginx's `auth_request`: 200, 401 with a `Location` to go to for browsers, 403. The same headers.
    Nginx,
    /// Traefik's ForwardAuth, Caddy's `forward_auth`, HAProxy: 200, 303 for browsers, 401 for others, 403. What is
    /// asked about stands in `X-Forwarded-Method`, `-Proto`, `-Host` and `-Uri`.
    ForwardAuth,
    /// Envoy's `ext_authz` over HTTP: as [`Flavour::ForwardAuth`], but the request itself is what is asked about, with
    /// its own method and host, and its path after that of `auth` (Envoy's `path_prefix`).
    ExtAuthz,
}

impl Flavour {
    /// Whether the proxy hands our answer on as it is, so that it may send a browser on and show a page.
    pub(crate) fn hands_answers_on(self) -> bool {
        matches!(self, Self::ForwardAuth | Self::ExtAuthz)
    }
}

/// What is set about the proxy.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    trusted_proxies: Vec<String>,
    client_header: String,
    rules: Vec<AccessRule>,
    identity_headers: IdentityHeaders,
}

impl Default for Asking {
    fn default() -> Self {
        Self {
            trusted_proxies: Vec::new(),
            client_header: FORWARDED_FOR.to_owned(),
            rules: Vec::new(),
            identity_headers: IdentityHeaders::default(),
        }
    }
}

impl Builder {
    /// Sets what the proxy that asks `auth` expects.
    pub fn flavour(mut self, flavour: Flavour) -> Self {
        self.flavour = flavour;
        self
    }

    /// Believes what these peers' headers say about the request that they ask about and about its client: addresses,
    /// networks such as `10.0.0.0/8`, and `unix` for a peer that has no address. Without this nobody is believed.
    ///
    /// A proxy that is listed must set these headers itself, whatever the client has sent. With `unix`, every way to
    /// this process that has no address must lead through such a proxy.
    pub fn trusted_proxies<S: Into<String>>(mut self, proxies: impl IntoIterator<Item = S>) -> Self {
        self.asking.trusted_proxies.extend(proxies.into_iter().map(Into::into));
        self
    }

    /// Sets which header of a trusted proxy says where a request comes from. `X-Forwarded-For`, the default, is read
    /// from its end, through trusted proxies only; any other must be one address (`X-Real-IP`, `CF-Connecting-IP`).
    pub fn client_address_from(mut self, header: impl Into<String>) -> Self {
        self.asking.client_header = header.into().to_ascii_lowercase();
        self
    }

    /// Adds a rule about who may have what; the first that fits decides. They are about questions to `auth`, and the
    /// session keeps the groups and claims that they name.
    pub fn rule(mut self, rule: AccessRule) -> Self {
        self.asking.rules.push(rule);
        self
    }

    /// Sets which headers tell the proxy who is signed in. The session keeps the claims that they carry.
    pub fn identity_headers(mut self, headers: IdentityHeaders) -> Self {
        self.asking.identity_headers = headers;
        self
    }

    pub(super) fn chosen_headers(&mut self) -> ChosenHeaders {
        std::mem::take(&mut self.asking.identity_headers).compile(self.rules.unverified_email)
    }

    /// Reads the rules, and whether enough is known to go by them.
    pub(super) fn checked_rules(&self, proxies: &TrustedProxies, problems: &mut Vec<Problem>) -> AccessRules {
        let is_provider = |id: &str| {
            self.providers.iter().any(|provider| provider.id() == id)
                || self.bearers.issuers.iter().any(|issuer| issuer.id() == id)
        };
        let (rules, faults) = AccessRules::compile(&self.asking.rules, is_provider);
        let about =
            |(number, (fault, remedy))| Problem::new("rule", format!("rule {number}: {fault}"), remedy);
        problems.extend(faults.into_iter().map(about));
        if !proxies.is_empty() {
            return rules;
        }
        for (number, rule) in (1..).zip(&self.asking.rules) {
            // Envoy's questions are the requests themselves; it, too, only says where they come from.
            let by_request = rule.goes_by_request() && self.flavour != Flavour::ExtAuthz;
            let what = if by_request { "what is asked for" } else { "where a request comes from" };
            if by_request || rule.goes_by_client() {
                let fault = format!("rule {number} goes by {what}, and no proxy is trusted to say that");
                problems.push(Problem::new("trusted_proxies", fault, LIST_THEM));
            }
        }
        rules
    }

    /// What the session must keep besides: whatever anybody is asked for, and what headers carry.
    pub(super) fn keep_what_rules_name(&mut self) {
        let requirements = || self.asking.rules.iter().filter_map(AccessRule::requirement);
        let of_rules = requirements().flat_map(Requirement::named_groups);
        let groups: Vec<_> = of_rules.chain(self.rules.groups.iter().flatten()).cloned().collect();
        let of_rules = requirements().flat_map(Requirement::named_claims);
        let claims: Vec<_> = of_rules.chain(self.asking.identity_headers.named_claims()).cloned().collect();
        for (keep, names) in [(&mut self.keep_groups, groups), (&mut self.keep_claims, claims)] {
            if let Keep::Named(kept) = keep {
                kept.extend(names);
            }
        }
    }

    pub(super) fn checked_proxies(&self, problems: &mut Vec<Problem>) -> (TrustedProxies, String) {
        let mut proxies = TrustedProxies::default();
        for text in &self.asking.trusted_proxies {
            if let Err(fault) = proxies.trust(text) {
                let remedy = "list the addresses that your proxy asks from, as in `127.0.0.1`, `10.1.2.0/24` or `unix`";
                problems.push(Problem::new("trusted_proxies", format!("`{text}` {fault}"), remedy));
            }
        }
        if self.flavour == Flavour::ForwardAuth && self.asking.trusted_proxies.is_empty() {
            let fault = "no proxy is trusted to say which page a browser comes back to";
            problems.push(Problem::new("trusted_proxies", fault, LIST_THEM));
        }
        let header = self.asking.client_header.clone();
        if !is_header_name(&header) {
            let fault = format!("`{header}` is no header");
            problems.push(Problem::new("client_address_from", fault, "name one, as in `x-forwarded-for`"));
        }
        problems.extend(self.asking.identity_headers.problems());
        self.check_what_lies_below(problems);
        (proxies, header)
    }

    /// Everything below `auth` is asked about, so that nothing else can be there.
    fn check_what_lies_below(&self, problems: &mut Vec<Problem>) {
        let below = format!("{}/", self.paths.of(Endpoint::Auth));
        let other = self.paths.all().find(|(path, _)| path.starts_with(&below));
        if let (Flavour::ExtAuthz, Some((path, _))) = (self.flavour, other) {
            let fault = format!("`{path}` lies where Envoy asks about pages of that name");
            problems.push(Problem::new("paths", fault, "move it out from below `auth`"));
        }
    }
}

/// What to do where nobody is trusted and somebody has to be.
pub(super) const LIST_THEM: &str = "list the addresses that your proxy asks from: `trusted_proxies = [\"127.0.0.1\"]` for one on \
                                    this machine, `[\"unix\"]` for one that asks on a unix socket";

/// Whether a header can be called that.
pub(crate) fn is_header_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.len() <= 64 && name.bytes().all(plain)
}

impl Paths {
    /// Whether `path` is a question to `auth`: its path, and with Envoy whatever comes after that.
    pub(crate) fn is_question(&self, path: &str, flavour: Flavour) -> bool {
        let auth = self.of(Endpoint::Auth);
        path == auth
            || (flavour == Flavour::ExtAuthz
                && path.strip_prefix(auth).is_some_and(|rest| rest.starts_with('/')))
    }
}
