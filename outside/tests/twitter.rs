//! X by OAuth 1.0a over real HTTP, with every request judged by a server that others wrote.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use axum::{Router, routing::get};
use tokio::{net::TcpListener, task::JoinHandle};
use url::Url;
use vestibule::{
    Vestibule,
    conversation::Http,
    driver::Driver,
    exchange::HttpRequest,
    flow::Decision,
    identity::SignIn,
    provider::{AuthorizationRequest, Provider as _},
    seal::KeyRing,
    secret::{CodeVerifier, Nonce, State},
    testkit::converse,
    time::Timestamp,
};
use vestibule_axum::{Gate, SignedIn};
use vestibule_outside::{COOKIE_SECRET, Visitor, X, location};
use vestibule_reqwest::ReqwestHost;
use vestibule_twitter::{OAuth1Builder, TwitterOAuth1};

/// A site that signs people in with X, and X.
struct Site {
    x: X,
    origin: String,
    instances: Vec<JoinHandle<()>>,
    /// Everybody whom the application was asked about.
    seen: Arc<Mutex<Vec<SignIn>>>,
}

impl Site {
    async fn open() -> Result<Self> {
        Self::with(|_, provider| provider).await
    }

    async fn with(change: impl FnOnce(&X, OAuth1Builder) -> OAuth1Builder) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let x = X::start(&format!("{origin}/oauth2/callback")).await?;
        let mut site = Self { x, origin, instances: Vec::new(), seen: Arc::default() };
        let provider = change(&site.x, site.provider());
        site.serve(listener, provider)?;
        Ok(site)
    }

    fn provider(&self) -> OAuth1Builder {
        TwitterOAuth1::builder(X::CONSUMER_KEY, X::CONSUMER_SECRET).api(self.x.address())
    }

    /// Another instance of the same site, as behind a balancer; gives its own address.
    async fn another_instance(&mut self) -> Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        self.serve(listener, self.provider())?;
        Ok(address)
    }

    fn serve(&mut self, listener: TcpListener, provider: OAuth1Builder) -> Result<()> {
        let vestibule = Vestibule::builder(format!("{}/oauth2/callback", self.origin))
            .provider(provider.build()?)
            .keys(KeyRing::new([COOKIE_SECRET])?)
            .build()?;
        let seen = Arc::clone(&self.seen);
        let decide = move |sign_in: SignIn| {
            seen.lock().unwrap_or_else(PoisonError::into_inner).push(sign_in);
            async { Ok(Decision::allow()) }
        };
        let gate = Gate::new(Driver::new(vestibule, ReqwestHost::new()?, decide));
        let app: Router = Router::new()
            .route("/who", get(async |SignedIn(session): SignedIn| session.identity.subject))
            .layer(gate.layer())
            .merge(gate.routes());
        self.instances.push(tokio::spawn(async { axum::serve(listener, app).await.expect("it serves") }));
        Ok(())
    }

    fn visitor(&self) -> Result<Visitor> {
        Visitor::new(&self.origin)
    }

    /// Begins a sign-in, and says where X is to be visited.
    async fn begin(&self, visitor: &mut Visitor) -> Result<Url> {
        visitor.follow_until(&format!("{}/oauth2/start?rd=/who", self.origin), &self.x.address()).await
    }

    /// What somebody brings back from X at `location`, without going there: the address of the callback.
    async fn answer_of_x(&self, location: &Url, person: &str) -> Result<String> {
        let answer = Visitor::new("http://nowhere.example")?.navigate(&X::chosen(location, person)).await?;
        Ok(self::location(&answer)?.to_owned())
    }

    /// A whole sign-in up to the page that was asked for: its status and text.
    async fn sign_in(&self, visitor: &mut Visitor, person: &str) -> Result<(u16, String)> {
        let location = self.begin(visitor).await?;
        let visited = visitor.follow(&X::chosen(&location, person)).await?;
        Ok((visited.status.as_u16(), visited.text))
    }

    async fn is_signed_in(&self, visitor: &mut Visitor) -> Result<bool> {
        Ok(visitor.fetch(&format!("{}/who", self.origin)).await?.status() == 200)
    }

    /// How often X was asked for an access token, whatever it said.
    async fn token_calls(&self) -> Result<usize> {
        Ok(self.x.asked().await?.iter().filter(|line| line.starts_with("POST /oauth/access_token")).count())
    }

    /// Goes to a callback that must not sign anybody in; gives status and code of the page.
    async fn turned_away(&self, visitor: &mut Visitor, callback: &str) -> Result<(u16, String)> {
        let answer = visitor.navigate(callback).await?;
        let status = answer.status().as_u16();
        Ok((status, code(&answer.text().await?)))
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.instances.iter().for_each(JoinHandle::abort);
    }
}

/// The refusal's code on a page.
fn code(page: &str) -> String {
    let code = page.split_once("<code>").and_then(|(_, rest)| rest.split_once("</code>"));
    code.map_or_else(|| format!("no code in {page}"), |(code, _)| code.to_owned())
}

fn page(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_of_a_sign_in_is_signed_as_the_judge_signs() -> Result<()> {
    let site = Site::open().await?;
    for (person, number, email) in
        [("ada", "1001", Some("ada@company.example")), ("bob", "9007199254740993", None)]
    {
        let mut visitor = site.visitor()?;
        assert_eq!(site.sign_in(&mut visitor, person).await?, (200, number.to_owned()));
        let sign_in = site.seen.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let sign_in = sign_in.context("the application was asked")?;
        let identity = &sign_in.identity;
        assert_eq!((&*identity.subject, identity.username.as_deref()), (number, Some(person)));
        assert_eq!((identity.email.as_deref(), identity.email_verified), (email, email.is_some()));

        // The tokens work: their end is signed with them, and comes once.
        let provider = site.provider().build()?;
        let part = async move |http: Http| provider.revoke(&http, &sign_in.tokens).await;
        let mut request = None;
        converse(now(), part, |asked| {
            request = asked.request().cloned();
            asked.answer(200, "application/json", "{}")
        })?;
        let request = request.context("there was a request")?;
        assert_eq!(send(&request, |_| {}).await?, 200);
    }
    let asked = site.x.asked().await?;
    assert!(asked.iter().all(|line| line.ends_with(" 200") || line.ends_with(" 302")), "{asked:?}");
    assert_eq!(site.token_calls().await?, 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_sign_ins_in_one_second_have_nonces_of_their_own() -> Result<()> {
    let site = Arc::new(Site::open().await?);
    let sign_ins: Vec<_> = (0..12)
        .map(|number| {
            let site = Arc::clone(&site);
            let person = if number % 2 == 0 { "ada" } else { "bob" };
            tokio::spawn(async move { site.sign_in(&mut site.visitor()?, person).await })
        })
        .collect();
    for (number, sign_in) in sign_ins.into_iter().enumerate() {
        let subject = if number % 2 == 0 { "1001" } else { "9007199254740993" };
        assert_eq!(sign_in.await??, (200, subject.to_owned()), "{number}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_signed_wrongly_is_refused_and_begins_nothing() -> Result<()> {
    type Change = fn(&X, OAuth1Builder) -> OAuth1Builder;
    let cases: [(&str, Change); 3] = [
        ("another secret", |x, _| TwitterOAuth1::builder(X::CONSUMER_KEY, "another secret").api(x.address())),
        ("another app", |x, _| {
            TwitterOAuth1::builder("an-app-that-nobody-registered", X::CONSUMER_SECRET).api(x.address())
        }),
        ("for another host", |x, provider| provider.api(x.misnamed())),
    ];
    for (what, change) in cases {
        let site = Site::with(change).await?;
        let mut visitor = site.visitor()?;
        let start = format!("{}/oauth2/start?rd=/who", site.origin);
        assert_eq!(site.turned_away(&mut visitor, &start).await?, page(403, "provider_refused"), "{what}");
        assert_eq!(site.x.asked().await?, ["POST /oauth/request_token 401"], "{what}");
        assert_eq!(visitor.cookie_header(), "", "{what}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_judge_takes_a_signed_request_once_and_no_changed_one() -> Result<()> {
    let site = Site::open().await?;
    let request = first_request(&site)?;
    let header = request.headers()["authorization"].to_str()?.to_owned();
    for name in ["oauth_signature", "oauth_nonce", "oauth_timestamp", "oauth_callback", "oauth_consumer_key"]
    {
        let at = header.find(&format!("{name}=\"")).context("it is signed")? + name.len() + 2;
        let mut changed = header.clone();
        // The last digit of the time, so that it stays a time of these minutes.
        let at = if name == "oauth_timestamp" { at + 9 } else { at };
        let other = if &changed[at..=at] == "1" { "2" } else { "1" };
        changed.replace_range(at..=at, other);
        let status = send(&request, |headers| {
            headers.insert("authorization", changed.parse().expect("as it was but for a letter"));
        });
        assert_eq!(status.await?, 401, "{name}");
    }
    // The nonce of the last two was seen, the request was not.
    let request = first_request(&site)?;
    assert_eq!(send(&request, |_| {}).await?, 200);
    assert_eq!(send(&request, |_| {}).await?, 401, "the same request again");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se_15_whoever_cancels_at_x_is_told_so_and_can_begin_again() -> Result<()> {
    let site = Site::open().await?;
    let mut visitor = site.visitor()?;
    let (status, text) = site.sign_in(&mut visitor, "nobody").await?;
    assert_eq!((status, code(&text)), page(403, "access_denied"));
    assert!(!site.is_signed_in(&mut visitor).await?);
    assert_eq!(site.token_calls().await?, 0);
    assert_eq!(site.sign_in(&mut visitor, "ada").await?, (200, "1001".to_owned()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se_03_a_callback_that_was_answered_signs_nobody_in_again() -> Result<()> {
    let mut site = Site::open().await?;
    let mut visitor = site.visitor()?;
    let location = site.begin(&mut visitor).await?;
    let callback = site.answer_of_x(&location, "ada").await?;
    let mut thief = visitor.clone();
    let cookies = thief.cookie_header();
    assert_eq!(visitor.navigate(&callback).await?.status(), 303);
    assert_eq!(site.token_calls().await?, 1);

    // With the session there is nothing left to do; the attempt's cookie went with the first answer.
    assert_eq!(visitor.navigate(&callback).await?.status(), 303);
    // The same process has not forgotten it, even for a browser that still has the cookie: it gets the first's answer or
    // a page, and X is not asked.
    thief.navigate(&callback).await?;
    assert_eq!(site.token_calls().await?, 1);

    // Another instance knows nothing of it: X has taken its request token back.
    let another = site.another_instance().await?;
    let other = callback.replace(&site.origin, &another);
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
    let request = http.get(other).header("cookie", cookies).header("sec-fetch-mode", "navigate");
    let answer = request.header("accept", "text/html").send().await?;
    let shown = (answer.status().as_u16(), code(&answer.text().await?));
    assert_eq!(shown, page(502, "token_refused"));
    assert_eq!(site.x.asked().await?.last().map(String::as_str), Some("POST /oauth/access_token 401"));
    Ok(())
}

/// The advisory of April 2009 on OAuth Core 1.0, and its mirror image.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se_01_nobody_is_signed_in_by_a_request_token_that_another_browser_began_with() -> Result<()> {
    let site = Site::open().await?;
    let (mut attacker, mut victim) = (site.visitor()?, site.visitor()?);

    // The victim is lured into the attacker's account: with no sign-in under way, and with one.
    let attackers = site.begin(&mut attacker).await?;
    let planted = site.answer_of_x(&attackers, "bob").await?;
    assert_eq!(site.turned_away(&mut victim, &planted).await?, page(400, "attempt_missing"));
    let own = site.begin(&mut victim).await?;
    assert_eq!(site.turned_away(&mut victim, &planted).await?, page(400, "state_mismatch"));
    assert!(!site.is_signed_in(&mut victim).await?);
    assert_eq!(site.token_calls().await?, 0, "X was not asked");

    // The victim says yes to what the attacker began. The verifier comes to the victim's browser, where it is worth
    // nothing; and the attacker, who does not have it, cannot finish.
    let lured = site.begin(&mut attacker).await?;
    let callback = site.answer_of_x(&lured, "ada").await?;
    assert_eq!(site.turned_away(&mut victim, &callback).await?, page(400, "state_mismatch"));
    let verifier = parameter(&callback, "oauth_verifier")?;
    let guess = callback.replace(&verifier, &"A".repeat(verifier.len()));
    assert_eq!(site.turned_away(&mut attacker, &guess).await?, page(502, "token_refused"));
    assert!(!site.is_signed_in(&mut attacker).await?);

    // Nor does a verifier pass with the request token of another sign-in.
    let token = parameter(&site.answer_of_x(&own, "ada").await?, "oauth_token")?;
    let others = site.begin(&mut attacker).await?;
    let verifier = parameter(&site.answer_of_x(&others, "bob").await?, "oauth_verifier")?;
    let mixed = format!("{}/oauth2/callback?oauth_token={token}&oauth_verifier={verifier}", site.origin);
    assert_eq!(site.turned_away(&mut victim, &mixed).await?, page(502, "token_refused"));
    assert!(!site.is_signed_in(&mut victim).await?);
    Ok(())
}

fn parameter(address: &str, name: &str) -> Result<String> {
    let address = Url::parse(address)?;
    let found = address.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned());
    found.with_context(|| format!("{name} stands in it"))
}

/// The first request of a sign-in, signed and not sent.
fn first_request(site: &Site) -> Result<HttpRequest> {
    let redirect_uri = Url::parse(&format!("{}/oauth2/callback", site.origin))?;
    let verifier = CodeVerifier::new(format!("verifier-{:?}", std::time::Instant::now()));
    let request = AuthorizationRequest::new(State::new("state"), Nonce::new("nonce"), verifier, redirect_uri);
    let provider = site.provider().build()?;
    let mut first = None;
    let begin = async move |http: Http| provider.begin(&http, &request).await;
    let begun = converse(now(), begin, |asked| {
        first = asked.request().cloned();
        asked.answer(500, "text/plain", "")
    });
    assert!(begun.is_err());
    first.context("it asks for a request token")
}

/// Sends a request with changed headers, and says what status comes back.
async fn send(request: &HttpRequest, change: impl FnOnce(&mut http::HeaderMap)) -> Result<u16> {
    let mut headers = request.headers().clone();
    change(&mut headers);
    let http = reqwest::Client::builder().no_proxy().build()?;
    let answer = http.request(request.method().clone(), request.uri().to_string()).headers(headers).send();
    Ok(answer.await?.status().as_u16())
}

fn now() -> Timestamp {
    let since = std::time::UNIX_EPOCH.elapsed().expect("this machine's clock is past 1970");
    Timestamp::from_unix(since.as_secs() as i64)
}
