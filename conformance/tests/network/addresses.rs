//! Where requests go, and where they never go.

use std::process::Command;

use serde_json::json;
use vestibule::request::PlainHead;
use vestibule_conformance::{Behaviour, Browser, Edit, Endpoint, Lie, Object, Site, Trap, code_of};

use crate::{UNTIL_DOCUMENTS_ARE_GONE, UNTIL_DOCUMENTS_ARE_OLD, UNTIL_FAILURES_ARE_FORGOTTEN};

fn metadata(name: &str, value: &str) -> Lie {
    Lie::member(Object::Metadata, name, Edit::Set(json!(value)))
}

#[tokio::test]
async fn nd_01_a_redirect_is_not_followed_from_any_endpoint() {
    use Endpoint::{Keys, Metadata, Token, Userinfo};
    for endpoint in [Metadata, Token, Keys, Userinfo] {
        let trap = Trap::set().await;
        let site = Site::start().await;
        for status in [301, 302, 303, 307, 308] {
            let own = site.provider().url(endpoint);
            for to in
                [trap.url("elsewhere"), own, "http://169.254.169.254/".into(), "file:///etc/passwd".into()]
            {
                let behaviour = Behaviour::Redirect { status, to };
                site.provider().honest().lie(Lie::At(endpoint, behaviour.clone()));
                let outcome = site.sign_in().await;
                outcome.refused("provider_answer_invalid", (endpoint, &behaviour));
                assert_eq!(outcome.asked.last(), Some(&endpoint), "{behaviour:?}");
                let asked = outcome.asked.iter().filter(|asked| **asked == endpoint).count();
                assert_eq!(asked, 1, "{behaviour:?}");
                site.wait(UNTIL_FAILURES_ARE_FORGOTTEN);
            }
        }
        site.provider().honest();
        assert!(site.sign_in().await.is_signed_in());
        trap.untouched(endpoint).await;
    }
}

#[tokio::test]
async fn nd_02_an_address_that_is_not_https_and_not_here_is_not_asked() {
    let site = Site::start().await;
    for address in [
        "http://op.example/x",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/",
        "http://localhost.evil.example/",
        "file:///etc/passwd",
        "data:application/json,{}",
        "gopher://127.0.0.1/",
        "ftp://127.0.0.1/",
        "javascript:alert(1)",
        "http://user:password@127.0.0.1/",
        "http://127.0.0.1/#fragment",
        "/relative",
        "",
    ] {
        for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
            // A description from before would be used on for as long as there is one.
            site.wait(UNTIL_DOCUMENTS_ARE_GONE);
            site.provider().honest().lie(metadata(name, address));
            let outcome = site.sign_in().await;
            outcome.refused("provider_answer_invalid", (name, address));
            assert_eq!(outcome.asked, [Endpoint::Metadata], "{name} {address}");
        }
        site.wait(UNTIL_DOCUMENTS_ARE_OLD);
        site.provider().honest().lie(metadata("userinfo_endpoint", address));
        let outcome = site.sign_in().await;
        outcome.refused("provider_answer_invalid", ("userinfo_endpoint", address));
        assert!(!outcome.asked.contains(&Endpoint::Userinfo), "{address}");
    }
    site.wait(UNTIL_DOCUMENTS_ARE_OLD);
    site.provider().honest();
    assert!(site.sign_in().await.is_signed_in());
}

#[tokio::test]
async fn nd_03_the_browser_is_sent_to_a_web_address_with_our_parameters_and_theirs() {
    let site = Site::start().await;
    let authorize = site.provider().url(Endpoint::Authorize);
    for address in [
        "javascript:alert(1)".to_owned(),
        "data:text/html,<script>alert(1)</script>".into(),
        format!("{authorize}#fragment"),
        format!("{authorize}?state=fixed"),
        format!("{authorize}?redirect_uri=https://evil.example"),
        format!("{authorize}?client_id=evil"),
    ] {
        site.wait(UNTIL_DOCUMENTS_ARE_OLD);
        site.provider().honest().lie(metadata("authorization_endpoint", &address));
        site.sign_in().await.refused("provider_answer_invalid", address);
    }
    site.wait(UNTIL_DOCUMENTS_ARE_OLD);
    site.provider()
        .honest()
        .lie(metadata("authorization_endpoint", &format!("{authorize}?tenant=7&x=a%20b")));
    let round = site.begin().await;
    assert_eq!((round.parameter("tenant").as_str(), round.parameter("x").as_str()), ("7", "a b"));
    assert!(round.finish().await.is_signed_in());
}

/// The environment belongs to a process, so that this test runs itself once more in one that has a proxy in it.
#[tokio::test]
async fn nd_17_a_proxy_of_the_environment_or_of_a_header_is_never_asked() {
    if std::env::var_os("http_proxy").is_some_and(|proxy| proxy.to_string_lossy().ends_with("/trap")) {
        assert!(Site::start().await.sign_in().await.is_signed_in());
        return;
    }
    let trap = Trap::set().await;
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "addresses::nd_17_a_proxy_of_the_environment_or_of_a_header_is_never_asked"]);
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        again.env(name, trap.url("trap"));
    }
    again.env_remove("no_proxy").env_remove("NO_PROXY");
    let ran = tokio::task::spawn_blocking(move || again.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");

    // httpoxy: a CGI program sees the header `Proxy` as the variable `HTTP_PROXY`.
    let site = Site::start().await;
    let mut browser = Browser::default();
    let head = PlainHead::navigation("/oauth2/start/oidc").with("proxy", trap.url("header"));
    assert_eq!(browser.send(site.driver(), head, b"").await.status, 303);
    trap.untouched("a proxy").await;
}

#[tokio::test]
async fn nd_18_of_two_addresses_of_a_name_the_living_one_is_found() {
    // `localhost` is 127.0.0.1 and ::1, and the provider listens at one of them only.
    for bind in ["127.0.0.1:0", "[::1]:0"] {
        let address: std::net::SocketAddr = bind.parse().unwrap();
        if address.is_ipv6() && std::net::TcpListener::bind(address).is_err() {
            continue; // a machine without IPv6 has one address only
        }
        let site = Site::builder().provider(move |provider| provider.bind(address)).start().await;
        let port = site.provider().address().port();
        for (name, path) in
            [("token_endpoint", "token"), ("jwks_uri", "jwks"), ("userinfo_endpoint", "userinfo")]
        {
            site.provider().lie(metadata(name, &format!("http://localhost:{port}/{path}")));
        }
        let outcome = site.sign_in().await;
        assert!(outcome.is_signed_in(), "{bind}: {:?}", outcome.code());
        assert_eq!(outcome.elsewhere.len(), 3, "by that name: {:?}", outcome.elsewhere);
    }
}

#[tokio::test]
async fn nd_18_where_nothing_listens_the_sign_in_ends_on_a_page() {
    let site = Site::start().await;
    site.provider().stop().await;
    let outcome = site.sign_in().await;
    outcome.refused("provider_unreachable", "nothing listens");
    assert_eq!(code_of(&outcome.me).as_deref(), Some("sign_in_required"));
}
