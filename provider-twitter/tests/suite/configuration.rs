//! What is refused before the first request, and where X is.

use vestibule::{config::ConfigError, provider::Provider as _};
use vestibule_twitter::{Twitter, TwitterOAuth1};

use crate::x::{oauth1, twitter};

fn fields<T>(built: Result<T, ConfigError>) -> Vec<&'static str> {
    built.err().map_or_else(Vec::new, |error| error.problems.iter().map(|problem| problem.field).collect())
}

#[test]
fn every_problem_is_named_at_once() {
    let wrong = Twitter::builder("")
        .client_secret("")
        .id("Tw itter")
        .scopes(["tweet.read", "a b"])
        .site("x.com")
        .api("http://api.x.com");
    assert_eq!(
        fields(wrong.build()),
        ["id", "client_id", "client_secret", "scopes", "scopes", "site", "api"]
    );
    let wrong = TwitterOAuth1::builder("", "").id("").site("https://x.com/?a").api("https://u:p@api.x.com");
    assert_eq!(fields(wrong.build()), ["id", "consumer_key", "consumer_secret", "api", "site"]);
}

#[test]
fn plain_http_is_for_this_machine() {
    assert_eq!(fields(twitter().site("http://127.0.0.1:1").api("http://localhost:2/x/").build()), [""; 0]);
    assert_eq!(fields(oauth1().api("http://[::1]:2").build()), [""; 0]);
    assert_eq!(fields(oauth1().site("http://10.0.0.1").build()), ["site"]);
    assert_eq!(fields(oauth1().api("https://api.x.com/#a").build()), ["api"]);
}

#[test]
fn a_provider_has_its_own_name_and_x_s_by_default() {
    let (one, two) = (twitter().build().unwrap(), oauth1().build().unwrap());
    assert_eq!((one.id(), one.label(), two.id(), two.label()), ("twitter", "X", "twitter", "X"));
    let one = oauth1().id("old").label("Twitter").build().unwrap();
    assert_eq!((one.id(), one.label()), ("old", "Twitter"));
    assert!(!format!("{one:?} {:?} {:?}", twitter(), oauth1()).contains("canary"));
}
