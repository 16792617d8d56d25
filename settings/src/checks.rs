//! What has to be looked at beyond one option's own row.

use url::Url;
use vestibule::{
    address::is_loopback_http,
    config::{Keep, Problem, StartParameter, TokenHeaders},
    identity_headers::{IdentityHeaders, Says},
    seal::KeyRing,
};

use crate::{
    options::Options,
    providers::Made,
    row::{Kind, Row},
    rows::{self, ROWS},
    secret::{self, CookieSecret},
    value::Fault,
};

/// Cookies are Secure where the site is https, and cannot be where it is not. Whoever says otherwise has one of the
/// two wrong.
pub(crate) fn cookie_secure(options: &mut Options, redirect_url: &str) {
    let Some(secure) = options.flag(&rows::COOKIE_SECURE) else { return };
    let Ok(url) = Url::parse(redirect_url) else { return };
    if secure != (url.scheme() == "https") {
        let name = options.name(&rows::REDIRECT_URL);
        let fault = format!("it is {secure}, but {name} is {}", url.scheme());
        options.problem(&rows::COOKIE_SECURE, fault, format!("leave it out, or correct {name}"));
    }
}

/// What whoever begins a sign-in may ask of the provider.
pub(crate) fn start_parameters(options: &mut Options) -> Vec<StartParameter> {
    let mut parameters = Vec::new();
    for name in options.list(&rows::START_PARAMETERS) {
        match name.as_str() {
            "login_hint" => parameters.push(StartParameter::LoginHint),
            "prompt" => parameters.push(StartParameter::Prompt),
            _ => {
                let fault = format!("`{name}` is not handed on");
                options.problem(&rows::START_PARAMETERS, fault, "write `login_hint`, `prompt`, or both");
            }
        }
    }
    parameters
}

/// The domain whose hosts share a session.
pub(crate) fn cookie_domain(options: &mut Options) -> Option<String> {
    let domains = options.list(&rows::COOKIE_DOMAINS);
    if 1 < domains.len() {
        let remedy =
            "name the one that the redirect URL's host is in; for another domain, run another gateway";
        options.problem(&rows::COOKIE_DOMAINS, "a session is shared within one domain", remedy);
    }
    domains.into_iter().next()
}

/// `None` for everybody.
pub(crate) fn email_domains(options: &Options) -> Option<Vec<String>> {
    let domains = options.list(&rows::EMAIL_DOMAINS);
    (!domains.is_empty() && !domains.iter().any(|domain| domain == "*")).then_some(domains)
}

/// At most providers anybody can make an account: that everybody may enter must be said. A membership that a provider
/// is asked for says nothing about tokens that API clients bring.
pub(crate) fn somebody_is_named(
    options: &mut Options,
    providers: &[Made],
    groups: &[String],
    takes_tokens: bool,
) {
    let is_named = !options.list(&rows::EMAIL_DOMAINS).is_empty()
        || options.is_set(&rows::AUTHENTICATED_EMAILS_FILE)
        || !groups.is_empty();
    let all_name_members = providers.iter().all(|made| made.names_members);
    if is_named || (all_name_members && !takes_tokens) {
        return;
    }
    let fault = match all_name_members {
        true => "nothing says who may enter by a token of an API client",
        false => "nothing says who may enter",
    };
    let remedy = "list domains or groups, or set it to `*` for everybody who has an account at the provider";
    options.problem(&rows::EMAIL_DOMAINS, fault, remedy);
}

/// Which groups the session keeps; `None` where that is the application's own affair. As with oauth2-proxy a proxy
/// gets all of them, and may ask for any.
pub(crate) fn keep_groups(options: &Options) -> Option<Keep> {
    let named = options.list(&rows::KEEP_GROUPS);
    match named.as_slice() {
        [] => options.is_for_the_gateway().then_some(Keep::All),
        [all] if all == "*" => Some(Keep::All),
        _ => Some(Keep::named(named)),
    }
}

/// Which headers say who is signed in.
pub(crate) fn identity_headers(options: &mut Options) -> IdentityHeaders {
    let is_wanted = options.flag(&rows::SET_XAUTHREQUEST).unwrap_or(true);
    let mut headers = if is_wanted { IdentityHeaders::default() } else { IdentityHeaders::none() };
    for text in options.list(&rows::IDENTITY_HEADERS) {
        let said = text.split_once('=').and_then(|(name, meaning)| Some((name, says(meaning)?)));
        match said {
            Some((name, says)) => headers = headers.header(name.trim(), says),
            None => {
                let remedy = "write `Remote-User=user`, or `X-Department=claim:department`";
                options.problem(&rows::IDENTITY_HEADERS, format!("`{text}` has no meaning"), remedy);
            }
        }
    }
    if options.flag(&rows::PREFER_EMAIL_TO_USER).unwrap_or(false) {
        headers = headers.prefer_email_to_user();
    }
    headers
}

/// Which headers hand tokens, or a password, to a proxy.
pub(crate) fn token_headers(options: &mut Options) -> TokenHeaders {
    let mut headers = TokenHeaders::none();
    if options.flag(&rows::PASS_ACCESS_TOKEN).unwrap_or(false)
        && options.flag(&rows::SET_XAUTHREQUEST).unwrap_or(true)
    {
        headers = headers.access_token();
    }
    if options.flag(&rows::SET_AUTHORIZATION_HEADER).unwrap_or(false) {
        headers = headers.bearer_id_token();
    }
    if headers != TokenHeaders::none() && options.flag(&rows::SESSION_COOKIE_MINIMAL).unwrap_or(false) {
        let remedy = "leave it out, or leave out PASS_ACCESS_TOKEN and SET_AUTHORIZATION_HEADER";
        options.problem(&rows::SESSION_COOKIE_MINIMAL, "a header needs a token", remedy);
    }
    if options.flag(&rows::SET_BASIC_AUTH).unwrap_or(false) {
        let password = options.required(&rows::BASIC_AUTH_PASSWORD);
        if !password.is_empty() {
            headers = headers.basic(password);
        }
    }
    headers
}

fn says(meaning: &str) -> Option<Says> {
    Some(match meaning.trim() {
        "user" => Says::User,
        "email" => Says::Email,
        "preferred_username" => Says::PreferredUsername,
        "name" => Says::Name,
        "groups" => Says::Groups,
        "subject" => Says::Subject,
        "issuer" => Says::Issuer,
        "provider" => Says::Provider,
        other => Says::Claim(other.strip_prefix("claim:")?.to_owned()),
    })
}

/// This program is asked by a proxy and is none itself.
pub(crate) fn upstreams(options: &mut Options, prefix: &str) {
    for upstream in options.list(&rows::UPSTREAMS) {
        // What oauth2-proxy answers by itself when it is asked by a proxy.
        if upstream.starts_with("static://2") {
            continue;
        }
        // A password in it is for no log.
        let upstream = if upstream.contains('@') { "http://127.0.0.1:8000".to_owned() } else { upstream };
        let remedy = format!(
            "let a proxy forward, and ask here; with nginx: `location / {{ auth_request {prefix}/auth; error_page 401 = \
             @sign_in; proxy_pass {upstream}; }} location {prefix}/ {{ proxy_pass http://127.0.0.1:4180; }} location \
             @sign_in {{ return 302 {prefix}/sign_in; }}`"
        );
        options.problem(&rows::UPSTREAMS, "this program forwards nothing", remedy);
    }
}

/// What the paths begin with.
pub(crate) fn prefix(options: &mut Options) -> String {
    let prefix = options.text(&rows::PROXY_PREFIX).unwrap_or_else(|| rows::PROXY_PREFIX.default.to_owned());
    if !prefix.starts_with('/') {
        let fault = format!("`{prefix}` does not begin with `/`");
        options.problem(&rows::PROXY_PREFIX, fault, "write a path from the root, such as `/oauth2`");
        // The rest is then looked at as if it did.
        return format!("/{prefix}");
    }
    prefix
}

/// The keys that cookies are sealed with, the sealing one first.
pub(crate) fn keys(options: &mut Options, warnings: &mut Vec<Problem>) -> Option<KeyRing> {
    let before = options.problems.len();
    let Some((secret, row)) = options.secret(&rows::COOKIE_SECRET, &rows::COOKIE_SECRET_FILE) else {
        if options.problems.len() == before {
            let remedy = "generate 32 random bytes: `openssl rand -base64 32`";
            options.problem(&rows::COOKIE_SECRET, "it is not set", remedy);
        }
        return None;
    };
    let previous = options.list(&rows::COOKIE_SECRETS_PREVIOUS);
    let mut secrets = Vec::new();
    let all = std::iter::once((secret, row));
    for (secret, row) in
        all.chain(previous.into_iter().map(|text| (text.into_bytes(), &rows::COOKIE_SECRETS_PREVIOUS)))
    {
        match secret::parse(&secret) {
            Ok(secret) => secrets.push((secret, row)),
            Err((fault, remedy)) => options.problem(row, fault, remedy),
        }
    }
    for (_, row) in secrets.iter().filter(|(secret, _)| secret.is_short) {
        let remedy = "use 32 random bytes: `openssl rand -base64 32`; with the old one in VESTIBULE_COOKIE_SECRETS_PREVIOUS \
                      nobody is signed out";
        warnings.push(Problem::new(options.name(row), "the secret has fewer than 32 bytes", remedy));
    }
    let some_are_short = secrets.iter().any(|(secret, _)| secret.is_short);
    let texts = secrets.iter().map(|(CookieSecret { text, .. }, _)| text.expose());
    let ring = if some_are_short { KeyRing::insecure_short_secrets(texts) } else { KeyRing::new(texts) };
    match ring {
        Ok(ring) => Some(ring),
        // Each secret that cannot be read has been named already.
        Err(_) if options.problems.len() > before => None,
        Err(weakness) => {
            options.problem(row, weakness.to_string(), "never use one out of a documentation");
            None
        }
    }
}

/// Secrets that a command line gives away, by their flags: whoever may list processes reads them there.
pub(crate) fn secrets_in_sight<'n>(flags: impl Iterator<Item = &'n str>) -> Vec<Problem> {
    let secret = |flag: &str| ROWS.iter().find(|row| row.flag() == flag && row.kind == Kind::Secret);
    let warning = |row: &&'static Row| {
        let file = ROWS.iter().find(|file| file.suffix().strip_suffix("_FILE") == Some(row.suffix()));
        let remedy = match file {
            Some(file) => {
                format!("write it into a file and name that by {}, or set {}", file.flag(), row.name)
            }
            None => format!("set {} instead", row.name),
        };
        Problem::new(row.flag(), "a secret on a command line stands in the list of processes", remedy)
    };
    flags.filter_map(secret).map(warning).collect()
}

/// Other origins that a sign-in may lead back to.
pub(crate) fn return_origins(options: &mut Options) -> Vec<String> {
    let mut origins = Vec::new();
    for (number, domain) in (1..).zip(options.list(&rows::WHITELIST_DOMAINS)) {
        match origin(&domain) {
            Ok(origin) => origins.push(origin),
            // A password may stand in it, so that it is not shown.
            Err((fault, remedy)) => {
                options.problem(&rows::WHITELIST_DOMAINS, format!("entry {number}: {fault}"), remedy)
            }
        }
    }
    origins
}

/// oauth2-proxy allows hosts, for http and https alike; here it is origins, and what is not https is this machine.
fn origin(domain: &str) -> Result<String, Fault> {
    if domain.contains("://") {
        return Ok(domain.to_owned());
    }
    if domain.ends_with(":*") {
        return Err(("every port of a host would count", "name the port"));
    }
    if let Some(parent) = domain.strip_prefix("*.").or_else(|| domain.strip_prefix('.')) {
        return Ok(format!("https://*.{parent}"));
    }
    let url = Url::parse(&format!("http://{domain}"))
        .map_err(|_| ("it is no host", "write `host` or `host:port`"))?;
    Ok(format!("{}://{domain}", if is_loopback_http(&url) { "http" } else { "https" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_become_origins() {
        for (domain, expected) in [
            ("app.example", Some("https://app.example")),
            ("app.example:8443", Some("https://app.example:8443")),
            (".app.example", Some("https://*.app.example")),
            ("*.app.example", Some("https://*.app.example")),
            ("localhost:3000", Some("http://localhost:3000")),
            ("127.0.0.1:3000", Some("http://127.0.0.1:3000")),
            ("https://app.example", Some("https://app.example")),
            ("app.example:*", None),
            ("a b", None),
        ] {
            assert_eq!(origin(domain).ok().as_deref(), expected, "{domain}");
        }
    }
}
