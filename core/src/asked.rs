//! What a proxy asks about: the request that a browser has sent to it, as far as that is known for sure.
//!
//! Every flavour of proxy has its way of saying it. What a header says counts only if the peer is a trusted proxy and
//! the header stands once; whatever is missing, doubled or doubtful is not known, and [`crate::access`] grants nothing
//! on the strength of it.

use url::{Position, Url};

use crate::{
    canonical::{self, Host},
    config::{Flavour, Vestibule},
    paths::Endpoint,
    request::{RequestHead, Said, said},
    return_target::ReturnTarget,
};

/// The request that a proxy asks about. Parts that are not known for sure are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked<'r> {
    pub(crate) method: Option<&'r str>,
    /// `http` or `https`.
    pub(crate) scheme: Option<&'static str>,
    pub(crate) host: Option<Host>,
    /// The path in its canonical form, for rules.
    pub(crate) path: Option<String>,
    /// Path and query as they were sent, for the way back.
    pub(crate) target: Option<&'r str>,
}

impl<'r> Asked<'r> {
    /// As nginx is made to say it: one absolute address, and the method.
    fn original(head: &'r (impl RequestHead + ?Sized), url: Said<'r>) -> Self {
        let mut asked = Self { method: method(said(head, "x-original-method")), ..Self::default() };
        let Some((scheme, rest)) = url.once().and_then(|url| url.split_once("://")) else { return asked };
        let (host, target) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        // Where the host is none, the path may begin elsewhere, too.
        let Some(host) = canonical::host(host) else { return asked };
        asked.scheme = scheme_of(scheme);
        asked.host = Some(host);
        asked.to(target)
    }

    /// As forward-auth proxies say it: each part in a header of its own.
    fn forwarded(head: &'r (impl RequestHead + ?Sized), uri: Said<'r>) -> Self {
        let asked = Self {
            method: method(said(head, "x-forwarded-method")),
            scheme: said(head, "x-forwarded-proto").once().and_then(scheme_of),
            host: said(head, "x-forwarded-host").once().and_then(canonical::host),
            ..Self::default()
        };
        asked.to(uri.once().unwrap_or_default())
    }

    fn to(mut self, target: &'r str) -> Self {
        self.path = canonical::path(target.split('?').next().unwrap_or_default());
        self.target = target.starts_with('/').then_some(target);
        self
    }
}

impl<'r> Said<'r> {
    fn once(self) -> Option<&'r str> {
        match self {
            Self::Once(text) => Some(text),
            Self::Nothing | Self::Unreadably => None,
        }
    }
}

fn method(said: Said<'_>) -> Option<&str> {
    said.once().and_then(canonical::method)
}

fn scheme_of(text: &str) -> Option<&'static str> {
    ["https", "http"].into_iter().find(|scheme| text.eq_ignore_ascii_case(scheme))
}

impl Vestibule {
    /// What the proxy asks about.
    pub(crate) fn asked<'r>(&self, head: &'r (impl RequestHead + ?Sized)) -> Asked<'r> {
        let trusted = self.proxies.trust_peer(head);
        match self.flavour {
            Flavour::ExtAuthz => self.asked_in_place(head, trusted),
            _ if !trusted => Asked::default(),
            Flavour::ForwardAuth => Asked::forwarded(head, said(head, "x-forwarded-uri")),
            Flavour::OAuth2Proxy | Flavour::Nginx => {
                let (original, forwarded) = (said(head, "x-original-url"), said(head, "x-forwarded-uri"));
                match (original, forwarded) {
                    (Said::Nothing, uri) => Asked::forwarded(head, uri),
                    (url, Said::Nothing) => Asked::original(head, url),
                    // The proxy sets one of them, and the client may have sent the other.
                    (url, uri) => {
                        let (one, other) = (Asked::original(head, url), Asked::forwarded(head, uri));
                        if one == other { one } else { Asked::default() }
                    }
                }
            }
        }
    }

    /// The request itself is asked about: its path comes after the endpoint's. No header is needed, and nobody else's
    /// request can be asked about in this way, so that the peer need not be trusted.
    fn asked_in_place<'r>(&self, head: &'r (impl RequestHead + ?Sized), trusted: bool) -> Asked<'r> {
        let asked = Asked {
            method: canonical::method(head.method()),
            scheme: trusted.then(|| said(head, "x-forwarded-proto").once().and_then(scheme_of)).flatten(),
            host: said(head, "host").once().and_then(canonical::host),
            ..Asked::default()
        };
        asked.to(head.target().strip_prefix(self.paths.of(Endpoint::Auth)).unwrap_or_default())
    }

    /// The host that is asked, where it is not the own site's. That may be written without its port, and have another
    /// scheme between the proxy and us.
    pub(crate) fn elsewhere<'a>(&self, asked: &'a Asked<'_>) -> Option<&'a Host> {
        let own = self.redirect_url.host_str().unwrap_or_default().trim_end_matches('.');
        let own_port = self.redirect_url.port_or_known_default();
        let host = asked.host.as_ref()?;
        (host.name != own || host.port.is_some_and(|port| Some(port) != own_port)).then_some(host)
    }

    /// Where a browser comes back to that asked for this.
    pub(crate) fn way_back(&self, asked: &Asked<'_>) -> Option<ReturnTarget> {
        let target = asked.target?;
        let Some(host) = self.elsewhere(asked) else { return ReturnTarget::parse(target, &self.policy) };
        let scheme =
            asked.scheme.unwrap_or(if self.redirect_url.scheme() == "http" { "http" } else { "https" });
        let port = host.port.map(|port| format!(":{port}")).unwrap_or_default();
        let origin = Url::parse(&format!("{scheme}://{}{port}/", host.name)).ok()?;
        ReturnTarget::parse(&format!("{}{target}", &origin[..Position::BeforePath]), &self.policy)
    }
}

#[cfg(test)]
#[path = "asked_tests.rs"]
mod tests;
