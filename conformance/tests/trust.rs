//! Whom a sign-in trusts (ND-30): certificates that are wrong in one thing each. What else there is to say about
//! authorities and files is in `http-reqwest/tests/trust.rs`.
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, GeneralSubtree, IsCa, KeyPair,
    NameConstraints, date_time_ymd,
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
};
use vestibule::{
    Vestibule,
    driver::{AdmitAll, Driver},
    response::Response,
    seal::KeyRing,
};
use vestibule_conformance::{Browser, Log, client, code_of};
use vestibule_oidc::Oidc;
use vestibule_reqwest::ReqwestHost;

type Authority = CertifiedIssuer<'static, KeyPair>;

/// An authority that the site is told to trust, in a file.
struct Trusted {
    authority: Authority,
    file: PathBuf,
}

impl Trusted {
    fn new(name: &str) -> Self {
        let authority = CertifiedIssuer::self_signed(authority(), KeyPair::generate().unwrap()).unwrap();
        let file =
            std::env::temp_dir().join(format!("vestibule-conformance-{name}-{}.pem", std::process::id()));
        std::fs::write(&file, authority.pem()).unwrap();
        Self { authority, file }
    }
}

impl Drop for Trusted {
    fn drop(&mut self) {
        std::fs::remove_file(&self.file).unwrap_or_default();
    }
}

fn authority() -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn for_name(name: &str) -> CertificateParams {
    CertificateParams::new([name.to_owned()]).unwrap()
}

/// A provider behind TLS that describes itself, and how often it was asked to.
struct Provider {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Provider {
    /// Shows this certificate, and `above` after it.
    async fn start(certificate: &Certificate, key: &KeyPair, above: &[&Certificate]) -> Self {
        let chain = std::iter::once(certificate).chain(above.iter().copied());
        let chain = chain.map(|certificate| certificate.der().clone()).collect();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut head = [0; 2_048];
                if stream.read(&mut head).await.is_ok_and(|read| read > 0) {
                    counter.fetch_add(1, Ordering::SeqCst);
                    stream.write_all(description(address).as_bytes()).await.unwrap_or_default();
                    stream.shutdown().await.unwrap_or_default();
                }
            }
        });
        Self { address, asked }
    }
}

fn description(address: SocketAddr) -> String {
    let at = |path: &str| format!("{}{path}", issuer(address));
    let body = json!({
        "issuer": at(""), "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
        "jwks_uri": at("/jwks"), "id_token_signing_alg_values_supported": ["RS256"],
    });
    let body = body.to_string();
    format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn issuer(address: SocketAddr) -> String {
    format!("https://localhost:{}", address.port())
}

/// Begins a sign-in at this provider, with this authority trusted.
async fn begin(trusted: &Trusted, issuer: String) -> Response {
    let oidc = Oidc::builder(issuer, client::ID).client_secret(client::SECRET).build().unwrap();
    let keys = KeyRing::new(["the secret of a site that lives for one test"]).unwrap();
    let site = Vestibule::builder(client::REDIRECT_URI).keys(keys).provider(oidc).build().unwrap();
    let host = ReqwestHost::builder().extra_ca_file(&trusted.file).build().unwrap();
    Browser::default().visit(&Driver::new(site, host, AdmitAll), "/oauth2/start").await
}

/// The certificate is refused as a certificate, and not a byte of HTTP is sent.
async fn refused(trusted: &Trusted, provider: &Provider, case: &str) {
    let log = Log::listen();
    let response = begin(trusted, issuer(provider.address)).await;
    assert_eq!(code_of(&response).as_deref(), Some("provider_unreachable"), "{case}");
    assert_eq!(provider.asked.load(Ordering::SeqCst), 0, "{case}: it was asked all the same");
    let log = log.text();
    assert!(log.contains("the certificate is not trusted"), "{case}: an operator must see why: {log}");
}

#[tokio::test]
async fn nd_30_a_certificate_that_is_wrong_in_one_thing_is_refused() {
    let trusted = Trusted::new("one-thing");
    let signed = |params: CertificateParams| {
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &trusted.authority).unwrap(), key)
    };
    let (certificate, key) = signed(for_name("localhost"));
    let sound = Provider::start(&certificate, &key, &[]).await;
    let response = begin(&trusted, issuer(sound.address)).await;
    assert_eq!(
        (response.status, sound.asked.load(Ordering::SeqCst)),
        (303, 1),
        "nothing is wrong with this one"
    );

    let mut expired = for_name("localhost");
    (expired.not_before, expired.not_after) = (date_time_ymd(2019, 1, 1), date_time_ymd(2020, 1, 1));
    let mut early = for_name("localhost");
    (early.not_before, early.not_after) = (date_time_ymd(4000, 1, 1), date_time_ymd(4001, 1, 1));
    for (params, case) in [
        (expired, "it has expired"),
        (early, "it is not valid yet"),
        (for_name("op.example"), "it is for another name"),
        (for_name("*.localhost"), "it is for the names below"),
        (for_name("*"), "it is for every name"),
        (for_name("localhost.evil.example"), "it begins with the name"),
        (for_name("127.0.0.1"), "it is for the address and not for the name"),
    ] {
        let (certificate, key) = signed(params);
        refused(&trusted, &Provider::start(&certificate, &key, &[]).await, case).await;
    }

    let key = KeyPair::generate().unwrap();
    let alone = for_name("localhost").self_signed(&key).unwrap();
    refused(&trusted, &Provider::start(&alone, &key, &[]).await, "nobody vouches for it").await;

    let stranger = CertifiedIssuer::self_signed(authority(), KeyPair::generate().unwrap()).unwrap();
    let theirs = for_name("localhost").signed_by(&key, &stranger).unwrap();
    refused(
        &trusted,
        &Provider::start(&theirs, &key, &[stranger.as_ref()]).await,
        "a stranger vouches for it",
    )
    .await;
}

#[tokio::test]
async fn nd_30_between_the_authority_and_the_certificate_everything_must_hold() {
    let trusted = Trusted::new("between");
    let between = |params: CertificateParams| {
        CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &trusted.authority).unwrap()
    };
    let below = |above: &Authority| {
        let key = KeyPair::generate().unwrap();
        (for_name("localhost").signed_by(&key, above).unwrap(), key)
    };
    let middle = between(authority());
    let (certificate, key) = below(&middle);
    let whole = Provider::start(&certificate, &key, &[middle.as_ref()]).await;
    assert_eq!(begin(&trusted, issuer(whole.address)).await.status, 303, "the chain is whole");
    refused(&trusted, &Provider::start(&certificate, &key, &[]).await, "the middle is missing").await;

    let mut elsewhere = authority();
    let subtree = GeneralSubtree::DnsName("op.example".into());
    elsewhere.name_constraints =
        Some(NameConstraints { permitted_subtrees: vec![subtree], excluded_subtrees: Vec::new() });
    let elsewhere = between(elsewhere);
    let (certificate, key) = below(&elsewhere);
    let provider = Provider::start(&certificate, &key, &[elsewhere.as_ref()]).await;
    refused(&trusted, &provider, "the middle may vouch for other names only").await;

    let no_authority = between(for_name("no-authority.example"));
    let (certificate, key) = below(&no_authority);
    let provider = Provider::start(&certificate, &key, &[no_authority.as_ref()]).await;
    refused(&trusted, &provider, "the middle is no authority").await;
}

/// Nobody speaks TLS 1.0 or 1.1 here, so that a few bytes of it must do.
#[tokio::test]
async fn nd_30_an_old_protocol_is_refused_by_its_name() {
    const PROTOCOL_VERSION: u8 = 70;
    let trusted = Trusted::new("old");
    for minor in [1, 2] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let served = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut hello = [0; 4_096];
            assert!(stream.read(&mut hello).await.unwrap() > 0);
            // A record with a ServerHello of that version: random, no session, TLS_RSA_WITH_AES_128_CBC_SHA.
            let body = [[3, minor].as_slice(), &[7; 32], &[0, 0, 0x2f, 0]].concat();
            let message = [[2, 0, 0, body.len() as u8].as_slice(), &body].concat();
            let record = [[0x16, 3, minor, 0, message.len() as u8].as_slice(), &message].concat();
            stream.write_all(&record).await.unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.unwrap_or_default();
            answer
        });
        let response = begin(&trusted, issuer(address)).await;
        assert_eq!(code_of(&response).as_deref(), Some("provider_unreachable"));
        let alert =
            tokio::time::timeout(Duration::from_secs(20), served).await.expect("no alert comes").unwrap();
        assert!(alert.ends_with(&[2, PROTOCOL_VERSION]), "TLS 1.{}: {alert:x?}", minor - 1);
    }
}
