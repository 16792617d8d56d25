//! The server, or the servers: how a connection to them is made.

use std::{fmt, time::Duration};

use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, RedisResult,
    cluster::ClusterClient,
    sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType},
};
use tokio::sync::Mutex;

use crate::link::Line;

/// How long it may take until one server has taken a connection and the login.
pub(crate) const NODE_CONNECT_TIME_MAX: Duration = Duration::from_millis(1_500);

/// How long one node of a cluster is waited for, before the client asks another or the same again.
pub(crate) const CLUSTER_ANSWER_TIME_MAX: Duration = Duration::from_millis(1_000);

/// What there is to connect to.
pub(crate) enum Server {
    Node(Box<Client>),
    Sentinel(Box<Mutex<SentinelClient>>),
    Cluster(Box<ClusterClient>),
}

impl Server {
    pub(crate) fn node(info: ConnectionInfo, tls: Option<&redis::TlsCertificates>) -> RedisResult<Self> {
        match tls {
            Some(certificates) => Client::build_with_tls(info, certificates.clone()),
            None => Client::open(info),
        }
        .map(|client| Self::Node(Box::new(client)))
    }

    pub(crate) fn sentinel(builder: SentinelClientBuilder) -> RedisResult<Self> {
        builder.build().map(|client| Self::Sentinel(Box::new(Mutex::new(client))))
    }

    pub(crate) fn cluster(
        nodes: Vec<ConnectionInfo>,
        tls: Option<&redis::TlsCertificates>,
    ) -> RedisResult<Self> {
        let mut builder = ClusterClient::builder(nodes)
            .connection_timeout(NODE_CONNECT_TIME_MAX)
            .response_timeout(CLUSTER_ANSWER_TIME_MAX)
            // Each call has a limit of its own.
            .overall_response_timeout(None)
            // Enough to follow a slot that has moved; what it repeats after a lost answer, the commands allow for.
            .retries(4)
            .min_retry_wait(20)
            .max_retry_wait(200);
        if let Some(certificates) = tls {
            builder = builder.certs(certificates.clone());
        }
        builder.build().map(|client| Self::Cluster(Box::new(client)))
    }

    pub(crate) const MASTER: SentinelServerType = SentinelServerType::Master;

    /// Whether the client itself sends a command again whose answer was lost.
    pub(crate) fn repeats(&self) -> bool {
        matches!(self, Self::Cluster(_))
    }

    /// A new connection. The caller bounds the time.
    pub(crate) async fn connect(&self) -> RedisResult<Line> {
        // Calls have limits of their own, so the connection has none on answers.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(NODE_CONNECT_TIME_MAX))
            .set_response_timeout(None);
        Ok(match self {
            Self::Node(client) => {
                Line::Node(client.get_multiplexed_async_connection_with_config(&config).await?)
            }
            Self::Sentinel(client) => {
                // The Sentinels are asked each time: who was the master may be a replica by now.
                let master = client.lock().await.async_get_client().await?;
                Line::Node(master.get_multiplexed_async_connection_with_config(&config).await?)
            }
            Self::Cluster(client) => Line::Cluster(client.get_async_connection().await?),
        })
    }
}

/// Says what kind it is; addresses and logins stay unsaid.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Node(_) => "one node",
            Self::Sentinel(_) => "Sentinel",
            Self::Cluster(_) => "Cluster",
        })
    }
}
