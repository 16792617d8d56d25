//! Where a provider is asked for what: as the spec says, or as the provider describes itself (RFC 8414).

use serde_json::{Map, Value};
use url::Url;

use crate::{
    address::{is_loopback_http, is_safe},
    conversation::Http,
    exchange::{Freshness, Purpose, Usable},
    json,
    oauth2::{OAuth2Spec, PROTOCOL_PARAMETERS, parameters::sets_one_of},
    provider::ProviderError,
};

/// A provider's endpoints, known.
pub(super) struct Endpoints {
    pub(super) authorization: Url,
    pub(super) token: Url,
    pub(super) revocation: Option<Url>,
    pub(super) end_session: Option<Url>,
    /// Whether every callback brings `iss`.
    pub(super) sends_issuer: bool,
}

/// Where an issuer describes itself (RFC 8414 §3.1).
pub(super) fn well_known(issuer: &str) -> Option<Url> {
    let mut url = Url::parse(issuer).ok().filter(|url| is_safe(url) && url.query().is_none())?;
    url.set_path(&format!("/.well-known/oauth-authorization-server{}", url.path().trim_end_matches('/')));
    Some(url)
}

impl OAuth2Spec {
    /// The endpoints. What the spec names wins over what the provider describes.
    pub(super) async fn endpoints(&self, http: &Http) -> Result<Endpoints, ProviderError> {
        let described = self.described(http).await?;
        let unknown = ProviderError::Misconfigured {
            field: "issuer",
            remedy: "name the provider's endpoints, or an issuer",
        };
        Ok(Endpoints {
            authorization: self.authorization_endpoint.clone().or(described.authorization).ok_or(unknown)?,
            token: self.token_endpoint.clone().or(described.token).ok_or(unknown)?,
            revocation: self.revocation_endpoint.clone().or(described.revocation),
            end_session: self.end_session_endpoint.clone().or(described.end_session),
            sends_issuer: self.issuer_required || described.sends_issuer,
        })
    }

    async fn described(&self, http: &Http) -> Result<Description, ProviderError> {
        let purpose = Purpose::Metadata;
        let (Some(address), Some(issuer)) = (&self.metadata_address, self.issuer.clone()) else {
            return Ok(Description::default());
        };
        let loopback = is_loopback_http(address);
        let read = move |body: &[u8]| Description::read(body, &issuer, loopback);
        let usable = read.clone();
        let usable = Usable::if_it(move |body| usable(body).is_ok());
        let document = http.usable_document(purpose, address, Freshness::Cached, usable).await;
        read(&document.map_err(|failure| ProviderError::Unreachable { purpose, failure })?.body)
    }
}

/// What of a provider's description is used; nothing where there is none.
#[derive(Default)]
struct Description {
    authorization: Option<Url>,
    token: Option<Url>,
    revocation: Option<Url>,
    end_session: Option<Url>,
    sends_issuer: bool,
}

impl Description {
    fn read(body: &[u8], issuer: &str, loopback: bool) -> Result<Self, ProviderError> {
        let members: Map<String, Value> =
            json::parse(body).map_err(|_| broken("it is not one clean JSON object"))?;
        // Whoever describes another issuer would have us send its codes elsewhere (RFC 8414 §3.3).
        if members.get("issuer").and_then(Value::as_str) != Some(issuer) {
            return Err(broken(
                "its issuer is not the configured one: compare the two to the letter, a final slash included",
            ));
        }
        let address = |name: &str| match members.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => checked(text, loopback).map(Some),
            Some(_) => Err(broken("an address in it is not a text")),
        };
        let authorization = address("authorization_endpoint")?;
        if authorization.iter().any(|url| sets_one_of(&PROTOCOL_PARAMETERS, url)) {
            return Err(broken("the query of its authorization_endpoint sets a parameter of the protocol"));
        }
        let iss = members.get("authorization_response_iss_parameter_supported");
        Ok(Self {
            authorization: Some(authorization.ok_or(broken("it lacks authorization_endpoint"))?),
            token: Some(address("token_endpoint")?.ok_or(broken("it lacks token_endpoint"))?),
            revocation: address("revocation_endpoint")?,
            end_session: address("end_session_endpoint")?,
            sends_issuer: iss == Some(&Value::Bool(true)),
        })
    }
}

/// A description that came by https names no address that is less; one from this machine may name this machine.
fn checked(text: &str, loopback: bool) -> Result<Url, ProviderError> {
    let url = Url::parse(text).map_err(|_| broken("an address in it is not an absolute URL"))?;
    if url.scheme() != "https" && !(loopback && is_loopback_http(&url)) {
        return Err(broken("an address in it is not https"));
    }
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(broken("an address in it has a fragment or a password"));
    }
    Ok(url)
}

fn broken(fault: &'static str) -> ProviderError {
    ProviderError::Broken { purpose: Purpose::Metadata, fault }
}
