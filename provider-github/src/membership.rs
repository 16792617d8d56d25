//! Who is a member of what, asked with the person's own token.

use serde::Deserialize;
use vestibule::{
    exchange::{HttpResponse, Purpose},
    oauth2::{expect_ok, json_body},
    provider::ProviderError,
};

use crate::{api::Api, config::is_name};

/// Who may enter.
#[derive(Clone, Debug)]
pub(crate) struct Restriction {
    /// Members of any of these, or anybody where there are none ...
    pub(crate) organizations: Vec<String>,
    /// ... who are also in any of these teams, or in no particular one where there are none.
    pub(crate) teams: Vec<Team>,
}

/// A team of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Team {
    organization: String,
    slug: String,
}

/// A member's record at an organisation.
#[derive(Deserialize)]
struct Membership {
    state: String,
    organization: Organization,
}

#[derive(Deserialize)]
struct Organization {
    login: String,
}

/// A team as the list of a person's teams has it.
#[derive(Deserialize)]
struct Listed {
    slug: String,
    organization: Organization,
}

impl Team {
    /// Reads `organisation/team`.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (organization, slug) = name.split_once('/')?;
        let sound = is_name(organization) && is_name(slug);
        sound.then(|| Self { organization: organization.to_owned(), slug: slug.to_owned() })
    }

    /// Names at GitHub do not differ by case.
    fn is(&self, listed: &Listed) -> bool {
        self.organization.eq_ignore_ascii_case(&listed.organization.login)
            && self.slug.eq_ignore_ascii_case(&listed.slug)
    }
}

impl Restriction {
    pub(crate) fn is_none(&self) -> bool {
        self.organizations.is_empty() && self.teams.is_empty()
    }

    /// The organisations and teams of somebody who may enter, as GitHub spells them: `organisation` and
    /// `organisation/team`. Nothing is asked where nothing is restricted.
    pub(crate) async fn groups(&self, api: &Api<'_>) -> Result<Vec<String>, ProviderError> {
        let mut groups = self.organizations(api).await?;
        if !self.teams.is_empty() {
            groups.append(&mut self.teams(api).await?);
        }
        Ok(groups)
    }

    async fn organizations(&self, api: &Api<'_>) -> Result<Vec<String>, ProviderError> {
        let mut active = Vec::new();
        let mut hidden = false;
        for name in &self.organizations {
            let response = api.ask(Purpose::Groups, &format!("user/memberships/orgs/{name}")).await?;
            match response.status().as_u16() {
                404 => {}
                // Perhaps a member, but the organisation does not let this application know.
                403 => hidden = true,
                _ => active.extend(active_in(&response)?),
            }
        }
        match (self.organizations.is_empty() || !active.is_empty(), hidden) {
            (true, _) => Ok(active),
            (false, true) => Err(ProviderError::NotAMember(
                "the organisation does not show its members to this application: an owner must approve it",
            )),
            (false, false) => Err(ProviderError::NotAMember("of none of the organisations")),
        }
    }

    async fn teams(&self, api: &Api<'_>) -> Result<Vec<String>, ProviderError> {
        let listed: Vec<Listed> = api.list(Purpose::Groups, "user/teams").await?;
        if !listed.iter().any(|listed| self.teams.iter().any(|team| team.is(listed))) {
            return Err(ProviderError::NotAMember("of none of the teams"));
        }
        Ok(listed.iter().map(|listed| format!("{}/{}", listed.organization.login, listed.slug)).collect())
    }
}

/// The organisation's name, if the membership counts: an invitation that nobody took up (`pending`) does not.
fn active_in(response: &HttpResponse) -> Result<Option<String>, ProviderError> {
    expect_ok(Purpose::Groups, response)?;
    let membership: Membership = json_body(Purpose::Groups, response)?;
    Ok((membership.state == "active").then_some(membership.organization.login))
}
