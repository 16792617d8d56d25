//! What is wrong with a spec, said before the first sign-in.

use crate::{
    address::is_safe,
    config::Problem,
    oauth2::{OAuth2Spec, PROTOCOL_PARAMETERS},
};

impl OAuth2Spec {
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let revocation = self.revocation_endpoint.iter().map(|url| ("revocation_endpoint", url));
        let always = [
            ("authorization_endpoint", &self.authorization_endpoint),
            ("token_endpoint", &self.token_endpoint),
        ];
        for (field, url) in always.into_iter().chain(revocation) {
            if !is_safe(url) || url.fragment().is_some() {
                let fault = format!("that of `{}` is not a plain https address", self.id);
                problems.push(Problem::new(
                    field,
                    fault,
                    "use https, without a fragment; plain http is for loopback only",
                ));
            }
        }
        if self.client_id.is_empty() {
            let fault = format!("that of `{}` is empty", self.id);
            problems.push(Problem::new(
                "client_id",
                fault,
                "give the client id that the provider registered",
            ));
        }
        if let Some((name, _)) =
            self.extra_parameters.iter().find(|(name, _)| PROTOCOL_PARAMETERS.contains(&name.as_str()))
        {
            let fault = format!("`{name}` is the protocol's own");
            problems.push(Problem::new("extra_parameter", fault, "leave it out: it is set for each sign-in"));
        }
        problems
    }
}
