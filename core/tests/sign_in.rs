//! The sign-in that goes through: what the provider is asked, where browsers land, and what stays in their jars.

mod world;

use vestibule::{
    exchange::Purpose, flow::Decision, limits, request::PlainHead, response::Event, session::ApplicationData,
};
use world::{Asked, Browser, ORIGIN, Plain, World, builder, refused};

const SESSION: &str = "__Host-vestibule";

#[test]
fn a_browser_signs_in_and_lands_where_it_wanted_to_go() {
    let mut world = World::new();
    let mut browser = Browser::default();
    let asked = browser.begin(&mut world, "/deep?x=1&y=%2F#part");
    assert_eq!(asked.parameter("response_type"), "code");
    assert_eq!(asked.parameter("client_id"), "client");
    assert_eq!(asked.parameter("redirect_uri"), format!("{ORIGIN}/oauth2/callback"));
    assert_eq!(asked.parameter("code_challenge_method"), "S256");
    assert_eq!(asked.parameter("code_challenge").len(), 43);
    assert_eq!(asked.parameter("state").len(), 43);

    let response = browser.come_back(&mut world, &asked);
    assert_eq!(
        (response.status, response.get("location")),
        (303, Some("https://app.example/deep?x=1&y=%2F#part"))
    );
    assert_eq!(world.asked, [Purpose::Token, Purpose::Profile]);
    assert!(
        world.token_requests[0].contains("code=canary-code")
            && world.token_requests[0].contains("code_verifier=")
    );
    let jar: Vec<_> = browser.jar.keys().map(String::as_str).collect();
    assert_eq!(jar, [SESSION, "__Host-vestibule_rounds"], "the attempt is used up");

    let session = world.vestibule.session(&browser.with_cookies(PlainHead::fetch("/")), world.now).unwrap();
    let identity = &session.identity;
    assert_eq!((identity.issuer.as_str(), identity.subject.as_str()), ("https://plain.example", "7"));
    assert_eq!((identity.username.as_deref(), identity.email_verified), (Some("ada"), true));
    assert!(identity.groups.is_empty() && identity.claims.is_empty(), "nobody named any: {identity:?}");
    assert!(matches!(browser.last_event, Some(Event::SignedIn { .. })));
}

#[test]
fn ck_01_every_cookie_is_locked_to_the_host() {
    let mut world = World::new();
    let mut browser = Browser::default();
    let begun = browser.visit(&mut world, "/oauth2/sign_in");
    let asked = Asked::of(&begun);
    let finished = browser.come_back(&mut world, &asked);
    let remembered =
        browser.send(&mut world, PlainHead::navigation("/oauth2/auth").with("x-auth-request-redirect", "/x"));
    let lines: Vec<_> =
        [&begun, &finished, &remembered].iter().flat_map(|response| response.set_cookies()).collect();
    assert!(lines.len() >= 4, "{lines:?}");
    for line in lines {
        assert!(line.starts_with("__Host-") && line.len() <= 4_096, "{line}");
        for attribute in ["; Path=/;", "; HttpOnly", "; SameSite=Lax", "; Secure", "; Max-Age="] {
            assert!(line.contains(attribute), "{attribute} in {line}");
        }
        assert!(!line.contains("Domain"));
    }
}

#[test]
fn se_11_five_tabs_finish_in_reverse_order_each_on_its_own_page() {
    let mut world = World::new();
    let mut browser = Browser::default();
    let tabs: Vec<_> = (0..5).map(|tab| (tab, browser.begin(&mut world, &format!("/tab/{tab}")))).collect();
    for (tab, asked) in tabs.iter().rev() {
        let response = browser.come_back(&mut world, asked);
        assert_eq!(response.get("location"), Some(format!("{ORIGIN}/tab/{tab}").as_str()));
    }
    assert_eq!(browser.jar.keys().filter(|name| name.contains("_try_")).count(), 0);
    assert!(browser.is_signed_in(&world));
}

#[test]
fn se_28_a_browser_keeps_eight_attempts_and_the_oldest_goes() {
    let mut world = World::new();
    let mut browser = Browser::default();
    let mut first = None;
    for tab in 0..20 {
        world.wait(1);
        let asked = browser.begin(&mut world, &format!("/tab/{tab}"));
        first.get_or_insert(asked);
    }
    let attempts: Vec<_> = browser.jar.iter().filter(|(name, _)| name.contains("_try_")).collect();
    assert_eq!(attempts.len(), limits::ATTEMPTS_MAX);
    let bytes: usize = attempts.iter().map(|(name, value)| name.len() + value.len()).sum();
    assert!(bytes <= limits::ATTEMPTS_BYTES_MAX, "{bytes}");
    let late = browser.come_back(&mut world, &first.unwrap());
    assert_eq!(refused(&late), (400, "state_mismatch".into()));
}

#[test]
fn a_target_that_makes_the_attempt_too_large_is_dropped_not_the_sign_in() {
    let mut world = World::new();
    let mut browser = Browser::default();
    let response = browser.sign_in(&mut world, &format!("/{}", "x".repeat(1_900)));
    assert_eq!(response.get("location"), Some("https://app.example/"));
    assert!(browser.is_signed_in(&world));
}

#[test]
fn several_providers_are_offered_and_each_has_a_callback_of_its_own() {
    let mut world = World::of(builder().provider(Plain::new("one")).provider(Plain::new("two")));
    let mut browser = Browser::default();
    let page = browser.visit(&mut world, "/oauth2/sign_in?rd=/deep");
    let html = String::from_utf8(page.body).unwrap();
    assert!(
        html.contains("Sign in with ONE") && html.contains("href=\"/oauth2/start/two?rd=%2Fdeep\""),
        "{html}"
    );
    let asked = Asked::of(&browser.visit(&mut world, "/oauth2/start/two?rd=%2Fdeep"));
    assert_eq!(asked.parameter("redirect_uri"), format!("{ORIGIN}/oauth2/callback/two"));
    let response = browser.come_back(&mut world, &asked);
    assert_eq!(response.get("location"), Some("https://app.example/deep"));
    let unknown = browser.visit(&mut world, "/oauth2/start/three");
    assert_eq!(refused(&unknown), (404, "unknown_provider".into()));
}

#[test]
fn whoever_is_signed_in_goes_straight_on_unless_another_account_is_wanted() {
    let mut world = World::new();
    let mut browser = Browser::default();
    browser.sign_in(&mut world, "/");
    let response = browser.visit(&mut world, "/oauth2/sign_in?rd=/deep");
    assert_eq!(response.get("location"), Some("https://app.example/deep"));
    let switched = browser.visit(&mut world, "/oauth2/sign_in?switch=1");
    let asked = Asked::of(&switched);
    assert!(asked.url.as_str().starts_with("https://plain.example/authorize"));
    assert_eq!(
        asked.parameter("prompt"),
        "select_account",
        "or the provider takes the same account again, silently"
    );
    let plain = Asked::of(&Browser::default().visit(&mut world, "/oauth2/sign_in"));
    assert!(!plain.url.as_str().contains("prompt="));
}

#[test]
fn se_26_only_a_visit_begins_a_sign_in() {
    let mut world = World::new();
    for head in [
        PlainHead::fetch("/oauth2/start"),
        PlainHead::fetch("/oauth2/sign_in"),
        PlainHead::new("GET", "/oauth2/start"),
        PlainHead::navigation("/oauth2/start").with("sec-websocket-key", "x"),
    ] {
        let response = world.handle(head).response;
        assert_eq!(refused(&response), (400, "not_a_navigation".into()));
    }
    // A page that is loaded ahead of time must not be shown later in the place of the real one.
    for (status, head) in [
        (200, PlainHead::new("HEAD", "/oauth2/start").with("accept", "text/html")),
        (503, PlainHead::navigation("/oauth2/sign_in").with("sec-purpose", "prefetch")),
        (503, PlainHead::navigation("/oauth2/start").with("purpose", "prefetch")),
        (
            503,
            PlainHead::navigation("/oauth2/callback?code=a&state=b")
                .with("sec-purpose", "prefetch;prerender"),
        ),
    ] {
        let response = world.handle(head).response;
        assert_eq!((response.status, response.set_cookies().count()), (status, 0));
    }
    let posted = world.handle(PlainHead::new("POST", "/oauth2/start").with("sec-fetch-mode", "navigate"));
    assert_eq!(refused(&posted.response), (405, "method_not_allowed".into()));
}

#[test]
fn the_application_attaches_its_own_data_or_denies_with_its_own_reason() {
    let mut world = World::new();
    let mut browser = Browser::default();
    world.decision = Some(Decision::allow_with(ApplicationData::new(3, &"tenant-9").unwrap()));
    browser.sign_in(&mut world, "/");
    let session = world.vestibule.session(&browser.with_cookies(PlainHead::fetch("/")), world.now).unwrap();
    assert_eq!(session.data::<String>(3).as_deref(), Some("tenant-9"));

    let mut other = Browser::default();
    world.decision = Some(Decision::deny("Your <trial> is over."));
    let denied = other.sign_in(&mut world, "/");
    assert_eq!(refused(&denied), (403, "denied_by_application".into()));
    assert!(String::from_utf8(denied.body).unwrap().contains("Your &lt;trial&gt; is over."));
    world.decision = None;
    let undecided = other.sign_in(&mut world, "/");
    assert_eq!(refused(&undecided), (503, "hook_failed".into()));
    assert!(!other.is_signed_in(&world));
}

#[test]
fn groups_and_claims_are_kept_as_far_as_they_are_named() {
    let builder =
        builder().provider(Plain::new("plain")).groups(["staff"]).keep_claims(vestibule::config::Keep::All);
    let mut world = World::of(builder);
    world.profile["groups"] = serde_json::json!(["staff", "other"]);
    let mut browser = Browser::default();
    browser.sign_in(&mut world, "/");
    let session = world.vestibule.session(&browser.with_cookies(PlainHead::fetch("/")), world.now).unwrap();
    assert_eq!(session.identity.groups, ["staff"]);
    assert_eq!(session.identity.claims["plan"], "gold");

    world.profile["groups"] = serde_json::json!(["Staff"]);
    let stranger = Browser::default().sign_in(&mut world, "/");
    assert_eq!(refused(&stranger), (403, "group_not_allowed".into()));
}

#[test]
fn ck_09_a_session_that_does_not_fit_is_refused_and_names_its_largest_part() {
    let mut world =
        World::of(builder().provider(Plain::new("plain")).keep_groups(vestibule::config::Keep::All));
    world.profile["groups"] = (0..500).map(|number| format!("group-{number}")).collect();
    let mut browser = Browser::default();
    let response = browser.sign_in(&mut world, "/");
    assert_eq!(refused(&response), (500, "session_too_large".into()));
    let Some(Event::Refused { detail: Some(detail), .. }) = browser.last_event else { panic!("no event") };
    assert!(detail.contains("the largest part is: groups"), "{detail}");
}

#[test]
fn a_path_that_leads_nowhere_is_told_from_a_wrong_mount() {
    let mut world = World::new();
    let mut browser = Browser::default();
    assert_eq!(refused(&browser.visit(&mut world, "/oauth2/nothing")), (404, "not_found".into()));
    assert_eq!(refused(&browser.visit(&mut world, "/elsewhere/sign_in")), (500, "mounted_elsewhere".into()));
}

#[test]
fn a_dead_session_is_cleared_by_the_next_start() {
    let mut world = World::new();
    let mut browser = Browser::default();
    browser.jar.insert(SESSION.into(), "of a key that is gone".into());
    browser.visit(&mut world, "/oauth2/sign_in");
    assert!(!browser.jar.contains_key(SESSION));
}

#[test]
fn an_account_whose_name_cannot_stand_in_a_header_does_not_share_one_with_others() {
    let mut world = World::new();
    for name in [" ada", "a\nb", "\u{85}"] {
        world.profile["login"] = name.into();
        let mut browser = Browser::default();
        let response = browser.sign_in(&mut world, "/");
        assert_eq!(refused(&response), (502, "provider_answer_invalid".into()), "{name:?}");
        assert!(!browser.is_signed_in(&world));
    }
}
