//! Back-channel logout: whose sessions end, and what is refused.

use std::sync::Arc;

use serde_json::{Value, json};
use vestibule::{
    exchange::HttpFailure, limits::BODY_BYTES_MAX, request::PlainHead, response::Response,
    store::MemoryStore, time::Timestamp,
};

use crate::site::{BACK, ISSUER, Issuer, Site, builder, form, issuer, refused};

const OTHER: &str = "https://other.example";

fn other() -> Issuer {
    Issuer { id: "other", issuer: OTHER, by_form: false, tells: true }
}

#[track_caller]
fn accepted(response: &Response) {
    let body = String::from_utf8_lossy(&response.body);
    assert_eq!((response.status, response.get("cache-control")), (200, Some("no-store")), "{body}");
    assert!(body.is_empty());
}

#[track_caller]
fn rejected(response: &Response) {
    assert_eq!(refused(response), (400, "logout_token_invalid".into()));
    let problem: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(problem["error"], "invalid_request");
    assert_eq!(response.get("cache-control"), Some("no-store"));
}

#[test]
fn lo_08_a_session_of_the_provider_ends_what_came_of_it_and_nothing_else() {
    let site = Site::new();
    let (one, two, same) = (site.signed_in("ada:1"), site.signed_in("ada:2"), site.signed_in("ada:1"));
    accepted(&site.notify(&site.token("a", &json!({"sub": "ada", "sid": "1"}))));
    assert_eq!((one.is_signed_in(), two.is_signed_in(), same.is_signed_in()), (false, true, false));
}

#[test]
fn lo_09_an_account_s_sessions_all_end_and_not_those_of_its_namesake_elsewhere() {
    let site = Site::of(builder().provider(issuer()).provider(other()).backchannel_logout()).several();
    let (one, two) = (site.signed_in_at("op", "ada:1"), site.signed_in_at("op", "ada:2"));
    let (namesake, neighbour) = (site.signed_in_at("other", "ada:1"), site.signed_in_at("op", "bob:3"));
    accepted(&site.notify(&site.token("a", &json!({"sub": "ada"}))));
    assert!(!one.is_signed_in() && !two.is_signed_in());
    assert!(namesake.is_signed_in() && neighbour.is_signed_in());
    let theirs = site.token("a", &json!({"sub": "ada", "iss": OTHER}));
    rejected(&site.notify_at("/oauth2/backchannel_logout/op", &theirs));
    assert_eq!(site.notify_at("/oauth2/backchannel_logout/third", &theirs).status, 404);
    assert!(namesake.is_signed_in(), "it is not for that provider to say");
    accepted(&site.notify_at("/oauth2/backchannel_logout/other", &theirs));
    assert!(!namesake.is_signed_in(), "another issuer may use the same jti");
}

#[test]
fn lo_10_a_copy_of_a_notice_does_nothing_to_newer_sessions() {
    let site = Site::new();
    let old = site.signed_in("ada:1");
    let token = site.token("a", &json!({"sub": "ada"}));
    accepted(&site.notify(&token));
    assert!(!old.is_signed_in());
    site.host.pass(std::time::Duration::from_secs(60));
    let newer = site.signed_in("ada:2");
    accepted(&site.notify(&token));
    assert!(newer.is_signed_in());
    site.host.pass(std::time::Duration::from_secs(121));
    rejected(&site.notify(&token));
    accepted(&site.notify(&site.token("b", &json!({"sub": "ada"}))));
    assert!(!newer.is_signed_in(), "another notice is another");
}

#[test]
fn lo_10_while_the_store_fails_the_issuer_is_told_to_try_again_and_then_it_works() {
    // What fails first, in the middle and last.
    for kind in ["notice:", "ended:", "account:", "session:"] {
        let site = Site::new();
        let browser = site.signed_in("ada:1");
        let token = site.token("a", &json!({"sub": "ada"}));
        site.store.fail(kind);
        assert_eq!(refused(&site.notify(&token)), (503, "store_unreachable".into()), "{kind}");
        site.store.work();
        // A store that takes nothing still lets go of what is there; a sign-in under way would not know of it.
        assert_eq!(browser.is_signed_in(), kind != "ended:", "{kind}");
        accepted(&site.notify(&token));
        assert!(!browser.is_signed_in(), "{kind}: what failed has not been remembered as done");
    }
}

#[test]
fn lo_11_a_notice_is_of_now() {
    let site = Site::new();
    let browser = site.signed_in("ada:1");
    let now = site.now();
    for (iat, exp) in
        [(now - 600, now + 120), (now - 181, now + 120), (now + 61, now + 600), (now - 100, now - 60)]
    {
        let times = json!({"sub": "ada", "iat": iat, "exp": exp});
        rejected(&site.notify(&site.token("a", &times)));
    }
    assert!(browser.is_signed_in());
}

#[test]
fn lo_07_what_proves_nothing_ends_nothing() {
    let site = Site::new();
    let browser = site.signed_in("ada:1");
    rejected(&site.post(BACK, &form("not.a.token")));
    for further in [
        json!({}),
        json!({"sub": "ada", "iss": OTHER}),
        json!({"sub": "ada", "jti": ""}),
        json!({"sub": ""}),
        json!({"sub": "a".repeat(3_000)}),
    ] {
        rejected(&site.notify(&site.token("a", &further)));
    }
    site.answering(|_| Err(HttpFailure::Connect));
    let outage = site.notify(&site.token("a", &json!({"sub": "ada"})));
    assert_eq!(refused(&outage), (503, "provider_unreachable".into()), "the issuer is to try again");
    assert!(browser.is_signed_in());
}

#[test]
fn lo_12_a_sign_in_that_is_being_finished_ends_with_the_session_that_it_came_of() {
    for (further, ends) in [
        (json!({"sub": "ada", "sid": "1"}), true),
        (json!({"sub": "ada"}), true),
        (json!({"sub": "ada", "sid": "2"}), false),
        (json!({"sub": "bob"}), false),
    ] {
        let site = Site::new();
        let mut browser = site.signed_in("eve:9");
        let state = browser.begin("op");
        let meanwhile = site.clone();
        let token = site.token("a", &further);
        site.answering(move |path| {
            if path == "/token" {
                // The issuer answers the code, and says at once that it is all over.
                accepted(&meanwhile.notify(&token));
            }
            Ok(200)
        });
        let landed = browser.visit(&format!("/oauth2/callback?state={state}&code=ada:1"));
        if ends {
            assert_eq!(refused(&landed), (400, "ended_meanwhile".into()), "{further}");
        } else {
            assert_eq!(landed.status, 303, "{further}");
            assert!(browser.is_signed_in());
        }
    }
}

#[test]
fn lo_13_whoever_is_not_here_is_answered_alike() {
    let site = Site::new();
    let browser = site.signed_in("ada:1");
    let known = site.notify(&site.token("a", &json!({"sub": "bob"})));
    accepted(&known);
    assert_eq!(known, site.notify(&site.token("b", &json!({"sid": "nowhere"}))));
    assert!(browser.is_signed_in());
    assert_eq!(known, site.notify(&site.token("c", &json!({"sub": "ada"}))));
    assert!(!browser.is_signed_in());
}

#[test]
fn lo_14_a_notice_comes_as_one_form_and_in_no_other_way() {
    let site = Site::new();
    let browser = site.signed_in("ada:1");
    let token = form(&site.token("a", &json!({"sub": "ada"})).to_string());
    for method in ["GET", "HEAD", "PUT", "OPTIONS"] {
        let head = PlainHead::navigation(&format!("{BACK}?{token}"));
        let head = if method == "GET" { head } else { PlainHead::new(method, BACK) };
        assert_eq!(site.send(&head, "").status, 405, "{method}");
    }
    rejected(&site.post(&format!("{BACK}?{token}"), ""));
    rejected(&site.post(&format!("{BACK}?{token}"), &token));
    rejected(&site.post(&format!("{BACK}?x=1"), &token));
    rejected(&site.post(BACK, &format!("{token}&{token}")));
    rejected(&site.post(BACK, ""));
    for media_type in ["application/json", "text/plain", "multipart/form-data; boundary=x", ""] {
        let head = PlainHead::new("POST", BACK).with("content-type", media_type);
        rejected(&site.send(&head, &token));
    }
    rejected(&site.send(&PlainHead::new("POST", BACK), &token));
    let padding = "x".repeat(BODY_BYTES_MAX);
    assert_eq!(site.post(BACK, &format!("{token}&x={padding}")).status, 413);
    assert_eq!(site.post(BACK, &"x".repeat(1_024 * 1_024)).status, 413);
    assert!(browser.is_signed_in());
    let head =
        PlainHead::new("POST", BACK).with("content-type", "Application/X-WWW-Form-URLencoded;charset=UTF-8");
    accepted(&site.send(&head, &format!("other=1&{token}")));
    assert!(!browser.is_signed_in(), "what else stands in the form does not matter");
}

#[test]
fn lo_15_garbage_asks_nobody_anything_and_leaves_nothing() {
    let site = Site::new();
    let browser = site.signed_in("ada:1");
    let (kept, _) = (site.store.len(), site.asked());
    for number in 0..1_000 {
        rejected(&site.post(BACK, &form(&format!("garbage-{number}"))));
        rejected(&site.notify(&site.token("a", &json!({"sub": "ada", "iss": OTHER}))));
    }
    assert_eq!((site.store.len(), site.asked()), (kept, Vec::new()));
    assert!(browser.is_signed_in());
}

#[test]
fn lo_17_without_a_store_it_is_refused_when_it_is_asked_for_and_not_there_otherwise() {
    let problems = builder().provider(issuer()).backchannel_logout().build().unwrap_err().problems;
    assert_eq!(problems.iter().map(|problem| problem.field).collect::<Vec<_>>(), ["backchannel_logout"]);
    let site = Site::of(builder().provider(issuer()));
    let browser = site.signed_in("ada:1");
    assert_eq!(refused(&site.notify(&site.token("a", &json!({"sub": "ada"})))), (404, "not_found".into()));
    assert_eq!(site.notify_at("/oauth2/backchannel_logout/op", &json!({"iss": ISSUER})).status, 404);
    assert!(browser.is_signed_in());
}

#[test]
fn lo_17_where_no_provider_can_say_it_that_is_said_when_it_is_asked_for() {
    let problems = |tells: [bool; 2]| {
        let silent = Issuer { tells: tells[0], ..issuer() };
        let second = Issuer { tells: tells[1], ..other() };
        let store = MemoryStore::new(|| Timestamp::from_unix(0));
        let builder = builder().provider(silent).provider(second).store(Arc::new(store));
        match builder.backchannel_logout().frontchannel_logout().build() {
            Ok(_) => Vec::new(),
            Err(error) => {
                error.problems.iter().map(|problem| (problem.field, problem.remedy.clone())).collect()
            }
        }
    };
    let remedy = "add an OpenID Connect provider, or leave it away".to_owned();
    let both = [("backchannel_logout", remedy.clone()), ("frontchannel_logout", remedy)];
    assert_eq!(problems([false, false]), both);
    assert_eq!(problems([false, true]), []);
}

#[test]
fn lo_20_after_one_session_has_ended_the_account_still_knows_the_others() {
    let site = Site::new();
    let (older, newer) = (site.signed_in("ada:1"), site.signed_in("ada:2"));
    accepted(&site.notify(&site.token("a", &json!({"sid": "1"}))));
    assert!(!older.is_signed_in() && newer.is_signed_in());
    accepted(&site.notify(&site.token("b", &json!({"sub": "ada"}))));
    assert!(!newer.is_signed_in());
}
