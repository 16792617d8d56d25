//! Where sessions are kept, and what a store is used for.

use std::{
    fmt, fs,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use vestibule::{
    config::Builder,
    store::{MemoryStore, SessionStore, StoreError, StoreKey},
    time::Timestamp,
};
use vestibule_redis::{ConfigError, RedisBuilder, RedisStore};

use crate::{options::Options, row::Row, rows};

/// What is heeded only where sessions are in Redis.
static OF_REDIS: [&Row; 10] = [
    &rows::REDIS_CONNECTION_URL,
    &rows::REDIS_USERNAME,
    &rows::REDIS_PASSWORD,
    &rows::REDIS_CA_PATH,
    &rows::REDIS_USE_SENTINEL,
    &rows::REDIS_SENTINEL_MASTER_NAME,
    &rows::REDIS_SENTINEL_CONNECTION_URLS,
    &rows::REDIS_SENTINEL_PASSWORD,
    &rows::REDIS_USE_CLUSTER,
    &rows::REDIS_CLUSTER_CONNECTION_URLS,
];

/// What options say about sessions beyond their cookie.
#[derive(Debug)]
pub(crate) struct Sessions {
    pub(crate) store: Option<Store>,
    idle: Option<Duration>,
    /// `None` before the access token ends; never for no time at all.
    refresh_every: Option<Duration>,
    sign_out_at_provider: bool,
    backchannel_logout: bool,
    frontchannel_logout: bool,
}

/// The store that options name. Its `Debug` print shows no address and no secret.
#[derive(Clone)]
pub struct Store {
    store: Arc<dyn SessionStore>,
    /// The same, where it is one of several processes'.
    redis: Option<Arc<RedisStore>>,
    /// A hash of everything that was said about it.
    configured: StoreKey,
}

impl Store {
    /// What a vestibule is built with.
    pub fn sessions(&self) -> Arc<dyn SessionStore> {
        Arc::clone(&self.store)
    }

    /// Asks whether it is there.
    ///
    /// # Errors
    /// It does not answer, or not with what such a store says.
    pub async fn ping(&self) -> Result<(), StoreError> {
        match &self.redis {
            Some(redis) => redis.ping().await,
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.redis.is_some() { "Store(redis)" } else { "Store(memory)" })
    }
}

impl Sessions {
    pub(crate) fn read(options: &mut Options) -> Self {
        let kind = options.choice(&rows::SESSION_STORE_TYPE);
        if kind != Some("redis") {
            for row in OF_REDIS.into_iter().filter(|row| options.is_set(row)).collect::<Vec<_>>() {
                let name = options.name(&rows::SESSION_STORE_TYPE);
                options.problem(
                    row,
                    "sessions are not kept in Redis",
                    format!("set {name} to `redis`, or leave it out"),
                );
            }
        }
        let store = match kind {
            Some("redis") => redis(options),
            Some("memory") => Some(Store {
                store: Arc::new(MemoryStore::new(now)),
                redis: None,
                configured: StoreKey::new("memory", &[]),
            }),
            _ => None,
        };
        Self {
            store,
            idle: options.duration(&rows::IDLE_LIMIT).filter(|idle| !idle.is_zero()),
            refresh_every: options.duration(&rows::COOKIE_REFRESH),
            sign_out_at_provider: options.flag(&rows::SIGN_OUT_AT_PROVIDER).unwrap_or(false),
            backchannel_logout: options.flag(&rows::BACKCHANNEL_LOGOUT).unwrap_or(false),
            frontchannel_logout: options.flag(&rows::FRONTCHANNEL_LOGOUT).unwrap_or(false),
        }
    }

    /// The store that another configuration has already, where it is the same: what is connected stays so, and what is
    /// in memory is not lost.
    pub(crate) fn share(&mut self, before: &Store) {
        if self.store.as_ref().is_some_and(|store| store.configured == before.configured) {
            self.store = Some(before.clone());
        }
    }

    pub(crate) fn say_to(&self, mut builder: Builder) -> Builder {
        if let Some(store) = &self.store {
            builder = builder.store(store.sessions());
        }
        if let Some(idle) = self.idle {
            builder = builder.idle_limit(idle);
        }
        if self.sign_out_at_provider {
            builder = builder.sign_out_at_provider();
        }
        if self.backchannel_logout {
            builder = builder.backchannel_logout();
        }
        if self.frontchannel_logout {
            builder = builder.frontchannel_logout();
        }
        match self.refresh_every {
            Some(Duration::ZERO) => builder,
            Some(interval) => builder.refresh_every(interval),
            None if self.store.is_some() => builder.refresh_tokens(),
            None => builder,
        }
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// A Redis, as options describe it. It is not asked anything.
fn redis(options: &mut Options) -> Option<Store> {
    let sentinel = options.flag(&rows::REDIS_USE_SENTINEL).unwrap_or(false);
    let cluster = options.flag(&rows::REDIS_USE_CLUSTER).unwrap_or(false);
    let (builder, place) = match (sentinel, cluster) {
        (true, true) => {
            let name = options.name(&rows::REDIS_USE_SENTINEL);
            options.problem(
                &rows::REDIS_USE_CLUSTER,
                format!("{name} is set too"),
                "set only one of the two",
            );
            return None;
        }
        (true, false) => {
            let master = options.required(&rows::REDIS_SENTINEL_MASTER_NAME);
            (
                RedisBuilder::sentinel(master, addresses(options, &rows::REDIS_SENTINEL_CONNECTION_URLS)?),
                &rows::REDIS_SENTINEL_CONNECTION_URLS,
            )
        }
        (false, true) => (
            RedisBuilder::cluster(addresses(options, &rows::REDIS_CLUSTER_CONNECTION_URLS)?),
            &rows::REDIS_CLUSTER_CONNECTION_URLS,
        ),
        (false, false) => {
            (RedisBuilder::node(options.required(&rows::REDIS_CONNECTION_URL)), &rows::REDIS_CONNECTION_URL)
        }
    };
    unheeded(options, sentinel, cluster);
    if !options.is_set(place) {
        return None;
    }
    match with_access(options, builder).build() {
        Ok(store) => {
            let store = Arc::new(store);
            Some(Store { store: store.clone(), redis: Some(store), configured: configured(options) })
        }
        Err(error) => {
            let row = row_of(&error).unwrap_or(place);
            options.problem(row, error.to_string(), "correct it, or leave it out");
            None
        }
    }
}

fn addresses(options: &mut Options, row: &Row) -> Option<Vec<String>> {
    let addresses = options.list(row);
    if addresses.is_empty() {
        options.problem(row, "it is not set", format!("set it: {}", row.meaning));
        return None;
    }
    Some(addresses)
}

fn with_access(options: &Options, mut builder: RedisBuilder) -> RedisBuilder {
    if let Some(name) = options.text(&rows::REDIS_USERNAME) {
        builder = builder.username(name);
    }
    if let Some(password) = options.text(&rows::REDIS_PASSWORD) {
        builder = builder.password(password);
    }
    if let Some(password) = options.text(&rows::REDIS_SENTINEL_PASSWORD) {
        builder = builder.sentinel_password(password);
    }
    match options.text(&rows::REDIS_CA_PATH) {
        Some(path) => builder.ca_file(path),
        None => builder,
    }
}

/// Options about another kind of Redis than the one that is asked for.
fn unheeded(options: &mut Options, sentinel: bool, cluster: bool) {
    for (row, is_heeded, needs) in [
        (&rows::REDIS_SENTINEL_MASTER_NAME, sentinel, &rows::REDIS_USE_SENTINEL),
        (&rows::REDIS_SENTINEL_CONNECTION_URLS, sentinel, &rows::REDIS_USE_SENTINEL),
        (&rows::REDIS_SENTINEL_PASSWORD, sentinel, &rows::REDIS_USE_SENTINEL),
        (&rows::REDIS_CLUSTER_CONNECTION_URLS, cluster, &rows::REDIS_USE_CLUSTER),
    ] {
        if options.is_set(row) && !is_heeded {
            let needs = options.name(needs);
            options.problem(row, format!("{needs} is not set"), format!("set {needs}, or leave this out"));
        }
    }
}

fn row_of(error: &ConfigError) -> Option<&'static Row> {
    match error {
        ConfigError::Master => Some(&rows::REDIS_SENTINEL_MASTER_NAME),
        ConfigError::CertificatesWithoutTls | ConfigError::File { .. } | ConfigError::NotPem { .. } => {
            Some(&rows::REDIS_CA_PATH)
        }
        _ => None,
    }
}

/// Everything that is said about it. A file counts by what is in it.
fn configured(options: &Options) -> StoreKey {
    let mut parts: Vec<Vec<u8>> =
        OF_REDIS.iter().map(|row| options.text(row).unwrap_or_default().into_bytes()).collect();
    let authorities = options.text(&rows::REDIS_CA_PATH).and_then(|path| fs::read(path).ok());
    parts.push(authorities.unwrap_or_default());
    StoreKey::new("redis", &parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
}
