//! Tokens that a site keeps, and hands on to a proxy.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod world;

use std::time::Duration;

use async_trait::async_trait;
use vestibule::{
    access::AccessRule,
    bearer::BearerIssuer,
    config::{Builder, Flavour, TokenHeaders},
    conversation::Http,
    exchange::{HttpFailure, Purpose},
    identity::{Identity, SignIn, Tokens},
    identity_headers::{IdentityHeaders, Says},
    limits::{SESSION_AND_TOKENS_BYTES_MAX, SESSION_BYTES_MAX},
    provider::{Answered, AuthorizationRequest, Begun, Provider, ProviderError, UserHeader},
    request::PlainHead,
    response::{Event, Response},
    secret::Secret,
    tokens::TokenKind,
};
use world::{Browser, World, builder, code, refused};

const AUTH: &str = "/oauth2/auth";
const COOKIE: &str = "__Host-vestibule_tokens";
const SESSION: &str = "__Host-vestibule";

/// A provider that hands out all three tokens, the access token for an hour.
struct Full {
    lengths: [usize; 3],
    login: &'static str,
    name: String,
    bare: bool,
}

impl Full {
    fn new() -> Self {
        Self { lengths: [0; 3], login: "ada", name: String::new(), bare: false }
    }
}

#[async_trait]
impl Provider for Full {
    fn id(&self) -> &str {
        "full"
    }

    fn label(&self) -> &str {
        "Full"
    }

    fn user_header(&self) -> UserHeader {
        UserHeader::Username
    }

    async fn begin(&self, _: &Http, request: &AuthorizationRequest) -> Result<Begun, ProviderError> {
        let mut location = url::Url::parse("https://full.example/authorize").unwrap();
        let redirect_uri = request.redirect_uri.as_str();
        let mut query = location.query_pairs_mut();
        query.append_pair("state", request.state.expose()).append_pair("redirect_uri", redirect_uri);
        drop(query);
        Ok(Begun::at(location))
    }

    async fn finish(&self, http: &Http, _: &Answered) -> Result<SignIn, ProviderError> {
        let token = |name: &str, length: usize| Secret::new(format!("{name}-{}", "x".repeat(length)));
        let [access, refresh, id] = self.lengths;
        let mut tokens = Tokens::new(token("canary-access", access));
        if !self.bare {
            tokens.refresh_token = Some(token("canary-refresh", refresh));
            tokens.id_token = Some(token("canary-id", id));
            tokens.expires = Some(http.now().after(Duration::from_secs(3_600)));
        }
        let identity = Identity::new(7).issuer("https://full.example").username(self.login.to_owned());
        Ok(SignIn::new("full", identity.name(self.name.clone()), tokens))
    }

    async fn revoke(&self, http: &Http, tokens: &Tokens) -> Result<(), ProviderError> {
        assert!(tokens.refresh_token.is_some());
        let url = url::Url::parse("https://full.example/revoke").unwrap();
        let _: serde_json::Value = http.get_json(Purpose::Revocation, &url, tokens).await?;
        Ok(())
    }
}

#[test]
fn lo_06_a_refresh_token_in_a_cookie_is_taken_back_at_sign_out() {
    for (kinds, revocations) in [
        (&[TokenKind::Access, TokenKind::Refresh][..], 1),
        (&[TokenKind::Access, TokenKind::Id], 0),
        (&[], 0),
    ] {
        let site = kinds.iter().fold(site(), |site, kind| site.keep_token(*kind));
        let mut world = world(site);
        let mut browser = signed_in(&mut world);
        // The provider is of no help: whoever signs out is signed out all the same.
        world.failure = Some(HttpFailure::TimedOut);
        assert_eq!(browser.visit(&mut world, "/oauth2/sign_out").status, 303);
        assert!(!browser.is_signed_in(&world));
        assert_eq!(
            world.asked.iter().filter(|asked| **asked == Purpose::Revocation).count(),
            revocations,
            "{kinds:?}"
        );
    }
}

fn site() -> Builder {
    builder().provider(Full::new())
}

fn world(builder: Builder) -> World {
    World::of(builder)
}

fn signed_in(world: &mut World) -> Browser {
    let mut browser = Browser::default();
    assert_eq!(browser.sign_in(world, "/").status, 303);
    browser
}

fn ask(browser: &mut Browser, world: &mut World) -> Response {
    browser.send(world, PlainHead::fetch(AUTH))
}

#[test]
fn tokens_are_kept_beside_their_session_and_come_out_when_somebody_asks() {
    let mut world = world(site().keep_tokens());
    let browser = signed_in(&mut world);
    assert!(browser.jar.contains_key(COOKIE));
    let tokens = world.vestibule.tokens(&browser.with_cookies(PlainHead::fetch("/")), world.now).unwrap();
    let text = |token: &Option<Secret>| token.as_ref().unwrap().expose().to_owned();
    assert_eq!(text(&tokens.access), "canary-access-");
    assert_eq!(text(&tokens.refresh), "canary-refresh-");
    assert_eq!(text(&tokens.id), "canary-id-");
    assert_eq!(tokens.access_expires.unwrap().since(world.now).as_secs(), 3600);
    assert!(!format!("{tokens:?}").contains("canary"));
}

#[test]
fn only_what_is_asked_for_is_kept_and_nothing_by_default() {
    let mut plain = world(site());
    let browser = signed_in(&mut plain);
    assert!(!browser.jar.contains_key(COOKIE));
    assert!(plain.vestibule.tokens(&browser.with_cookies(PlainHead::fetch("/")), plain.now).is_none());

    let mut one = world(site().keep_token(TokenKind::Id));
    let browser = signed_in(&mut one);
    let tokens = one.vestibule.tokens(&browser.with_cookies(PlainHead::fetch("/")), one.now).unwrap();
    assert!(tokens.access.is_none() && tokens.refresh.is_none() && tokens.access_expires.is_none());
    assert!(tokens.id.is_some());
    let bare = Full { bare: true, ..Full::new() };
    one.vestibule = world(builder().provider(bare).keep_token(TokenKind::Id)).vestibule;
    assert!(!signed_in(&mut one).jar.contains_key(COOKIE), "there was none to keep");
}

#[test]
fn tokens_open_beside_their_own_session_only() {
    let mut world = world(site().keep_tokens());
    let (ada, other) = (signed_in(&mut world), signed_in(&mut world));
    let with = |session: Option<&Browser>, tokens: &Browser| {
        let session = session.map(|browser| format!("{SESSION}={}; ", browser.jar[SESSION]));
        let cookies = format!("{}{COOKIE}={}", session.unwrap_or_default(), tokens.jar[COOKIE]);
        PlainHead::fetch("/").with("cookie", cookies)
    };
    let open = |head: PlainHead| world.vestibule.tokens(&head, world.now).is_some();
    assert!(open(with(Some(&ada), &ada)));
    assert!(!open(with(Some(&ada), &other)), "of another session of the same person");
    assert!(!open(with(None, &ada)), "without the session");
    let twice = with(Some(&ada), &ada).with("cookie", format!("{COOKIE}={}", other.jar[COOKIE]));
    assert!(!open(twice), "of two, one was tossed in");
    let mut swapped = ada.clone();
    swapped.jar.insert(COOKIE.into(), ada.jar[SESSION].clone());
    assert!(!open(swapped.with_cookies(PlainHead::fetch("/"))), "a session is no token");
    let stricter = World::of(site().keep_tokens().email_domains(["b.example"]));
    assert!(stricter.vestibule.tokens(&with(Some(&ada), &ada), world.now).is_none(), "who may not enter");
}

#[test]
fn tokens_end_with_their_session() {
    let mut world = world(site().keep_tokens());
    let mut browser = signed_in(&mut world);
    let before = browser.jar[COOKIE].clone();
    browser.sign_in(&mut world, "/");
    assert_ne!(browser.jar[COOKIE], before, "a new session has new ones");
    let out = browser.visit(&mut world, "/oauth2/sign_out");
    assert_eq!(out.status, 303);
    assert!(!browser.jar.contains_key(COOKIE) && !browser.jar.contains_key(SESSION));

    let mut browser = signed_in(&mut world);
    world.wait(8 * 24 * 60 * 60);
    assert!(world.vestibule.tokens(&browser.with_cookies(PlainHead::fetch("/")), world.now).is_none());
    browser.begin(&mut world, "/");
    assert!(!browser.jar.contains_key(COOKIE), "the next start takes them away with the dead session");

    let mut browser = signed_in(&mut world);
    let keeps_none = self::world(site());
    world.vestibule = keeps_none.vestibule;
    browser.sign_in(&mut world, "/");
    assert!(!browser.jar.contains_key(COOKIE), "a site that keeps none any more takes the old ones away");
}

#[test]
fn ck_01_the_cookie_of_tokens_carries_every_attribute_and_goes_as_it_came() {
    let mut world = world(site().keep_tokens());
    let mut browser = Browser::default();
    let asked = browser.begin(&mut world, "/");
    let set = browser.come_back(&mut world, &asked);
    let cleared = browser.visit(&mut world, "/oauth2/sign_out");
    let attributes = |response: &Response| {
        let line = response.set_cookies().find(|line| line.starts_with(COOKIE)).unwrap().to_owned();
        let rest = line.split_once(';').unwrap().1.to_owned();
        rest.split(';')
            .map(str::trim)
            .filter(|one| !one.starts_with("Max-Age"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(attributes(&set), ["Path=/", "HttpOnly", "SameSite=Lax", "Secure"]);
    assert_eq!(attributes(&set), attributes(&cleared));
}

#[test]
fn ck_09_tokens_that_do_not_fit_are_refused_by_name_and_never_cut() {
    for (lengths, part) in
        [([4_000, 10, 10], "access token"), ([10, 4_000, 10], "refresh token"), ([10, 10, 4_000], "ID token")]
    {
        let mut world = World::of(builder().provider(Full { lengths, ..Full::new() }).keep_tokens());
        let mut browser = Browser::default();
        let asked = browser.begin(&mut world, "/");
        let response = browser.come_back(&mut world, &asked);
        assert_eq!(refused(&response), (500, "session_too_large".into()));
        assert!(!browser.jar.contains_key(SESSION) && !browser.jar.contains_key(COOKIE));
        let Some(Event::Refused { detail: Some(detail), .. }) = &browser.last_event else { panic!("{part}") };
        assert!(detail.ends_with(&format!("the largest part is: {part}")), "{detail}");
    }
}

#[test]
fn session_and_tokens_stay_within_their_budget_together() {
    // A large name makes the session large too: then there is less room for tokens.
    let sizes = |name: usize, token: usize| {
        let provider = Full { lengths: [token, 0, 0], name: "n".repeat(name), ..Full::new() };
        let mut world = World::of(builder().provider(provider).keep_token(TokenKind::Access));
        let mut browser = Browser::default();
        let asked = browser.begin(&mut world, "/");
        let response = browser.come_back(&mut world, &asked);
        let bytes = |cookie: &str| browser.jar.get(cookie).map(|value| cookie.len() + value.len());
        (code(&response), bytes(SESSION).unwrap_or_default(), bytes(COOKIE).unwrap_or_default())
    };
    let mut fitted = 0;
    for name in [10, 1_000, 2_000] {
        for token in (0..3_600).step_by(300) {
            let (refusal, session, tokens) = sizes(name, token);
            let fits = tokens > 0;
            fitted += usize::from(fits);
            assert!(session <= SESSION_BYTES_MAX && tokens <= SESSION_BYTES_MAX);
            assert!(session + tokens <= SESSION_AND_TOKENS_BYTES_MAX, "{session} + {tokens}");
            assert_eq!(refusal.as_deref() == Some("session_too_large"), !fits, "{name} {token}");
        }
    }
    assert!((12..36).contains(&fitted), "{fitted} of 36: some must fit, and some not");
}

#[test]
fn gw_19_no_token_goes_out_unless_it_was_asked_for() {
    for flavour in [Flavour::OAuth2Proxy, Flavour::Nginx, Flavour::ForwardAuth, Flavour::ExtAuthz] {
        let mut world = world(site().keep_tokens().flavour(flavour).trusted_proxies(["127.0.0.1"]));
        let mut browser = signed_in(&mut world);
        let response = ask(&mut browser, &mut world);
        assert_eq!(response.get("x-auth-request-user"), Some("ada"));
        assert_eq!(
            (response.get("authorization"), response.get("x-auth-request-access-token")),
            (None, None)
        );
        let userinfo = browser.send(&mut world, PlainHead::fetch("/oauth2/userinfo"));
        let all = format!("{:?}{}", response.headers, String::from_utf8_lossy(&userinfo.body));
        assert!(!all.contains("canary"), "{all}");
    }
}

#[test]
fn each_header_that_was_asked_for_goes_out_with_its_token() {
    let headers = TokenHeaders::none().access_token().bearer_id_token();
    let mut world = world(site().token_headers(headers));
    let mut browser = signed_in(&mut world);
    let response = ask(&mut browser, &mut world);
    assert_eq!(response.get("x-auth-request-access-token"), Some("canary-access-"));
    assert_eq!(response.get("authorization"), Some("Bearer canary-id-"));
    assert!(!format!("{response:?}").contains("canary"), "nobody prints them: {response:?}");
    let tokens = world.vestibule.tokens(&browser.with_cookies(PlainHead::fetch("/")), world.now).unwrap();
    assert!(tokens.refresh.is_none(), "nothing is kept that no header needs");

    world.wait(3_600);
    let later = ask(&mut browser, &mut world);
    assert_eq!(later.get("x-auth-request-access-token"), Some(""), "it has ended");
    assert_eq!(later.status, 202);
}

#[test]
fn gw_20_a_token_header_without_a_token_goes_out_empty() {
    let headers = || TokenHeaders::none().access_token().bearer_id_token();
    let mut world = world(site().token_headers(headers()));
    let mut browser = signed_in(&mut world);
    browser.jar.remove(COOKIE);
    let response = ask(&mut browser, &mut world);
    assert_eq!((response.status, response.get("x-auth-request-access-token")), (202, Some("")));
    assert_eq!(response.get("authorization"), Some(""));
    assert!(format!("{response:?}").contains(r#"("authorization", "")"#), "{response:?}");
}

#[test]
fn a_password_for_the_application_goes_out_with_the_persons_name() {
    let mut world = world(site().token_headers(TokenHeaders::none().basic("canary-password")));
    let mut browser = signed_in(&mut world);
    let response = ask(&mut browser, &mut world);
    // printf 'ada:canary-password' | base64
    assert_eq!(response.get("authorization"), Some("Basic YWRhOmNhbmFyeS1wYXNzd29yZA=="));
    assert!(!browser.jar.contains_key(COOKIE), "that needs no token");
    assert!(!format!("{response:?}{:?}", TokenHeaders::none().basic("canary")).contains("canary"));
    // Whatever follows the first colon would be taken for the password.
    let odd = builder().provider(Full { login: "ada:x", ..Full::new() });
    let mut world = self::world(odd.token_headers(TokenHeaders::none().basic("p")));
    let mut odd = signed_in(&mut world);
    assert_eq!(ask(&mut odd, &mut world).get("authorization"), Some(""));
}

#[test]
fn one_authorization_header_cannot_say_two_things() {
    for headers in [TokenHeaders::none().bearer_id_token().basic("p"), TokenHeaders::none().basic("")] {
        let problems = site().token_headers(headers).build().unwrap_err().problems;
        assert_eq!(problems.iter().map(|problem| problem.field).collect::<Vec<_>>(), ["token_headers"]);
    }
}

/// Takes every token for somebody's.
struct Trusting;

#[async_trait]
impl BearerIssuer for Trusting {
    fn id(&self) -> &str {
        "trusting"
    }

    async fn prove(&self, _: &Http, _: &Secret) -> Result<Option<Identity>, ProviderError> {
        Ok(Some(Identity::new(9).issuer("https://ci.example")))
    }
}

#[test]
fn a_token_that_a_client_brought_is_the_one_that_goes_out() {
    let headers = TokenHeaders::none().access_token().bearer_id_token();
    let mut world = world(site().token_headers(headers).bearer(Trusting));
    let mut browser = signed_in(&mut world);
    let response = browser.send(&mut world, PlainHead::fetch(AUTH).with("authorization", "Bearer brought"));
    assert_eq!(response.get("x-auth-request-user"), Some("9"));
    assert_eq!(response.get("x-auth-request-access-token"), Some("brought"));
    assert_eq!(response.get("authorization"), Some("Bearer brought"));
}

#[test]
fn what_is_everybodys_goes_out_with_nobodys_tokens() {
    let headers = TokenHeaders::none().access_token().bearer_id_token();
    let mut world = world(site().token_headers(headers).rule(AccessRule::public()));
    let mut browser = signed_in(&mut world);
    assert_eq!(ask(&mut browser, &mut world).get("authorization"), Some("Bearer canary-id-"));
    let nobody = ask(&mut Browser::default(), &mut world);
    assert_eq!((nobody.status, nobody.get("x-auth-request-user")), (202, Some("")));
    assert_eq!(
        (nobody.get("authorization"), nobody.get("x-auth-request-access-token")),
        (Some(""), Some(""))
    );

    let password = site().token_headers(TokenHeaders::none().basic("p")).rule(AccessRule::public());
    let nobody = ask(&mut Browser::default(), &mut World::of(password));
    assert_eq!((nobody.status, nobody.get("authorization")), (202, Some("")));
}

#[test]
fn a_password_goes_with_the_name_that_the_user_header_carries() {
    let headers = IdentityHeaders::default().prefer_email_to_user();
    let provider = world::Plain::new("plain");
    let site = builder().provider(provider).identity_headers(headers);
    let mut world = World::of(site.token_headers(TokenHeaders::none().basic("p")));
    let mut browser = signed_in(&mut world);
    // printf 'ada@a.example:p' | base64
    assert_eq!(ask(&mut browser, &mut world).get("authorization"), Some("Basic YWRhQGEuZXhhbXBsZTpw"));
}

#[test]
fn an_identity_header_cannot_have_the_name_of_a_token_header() {
    let headers = IdentityHeaders::none().header("X-Auth-Request-Access-Token", Says::User);
    let problems = site().identity_headers(headers).build().unwrap_err().problems;
    assert_eq!(problems.iter().map(|problem| problem.field).collect::<Vec<_>>(), ["identity_headers"]);
}
