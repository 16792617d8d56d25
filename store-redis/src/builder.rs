//! What there is to configure.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use redis::{ClientTlsConfig, TlsCertificates, TlsMode, sentinel::SentinelClientBuilder};
use vestibule::secret::Secret;

use crate::{
    RedisStore,
    address::{Address, Login, Place, REDIS_PORT, SENTINEL_PORT},
    link::Link,
    server::Server,
};

/// Every key begins with this where nothing else is configured.
const PREFIX_DEFAULT: &str = "vestibule:";

/// Bytes of a prefix.
const PREFIX_BYTES_MAX: usize = 64;

/// How many addresses one store may have.
const ADDRESSES_MAX: usize = 64;

/// Collects what there is to configure about a [`RedisStore`]. What it prints shows no address and no secret.
#[derive(Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct RedisBuilder {
    servers: Servers,
    login: Login,
    sentinel_login: Login,
    ca_file: Option<PathBuf>,
    client_certificate: Option<(PathBuf, PathBuf)>,
    prefix: String,
}

#[derive(Clone)]
enum Servers {
    Node(Secret),
    Sentinel { master: String, urls: Vec<Secret> },
    Cluster(Vec<Secret>),
}

impl RedisBuilder {
    fn new(servers: Servers) -> Self {
        Self {
            servers,
            login: Login::default(),
            sentinel_login: Login::default(),
            ca_file: None,
            client_certificate: None,
            prefix: PREFIX_DEFAULT.to_owned(),
        }
    }

    /// One server: `redis://host:port/database`, `rediss://` with TLS, `unix:///path/of/the.sock?db=0`. `valkey://` and
    /// `valkeys://` are the same. A name and a password may stand before the host; `username` and `password` are better
    /// places for them.
    pub fn node(url: impl Into<Secret>) -> Self {
        Self::new(Servers::Node(url.into()))
    }

    /// The master called `master`, wherever the Sentinels at these addresses say that it is. `rediss://` for TLS, to
    /// the Sentinels and to the servers alike; a number after the first address's host is the database.
    pub fn sentinel(master: impl Into<String>, urls: impl IntoIterator<Item = impl Into<Secret>>) -> Self {
        let urls = urls.into_iter().map(Into::into).collect();
        Self::new(Servers::Sentinel { master: master.into(), urls })
    }

    /// A cluster, some of whose nodes are at these addresses.
    pub fn cluster(urls: impl IntoIterator<Item = impl Into<Secret>>) -> Self {
        Self::new(Servers::Cluster(urls.into_iter().map(Into::into).collect()))
    }

    /// Sets the name that servers know us by. It counts before one in an address.
    pub fn username(mut self, name: impl Into<String>) -> Self {
        self.login.username = Some(name.into());
        self
    }

    /// Sets the password for the servers. It counts before one in an address.
    pub fn password(mut self, password: impl Into<Secret>) -> Self {
        self.login.password = Some(password.into());
        self
    }

    /// Sets the name that the Sentinels know us by. What is said of the servers is not said to them.
    pub fn sentinel_username(mut self, name: impl Into<String>) -> Self {
        self.sentinel_login.username = Some(name.into());
        self
    }

    /// Sets the password for the Sentinels.
    pub fn sentinel_password(mut self, password: impl Into<Secret>) -> Self {
        self.sentinel_login.password = Some(password.into());
        self
    }

    /// Trusts the certificate authorities of this PEM file, and no others. Where none is given, those of the system.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(path.into());
        self
    }

    /// Shows servers this certificate, with its key: PEM files both.
    pub fn client_certificate(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.client_certificate = Some((certificate.into(), key.into()));
        self
    }

    /// Sets what every key begins with; `vestibule:` where it is not set. Applications that share a server and should
    /// not share sessions differ in this.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The store. No server is asked anything yet: an application starts while they are away.
    ///
    /// # Errors
    /// An address, a file or the prefix cannot be used.
    pub fn build(self) -> Result<RedisStore, ConfigError> {
        let fits = self.prefix.len() <= PREFIX_BYTES_MAX && self.prefix.bytes().all(|b| b.is_ascii_graphic());
        if !fits {
            return Err(ConfigError::Prefix);
        }
        let server = match &self.servers {
            Servers::Node(url) => self.node_server(url)?,
            Servers::Sentinel { master, urls } => {
                self.sentinel_server(master, &read_all(urls, SENTINEL_PORT)?)?
            }
            Servers::Cluster(urls) => self.cluster_server(&read_all(urls, REDIS_PORT)?)?,
        };
        Ok(RedisStore::new(Link::new(server), self.prefix))
    }

    fn node_server(&self, url: &Secret) -> Result<Server, ConfigError> {
        let address = Address::read(url.expose(), REDIS_PORT)?;
        let certificates = self.certificates(address.place.is_tls())?;
        Server::node(address.connection(&self.login)?, certificates.as_ref()).map_err(refused)
    }

    fn sentinel_server(&self, master: &str, sentinels: &[Address]) -> Result<Server, ConfigError> {
        if master.is_empty() {
            return Err(ConfigError::Master);
        }
        let tls = sentinels[0].place.is_tls();
        let places = sentinels.iter().map(|sentinel| sentinel.place.address());
        let mut builder = SentinelClientBuilder::new(places, master, Server::MASTER).map_err(refused)?;
        if let Some(certificates) = self.certificates(tls)? {
            builder = builder
                .set_client_to_redis_tls_mode(TlsMode::Secure)
                .set_client_to_redis_certificates(certificates.clone())
                .set_client_to_sentinel_certificates(certificates);
        }
        if let Some(database) = sentinels[0].database {
            builder = builder.set_client_to_redis_db(database);
        }
        // What stands in an address is for whoever is there.
        let theirs = self.sentinel_login.clone().or(&sentinels[0].login);
        if let Some(name) = theirs.username {
            builder = builder.set_client_to_sentinel_username(name);
        }
        if let Some(password) = theirs.password {
            builder = builder.set_client_to_sentinel_password(password.expose());
        }
        if let Some(name) = &self.login.username {
            builder = builder.set_client_to_redis_username(name);
        }
        if let Some(password) = &self.login.password {
            builder = builder.set_client_to_redis_password(password.expose());
        }
        Server::sentinel(builder).map_err(refused)
    }

    fn cluster_server(&self, nodes: &[Address]) -> Result<Server, ConfigError> {
        if nodes.iter().any(|node| node.database.is_some_and(|database| database != 0)) {
            return Err(ConfigError::ClusterDatabase);
        }
        let certificates = self.certificates(nodes[0].place.is_tls())?;
        let login = self.login.clone().or(&nodes[0].login);
        let connections = nodes.iter().map(|node| node.connection(&login)).collect::<Result<_, _>>()?;
        Server::cluster(connections, certificates.as_ref()).map_err(refused)
    }

    /// What is trusted and shown over TLS; none where there is no TLS.
    fn certificates(&self, tls: bool) -> Result<Option<TlsCertificates>, ConfigError> {
        if !tls {
            return match (&self.ca_file, &self.client_certificate) {
                (None, None) => Ok(None),
                // Whoever gives certificates believes that there is TLS.
                _ => Err(ConfigError::CertificatesWithoutTls),
            };
        }
        // Whoever builds a program with two providers has chosen one; where it is ours alone, so have we. A second
        // thread may have been quicker, which is as good.
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        }
        let root_cert = self.ca_file.as_deref().map(|path| read_pem(path, "CERTIFICATE")).transpose()?;
        let client_tls = match &self.client_certificate {
            Some((certificate, key)) => Some(ClientTlsConfig {
                client_cert: read_pem(certificate, "CERTIFICATE")?,
                client_key: read_pem(key, "PRIVATE KEY")?,
            }),
            None => None,
        };
        Ok(Some(TlsCertificates { client_tls, root_cert }))
    }
}

fn read_all(urls: &[Secret], port: u16) -> Result<Vec<Address>, ConfigError> {
    if urls.is_empty() || ADDRESSES_MAX < urls.len() {
        return Err(ConfigError::Addresses);
    }
    let addresses =
        urls.iter().map(|url| Address::read(url.expose(), port)).collect::<Result<Vec<_>, _>>()?;
    let socket = addresses.iter().any(|address| matches!(address.place, Place::Socket(_)));
    let mixed = addresses.iter().any(|address| address.place.is_tls() != addresses[0].place.is_tls());
    match (socket, mixed) {
        (true, _) => Err(ConfigError::Address {
            problem: "it is a socket's; Sentinels and the nodes of a cluster have hosts and ports",
        }),
        (_, true) => Err(ConfigError::Address {
            problem: "it has TLS and another of the same store has none, or the other way round",
        }),
        _ => Ok(addresses),
    }
}

fn read_pem(path: &Path, what: &'static str) -> Result<Vec<u8>, ConfigError> {
    let pem = match fs::read(path) {
        Ok(pem) => pem,
        Err(source) => return Err(ConfigError::File { path: path.to_owned(), source }),
    };
    let has_one =
        String::from_utf8_lossy(&pem).lines().any(|line| line.trim_end().ends_with(&format!("{what}-----")));
    if has_one { Ok(pem) } else { Err(ConfigError::NotPem { path: path.to_owned(), what }) }
}

/// What the client says may have an address in it, so it is not passed on.
fn refused(_: redis::RedisError) -> ConfigError {
    ConfigError::Refused
}

impl fmt::Debug for RedisBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers = match &self.servers {
            Servers::Node(_) => "one node",
            Servers::Sentinel { .. } => "Sentinel",
            Servers::Cluster(_) => "Cluster",
        };
        f.debug_struct("RedisBuilder")
            .field("servers", &servers)
            .field("ca_file", &self.ca_file)
            .field(
                "client_certificate",
                &self.client_certificate.as_ref().map(|(certificate, _)| certificate),
            )
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// Why there is no store, with the remedy. No address is shown, since it may hold a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// An address cannot be used.
    #[error("an address of the Redis store cannot be used: {problem}")]
    Address {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// There is none, or there are too many.
    #[error("Sentinels and a cluster need at least one address, and 64 are the most")]
    Addresses,
    /// The master of a Sentinel has no name.
    #[error("the name of the master is missing; it is what `sentinel monitor` calls it")]
    Master,
    /// A cluster has one database only.
    #[error("a cluster has database 0 only; leave the number out of its addresses")]
    ClusterDatabase,
    /// Certificates are given, and no address is one of TLS.
    #[error("certificates are given, but the addresses are not those of TLS; write rediss://")]
    CertificatesWithoutTls,
    /// A file cannot be read.
    #[error("{} cannot be read: {source}; give the path of a PEM file", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file holds something else.
    #[error("there is no {what} in {}; give a PEM file with one", path.display())]
    NotPem {
        /// The file.
        path: PathBuf,
        /// What should be in it.
        what: &'static str,
    },
    /// The prefix cannot stand before keys.
    #[error("the prefix of keys has more than 64 bytes, or others than visible ASCII characters")]
    Prefix,
    /// The client does not take it.
    #[error(
        "the Redis client does not take these addresses and certificates together; look whether the key fits the \
         certificate, and whether all addresses have one name and password"
    )]
    Refused,
}
