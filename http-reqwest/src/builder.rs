//! What there is to configure about a host.

use std::{
    fmt, fs, io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use reqwest::{
    Certificate, Client, NoProxy, Proxy,
    header::{ACCEPT_ENCODING, HeaderMap, HeaderValue},
    redirect, retry,
};
use vestibule::{limits::PROVIDER_CONNECT_TIME_MAX, secret::Secret};

use crate::ReqwestHost;

/// How long a connection is kept for the next request of the same conversation. Node closes its own after five
/// seconds, and a request sent into a closing connection is lost: a spent code cannot be sent again.
const CONNECTION_IDLE_TIME_MAX: Duration = Duration::from_secs(4);

/// Collects what there is to configure about a host.
#[derive(Clone, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct Builder {
    ca_files: Vec<PathBuf>,
    only_given_cas: bool,
    proxy: Option<Secret>,
    user_agent: Option<String>,
}

impl Builder {
    /// Trusts the certificate authorities of this PEM file too.
    pub fn extra_ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_files.push(path.into());
        self
    }

    /// Trusts the authorities of [`Builder::extra_ca_file`] only, not those of the system. Where there are none,
    /// nothing but this machine can be asked.
    pub fn only_given_cas(mut self) -> Self {
        self.only_given_cas = true;
        self
    }

    /// Asks providers through the proxy at this address, which may hold a name and a password. Proxies of the
    /// environment (`HTTPS_PROXY`) never count: what signs people in takes no orders from whoever sets a variable.
    pub fn proxy(mut self, address: impl Into<Secret>) -> Self {
        self.proxy = Some(address.into());
        self
    }

    /// Sets what the host calls itself; `vestibule/` and the version where it is not set.
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = Some(name.into());
        self
    }

    /// The host.
    ///
    /// # Errors
    /// A file cannot be read or holds no certificate, the proxy's address or the name cannot be used, or the system
    /// has no certificates of authorities.
    pub fn build(self) -> Result<ReqwestHost, HostError> {
        let agent =
            self.user_agent.unwrap_or_else(|| concat!("vestibule/", env!("CARGO_PKG_VERSION")).to_owned());
        let agent = HeaderValue::try_from(agent).map_err(|_| HostError::UserAgent)?;
        let mut certificates = Vec::new();
        for path in self.ca_files {
            certificates.extend(read_certificates(path)?);
        }
        let mut client = bounded().user_agent(agent);
        client = match (self.only_given_cas, certificates) {
            (true, certificates) => client.tls_certs_only(certificates),
            (false, certificates) if certificates.is_empty() => client,
            (false, certificates) => client.tls_certs_merge(certificates),
        };
        if let Some(address) = self.proxy {
            let proxy = Proxy::https(address.expose()).map_err(|_| HostError::Proxy)?;
            client = client.proxy(proxy.no_proxy(NoProxy::from_string("localhost,127.0.0.0/8,::1")));
        }
        client.build().map(ReqwestHost::with).map_err(|error| HostError::Tls(Box::new(error)))
    }
}

/// A client without any habit that is not asked for. Some are named although they are off by default: another crate
/// of the application may turn the features on that bring them.
fn bounded() -> reqwest::ClientBuilder {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    // RFC 6761 §6.3: the name never leaves the machine, whatever a resolver says of it.
    let loopback = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))];
    Client::builder()
        .tls_backend_rustls()
        .default_headers(headers)
        .redirect(redirect::Policy::none())
        .referer(false)
        .retry(retry::never())
        .no_proxy()
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .http1_only()
        .connect_timeout(PROVIDER_CONNECT_TIME_MAX)
        .pool_idle_timeout(CONNECTION_IDLE_TIME_MAX)
        .resolve_to_addrs("localhost", &loopback)
}

fn read_certificates(path: PathBuf) -> Result<Vec<Certificate>, HostError> {
    let pem = match fs::read(&path) {
        Ok(pem) => pem,
        Err(source) => return Err(HostError::CaFile { path, source }),
    };
    match Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(HostError::NoCertificate { path }),
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("ca_files", &self.ca_files)
            .field("only_given_cas", &self.only_given_cas)
            .field("proxy", &self.proxy)
            .finish_non_exhaustive()
    }
}

/// Why there is no host, with the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// A file of certificates cannot be read.
    #[error("the certificates in {} cannot be read: {source}; give the path of a PEM file", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file of certificates holds none.
    #[error("there is no certificate in {}; give a PEM file with the authority's own, not a key", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The proxy's address cannot be used. It may hold a password and is not shown.
    #[error("the proxy's address cannot be used; write http://host:port or http://name:password@host:port")]
    Proxy,
    /// The name cannot stand in a header.
    #[error("the user agent cannot stand in a header; use visible ASCII characters")]
    UserAgent,
    /// TLS cannot be set up.
    #[error(
        "TLS cannot be set up; install the system's certificates (the package `ca-certificates`), or give a file of \
         certificates and trust only those"
    )]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
}
