//! The two programs that are compared: one environment, one provider, two frameworks.

use anyhow::{Context, Result, ensure};
use vestibule_dev_provider::Running;
use vestibule_outside::{App, AppBuilder, COOKIE_SECRET, Framework, Reply, Wire, client};

use crate::compare::{After, Heard, text};

/// Asked after everything else, to see whether the connection is still good for anything.
const NEXT: &str = "GET /app/api/no_auth HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// An environment that both programs are started in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Environment {
    /// Plain http, and everybody may enter.
    Plain,
    /// Almost nobody may enter.
    Strict,
    /// https, and the provider answers by a form.
    FormPost,
}

impl Environment {
    pub(crate) const ALL: [Self; 3] = [Self::Plain, Self::Strict, Self::FormPost];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Strict => "strict",
            Self::FormPost => "form_post",
        }
    }

    /// Where browsers believe that the application is. The wire leads to it whatever is said here.
    pub(crate) fn origin(self) -> &'static str {
        match self {
            Self::Plain | Self::Strict => "http://localhost:4180",
            Self::FormPost => "https://app.example",
        }
    }

    pub(crate) fn callback(self) -> String {
        format!("{}/app/oauth2/callback", self.origin())
    }

    fn options(self, app: AppBuilder) -> AppBuilder {
        match self {
            Self::Plain => app.option("EMAIL_DOMAINS", "*").option("COOKIE_SECURE", "false"),
            Self::Strict => app.option("EMAIL_DOMAINS", "nowhere.example").option("COOKIE_SECURE", "false"),
            Self::FormPost => {
                app.option("EMAIL_DOMAINS", "*").option("AUTH_REQUEST_RESPONSE_MODE", "form_post")
            }
        }
    }
}

/// One of the two.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) environment: Environment,
    pub(crate) app: App,
    pub(crate) provider: Running,
}

impl Program {
    pub(crate) async fn start(
        framework: Framework,
        environment: Environment,
        provider: &Running,
    ) -> Result<Self> {
        let app = AppBuilder::new(framework.example())
            .option("PROVIDER", "oidc")
            .option("OIDC_ISSUER_URL", provider.issuer())
            .option("CLIENT_ID", client::ID)
            .option("CLIENT_SECRET", client::SECRET)
            .option("REDIRECT_URL", environment.callback())
            .option("COOKIE_SECRET", COOKIE_SECRET);
        let app = environment.options(app).start().await?;
        Ok(Self { environment, app, provider: provider.clone() })
    }

    /// How often its log says each thing.
    pub(crate) fn events(&self) -> Vec<String> {
        let log = self.app.log();
        let said = log.lines().filter_map(|line| line.split_once("vestibule::log: ")).map(|(_, said)| said);
        let mut events: Vec<String> =
            said.map(|said| said.split(" expires=").next().unwrap_or_default().to_owned()).collect();
        events.sort();
        let counted = events.chunk_by(|left, right| left == right);
        counted.map(|same| format!("{} × {}", same.len(), same[0])).collect()
    }

    /// How many people have signed in.
    pub(crate) fn signed_in(&self) -> usize {
        self.app.log().matches("vestibule::log: signed in").count()
    }
}

/// Says these bytes to a program on a connection of their own, and listens to the end.
pub(crate) async fn ask(port: u16, bytes: Vec<u8>, cut: bool) -> Result<Heard> {
    let method =
        String::from_utf8_lossy(bytes.split(|byte| *byte == b' ').next().unwrap_or_default()).into_owned();
    let mut wire = Wire::to(port).await?;
    wire.say(&bytes).await;
    if cut {
        wire.hush().await;
    }
    let mut leave = 0;
    let mut reply = wire.reply_to(&method).await?;
    while reply.as_ref().is_some_and(|reply| reply.status == 100) {
        leave += 1;
        reply = wire.reply_to(&method).await?;
    }
    if cut || reply.is_none() {
        return Ok(Heard { leave, reply, after: After::Unknown });
    }
    wire.say(NEXT).await;
    let next = wire.reply().await?;
    let rest = wire.rest().await?;
    let after = match next {
        None if rest.is_empty() => After::Closed,
        Some(next) if next.status == 200 && next.body == b"public, route!" && rest.is_empty() => After::Kept,
        next => After::Strange(next.as_ref().map(text), String::from_utf8_lossy(&rest).into_owned()),
    };
    Ok(Heard { leave, reply, after })
}

/// A browser's cookies for one of the two, in the order in which they came.
#[derive(Debug, Default, Clone)]
pub(crate) struct Jar(Vec<(String, String)>);

impl Jar {
    pub(crate) fn keep(&mut self, reply: &Reply) -> Result<()> {
        let lines = reply.head.split("\r\n").filter_map(|line| line.split_once(": "));
        for (_, line) in lines.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")) {
            let (pair, attributes) = line.split_once(';').context("a cookie has attributes")?;
            let (name, value) = pair.split_once('=').context("a cookie has a name")?;
            self.0.retain(|(own, _)| own != name);
            if !attributes.contains("Max-Age=0") {
                self.0.push((name.to_owned(), value.to_owned()));
            }
        }
        Ok(())
    }

    /// The value of the session's cookie.
    pub(crate) fn session(&self) -> Result<&str> {
        let session = self.0.iter().find(|(name, _)| name.trim_start_matches("__Host-") == "vestibule");
        let (_, value) = session.context("nobody is signed in")?;
        ensure!(value.len() > 100, "a session is longer than {value:?}");
        Ok(value)
    }

    /// The line for a request's head; empty without cookies.
    pub(crate) fn line(&self) -> String {
        let pairs: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if pairs.is_empty() { String::new() } else { format!("Cookie: {}\r\n", pairs.join("; ")) }
    }
}
