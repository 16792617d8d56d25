//! Which `iss` is the right one: a text that is compared as it stands, or a template with a tenant in it.

use serde_json::{Map, Value};
use url::Url;

/// Where a tenant stands in an issuer template, as Microsoft Entra writes it.
pub(crate) const PLACEHOLDER: &str = "{tenantid}";

/// Who may vouch for accounts.
#[derive(Clone, Debug)]
pub(crate) enum Issuer {
    /// One issuer. Compared byte by byte, a final slash included (OpenID Connect Discovery §4.3).
    Exact(String),
    /// One issuer for each tenant, and which tenants count.
    Template { text: String, tenants: Tenants, discovery: String },
}

/// Whose accounts may sign in where an issuer has many tenants.
#[derive(Clone, Debug)]
pub(crate) enum Tenants {
    Any,
    Listed(Vec<String>),
}

impl Issuer {
    /// Where the issuer describes itself: one final slash is not doubled (OpenID Connect Discovery §4).
    pub(crate) fn metadata_url(&self) -> Result<Url, url::ParseError> {
        let address = match self {
            Self::Exact(text) => text.clone(),
            Self::Template { text, discovery, .. } => text.replace(PLACEHOLDER, discovery),
        };
        Url::parse(&format!(
            "{}/.well-known/openid-configuration",
            address.strip_suffix('/').unwrap_or(&address)
        ))
    }

    /// Whether a description that names `issuer` is about this one. Entra's common description names the template.
    pub(crate) fn describes_itself_as(&self, issuer: &str) -> bool {
        match self {
            Self::Exact(text) => text == issuer,
            Self::Template { text, .. } => text == issuer || self.tenant_of(issuer).is_some(),
        }
    }

    /// The `iss` that a token with these claims must have. The tenant comes from the token, so it is worth something
    /// only together with the list of tenants and the signature.
    pub(crate) fn of_token(&self, claims: &Map<String, Value>) -> Result<String, &'static str> {
        match self {
            Self::Exact(text) => Ok(text.clone()),
            Self::Template { text, tenants, .. } => {
                let tenant = claims.get("tid").and_then(Value::as_str).ok_or("it names no tenant")?;
                if !tenants.admit(tenant) {
                    return Err("its tenant is none of those that may sign in");
                }
                Ok(text.replace(PLACEHOLDER, tenant))
            }
        }
    }

    /// The `iss` that a callback may bring (RFC 9207); `None` where the tenant is known only afterwards.
    pub(crate) fn of_callback(&self) -> Option<String> {
        match self {
            Self::Exact(text) => Some(text.clone()),
            Self::Template { text, tenants: Tenants::Listed(tenants), .. } => match tenants.as_slice() {
                [tenant] => Some(text.replace(PLACEHOLDER, tenant)),
                _ => None,
            },
            Self::Template { .. } => None,
        }
    }

    /// Whether a key may sign for `token_issuer`. Entra publishes the keys of many tenants in one set and says of each
    /// whose it is; a key of one tenant must not vouch for another.
    pub(crate) fn lets_sign(&self, key_issuer: Option<&str>, token_issuer: &str) -> bool {
        match (self, key_issuer) {
            (Self::Exact(_), _) | (_, None) => true,
            (Self::Template { text, .. }, Some(key_issuer)) => {
                key_issuer == text || key_issuer == token_issuer
            }
        }
    }

    fn tenant_of<'i>(&self, issuer: &'i str) -> Option<&'i str> {
        let Self::Template { text, tenants, .. } = self else { return None };
        let (before, after) = text.split_once(PLACEHOLDER)?;
        let tenant = issuer.strip_prefix(before)?.strip_suffix(after)?;
        tenants.admit(tenant).then_some(tenant)
    }
}

impl Tenants {
    fn admit(&self, tenant: &str) -> bool {
        match self {
            Self::Any => is_tenant_id(tenant),
            Self::Listed(tenants) => tenants.iter().any(|listed| listed == tenant),
        }
    }
}

/// A tenant's identifier is a UUID in lower case; its domain name is not what tokens carry.
pub(crate) fn is_tenant_id(tenant: &str) -> bool {
    let lengths = tenant.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12])
        && tenant.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "11111111-2222-3333-4444-555555555555";
    const B: &str = "aaaaaaaa-2222-3333-4444-555555555555";

    fn template(tenants: Tenants) -> Issuer {
        let text = "https://login.example/{tenantid}/v2.0".to_owned();
        Issuer::Template { text, tenants, discovery: "common".into() }
    }

    fn claims(tenant: impl Into<Value>) -> Map<String, Value> {
        [("tid".to_owned(), tenant.into())].into_iter().collect()
    }

    #[test]
    fn one_final_slash_is_not_doubled_and_stays_in_the_comparison() {
        let issuer = Issuer::Exact("https://op.example/test/a/".into());
        assert_eq!(
            issuer.metadata_url().unwrap().as_str(),
            "https://op.example/test/a/.well-known/openid-configuration"
        );
        assert!(issuer.describes_itself_as("https://op.example/test/a/"));
        assert!(!issuer.describes_itself_as("https://op.example/test/a"));
    }

    #[test]
    fn a_template_takes_the_tenant_from_the_token_and_only_listed_ones() {
        let issuer = template(Tenants::Listed(vec![A.into()]));
        assert_eq!(issuer.of_token(&claims(A)), Ok(format!("https://login.example/{A}/v2.0")));
        assert!(issuer.of_token(&claims(B)).is_err());
        assert!(issuer.of_token(&claims(1)).is_err());
        assert!(issuer.of_token(&Map::new()).is_err());
        let any = template(Tenants::Any);
        assert!(any.of_token(&claims(B)).is_ok());
        for tenant in ["", "common", "{tenantid}", "../../evil", &A.to_uppercase().replace('1', "A")] {
            assert!(any.of_token(&claims(tenant)).is_err(), "{tenant}");
        }
    }

    #[test]
    fn a_description_names_the_template_or_an_admitted_tenant() {
        let issuer = template(Tenants::Listed(vec![A.into()]));
        assert!(issuer.describes_itself_as("https://login.example/{tenantid}/v2.0"));
        assert!(issuer.describes_itself_as(&format!("https://login.example/{A}/v2.0")));
        assert!(!issuer.describes_itself_as(&format!("https://login.example/{B}/v2.0")));
        assert!(!issuer.describes_itself_as("https://login.example/common/v2.0"));
        assert!(!issuer.describes_itself_as(&format!("https://evil.example/{A}/v2.0")));
        assert!(
            issuer.metadata_url().unwrap().as_str().starts_with("https://login.example/common/v2.0/.well")
        );
    }

    #[test]
    fn the_callback_s_issuer_is_known_only_where_there_is_one_tenant() {
        let one = template(Tenants::Listed(vec![A.into()]));
        assert_eq!(one.of_callback(), Some(format!("https://login.example/{A}/v2.0")));
        assert_eq!(template(Tenants::Listed(vec![A.into(), B.into()])).of_callback(), None);
        assert_eq!(template(Tenants::Any).of_callback(), None);
    }

    #[test]
    fn a_tenant_s_own_key_signs_for_no_other_tenant() {
        let issuer = template(Tenants::Any);
        let of = |tenant| format!("https://login.example/{tenant}/v2.0");
        assert!(issuer.lets_sign(None, &of(A)));
        assert!(issuer.lets_sign(Some("https://login.example/{tenantid}/v2.0"), &of(A)));
        assert!(issuer.lets_sign(Some(&of(A)), &of(A)));
        assert!(!issuer.lets_sign(Some(&of(B)), &of(A)));
    }
}
