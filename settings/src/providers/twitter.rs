//! X (Twitter), by OAuth 2.0 and by OAuth 1.0a.

use vestibule::secret::Secret;
use vestibule_twitter::{Twitter, TwitterOAuth1};

use crate::{
    options::Options,
    providers::{Common, Made, built, refuse_others},
    rows,
};

/// OAuth 2.0: without a secret it is a public client.
pub(super) fn make(options: &mut Options, common: Common) -> Option<Made> {
    refuse_all_but_the_client(options);
    let mut builder = Twitter::builder(&common.client_id);
    if let Some(secret) = common.client_secret {
        builder = builder.client_secret(secret);
    }
    if let Some(id) = &common.id {
        builder = builder.id(id);
    }
    if let Some(label) = &common.label {
        builder = builder.label(label);
    }
    if !common.scopes.is_empty() {
        builder = builder.scopes(&common.scopes);
    }
    built(options, builder.build()).map(|provider| Made { provider, names_members: false })
}

/// OAuth 1.0a: client id and secret are what X calls API key and secret.
pub(super) fn make_oauth1(options: &mut Options, common: Common) -> Option<Made> {
    refuse_all_but_the_client(options);
    if !common.scopes.is_empty() {
        let remedy = "leave it out: what an app may do is set at X's developer console";
        options.problem(&rows::SCOPE, "OAuth 1.0a has no scopes", remedy);
    }
    if common.client_secret.is_none()
        && !options.is_set(&rows::CLIENT_SECRET)
        && !options.is_set(&rows::CLIENT_SECRET_FILE)
    {
        let remedy = "set it to the API key's secret: every request is signed with it";
        options.problem(&rows::CLIENT_SECRET, "it is not set", remedy);
    }
    let secret = common.client_secret.unwrap_or_else(|| Secret::new(""));
    let mut builder = TwitterOAuth1::builder(&common.client_id, secret);
    if let Some(id) = &common.id {
        builder = builder.id(id);
    }
    if let Some(label) = &common.label {
        builder = builder.label(label);
    }
    built(options, builder.build()).map(|provider| Made { provider, names_members: false })
}

fn refuse_all_but_the_client(options: &mut Options) {
    let (fault, remedy) = ("it means nothing to X", "leave it out: X's addresses are known");
    refuse_others(options, &[], fault, remedy);
    if options.is_set(&rows::PROMPT) {
        options.problem(&rows::PROMPT, fault, "leave it out: X decides itself what it asks people");
    }
}
