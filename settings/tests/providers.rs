//! One provider or several, of kinds that are always there and of others'.
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

use std::fs;

use vestibule::config::ConfigError;
use vestibule_oidc::Oidc;
use vestibule_settings::{Providers, Reader, Settings};

const REST: &str = r#"
cookie_secret = "c2VlbiBvbiBsb29wYmFjayBvbmx5LCAzMiBieXRlcyE="
redirect_url = "https://app.example/oauth2/callback"
email_domains = ["example.com"]
"#;

const TWO: &str = r#"
[[provider]]
id = "corp"
kind = "oidc"
label = "The Company"
oidc_issuer_url = "https://op.example"
client_id = "client"
client_secret = "canary-one"

[[provider]]
id = "code"
kind = "github"
client_id = "client"
client_secret = "canary-two"
"#;

fn read(text: &str, providers: Providers) -> Result<Settings, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vestibule.toml");
    fs::write(&path, format!("{REST}{text}")).unwrap();
    Reader::gateway().with_file(path).with_providers(providers).from_env_map([])
}

/// What the vestibule says about its providers.
fn providers(settings: &Settings) -> String {
    format!("{:?}", settings.builder().unwrap().build().unwrap())
}

#[test]
fn several_have_tables_and_ids_of_their_own() {
    let settings = read(TWO, Providers::default()).unwrap();
    assert!(providers(&settings).contains(r#"providers: ["corp", "code"]"#), "{settings:?}");
}

#[test]
fn what_is_wrong_with_one_of_several_is_said_with_its_id_and_without_its_secret() {
    for (from, to, needle) in [
        ("id = \"code\"", "", "`without an id`: id: it is not set"),
        ("id = \"code\"", "id = \"corp\"", "two providers are called `corp`"),
        ("id = \"code\"", "id = \"The Code\"", "`The Code`: id: it cannot stand in a path"),
        ("kind = \"github\"", "kind = \"gitea\"", "`code`: provider: `gitea` is no kind"),
        ("client_secret = \"canary-two\"", "", "`code`: client_secret: it is not set"),
        (
            "kind = \"github\"",
            "kind = \"github\"\nprovider = \"github\"",
            "`code`: provider: `kind` is set too",
        ),
        (
            "label = \"The Company\"",
            "label = \"The Company\"\nprovider_display_name = \"x\"",
            "`corp`: provider_display_name: `label` is set too",
        ),
        ("https://op.example", "http://op.example", "`corp`: oidc_issuer_url: "),
        ("label = \"The Company\"", "github_org = \"x\"", "`corp`: github_org: it is not for OpenID Connect"),
        ("label = \"The Company\"", "weather = \"x\"", "there is no option weather for a provider"),
        ("label = \"The Company\"", "cookie_name = \"x\"", "there is no option cookie_name for a provider"),
    ] {
        let error = read(&TWO.replacen(from, to, 1), Providers::default()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(needle) && !text.contains("canary"), "{from} to {to}: {text}");
        assert_eq!(error.problems.len(), 1, "{from} to {to}: {text}");
    }
    let error = read(&format!("client_id = \"x\"\n{TWO}"), Providers::default()).unwrap_err();
    assert_eq!((error.problems.len(), error.problems[0].field), (1, "client_id"), "{error}");
}

#[test]
fn oauth2_proxy_s_names_for_issuers_are_known() {
    for (name, issuer) in [
        ("google", ""),
        ("gitlab", ""),
        ("keycloak-oidc", "https://id.example/realms/company"),
        ("entra-id", "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"),
        ("adfs", "https://fs.example/adfs"),
    ] {
        let issuer =
            if issuer.is_empty() { String::new() } else { format!("oidc_issuer_url = \"{issuer}\"") };
        let text = format!("provider = \"{name}\"\nclient_id = \"c\"\nclient_secret = \"s\"\n{issuer}");
        assert!(read(&text, Providers::default()).is_ok(), "{text}");
    }
}

#[test]
fn x_is_known_by_both_of_its_protocols() {
    let sound = "provider = \"twitter\"\nclient_id = \"c\"\nclient_secret = \"s\"\n";
    let public = sound.replace("client_secret", "# ");
    let by_key = sound.replace("\"twitter\"", "\"twitter-oauth1\"");
    for text in [sound, &public, &by_key, &format!("{sound}scope = \"tweet.read users.read\"")] {
        let settings = read(text, Providers::default()).unwrap();
        assert!(providers(&settings).contains(r#"providers: ["twitter"]"#), "{text}");
    }
    for (text, field, needle) in [
        (format!("{sound}scope = \"users.read\""), "scope", "`tweet.read` is not among them"),
        (format!("{sound}prompt = \"login\""), "prompt", "it means nothing to X"),
        (format!("{sound}login_url = \"https://x.com\""), "login_url", "it means nothing to X"),
        (format!("{by_key}scope = \"users.read\""), "scope", "OAuth 1.0a has no scopes"),
        (by_key.replace("client_secret", "# "), "client_secret", "it is not set"),
        (by_key.replace("client_id", "# "), "client_id", "it is not set"),
    ] {
        let error = read(&text, Providers::default()).unwrap_err();
        assert_eq!((error.problems.len(), error.problems[0].field), (1, field), "{text}: {error}");
        assert!(error.to_string().contains(needle), "{error}");
    }
}

#[test]
fn a_provider_can_be_all_configuration() {
    let sound = r#"
provider = "oauth2"
client_id = "client"
login_url = "https://git.example/login/oauth/authorize"
redeem_url = "https://git.example/login/oauth/access_token"
profile_url = "https://git.example/api/v1/user"
scope = "read:user"
"#;
    assert!(providers(&read(sound, Providers::default()).unwrap()).contains(r#"["oauth2"]"#));
    for (from, to, field) in [
        ("https://git.example/api/v1/user", "http://git.example/api/v1/user", "profile_url"),
        ("https://git.example/login/oauth/authorize", "/authorize", "login_url"),
        ("redeem_url", "# ", "redeem_url"),
        ("scope = \"read:user\"", "oidc_groups_claim = \"x\"", "oidc_groups_claim"),
        ("scope = \"read:user\"", "oauth2_client_authentication = \"mtls\"", "oauth2_client_authentication"),
        ("scope = \"read:user\"", "oauth2_subject_claim = \"/data/email\"", "oauth2_subject_claim"),
    ] {
        let error = read(&sound.replacen(from, to, 1), Providers::default()).unwrap_err();
        assert_eq!((error.problems.len(), error.problems[0].field), (1, field), "{error}");
    }
}

#[test]
fn a_program_has_kinds_of_its_own() {
    let kinds = || {
        Providers::default().with("house", |options| {
            let door = options.text("door").unwrap_or_default();
            let builder = Oidc::builder(format!("https://{door}.example"), options.client_id());
            let label = options.label().unwrap_or("House").to_owned();
            builder.id(options.id()).label(label).build()
        })
    };
    let text = "[[provider]]\nid = \"home\"\nkind = \"house\"\nclient_id = \"c\"\ndoor = \"front\"";
    assert!(providers(&read(text, kinds()).unwrap()).contains(r#"["home"]"#));
    let error = read(&format!("{text}\nwindow = \"open\""), kinds()).unwrap_err();
    assert!(error.to_string().contains("there is no option window"), "{error}");
    let error = read(&text.replace("front", "a b"), kinds()).unwrap_err();
    assert!(error.to_string().contains("`home`: oidc_issuer_url"), "{error}");
    let error = read(&text.replace("house", "castle"), kinds()).unwrap_err();
    assert!(error.to_string().contains("`oauth2` or `house`"), "{error}");
}
