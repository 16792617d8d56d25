//! Whom a host trusts: the system's authorities, and those that it is given.
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
};
use vestibule::{driver::Host as _, exchange::HttpFailure};
use vestibule_reqwest::{HostError, ReqwestHost};

const LONG: Duration = Duration::from_secs(60);

/// An authority of this test's own, and its certificate in a file.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: PathBuf,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let file = std::env::temp_dir().join(format!("vestibule-{name}-{}.pem", std::process::id()));
        std::fs::write(&file, issuer.pem()).unwrap();
        Self { issuer, file }
    }

    /// A server with a certificate for `name`.
    async fn serve(&self, name: &str) -> SocketAddr {
        let key = KeyPair::generate().unwrap();
        let certificate: Certificate =
            CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key);
        let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut head = [0; 1024];
                let read = stream.read(&mut head).await;
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
                if read.is_ok() {
                    stream.write_all(answer).await.unwrap_or_default();
                    stream.shutdown().await.unwrap_or_default();
                }
            }
        });
        address
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        std::fs::remove_file(&self.file).unwrap_or_default();
    }
}

async fn ask(host: &ReqwestHost, server: SocketAddr) -> Result<u16, HttpFailure> {
    let request =
        http::Request::get(format!("https://localhost:{}/", server.port())).body(Vec::new()).unwrap();
    host.exchange(request, LONG).await.map(|response| response.status().as_u16())
}

#[tokio::test]
async fn an_authority_counts_once_it_is_given() {
    let authority = Authority::new("given");
    let server = authority.serve("localhost").await;
    let other_name = authority.serve("op.example").await;
    let strangers = ReqwestHost::new().unwrap();
    assert_eq!(ask(&strangers, server).await, Err(HttpFailure::Certificate));

    for builder in [ReqwestHost::builder(), ReqwestHost::builder().only_given_cas()] {
        let host = builder.extra_ca_file(&authority.file).build().unwrap();
        assert_eq!(ask(&host, server).await, Ok(200));
        assert_eq!(ask(&host, other_name).await, Err(HttpFailure::Certificate));
    }
    let trusting_nobody = ReqwestHost::builder().only_given_cas().build().unwrap();
    assert_eq!(ask(&trusting_nobody, server).await, Err(HttpFailure::Certificate));
}

#[tokio::test]
async fn a_port_that_speaks_no_tls_is_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap_or_default();
        }
    });
    assert_eq!(ask(&ReqwestHost::new().unwrap(), address).await, Err(HttpFailure::Connect));
}

#[test]
fn what_cannot_be_used_is_said_with_the_remedy() {
    let authority = Authority::new("names");
    let builder = ReqwestHost::builder;
    let missing = builder().extra_ca_file("no/such/file.pem").build().unwrap_err();
    assert!(matches!(missing, HostError::CaFile { .. }) && missing.to_string().contains("no/such/file.pem"));
    std::fs::write(&authority.file, "no certificate").unwrap();
    let empty = builder().extra_ca_file(&authority.file).build().unwrap_err();
    assert!(matches!(empty, HostError::NoCertificate { .. }), "{empty}");
    let proxy = builder().proxy("://name:canary@").build().unwrap_err();
    assert!(matches!(proxy, HostError::Proxy) && !format!("{proxy} {proxy:?}").contains("canary"));
    assert!(!format!("{:?}", builder().proxy("http://name:canary@proxy.example")).contains("canary"));
    assert!(matches!(builder().user_agent("a\nb").build(), Err(HostError::UserAgent)));
}
