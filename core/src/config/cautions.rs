//! What a configuration allows and weakens, said plainly.

use crate::config::Vestibule;

impl Vestibule {
    /// What is allowed here and weakens the protection, in sentences for whoever runs the site; a driver writes them into
    /// the log when it begins.
    pub fn cautions(&self) -> Vec<String> {
        let mut cautions = Vec::new();
        if let Some(domain) = self.cookies.domain() {
            cautions.push(format!(
                "cookie_domain: every host under {domain} gets the session cookie and can put another in its place; \
                 leave it away where one host is enough"
            ));
        }
        if self.rules.unverified_email {
            let caution = "insecure_unverified_email: whoever can set a profile's address at the provider can enter \
                           as anybody with that address";
            cautions.push(caution.to_owned());
        }
        if self.providers.len() + self.bearers.issuers.len() > 1
            && !self.identity_headers.tell_issuers_apart()
        {
            let caution = "identity_headers: several providers or issuers vouch for people here, and no header says \
                           which one does, so that two people may have one name; add a header that says the issuer \
                           or the provider, where the application goes by names";
            cautions.push(caution.to_owned());
        }
        cautions
    }
}
