//! An issuer's description of itself: read, bounded, and every address in it looked at before it is used
//! (OpenID Connect Discovery §3 and §4.3).

use std::sync::Arc;

use serde_json::{Map, Value};
use url::Url;
use vestibule::{
    address::is_loopback_http,
    conversation::Http,
    exchange::{Freshness, Purpose, Usable},
    json,
    oauth2::{PROTOCOL_PARAMETERS, is_one_of},
    provider::ProviderError,
};

use crate::{algorithm::Algorithm, config::Config};

/// What of the description is used. Optional addresses keep their fault until somebody needs them.
#[derive(Debug)]
pub(crate) struct Metadata {
    pub(crate) authorization_endpoint: Url,
    pub(crate) token_endpoint: Url,
    pub(crate) jwks_uri: Url,
    pub(crate) userinfo_endpoint: Result<Option<Url>, ProviderError>,
    pub(crate) revocation_endpoint: Result<Option<Url>, ProviderError>,
    pub(crate) end_session_endpoint: Result<Option<Url>, ProviderError>,
    /// Whether every callback brings `iss` (RFC 9207 §3).
    pub(crate) sends_issuer: bool,
    /// How clients may authenticate; `None` where the issuer does not say.
    pub(crate) authentication_methods: Option<Vec<String>>,
    /// Which claims there are; `None` where the issuer does not say.
    claims: Option<Vec<String>>,
}

impl Metadata {
    /// The issuer's description, from the per-process cache where possible. What cannot be used does not get there.
    pub(crate) async fn fetch(http: &Http, config: &Arc<Config>) -> Result<Self, ProviderError> {
        let purpose = Purpose::Metadata;
        let read_by = Arc::clone(config);
        let usable = Usable::if_it(move |body| Self::parse(body, &read_by).is_ok());
        let document = http.usable_document(purpose, &config.metadata_url, Freshness::Cached, usable).await;
        let document = document.map_err(|failure| ProviderError::Unreachable { purpose, failure })?;
        Self::parse(&document.body, config)
    }

    fn parse(body: &[u8], config: &Config) -> Result<Self, ProviderError> {
        let members = members(body, config)?;
        signs_as_agreed(&members, &config.settings.algorithms)?;
        let endpoints = Endpoints { members: &members, loopback: is_loopback_http(&config.metadata_url) };
        Ok(Self {
            authorization_endpoint: endpoints.authorization()?,
            token_endpoint: endpoints.required("token_endpoint", "it lacks token_endpoint")?,
            jwks_uri: endpoints.required("jwks_uri", "it lacks jwks_uri")?,
            userinfo_endpoint: endpoints.optional("userinfo_endpoint"),
            revocation_endpoint: endpoints.optional("revocation_endpoint"),
            end_session_endpoint: endpoints.optional("end_session_endpoint"),
            sends_issuer: members.get("authorization_response_iss_parameter_supported")
                == Some(&Value::Bool(true)),
            authentication_methods: texts(&members, "token_endpoint_auth_methods_supported"),
            claims: texts(&members, "claims_supported").filter(|claims| !claims.is_empty()),
        })
    }

    /// Whether the issuer may have a claim of that name: where it lists its claims, only those.
    pub(crate) fn may_have(&self, claim: &str) -> bool {
        self.claims.as_ref().is_none_or(|claims| claims.iter().any(|listed| listed == claim))
    }
}

/// Where the issuer's keys are. Whoever only looks at tokens needs no more of the description: issuers for machines
/// have no place to send a browser to.
pub(crate) async fn keys_address(http: &Http, config: &Arc<Config>) -> Result<Url, ProviderError> {
    fn read(body: &[u8], config: &Config) -> Result<Url, ProviderError> {
        let members = members(body, config)?;
        let endpoints = Endpoints { members: &members, loopback: is_loopback_http(&config.metadata_url) };
        endpoints.required("jwks_uri", "it lacks jwks_uri")
    }
    let purpose = Purpose::Metadata;
    let read_by = Arc::clone(config);
    let usable = Usable::if_it(move |body| read(body, &read_by).is_ok());
    let document = http.usable_document(purpose, &config.metadata_url, Freshness::Cached, usable).await;
    read(&document.map_err(|failure| ProviderError::Unreachable { purpose, failure })?.body, config)
}

/// What stands in a description of the configured issuer.
fn members(body: &[u8], config: &Config) -> Result<Map<String, Value>, ProviderError> {
    let members: Map<String, Value> =
        json::parse(body).map_err(|_| broken("it is not one clean JSON object"))?;
    let issuer = members.get("issuer").and_then(Value::as_str);
    if issuer.ok_or(broken("it lacks issuer")).map(|issuer| config.issuer.describes_itself_as(issuer))? {
        return Ok(members);
    }
    Err(broken("its issuer is not the configured one: compare the two to the letter, a final slash included"))
}

fn broken(fault: &'static str) -> ProviderError {
    ProviderError::Broken { purpose: Purpose::Metadata, fault }
}

/// A list of texts; what is not a text in it is passed over.
fn texts(members: &Map<String, Value>, name: &str) -> Option<Vec<String>> {
    let items = members.get(name)?.as_array()?;
    Some(items.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

fn signs_as_agreed(members: &Map<String, Value>, pinned: &[Algorithm]) -> Result<(), ProviderError> {
    let offered = texts(members, "id_token_signing_alg_values_supported");
    let offered = offered.ok_or(broken("it lacks id_token_signing_alg_values_supported"))?;
    if pinned.iter().any(|algorithm| offered.iter().any(|name| name == algorithm.name())) {
        return Ok(());
    }
    Err(ProviderError::Misconfigured {
        field: "algorithms",
        remedy: "name one of the algorithms that the issuer's id_token_signing_alg_values_supported lists",
    })
}

/// The addresses of a description.
struct Endpoints<'m> {
    members: &'m Map<String, Value>,
    /// Whether the issuer itself is plain http on this machine: only then may its endpoints be.
    loopback: bool,
}

impl Endpoints<'_> {
    fn optional(&self, name: &str) -> Result<Option<Url>, ProviderError> {
        match self.members.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => self.checked(text).map(Some),
            Some(_) => Err(broken("an address in it is not a text")),
        }
    }

    fn required(&self, name: &str, missing: &'static str) -> Result<Url, ProviderError> {
        self.optional(name)?.ok_or(broken(missing))
    }

    /// Here the browser is sent, with parameters of ours added to its query (RFC 6749 §3.1).
    fn authorization(&self) -> Result<Url, ProviderError> {
        let url = self.required("authorization_endpoint", "it lacks authorization_endpoint")?;
        // Two of one name would be read by one side as the first, by another as the last.
        if url.query_pairs().any(|(name, _)| is_one_of(&PROTOCOL_PARAMETERS, &name)) {
            return Err(broken("the query of its authorization_endpoint sets a parameter of the protocol"));
        }
        Ok(url)
    }

    fn checked(&self, text: &str) -> Result<Url, ProviderError> {
        let url = Url::parse(text).map_err(|_| broken("an address in it is not an absolute URL"))?;
        if url.scheme() != "https" && !(self.loopback && is_loopback_http(&url)) {
            return Err(broken("an address in it is not https"));
        }
        if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err(broken("an address in it has a fragment or a password"));
        }
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Oidc;

    #[test]
    fn nd_03_an_address_for_the_browser_is_looked_at_like_the_others() {
        let config = crate::validate::validate(Oidc::builder("https://op.example", "client")).unwrap();
        let end_session = |address: Value| {
            let metadata = json!({
                "issuer": "https://op.example",
                "authorization_endpoint": "https://op.example/authorize",
                "token_endpoint": "https://op.example/token",
                "jwks_uri": "https://op.example/keys",
                "id_token_signing_alg_values_supported": ["RS256"],
                "end_session_endpoint": address,
            });
            Metadata::parse(metadata.to_string().as_bytes(), &config).unwrap().end_session_endpoint
        };
        let sound = end_session(json!("https://op.example/end?tenant=7")).unwrap().unwrap();
        assert_eq!(sound.as_str(), "https://op.example/end?tenant=7");
        assert_eq!(end_session(Value::Null), Ok(None));
        for address in
            ["javascript:alert(1)", "data:text/html,x", "http://op.example/end", "https://op.example/#x", ""]
        {
            assert!(end_session(json!(address)).is_err(), "{address}");
        }
    }
}
