//! Asking a provider's own interfaces, with the access token.

use http::{HeaderValue, header};
use serde::de::DeserializeOwned;
use url::Url;

use crate::{
    conversation::Http,
    exchange::{HttpResponse, Purpose},
    identity::Tokens,
    json::{self, JsonFault},
    provider::ProviderError,
};

impl Http {
    /// Asks a provider's interface for JSON, with the access token in the `Authorization` header (RFC 6750 §2.1).
    ///
    /// # Errors
    /// No answer, a status other than 200, or JSON of another shape than `T`.
    pub async fn get_json<D: DeserializeOwned>(
        &self,
        purpose: Purpose,
        url: &Url,
        tokens: &Tokens,
    ) -> Result<D, ProviderError> {
        let response = self.get_with_token(purpose, url, tokens).await?;
        expect_ok(purpose, &response)?;
        json_body(purpose, &response)
    }

    /// As [`Http::get_json`], for whoever wants to look at status and headers first.
    ///
    /// # Errors
    /// No answer.
    pub async fn get_with_token(
        &self,
        purpose: Purpose,
        url: &Url,
        tokens: &Tokens,
    ) -> Result<HttpResponse, ProviderError> {
        self.get_with_headers(purpose, url, tokens, &[]).await
    }

    /// As [`Http::get_with_token`], for interfaces that ask for headers of their own, such as the client's id. `Accept`
    /// is one of them where it is among them, and JSON's otherwise.
    ///
    /// # Errors
    /// No answer, or a header that cannot be one.
    pub async fn get_with_headers(
        &self,
        purpose: Purpose,
        url: &Url,
        tokens: &Tokens,
        headers: &[(&str, &str)],
    ) -> Result<HttpResponse, ProviderError> {
        let mut request = http::Request::get(url.as_str());
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("accept")) {
            request = request.header(header::ACCEPT, "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let unsound = ProviderError::Broken { purpose, fault: "a header of its request cannot be one" };
        let mut request = request.body(Vec::new()).map_err(|_| unsound)?;
        let bearer = format!("Bearer {}", tokens.access_token.expose());
        let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| unsound)?;
        bearer.set_sensitive(true);
        // Nobody's header takes its place.
        request.headers_mut().insert(header::AUTHORIZATION, bearer);
        self.send(purpose, request).await.map_err(|failure| ProviderError::Unreachable { purpose, failure })
    }
}

/// Accepts status 200 and says of any other whose fault it is.
///
/// # Errors
/// Any other status.
pub fn expect_ok(purpose: Purpose, response: &HttpResponse) -> Result<(), ProviderError> {
    match response.status().as_u16() {
        200 => Ok(()),
        status @ (429 | 500..=599) => Err(ProviderError::Unavailable { purpose, status }),
        300..=399 => {
            Err(ProviderError::Broken { purpose, fault: "it redirects, and redirects are not followed" })
        }
        401 => Err(ProviderError::Broken { purpose, fault: "it does not accept the access token" }),
        403 => Err(ProviderError::Broken { purpose, fault: "the access token may not do this" }),
        _ => Err(ProviderError::Broken { purpose, fault: "its status is not 200" }),
    }
}

/// Reads a body as JSON of the shape `D`.
///
/// # Errors
/// See [`JsonFault`].
pub fn json_body<D: DeserializeOwned>(purpose: Purpose, response: &HttpResponse) -> Result<D, ProviderError> {
    json::parse(response.body()).map_err(|fault| ProviderError::Broken {
        purpose,
        fault: match fault {
            JsonFault::Syntax => "it is not JSON",
            JsonFault::DuplicateName => "its JSON has two members of one name",
            JsonFault::TooDeep => "its JSON is nested too deep",
            JsonFault::Shape => "a member is missing or of the wrong type",
        },
    })
}
