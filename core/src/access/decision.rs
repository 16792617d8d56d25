//! Rules as they are applied: read once, when everything is set up, and then asked about each request.

use std::{net::IpAddr, sync::Arc};

use regex_lite::Regex;

use crate::{
    access::{Access, AccessRule, PathPattern, Requirement},
    asked::Asked,
    canonical::{self, Host},
    proxies::Network,
    refusal::Refusal,
};

/// What the rules say about a request.
#[derive(Clone, Debug)]
pub(crate) enum Ruling {
    /// Everybody may have it. `anonymous`: and whoever has it gets it as nobody, for a preflight is no person's.
    Public { anonymous: bool },
    /// Whoever is signed in may have it, if they meet what is asked.
    SignedIn(Option<Arc<Requirement>>),
    /// Nobody may have it, or it is not known whether anybody may; then with what is not known.
    Closed(Refusal, Option<&'static str>),
}

/// All rules, in order.
#[derive(Debug, Default)]
pub(crate) struct AccessRules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    access: Compiled,
    hosts: Option<Vec<HostPattern>>,
    paths: Option<Vec<Paths>>,
    except_paths: Vec<Paths>,
    methods: Option<Vec<String>>,
    clients: Option<Vec<Network>>,
}

#[derive(Debug)]
enum Compiled {
    Public,
    SignedIn(Arc<Requirement>),
    Nobody,
}

/// Whether a rule, or a part of it, fits a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    Yes,
    No,
    /// The part of the request that it goes by is not known for sure.
    Unclear(&'static str),
}

impl Fit {
    fn of(fits: bool) -> Self {
        if fits { Self::Yes } else { Self::No }
    }

    /// Both must fit.
    fn and(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::No => Self::No,
            Self::Yes => other(),
            Self::Unclear(_) => {
                if other() == Self::No {
                    Self::No
                } else {
                    self
                }
            }
        }
    }
}

impl AccessRules {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether any rule needs to know where a request comes from.
    pub(crate) fn go_by_client(&self) -> bool {
        self.0.iter().any(|rule| rule.clients.is_some())
    }

    /// The first rule that fits decides; where it is not clear whether one fits, it must not matter.
    pub(crate) fn decide(&self, asked: &Asked<'_>, client: Option<IpAddr>) -> Ruling {
        for rule in &self.0 {
            match (rule.fit(asked, client), &rule.access) {
                // What is not known for sure opens nothing.
                (Fit::No, _) | (Fit::Unclear(_), Compiled::Public) => {}
                (Fit::Unclear(part), _) => return Ruling::Closed(Refusal::AskedUnclear, Some(part)),
                (Fit::Yes, Compiled::Public) => {
                    return Ruling::Public { anonymous: asked.method == Some("OPTIONS") };
                }
                (Fit::Yes, Compiled::SignedIn(requirement)) => {
                    return Ruling::SignedIn(Some(Arc::clone(requirement)));
                }
                (Fit::Yes, Compiled::Nobody) => return Ruling::Closed(Refusal::ClosedToEverybody, None),
            }
        }
        Ruling::SignedIn(None)
    }
}

impl Rule {
    fn fit(&self, asked: &Asked<'_>, client: Option<IpAddr>) -> Fit {
        let fit = part(&self.hosts, asked.host.as_ref(), "its host", |pattern, host| {
            pattern.fit(host, asked.scheme)
        });
        let path = asked.path.as_deref();
        fit.and(|| part(&self.methods, asked.method, "its method", |own, method| Fit::of(own == method)))
            .and(|| part(&self.paths, path, "its path", |paths, path| Fit::of(paths.fit(path))))
            .and(|| match path {
                _ if self.except_paths.is_empty() => Fit::Yes,
                Some(path) => Fit::of(!self.except_paths.iter().any(|paths| paths.fit(path))),
                None => Fit::Unclear("its path"),
            })
            .and(|| part(&self.clients, client, "its client", |own, client| Fit::of(own.contains(client))))
    }
}

/// Whether one of a part's patterns fits what was asked.
fn part<P, A: Copy>(
    patterns: &Option<Vec<P>>,
    asked: Option<A>,
    name: &'static str,
    fit: impl Fn(&P, A) -> Fit,
) -> Fit {
    let Some(patterns) = patterns else { return Fit::Yes };
    let Some(asked) = asked else { return Fit::Unclear(name) };
    let mut whole = Fit::No;
    for pattern in patterns {
        match fit(pattern, asked) {
            Fit::Yes => return Fit::Yes,
            Fit::Unclear(part) => whole = Fit::Unclear(part),
            Fit::No => {}
        }
    }
    whole
}

#[derive(Debug)]
struct HostPattern {
    name: String,
    /// Whether names below it are meant, and not itself.
    below: bool,
    port: Option<u16>,
}

impl HostPattern {
    fn fit(&self, host: &Host, scheme: Option<&str>) -> Fit {
        let fits = if self.below {
            host.name.strip_suffix(&self.name).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        } else {
            host.name == self.name
        };
        let Some(own) = self.port.filter(|_| fits) else { return Fit::of(fits) };
        match (host.port, scheme) {
            (Some(port), _) => Fit::of(port == own),
            (None, Some(scheme)) => Fit::of(own == if scheme == "https" { 443 } else { 80 }),
            (None, None) => Fit::Unclear("its port"),
        }
    }
}

#[derive(Debug)]
enum Paths {
    Exact(String),
    /// Without a slash at its end.
    At(String),
    /// With one.
    Below(String),
    Regex(Regex),
}

impl Paths {
    fn fit(&self, path: &str) -> bool {
        match self {
            Self::Exact(own) => path == own,
            Self::At(own) => {
                path.strip_prefix(own.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
            Self::Below(own) => path.starts_with(own),
            Self::Regex(own) => own.is_match(path),
        }
    }
}

/// Something that is wrong with a rule, and what to do about it.
type Fault = (String, String);

impl AccessRules {
    /// Reads the rules, and says what is wrong with each, by its number.
    pub(crate) fn compile(
        rules: &[AccessRule],
        is_provider: impl Fn(&str) -> bool,
    ) -> (Self, Vec<(usize, Fault)>) {
        let mut faults = Vec::new();
        let mut compiled = Vec::new();
        for (number, rule) in (1..).zip(rules) {
            let mut own = Vec::new();
            compiled.push(rule.compile(&mut own, &is_provider));
            if rule.is_for_everything() && number < rules.len() {
                let remedy = "put it last: the first rule that fits decides";
                own.push(("it fits everything, so that no rule after it counts".into(), remedy.into()));
            }
            faults.extend(own.into_iter().map(|fault| (number, fault)));
        }
        (Self(compiled), faults)
    }
}

impl AccessRule {
    /// Whether it goes by the request that a proxy asks about.
    pub(crate) fn goes_by_request(&self) -> bool {
        self.hosts.is_some()
            || self.paths.is_some()
            || self.methods.is_some()
            || !self.except_paths.is_empty()
    }

    /// Whether it goes by where the request comes from.
    pub(crate) fn goes_by_client(&self) -> bool {
        self.clients.is_some()
    }

    fn is_for_everything(&self) -> bool {
        !self.goes_by_request() && !self.goes_by_client()
    }

    /// What it asks of people.
    pub(crate) fn requirement(&self) -> Option<&Requirement> {
        match &self.access {
            Access::SignedIn(requirement) => Some(requirement),
            Access::Public | Access::Nobody => None,
        }
    }

    fn compile(&self, faults: &mut Vec<Fault>, is_provider: impl Fn(&str) -> bool) -> Rule {
        let lists = [
            ("hosts", self.hosts.as_ref().map(Vec::is_empty)),
            ("paths", self.paths.as_ref().map(Vec::is_empty)),
            ("methods", self.methods.as_ref().map(Vec::is_empty)),
            ("clients", self.clients.as_ref().map(Vec::is_empty)),
        ];
        for (name, _) in lists.iter().filter(|(_, is_empty)| *is_empty == Some(true)) {
            let remedy = "name at least one, or leave them away";
            faults.push((format!("its {name} are none, so that it never fits"), remedy.to_owned()));
        }
        let access = match &self.access {
            Access::Public => Compiled::Public,
            Access::Nobody => Compiled::Nobody,
            Access::SignedIn(requirement) => {
                faults.extend(requirement.problems(is_provider));
                Compiled::SignedIn(Arc::new(requirement.clone()))
            }
        };
        Rule {
            access,
            hosts: self.hosts.as_ref().map(|hosts| all(hosts, faults, |host| host_pattern(host))),
            paths: self.paths.as_ref().map(|paths| all(paths, faults, PathPattern::compile)),
            except_paths: all(&self.except_paths, faults, PathPattern::compile),
            methods: self.methods.as_ref().map(|methods| {
                all(methods, faults, |method| {
                    canonical::method(method).map(str::to_owned).ok_or_else(|| {
                        (format!("`{method}` is no method"), "write it as in `GET`, in upper case".to_owned())
                    })
                })
            }),
            clients: self.clients.as_ref().map(|clients| {
                all(clients, faults, |client| {
                    Network::parse(client).map_err(|fault| {
                        (
                            format!("the client `{client}` {fault}"),
                            "write `10.1.2.3` or `10.0.0.0/8`".to_owned(),
                        )
                    })
                })
            }),
        }
    }
}

/// Reads each; what cannot be read is a fault.
fn all<T, P>(texts: &[T], faults: &mut Vec<Fault>, read: impl Fn(&T) -> Result<P, Fault>) -> Vec<P> {
    let mut good = Vec::new();
    for text in texts {
        match read(text) {
            Ok(pattern) => good.push(pattern),
            Err(fault) => faults.push(fault),
        }
    }
    good
}

fn host_pattern(text: &str) -> Result<HostPattern, Fault> {
    let below = text.strip_prefix("*.");
    match canonical::host_of_rule(below.unwrap_or(text)) {
        Some(Host { name, port }) => Ok(HostPattern { name, below: below.is_some(), port }),
        None => {
            let remedy = "write `app.example.com`, `app.example.com:8443` or `*.example.com`";
            Err((format!("`{text}` is no host"), remedy.to_owned()))
        }
    }
}

impl PathPattern {
    fn compile(&self) -> Result<Paths, Fault> {
        let path = |text: &str| {
            canonical::path_of_rule(text).ok_or_else(|| {
                let remedy =
                    "write it from the root on, plainly: no `..`, `//`, `;`, `?` or encoded delimiters";
                (format!("`{text}` is no path that can be compared"), remedy.to_owned())
            })
        };
        match self {
            Self::Exact(text) => path(text).map(Paths::Exact),
            Self::Prefix(text) if text.ends_with('/') => path(text).map(Paths::Below),
            Self::Prefix(text) => path(text).map(Paths::At),
            Self::Regex(text) => regex(text).map(Paths::Regex),
        }
    }
}

/// Reads an expression, and lets it begin where the path does, in all its alternatives.
fn regex(text: &str) -> Result<Regex, Fault> {
    let flags = text
        .strip_prefix("(?")
        .and_then(|rest| rest.split_once(')'))
        .filter(|(flags, _)| flags.bytes().all(|byte| byte.is_ascii_lowercase()));
    let expression = flags.map_or(text, |(_, rest)| rest);
    if !expression.starts_with(['^']) && !expression.starts_with("\\A") {
        let remedy = format!("begin it with `^`, as in `^{expression}`: it would fit anywhere in a path");
        return Err((format!("`{text}` does not say where it begins"), remedy));
    }
    // By itself first: a parenthesis too many would close the one around it.
    let compiled = Regex::new(text).and_then(|_| Regex::new(&format!("\\A(?:{text})")));
    compiled.map_err(|error| {
        (format!("`{text}` is no regular expression: {error}"), "correct it, or use a prefix".to_owned())
    })
}

#[cfg(test)]
#[path = "decision_tests.rs"]
mod tests;
