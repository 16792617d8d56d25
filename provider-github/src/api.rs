//! GitHub's REST interface, as far as a sign-in needs it.

use serde::de::DeserializeOwned;
use url::Url;
use vestibule::{
    address::below,
    conversation::Http,
    exchange::{HttpResponse, Purpose},
    identity::Tokens,
    oauth2::{expect_ok, json_body, next_page},
    provider::ProviderError,
};

/// The version whose shapes are read here.
const VERSION: &str = "2022-11-28";

/// The interface, for one access token.
pub(crate) struct Api<'a> {
    pub(crate) http: &'a Http,
    pub(crate) base: &'a Url,
    pub(crate) tokens: &'a Tokens,
}

impl Api<'_> {
    /// Asks for `path` below the interface's address; the answer may have any status.
    pub(crate) async fn ask(&self, purpose: Purpose, path: &str) -> Result<HttpResponse, ProviderError> {
        self.ask_at(purpose, &below(self.base, path)).await
    }

    async fn ask_at(&self, purpose: Purpose, url: &Url) -> Result<HttpResponse, ProviderError> {
        let headers = [
            ("accept", "application/vnd.github+json"),
            ("x-github-api-version", VERSION),
            // Without one, GitHub answers 403.
            ("user-agent", "vestibule-github"),
        ];
        let response = self.http.get_with_headers(purpose, url, self.tokens, &headers).await?;
        if is_rationed(&response) {
            return Err(ProviderError::Unavailable { purpose, status: response.status().as_u16() });
        }
        Ok(response)
    }

    pub(crate) async fn get<D: DeserializeOwned>(
        &self,
        purpose: Purpose,
        path: &str,
    ) -> Result<D, ProviderError> {
        let response = self.ask(purpose, path).await?;
        expect_ok(purpose, &response)?;
        json_body(purpose, &response)
    }

    /// A whole list, page by page. The conversation's limit ends a list that has no end.
    pub(crate) async fn list<D: DeserializeOwned>(
        &self,
        purpose: Purpose,
        path: &str,
    ) -> Result<Vec<D>, ProviderError> {
        let mut page = below(self.base, path);
        page.set_query(Some("per_page=100"));
        let mut items = Vec::new();
        loop {
            let response = self.ask_at(purpose, &page).await?;
            expect_ok(purpose, &response)?;
            items.append(&mut json_body::<Vec<D>>(purpose, &response)?);
            match next_page(purpose, &response, &page, |next| self.is_ours(next))? {
                Some(next) => page = next,
                None => return Ok(items),
            }
        }
    }

    /// Whether an address belongs to the interface. The access token goes there and nowhere else.
    fn is_ours(&self, url: &Url) -> bool {
        let below = url.path().strip_prefix(self.base.path().trim_end_matches('/'));
        url.origin() == self.base.origin() && below.is_some_and(|rest| rest.starts_with('/'))
    }
}

/// GitHub says with status 403 that there were too many requests; only the headers tell that from a prohibition.
fn is_rationed(response: &HttpResponse) -> bool {
    let headers = response.headers();
    response.status() == http::StatusCode::FORBIDDEN
        && (headers.contains_key(http::header::RETRY_AFTER)
            || headers.get("x-ratelimit-remaining").is_some_and(|remaining| remaining == "0"))
}
