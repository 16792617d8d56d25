//! What is wrong with a spec, said before the first sign-in.

use url::Url;

use crate::{
    address::is_safe,
    config::Problem,
    oauth2::{
        ClientAuthentication, OAuth2Spec, PROTOCOL_PARAMETERS, TOKEN_PROTOCOL_PARAMETERS,
        parameters::is_name, parameters::is_one_of, parameters::sets_one_of,
    },
};

type Findings = Vec<Problem>;

impl OAuth2Spec {
    pub(super) fn problems(&self) -> Findings {
        let mut findings = Vec::new();
        self.addresses(&mut findings);
        self.registration(&mut findings);
        let extra: Vec<_> = self.extra_parameters.iter().map(|(name, _)| name.as_str()).collect();
        parameters("extra_parameter", &extra, &PROTOCOL_PARAMETERS, &mut findings);
        let token: Vec<_> = self.token_parameters.iter().map(|(name, _)| name.as_str()).collect();
        parameters("token_parameter", &token, &TOKEN_PROTOCOL_PARAMETERS, &mut findings);
        findings
    }

    fn addresses(&self, findings: &mut Findings) {
        for (field, url) in [
            ("authorization_endpoint", &self.authorization_endpoint),
            ("token_endpoint", &self.token_endpoint),
            ("revocation_endpoint", &self.revocation_endpoint),
            ("end_session_endpoint", &self.end_session_endpoint),
            ("metadata_address", &self.metadata_address),
        ] {
            if !url.as_ref().is_none_or(is_plain) {
                let fault = format!("that of `{}` is not a plain https address", self.id);
                let remedy = "use https, without a fragment or a password; plain http is for loopback only";
                findings.push(Problem::new(field, fault, remedy));
            }
        }
        let ours = |name: &str| {
            matches!(name, "prompt" | "login_hint")
                || self.extra_parameters.iter().any(|(set, _)| set == name)
        };
        if self.authorization_endpoint.iter().any(|url| {
            sets_one_of(&PROTOCOL_PARAMETERS, url) || url.query_pairs().any(|(name, _)| ours(&name))
        }) {
            let fault = format!("the query of that of `{}` sets what a sign-in sets", self.id);
            let remedy = "leave that out of it: of two of one name, two readers take different ones";
            findings.push(Problem::new("authorization_endpoint", fault, remedy));
        }
        let known = self.authorization_endpoint.is_some() && self.token_endpoint.is_some();
        if !known && self.metadata_address.is_none() {
            let fault = format!("that of `{}` is no address that could describe it", self.id);
            let remedy = "write the whole issuer, beginning with https://, or name both endpoints";
            findings.push(Problem::new("issuer", fault, remedy));
        }
        if self.issuer.is_none() && (self.issuer_required || self.metadata_address.is_some()) {
            let fault = format!("`{}` has none that `iss` could be compared with", self.id);
            findings.push(Problem::new("issuer", fault, "name it to the letter, as the provider writes it"));
        }
    }

    fn registration(&self, findings: &mut Findings) {
        let registered = "give the one that the provider registered";
        if self.client_id.is_empty() {
            findings.push(Problem::new("client_id", format!("that of `{}` is empty", self.id), registered));
        }
        let unencoded = self.client_authentication == ClientAuthentication::BasicUnencoded;
        if unencoded && self.client_id.contains(':') {
            let fault = format!("that of `{}` has a colon in it, which ends the id in the header", self.id);
            findings.push(Problem::new("client_id", fault, "use `ClientAuthentication::Post`"));
        }
        let public = self.client_authentication == ClientAuthentication::None;
        let (fault, remedy) = match &self.client_secret {
            Some(_) if public => ("is never sent", "leave it out, or say how the client authenticates"),
            Some(secret) if secret.is_empty() => ("is empty", "give it, or none at all for a public client"),
            None if !public => ("is missing", "give it, or use `ClientAuthentication::None`"),
            _ => return,
        };
        findings.push(Problem::new("client_secret", format!("that of `{}` {fault}", self.id), remedy));
    }
}

fn is_plain(url: &Url) -> bool {
    is_safe(url) && url.fragment().is_none() && url.username().is_empty() && url.password().is_none()
}

fn parameters(field: &'static str, names: &[&str], own: &[&str], findings: &mut Vec<Problem>) {
    for (index, name) in names.iter().enumerate() {
        let (fault, remedy) = if is_one_of(own, name) {
            ("is the protocol's own", "leave it out: it is set for each sign-in")
        } else if !is_name(name) {
            ("is no name that every server reads alike", "use letters, digits, `_`, `-`, `.` and `:`")
        } else if names[..index].contains(name) {
            ("is there twice, and may be there once", "give one value")
        } else {
            continue;
        };
        findings.push(Problem::new(field, format!("`{name}` {fault}"), remedy));
    }
}
