//! How a provider is described before it starts.

use std::{
    collections::HashSet,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use tokio::net::TcpListener;

use crate::{
    Alg, Client, Person, Problem, Running, StartError,
    jose::KeyRing,
    shared::{Settings, Shared},
    start_error::problems_of,
};

/// An OpenID provider for demonstrations and tests.
#[derive(Debug)]
pub struct DevProvider;

impl DevProvider {
    /// A provider on a free loopback port, with [`Person::invented`] and no client yet.
    pub fn builder() -> Builder {
        Builder {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            issuer_path: String::new(),
            clients: Vec::new(),
            people: Person::invented(),
            settings: Settings {
                alg: Alg::Rs256,
                code_life: 60,
                access_token_life: 300,
                id_token_life: 300,
                single_sign_on: false,
                always_refresh_token: false,
                claims_in_id_token: false,
                more_audiences: Vec::new(),
            },
        }
    }
}

/// Describes a provider; [`Builder::start`] runs it.
#[derive(Debug, Clone)]
pub struct Builder {
    bind: SocketAddr,
    issuer_path: String,
    clients: Vec<Client>,
    people: Vec<Person>,
    settings: Settings,
}

impl Builder {
    /// Listens at this address, which must be loopback. Port 0 takes a free one.
    #[must_use]
    pub fn bind(mut self, address: impl Into<SocketAddr>) -> Self {
        self.bind = address.into();
        self
    }

    /// Puts the issuer below this path, such as `/realms/demo` or `/a/` (with or without a slash at its end).
    #[must_use]
    pub fn issuer_path(mut self, path: impl Into<String>) -> Self {
        self.issuer_path = path.into();
        self
    }

    /// Registers a client; without a secret it is a public one.
    #[must_use]
    pub fn client<U: Into<String>>(
        self,
        id: impl Into<String>,
        secret: Option<&str>,
        redirect_uris: impl IntoIterator<Item = U>,
    ) -> Self {
        let mut client = Client::new(id);
        client.secret = secret.map(ToOwned::to_owned);
        client.redirect_uris = redirect_uris.into_iter().map(Into::into).collect();
        self.register(client)
    }

    /// Registers a client that was described in full.
    #[must_use]
    pub fn register(mut self, client: Client) -> Self {
        self.clients.push(client);
        self
    }

    /// Adds a person to those who are there.
    #[must_use]
    pub fn person(mut self, person: Person) -> Self {
        self.people.push(person);
        self
    }

    /// Has these people only.
    #[must_use]
    pub fn only_people(mut self, people: impl IntoIterator<Item = Person>) -> Self {
        self.people = people.into_iter().collect();
        self
    }

    /// Signs ID tokens with this algorithm; RS256 unless told otherwise.
    #[must_use]
    pub fn id_token_alg(mut self, alg: Alg) -> Self {
        self.settings.alg = alg;
        self
    }

    /// How long access tokens live; five minutes unless told otherwise.
    #[must_use]
    pub fn access_token_life(mut self, life: Duration) -> Self {
        self.settings.access_token_life = seconds(life);
        self
    }

    /// How long ID tokens live; five minutes unless told otherwise.
    #[must_use]
    pub fn id_token_life(mut self, life: Duration) -> Self {
        self.settings.id_token_life = seconds(life);
        self
    }

    /// Remembers the browser, so that its next sign-in passes without a page.
    #[must_use]
    pub fn single_sign_on(mut self) -> Self {
        self.settings.single_sign_on = true;
        self
    }

    /// Gives refresh tokens to everybody, not only for the scope `offline_access`.
    #[must_use]
    pub fn always_refresh_token(mut self) -> Self {
        self.settings.always_refresh_token = true;
        self
    }

    /// Puts the claims that the scopes ask for into the ID token too, not only into userinfo.
    #[must_use]
    pub fn claims_in_id_token(mut self) -> Self {
        self.settings.claims_in_id_token = true;
        self
    }

    /// Makes ID tokens for this audience too; `aud` becomes a list, and `azp` names the client.
    #[must_use]
    pub fn more_audience(mut self, audience: impl Into<String>) -> Self {
        self.settings.more_audiences.push(audience.into());
        self
    }

    /// Starts the provider on the current tokio runtime. It lives until [`Running::stop`] or the runtime's end.
    ///
    /// # Errors
    ///
    /// Everything that is refused, all at once; an address that cannot be listened at.
    pub async fn start(self) -> Result<Running, StartError> {
        let problems = self.problems();
        if !problems.is_empty() {
            return Err(StartError::Refused(problems));
        }
        let listen = |source| StartError::Listen { address: self.bind, source };
        let listener = TcpListener::bind(self.bind).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let keys = KeyRing::generate().map_err(|_| StartError::Keys)?;
        let shared = Shared::new(address, &self.issuer_path, self.settings, self.clients, self.people, keys);
        Ok(Running::new(shared, listener))
    }

    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !self.bind.ip().is_loopback() {
            problems.push(Problem::NotLoopback(self.bind));
        }
        if !is_issuer_path(&self.issuer_path) {
            problems.push(Problem::IssuerPath(self.issuer_path.clone()));
        }
        let mut ids = HashSet::new();
        for client in &self.clients {
            problems.extend(problems_of(client));
            if !ids.insert(&client.id) {
                problems.push(Problem::DoubledClient(client.id.clone()));
            }
        }
        let (mut subs, mut usernames) = (HashSet::new(), HashSet::new());
        for person in &self.people {
            if !subs.insert(&person.sub) {
                problems.push(Problem::DoubledPerson(person.sub.clone()));
            }
            if !usernames.insert(&person.username) {
                problems.push(Problem::DoubledPerson(person.username.clone()));
            }
        }
        problems
    }
}

fn seconds(life: Duration) -> i64 {
    i64::try_from(life.as_secs()).unwrap_or(i64::MAX)
}

fn is_issuer_path(path: &str) -> bool {
    let segment_is_fine = |segment: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(plain)
    };
    match path.strip_prefix('/') {
        None => path.is_empty(),
        Some("") => true,
        Some(rest) => rest.strip_suffix('/').unwrap_or(rest).split('/').all(segment_is_fine),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_problems_are_told_at_once() {
        let builder = DevProvider::builder()
            .bind(([0, 0, 0, 0], 80))
            .issuer_path("demo")
            .client("a", None, ["/callback"])
            .client("a", None, Vec::<String>::new())
            .person(Person::new("1001", "eve"));
        assert_eq!(
            builder.problems(),
            [
                Problem::NotLoopback(SocketAddr::from(([0, 0, 0, 0], 80))),
                Problem::IssuerPath("demo".into()),
                Problem::RedirectUri { client: "a".into(), uri: "/callback".into() },
                Problem::NoRedirectUri("a".into()),
                Problem::DoubledClient("a".into()),
                Problem::DoubledPerson("1001".into()),
            ]
        );
    }

    #[test]
    fn issuer_paths() {
        for good in ["", "/", "/a", "/a/", "/realms/demo-1/"] {
            assert!(is_issuer_path(good), "{good}");
        }
        for bad in ["a", "//", "/a//b", "/../a", "/a?b", "/{a}", "/a b"] {
            assert!(!is_issuer_path(bad), "{bad}");
        }
    }
}
