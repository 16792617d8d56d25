//! The application in one process, on each framework, with an X that answers out of memory.
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

use mounted_login::{Login, TwitterSession};
use url::Url;
use vestibule::{
    driver::Driver,
    exchange::{HttpFailure, HttpRequest, HttpResponse},
    request::PlainHead,
    seal::KeyRing,
    testkit::{CookieJar, MemoryHost, Person},
};
use vestibule_axum::testing;
use vestibule_twitter::{Twitter, TwitterOAuth1};

const SITE: &str = "https://app.example";

/// X, as far as one sign-in of Ada's needs it.
fn x(request: &HttpRequest) -> Result<HttpResponse, HttpFailure> {
    let body = match request.uri().path() {
        "/oauth/request_token" => "oauth_token=request&oauth_token_secret=s&oauth_callback_confirmed=true",
        "/oauth/access_token" => "oauth_token=canary&oauth_token_secret=secret&user_id=7&screen_name=ada",
        "/1.1/account/verify_credentials.json" => r#"{"id_str":"7","screen_name":"ada","name":"Ada"}"#,
        "/2/oauth2/token" => {
            r#"{"access_token":"canary","token_type":"bearer","scope":"tweet.read users.read users.email"}"#
        }
        "/2/users/me" => r#"{"data":{"id":"7","username":"ada","name":"Ada"}}"#,
        _ => return Err(HttpFailure::Connect),
    };
    let response = http::Response::builder().header("content-type", "application/json");
    response.body(body.into()).map_err(|_| HttpFailure::Broken)
}

fn keys() -> KeyRing {
    KeyRing::new(["0123456789abcdef0123456789abcdef"]).unwrap()
}

fn driver(login: &Login, host: MemoryHost) -> Driver {
    let provider = TwitterOAuth1::builder("key", "secret").build().unwrap();
    login.driver(provider, keys(), host.answering(x)).unwrap()
}

/// Whoever these cookies sign in, as the application sees them.
fn signed_in(driver: &Driver, jar: &CookieJar) -> Option<TwitterSession> {
    let head = PlainHead::fetch("/").with("cookie", jar.header()?);
    TwitterSession::of(&driver.vestibule().session(&head, driver.now()).ok()?)
}

fn renamed() -> Login {
    Login::new(SITE)
        .mount_on("/enter")
        .request_token_at("/begin/here")
        .callback_at("/back")
        .sign_out_at("/leave")
        .redirect_on_success("/home")
}

/// An answer that leads somewhere on this site.
macro_rules! leads_to {
    ($answer:expr) => {{
        let answer = $answer;
        assert_eq!(answer.status, 303, "{answer:?}");
        let location = answer.header("location").to_owned();
        location.strip_prefix(SITE).unwrap_or(&location).to_owned()
    }};
}

/// Every story on one framework. `$start` makes its application, and a browser in front of it.
macro_rules! told_on {
    ($framework:ident $start:ident #[$test:meta] $testing:path) => {
        mod $framework {
            use $testing as testing;

            use super::*;

            #[$test]
            async fn a_stranger_gets_the_link_and_whoever_has_been_at_x_a_greeting() {
                let (driver, mut browser) = $start(&Login::new(SITE), testing::host()).await;
                for path in ["/", "/deep?x=1", "/no/such/page"] {
                    assert!(leads_to!(browser.visit(path).await).starts_with("/login"), "{path}");
                }
                assert_eq!(browser.fetch("/").await.status, 401);
                let page = browser.visit("/login").await;
                assert_eq!(page.body, r#"<a href="/login/requestToken">login</a>"#);
                assert!(page.header("content-type").starts_with("text/html"), "{page:?}");

                let away = leads_to!(browser.visit("/login/requestToken").await);
                assert_eq!(away, "https://api.x.com/oauth/authenticate?oauth_token=request");
                let back = "/login/callbackUrl?oauth_token=request&oauth_verifier=v";
                assert_eq!(leads_to!(browser.visit(back).await), "/");
                let hello = browser.visit("/").await;
                assert!(hello.status == 200 && hello.body.contains("Hello ada"), "{hello:?}");
                assert_eq!(browser.visit("/no/such/page").await.status, 404);

                let session = signed_in(&driver, &browser.cookies).unwrap();
                assert_eq!((session.user_id.as_str(), session.screen_name.as_str()), ("7", "ada"));
                assert_eq!(session.oauth_token.expose(), "canary");
                assert_eq!(session.oauth_token_secret.unwrap().expose(), "secret");
                assert!(
                    !hello.body.contains("canary") && !browser.cookies.header().unwrap().contains("canary")
                );

                assert_eq!(leads_to!(browser.visit("/login/signOut").await), "/login/signOut?ended");
                assert_eq!(leads_to!(browser.visit("/").await), "/login");
            }

            #[$test]
            async fn whoever_cancels_at_x_may_try_again_from_the_link() {
                let (driver, mut browser) = $start(&Login::new(SITE), testing::host()).await;
                browser.visit("/login/requestToken").await;
                let denied = browser.visit("/login/callbackUrl?denied=request").await;
                assert!(denied.status == 403 && denied.body.contains("\"/login?switch=1\""), "{denied:?}");
                assert!(signed_in(&driver, &browser.cookies).is_none());
            }

            #[$test]
            async fn every_path_and_the_landing_page_can_be_another() {
                let (_, mut browser) = $start(&renamed(), testing::host()).await;
                for path in ["/", "/login", "/login/requestToken", "/home"] {
                    let page = leads_to!(browser.visit(path).await);
                    assert_eq!(page.split('?').next(), Some("/enter"), "{path}");
                }
                assert_eq!(browser.visit("/enter").await.body, r#"<a href="/begin/here">login</a>"#);
                assert!(leads_to!(browser.visit("/begin/here").await).starts_with("https://api.x.com/"));
                let back = browser.visit("/back?oauth_token=request&oauth_verifier=v").await;
                assert_eq!(leads_to!(back), "/home");
                for page in ["/home", "/"] {
                    assert!(browser.visit(page).await.body.contains("Hello ada"), "{page}");
                }
                assert_eq!(leads_to!(browser.visit("/leave").await), "/leave?ended");
                assert_eq!(leads_to!(browser.visit("/home").await), "/enter");
            }

            /// A name is text, whoever chose it. What is asked here needs no X: the person is just signed in.
            #[$test]
            async fn a_name_is_shown_as_it_is() {
                let (driver, mut browser) = $start(&Login::new(SITE), testing::host()).await;
                let session = session_of("<b>ada</b>");
                for (name, value) in Person::new(7).data(1, &session).cookies(&driver) {
                    browser.cookies.insert(name, value);
                }
                let hello = browser.visit("/").await;
                assert!(hello.body.contains("Hello &lt;b&gt;ada&lt;/b&gt;"), "{hello:?}");
            }
        }
    };
}

fn session_of(screen_name: &str) -> TwitterSession {
    TwitterSession {
        user_id: "7".to_owned(),
        screen_name: screen_name.to_owned(),
        oauth_token: "t".into(),
        oauth_token_secret: None,
    }
}

async fn on_axum(login: &Login, host: MemoryHost) -> (Driver, vestibule_axum::testing::Browser) {
    let driver = driver(login, host);
    let app = mounted_login::axum_app::app(login, &vestibule_axum::Gate::new(driver.clone()));
    (driver, vestibule_axum::testing::Browser::new(&app))
}

async fn on_actix(login: &Login, host: MemoryHost) -> (Driver, vestibule_actix::testing::Browser) {
    let driver = driver(login, host);
    let app = mounted_login::actix_app::app(login, &vestibule_actix::Gate::new(driver.clone()));
    let app = actix_web::test::init_service(actix_web::App::new().configure(app)).await;
    (driver, vestibule_actix::testing::Browser::new(&vestibule_actix::testing::site(app)))
}

told_on!(axum on_axum #[tokio::test] vestibule_axum::testing);
told_on!(actix on_actix #[actix_web::test] vestibule_actix::testing);

#[tokio::test]
async fn by_oauth_2_it_is_the_same_and_there_is_no_secret_of_a_token() {
    let login = Login::new(SITE);
    let provider = Twitter::builder("client").client_secret("secret").build().unwrap();
    let driver = login.driver(provider, keys(), testing::host().answering(x)).unwrap();
    let app = mounted_login::axum_app::app(&login, &vestibule_axum::Gate::new(driver.clone()));
    let mut browser = testing::Browser::new(&app);
    let away = Url::parse(&leads_to!(browser.visit("/login/requestToken").await)).unwrap();
    assert_eq!((away.host_str(), away.path()), (Some("x.com"), "/i/oauth2/authorize"));
    let state = away.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let back = format!("/login/callbackUrl?code=c&state={state}");
    assert_eq!(leads_to!(browser.visit(&back).await), "/");
    assert!(browser.visit("/").await.body.contains("Hello ada"));
    let session = signed_in(&driver, &browser.cookies).unwrap();
    assert_eq!((session.user_id.as_str(), session.oauth_token.expose()), ("7", "canary"));
    assert!(session.oauth_token_secret.is_none());
}

#[test]
fn paths_that_do_not_fit_together_are_named_all_at_once() {
    let login = Login::new("http://app.example").sign_out_at("/login");
    let provider = TwitterOAuth1::builder("key", "secret").build().unwrap();
    let error = login.redirect_on_success("/login").driver(provider, keys(), MemoryHost::new()).unwrap_err();
    let fields: Vec<_> = error.problems.iter().map(|problem| problem.field).collect();
    assert_eq!(fields, ["redirect_url", "sign_in_page", "land_on"], "{error}");
}

#[test]
fn tokens_are_not_shown() {
    let shown = format!("{:?}", session_of("ada"));
    assert!(shown.contains("\"7\"") && !shown.contains("oauth"), "{shown}");
}
