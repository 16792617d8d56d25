//! Profiles read without types of one's own, by a plugin that names nothing but `vestibule`.

use serde_json::{Value, json};
use vestibule::{plugin::*, testkit::Asked};

use crate::op::{JSON, at, finish, honest, spec};

/// Reads what a forge says of a person, and the groups that come in pages.
struct Forge(OAuth2Spec);

#[async_trait]
impl OAuth2 for Forge {
    fn spec(&self) -> &OAuth2Spec {
        &self.0
    }

    async fn identify(&self, http: &Http, tokens: &Tokens) -> Result<Identity, ProviderError> {
        let user = http.get(Purpose::Profile, &at("user"), tokens).await?;
        let groups = http.get_list(Purpose::Groups, &at("groups?limit=2"), tokens).await?;
        let identity = user
            .identity("/data/id")?
            .username(user.text("login"))
            .name(user.at("about").text("name"))
            .claim("plan", user.value("plan"))
            .groups(groups.iter().filter_map(|group| group.text("name")));
        Ok(if user.is("sure") {
            identity.verified_email(user.text("email"))
        } else {
            identity.email(user.text("email"))
        })
    }
}

fn person() -> Value {
    json!({
        "data": { "id": 7 }, "login": "ada", "about": { "name": "Ada" }, "email": "ada@example.com", "sure": true,
        "plan": { "seats": 3 },
    })
}

fn identity(profile: &Value, next: &str) -> (Result<Identity, ProviderError>, Vec<String>) {
    let answer = |asked: &Asked| match &*asked.url() {
        "https://op.example/user" => asked.answer(200, JSON, profile.to_string()),
        "https://op.example/groups?limit=2" => {
            let body = br#"[{"name":"a"},{"name":"b"}]"#.to_vec();
            asked.respond(http::Response::builder().header("link", next).body(body).unwrap())
        }
        "https://op.example/groups?limit=2&page=2" => {
            asked.answer(200, JSON, r#"[{"name":"c"},{"no":"name"}]"#)
        }
        _ => honest(asked),
    };
    let (result, sent) = finish(Forge(spec()), answer);
    (result.map(|sign_in| sign_in.identity), sent.into_iter().map(|sent| sent.url).collect())
}

fn with(name: &str, value: Value) -> Value {
    let mut person = person();
    person[name] = value;
    person
}

const SECOND: &str = "<https://op.example/groups?limit=2&page=2>; rel=\"next\"";

#[test]
fn members_say_who_somebody_is() {
    let (identity, _) = identity(&person(), SECOND);
    let identity = identity.unwrap();
    assert_eq!((&*identity.subject, identity.username.as_deref()), ("7", Some("ada")));
    assert_eq!(
        (identity.name.as_deref(), identity.groups),
        (Some("Ada"), vec!["a".into(), "b".into(), "c".into()])
    );
    assert_eq!((identity.email.as_deref(), identity.email_verified), (Some("ada@example.com"), true));
    assert_eq!(identity.claims["plan"], json!({ "seats": 3 }));
}

#[test]
fn an_account_is_named_by_a_number_or_a_text_and_nothing_else() {
    let subject =
        |id: Value| identity(&with("data", json!({ "id": id })), "").0.map(|identity| identity.subject);
    for (id, expected) in [
        (json!(7), "7"),
        (json!(-7), "-7"),
        (json!(u64::MAX), "18446744073709551615"),
        (json!("MDQ6VXNlcjE="), "MDQ6VXNlcjE="),
        (json!("007"), "007"),
    ] {
        assert_eq!(subject(id).as_deref(), Ok(expected));
    }
    for id in [json!(null), json!(""), json!(1.5), json!(1e30), json!(true), json!([7]), json!({ "id": 7 })] {
        let result = subject(id.clone());
        let broken = matches!(result, Err(ProviderError::Broken { purpose: Purpose::Profile, .. }));
        assert!(broken, "{id}: {result:?}");
    }
}

#[test]
fn what_changes_hands_is_taken_for_no_account() {
    let profile = Json::new(
        Purpose::Profile,
        json!({ "login": "ada", "Email": "a@b.example", "data": { "username": "ada" }, "sub": "ada" }),
    );
    for member in ["login", "Email", "/data/username"] {
        let error = profile.identity(member).unwrap_err();
        assert!(
            matches!(error, ProviderError::Misconfigured { field: "subject", .. }),
            "{member}: {error:?}"
        );
    }
    assert_eq!(profile.identity("sub").unwrap().subject, "ada", "what an identifier looks like says nothing");
}

#[test]
fn what_is_not_said_in_so_many_words_is_not_said() {
    for sure in [json!("true"), json!(1), json!(null), json!(false)] {
        assert!(!identity(&with("sure", sure.clone()), "").0.unwrap().email_verified, "{sure}");
    }
    for login in [json!(""), json!(7), json!(null)] {
        assert_eq!(identity(&with("login", login.clone()), "").0.unwrap().username, None, "{login}");
    }
}

#[test]
fn the_access_token_goes_along_a_list_and_nowhere_else() {
    assert_eq!(identity(&person(), SECOND).1.len(), 4);
    for elsewhere in [
        "https://evil.example/groups?page=2",
        "http://op.example/groups?page=2",
        "https://op.example:8443/groups",
        "https://op.example/admin",
        "//evil.example/groups",
    ] {
        let (result, asked) = identity(&person(), &format!("<{elsewhere}>; rel=next"));
        let broken = matches!(result, Err(ProviderError::Broken { purpose: Purpose::Groups, .. }));
        assert!(broken, "{elsewhere}: {result:?}");
        assert_eq!(asked.len(), 3, "{elsewhere}");
    }
    let endless = "<?limit=2>; rel=next";
    assert_eq!(identity(&person(), endless).0, Err(ProviderError::TooManyRequests));
}

#[test]
fn a_profile_does_not_print() {
    let printed = format!("{:?}", vestibule::oauth2::Json::new(Purpose::Profile, person()));
    assert!(!printed.contains("ada"), "{printed}");
}
