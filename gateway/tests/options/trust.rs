//! How the provider is reached.

use std::{fs, sync::Arc};

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::{io::AsyncReadExt as _, net::TcpListener};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
};
use vestibule_outside::PATIENCE;

use crate::support::setup;

/// An authority's certificate.
fn authority() -> Result<CertifiedIssuer<'static, KeyPair>> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    Ok(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?)
}

/// A port at which `localhost` has a certificate of that authority, and says nothing.
async fn serve(authority: &CertifiedIssuer<'static, KeyPair>) -> Result<u16> {
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(["localhost".to_owned()])?.signed_by(&key, authority)?;
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = acceptor.accept(stream).await;
        }
    });
    Ok(port)
}

#[tokio::test]
async fn certificates_are_trusted_as_options_say() -> Result<()> {
    let (own, another) = (authority()?, authority()?);
    let port = serve(&own).await?;
    for (options, is_trusted) in [
        (&[("PROVIDER_CA_FILES", "own.pem")][..], true),
        (&[("PROVIDER_CA_FILES", "another.pem")], false),
        (&[("PROVIDER_CA_FILES", "another.pem"), ("USE_SYSTEM_TRUST_STORE", "true")], true),
    ] {
        let (_provider, mut setup) = setup().await?;
        // The system's authorities are those of this file, as they can be on any Unix.
        let system = setup.file("own.pem", own.pem())?;
        setup.file("another.pem", another.pem())?;
        setup.variables.insert("SSL_CERT_FILE".to_owned(), fs::canonicalize(system)?.display().to_string());
        setup = setup.set("OIDC_ISSUER_URL", format!("https://localhost:{port}"));
        setup = options.iter().fold(setup, |setup, (name, value)| setup.set(name, *value));
        let mut gateway = setup.start().await?;
        gateway.visitor()?.navigate(&gateway.url("/oauth2/start")).await?;
        let line = gateway.child.line_with("provider did not answer", PATIENCE).await?;
        assert_eq!(!line.contains("the certificate is not trusted"), is_trusted, "{options:?}: {line}");
    }
    Ok(())
}

#[tokio::test]
async fn the_provider_is_asked_through_a_proxy() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let (_provider, setup) = setup().await?;
    let gateway = setup
        .set("PROVIDER_PROXY", format!("http://name:password@{}", listener.local_addr()?))
        .set("OIDC_ISSUER_URL", "https://id.example.com")
        .start()
        .await?;
    let (mut visitor, start) = (gateway.visitor()?, gateway.url("/oauth2/start"));
    let visit = tokio::spawn(async move { visitor.navigate(&start).await });
    let (mut stream, _) = listener.accept().await?;
    let mut head = [0; 1024];
    let length = stream.read(&mut head).await?;
    let head = String::from_utf8_lossy(&head[..length]).into_owned();
    assert!(head.starts_with("CONNECT id.example.com:443 HTTP/1.1"), "{head}");
    drop(stream);
    assert_eq!(visit.await??.status(), 503);
    assert!(!gateway.child.output().contains("password"));
    Ok(())
}
