//! How the client proves who it is, where the `oauth2` crate does not see to it (RFC 6749 §2.3.1).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, header};
use url::{Url, form_urlencoded};

use crate::{
    conversation::Http,
    exchange::{HttpRequest, HttpResponse, Purpose},
    oauth2::{ClientAuthentication, OAuth2Spec},
    provider::ProviderError,
};

impl OAuth2Spec {
    /// Sends a form to one of the provider's endpoints, with the client's authentication as the token endpoint gets
    /// it. The answer may have any status. `client_id` and `client_secret` in `form` give way to it.
    ///
    /// # Errors
    /// No answer.
    pub async fn post_form(
        &self,
        http: &Http,
        purpose: Purpose,
        url: &Url,
        form: impl IntoIterator<Item = (impl AsRef<str>, impl AsRef<str>)>,
    ) -> Result<HttpResponse, ProviderError> {
        let request = self.form_request(purpose, url, form)?;
        http.send(purpose, request).await.map_err(|failure| ProviderError::Unreachable { purpose, failure })
    }

    fn form_request(
        &self,
        purpose: Purpose,
        url: &Url,
        form: impl IntoIterator<Item = (impl AsRef<str>, impl AsRef<str>)>,
    ) -> Result<HttpRequest, ProviderError> {
        let mut body = form_urlencoded::Serializer::new(String::new());
        for (name, value) in form {
            if !matches!(name.as_ref(), "client_id" | "client_secret") {
                body.append_pair(name.as_ref(), value.as_ref());
            }
        }
        let mut request = http::Request::post(url.as_str())
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let secret = self.client_secret.as_ref().map(|secret| secret.expose());
        match (self.client_authentication, secret) {
            (ClientAuthentication::Basic, Some(secret)) => {
                let encoded =
                    |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                request = request
                    .header(header::AUTHORIZATION, basic(&encoded(&self.client_id), &encoded(secret))?);
            }
            (ClientAuthentication::BasicUnencoded, Some(secret)) => {
                request = request.header(header::AUTHORIZATION, basic(&self.client_id, secret)?);
            }
            (ClientAuthentication::Post, Some(secret)) => {
                body.append_pair("client_id", &self.client_id).append_pair("client_secret", secret);
            }
            _ => {
                body.append_pair("client_id", &self.client_id);
            }
        }
        let unsound = ProviderError::Broken { purpose, fault: "its address cannot be asked" };
        request.body(body.finish().into_bytes()).map_err(|_| unsound)
    }

    /// The header for a provider that does not undo the encoding that the `oauth2` crate applies.
    pub(super) fn unencoded_basic(&self) -> Result<Option<HeaderValue>, ProviderError> {
        match (self.client_authentication, &self.client_secret) {
            (ClientAuthentication::BasicUnencoded, Some(secret)) => {
                basic(&self.client_id, secret.expose()).map(Some)
            }
            _ => Ok(None),
        }
    }
}

fn basic(id: &str, secret: &str) -> Result<HeaderValue, ProviderError> {
    let credentials = STANDARD.encode(format!("{id}:{secret}"));
    let unsound = ProviderError::Misconfigured {
        field: "client_secret",
        remedy: "give one that can stand in a header",
    };
    let mut header = HeaderValue::from_str(&format!("Basic {credentials}")).map_err(|_| unsound)?;
    header.set_sensitive(true);
    Ok(header)
}
