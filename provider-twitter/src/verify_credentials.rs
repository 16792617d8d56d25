//! What X's older interface says about the person whose token it is.

use serde::Deserialize;
use url::Url;
use vestibule::{
    address::below,
    exchange::{HttpResponse, Purpose},
    identity::Identity,
    oauth2::{expect_ok, json_body},
    provider::ProviderError,
};

use crate::refused;

/// What `GET /1.1/account/verify_credentials.json` answers, as far as it matters here.
#[derive(Deserialize)]
pub(crate) struct Profile {
    /// The number as text. The member `id` is the same as a number, which many readers round.
    id_str: String,
    screen_name: String,
    name: Option<String>,
    profile_image_url_https: Option<String>,
    /// Null where the account has none, or none that X has verified.
    email: Option<String>,
}

impl Profile {
    /// Where it is asked for, with nothing that a sign-in has no use for.
    pub(crate) fn address(api: &Url) -> Url {
        let mut url = below(api, "1.1/account/verify_credentials.json");
        url.query_pairs_mut()
            .append_pair("include_email", "true")
            .append_pair("skip_status", "true")
            .append_pair("include_entities", "false");
        url
    }

    /// Reads an answer; `None` where X says that this app may not ask.
    pub(crate) fn read(response: &HttpResponse) -> Result<Option<Self>, ProviderError> {
        if refused::to_the_app(response) {
            return Ok(None);
        }
        expect_ok(Purpose::Profile, response)?;
        json_body(Purpose::Profile, response).map(Some)
    }

    pub(crate) fn number(&self) -> &str {
        &self.id_str
    }

    pub(crate) fn added_to(self, identity: Identity) -> Identity {
        identity
            .username(self.screen_name)
            .name(self.name)
            .picture(self.profile_image_url_https)
            .verified_email(self.email.filter(|address| !address.is_empty()))
    }
}
