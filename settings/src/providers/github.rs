//! GitHub and GitHub Enterprise.

use vestibule::secret::Secret;
use vestibule_github::GitHub;

use crate::{
    options::Options,
    providers::{Common, Made, built, refuse_others},
    row::Row,
    rows,
};

static OWN: [&Row; 6] = [
    &rows::GITHUB_ORG,
    &rows::GITHUB_TEAM,
    &rows::LOGIN_URL,
    &rows::REDEEM_URL,
    &rows::VALIDATE_URL,
    &rows::PROFILE_URL,
];

pub(super) fn make(options: &mut Options, common: Common) -> Option<Made> {
    let remedy = "leave it out: GitHub is no OpenID Connect issuer";
    refuse_others(options, &OWN, "it means nothing to GitHub", remedy);
    if common.client_secret.is_none()
        && !options.is_set(&rows::CLIENT_SECRET)
        && !options.is_set(&rows::CLIENT_SECRET_FILE)
    {
        options.problem(&rows::CLIENT_SECRET, "it is not set", "set it: GitHub has no public clients");
    }
    let organization = options.text(&rows::GITHUB_ORG);
    let teams = teams(options, organization.as_deref());
    let secret = common.client_secret.unwrap_or_else(|| Secret::new(""));
    let mut builder = GitHub::builder(&common.client_id, secret);
    if let Some(id) = &common.id {
        builder = builder.id(id);
    }
    if let Some(label) = &common.label {
        builder = builder.label(label);
    }
    if !common.scopes.is_empty() {
        builder = builder.scopes(&common.scopes);
    }
    if let Some(prompt) = &common.prompt {
        builder = builder.extra_parameter("prompt", prompt);
    }
    if let Some(url) = options.text(&rows::LOGIN_URL) {
        builder = builder.login_url(url);
    }
    if let Some(url) = options.text(&rows::REDEEM_URL) {
        builder = builder.redeem_url(url);
    }
    // oauth2-proxy finds the interface by the one, whatever the other says.
    let profile_url = options.text(&rows::PROFILE_URL);
    let beside_profile =
        profile_url.map(|url| url.trim_end_matches('/').trim_end_matches("/user").to_owned());
    if let Some(url) = options.text(&rows::VALIDATE_URL).or(beside_profile) {
        builder = builder.api_url(url);
    }
    if let Some(name) = &organization {
        builder = builder.organization(name);
    }
    let names_members = organization.is_some() || !teams.is_empty();
    let provider = teams.iter().fold(builder, vestibule_github::Builder::team).build();
    built(options, provider).map(|provider| Made { provider, names_members })
}

/// Each `organisation/team`.
fn teams(options: &mut Options, organization: Option<&str>) -> Vec<String> {
    let mut teams = Vec::new();
    for team in options.list(&rows::GITHUB_TEAM) {
        match (team.split_once([':', '/']), organization) {
            (Some((organization, team)), _) => teams.push(format!("{organization}/{team}")),
            (None, Some(organization)) => teams.push(format!("{organization}/{team}")),
            (None, None) => {
                let fault = format!("nothing says of which organisation `{team}` is a team");
                let remedy = "set GITHUB_ORG too, or write `organisation:team`";
                options.problem(&rows::GITHUB_TEAM, fault, remedy);
            }
        }
    }
    teams
}
