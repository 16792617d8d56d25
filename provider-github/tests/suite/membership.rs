//! Organisations and teams: who may enter, and what the groups are.

use serde_json::{Value, json};
use vestibule::{exchange::Purpose, limits::CONVERSATION_REQUESTS_MAX, provider::ProviderError};

use crate::hub::{Answer, Hub, begin, github};

const TEAMS: &str = "https://api.github.com/user/teams?per_page=100";

fn team(organization: &str, slug: &str) -> Value {
    json!({"id": 1, "name": slug.to_uppercase(), "slug": slug, "privacy": "closed", "organization": {"login": organization, "id": 1}})
}

fn in_teams(hub: Hub, teams: &[Value]) -> Hub {
    hub.at(TEAMS, &Answer::json(&json!(teams)))
}

fn is_no_member<T: std::fmt::Debug>(result: Result<T, ProviderError>) -> bool {
    matches!(result, Err(ProviderError::NotAMember(_)))
}

#[test]
fn an_active_member_enters_and_an_invited_one_does_not() {
    let only = || github().organization("octo-org");
    let signed_in = Hub::honest().member_of("octo-org", "active").sign_in(only()).unwrap();
    assert_eq!(signed_in.identity.groups, ["octo-org"]);
    assert!(is_no_member(Hub::honest().member_of("octo-org", "pending").sign_in(only())));
    assert!(is_no_member(Hub::honest().sign_in(only())), "404: not a member");
    assert!(
        is_no_member(Hub::honest().member_of("octo-org2", "active").sign_in(only())),
        "another organisation"
    );
}

#[test]
fn any_of_several_organisations_will_do() {
    let several = || github().organization("first").organization("second").organization("third");
    let hub = Hub::honest().member_of("second", "active").member_of("third", "pending");
    assert_eq!(hub.sign_in(several()).unwrap().identity.groups, ["second"]);
    let hub = Hub::honest().member_of("first", "active").member_of("third", "active");
    assert_eq!(hub.sign_in(several()).unwrap().identity.groups, ["first", "third"]);
}

#[test]
fn an_organisation_that_hides_its_members_is_named_as_the_reason() {
    let hidden =
        Answer::new(403, r#"{"message":"the organization has enabled OAuth App access restrictions"}"#)
            .header("x-github-sso", "required; url=https://github.com/orgs/first/sso");
    let hub = || Hub::honest().at("https://api.github.com/user/memberships/orgs/first", &hidden);
    let Err(ProviderError::NotAMember(reason)) = hub().sign_in(github().organization("first")) else {
        panic!("let in")
    };
    assert!(reason.contains("approve"), "{reason}");
    let both = github().organization("first").organization("second");
    assert!(hub().member_of("second", "active").sign_in(both).is_ok(), "the other one will do");
    let rationed = hidden.clone().header("x-ratelimit-remaining", "0");
    let hub = Hub::honest().at("https://api.github.com/user/memberships/orgs/first", &rationed);
    let error = hub.sign_in(github().organization("first")).unwrap_err();
    assert_eq!(error, ProviderError::Unavailable { purpose: Purpose::Groups, status: 403 });
}

#[test]
fn an_answer_that_says_nothing_lets_nobody_in() {
    let at = "https://api.github.com/user/memberships/orgs/first";
    for answer in [
        Answer::new(200, "{}"),
        Answer::new(200, r#"{"state":true,"organization":{"login":"first"}}"#),
        Answer::new(200, "[]"),
        Answer::new(204, ""),
        Answer::new(302, ""),
        Answer::new(401, "{}"),
        Answer::new(500, "{}"),
    ] {
        let hub = Hub::honest().at(at, &answer);
        assert!(hub.sign_in(github().organization("first")).is_err(), "{}", answer.body);
        assert!(
            !hub.asked().iter().any(|(purpose, _)| *purpose == Purpose::Emails),
            "nobody's address is asked for in vain"
        );
    }
}

#[test]
fn a_team_belongs_to_an_organisation() {
    let only = || github().team("octo-org/core");
    let hub = in_teams(Hub::honest(), &[team("other", "core"), team("octo-org", "core")]);
    assert_eq!(hub.sign_in(only()).unwrap().identity.groups, ["other/core", "octo-org/core"]);
    for teams in
        [vec![team("other", "core")], vec![team("octo-org", "core-2")], vec![team("octo-org", "cor")], vec![]]
    {
        assert!(is_no_member(in_teams(Hub::honest(), &teams).sign_in(only())), "{teams:?}");
    }
    let spelled = in_teams(Hub::honest(), &[team("Octo-Org", "core")]);
    assert_eq!(spelled.sign_in(only()).unwrap().identity.groups, ["Octo-Org/core"], "as GitHub spells it");
    let either = github().team("octo-org/core").team("octo-org/docs");
    assert!(in_teams(Hub::honest(), &[team("octo-org", "docs")]).sign_in(either).is_ok());
}

#[test]
fn organisation_and_team_must_both_hold() {
    let both = || github().organization("first").team("second/core");
    let member = || Hub::honest().member_of("first", "active");
    let signed_in = in_teams(member(), &[team("second", "core")]).sign_in(both()).unwrap();
    assert_eq!(signed_in.identity.groups, ["first", "second/core"]);
    assert!(is_no_member(in_teams(member(), &[]).sign_in(both())));
    assert!(is_no_member(in_teams(Hub::honest(), &[team("second", "core")]).sign_in(both())));
}

/// Teams of `octo-org` on `pages` pages; the last one has the team `core`.
fn paged(pages: usize) -> Hub {
    let url = |page: usize| match page {
        1 => TEAMS.to_owned(),
        page => format!("https://api.github.com/user/teams?per_page=100&page={page}"),
    };
    (1..=pages).fold(Hub::honest(), |hub, page| {
        let slug = if page == pages { "core".to_owned() } else { format!("team-{page}") };
        let answer = Answer::json(&json!([team("octo-org", &slug)]));
        let last = url(pages);
        let answer = if page == pages {
            answer.header("link", format!("<{}>; rel=\"prev\", <{}>; rel=\"first\"", url(page - 1), url(1)))
        } else {
            answer.header("link", format!("<{}>; rel=\"next\", <{last}>; rel=\"last\"", url(page + 1)))
        };
        hub.at(&url(page), &answer)
    })
}

#[test]
fn all_pages_are_read() {
    let groups = paged(3).sign_in(github().team("octo-org/core")).unwrap().identity.groups;
    assert_eq!(groups, ["octo-org/team-1", "octo-org/team-2", "octo-org/core"]);
}

#[test]
fn a_list_without_an_end_has_an_end() {
    let endless =
        Answer::json(&json!([team("octo-org", "x")])).header("link", format!("<{TEAMS}>; rel=\"next\""));
    let hub = Hub::honest().at(TEAMS, &endless);
    assert_eq!(hub.sign_in(github().team("octo-org/core")).unwrap_err(), ProviderError::TooManyRequests);
    assert_eq!(hub.asked().len(), CONVERSATION_REQUESTS_MAX);
}

#[test]
fn the_token_follows_no_link_to_another_place() {
    for elsewhere in [
        "https://evil.example/user/teams?page=2",
        "http://api.github.com/user/teams?page=2",
        "https://api.github.com:8443/user/teams?page=2",
        "https://api.github.com.evil.example/user/teams?page=2",
        "https://api.github.com@evil.example/user/teams?page=2",
        "//evil.example/user/teams",
        "javascript:alert(1)",
        "https://",
    ] {
        let page = Answer::json(&json!([team("octo-org", "core")]))
            .header("link", format!("<{elsewhere}>; rel=\"next\""));
        let hub = Hub::honest().at(TEAMS, &page);
        let error = hub.sign_in(github().team("octo-org/core")).unwrap_err();
        assert!(
            matches!(error, ProviderError::Broken { purpose: Purpose::Groups, .. }),
            "{elsewhere}: {error:?}"
        );
        assert!(
            hub.asked().iter().all(|(_, url)| !url.contains("page=2") && !url.contains("evil")),
            "{elsewhere}"
        );
    }
}

#[test]
fn a_link_may_be_relative_and_may_name_the_person_by_number() {
    for (link, address) in [
        ("/user/teams?page=2", "https://api.github.com/user/teams?page=2"),
        ("?page=2", "https://api.github.com/user/teams?page=2"),
        (
            "https://api.github.com/user/583231/teams?page=2",
            "https://api.github.com/user/583231/teams?page=2",
        ),
    ] {
        let first = Answer::json(&json!([])).header("link", format!("<{link}>; rel=\"next\""));
        let hub =
            Hub::honest().at(TEAMS, &first).at(address, &Answer::json(&json!([team("octo-org", "core")])));
        assert!(hub.sign_in(github().team("octo-org/core")).is_ok(), "{link}");
    }
}

#[test]
fn a_server_s_interface_ends_at_its_path() {
    let at = |path: &str| format!("https://ghe.example{path}");
    let sign_in = |next: &str| {
        let first = Answer::json(&json!([])).header("link", format!("<{next}>; rel=\"next\""));
        let hub = Hub::honest()
            .at(&at("/login/oauth/access_token"), &Answer::json(&crate::hub::token()))
            .at(&at("/api/v3/user"), &Answer::json(&crate::hub::user()))
            .at(&at("/api/v3/user/teams?per_page=100"), &first)
            .at(&at("/api/v3/user/teams?page=2"), &Answer::json(&json!([team("octo-org", "core")])));
        let result = hub.sign_in(github().enterprise("https://ghe.example").team("octo-org/core"));
        let pages = hub.asked().iter().filter(|(purpose, _)| *purpose == Purpose::Groups).count();
        (result.is_ok(), pages)
    };
    assert_eq!(sign_in("https://ghe.example/api/v3/user/teams?page=2"), (true, 2));
    for elsewhere in [
        "https://ghe.example/user/teams?page=2",
        "https://ghe.example/api/v33/user/teams",
        "/raw/token-eater",
    ] {
        assert_eq!(sign_in(elsewhere), (false, 1), "{elsewhere}");
    }
}

#[test]
fn a_restriction_asks_for_the_scope_that_it_needs() {
    let scope = |builder| {
        let begun = begin(builder);
        begun.location.query_pairs().find(|(name, _)| name == "scope").unwrap().1.into_owned()
    };
    assert_eq!(scope(github()), "read:user user:email");
    assert_eq!(scope(github().organization("a")), "read:user user:email read:org");
    assert_eq!(scope(github().team("a/b")), "read:user user:email read:org");
    assert_eq!(scope(github().organization("a").scopes(["user"])), "user");
}
