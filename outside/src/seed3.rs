//! The third original system, running: an application with the login mounted into it, and X.

use anyhow::Result;

use crate::{App, AppBuilder, Browser, COOKIE_SECRET, Framework, X, ports};

/// The application, and the X that it signs people in with.
///
/// The application is visited as `localhost` and X as `127.0.0.1`: to a browser these are two sites.
#[derive(Debug)]
pub struct Seed3 {
    /// Who signs people in.
    pub x: X,
    /// What the browser talks to.
    pub app: App,
    /// Where that is.
    pub origin: String,
}

impl Seed3 {
    /// Starts it on this framework, as it is without further settings.
    pub async fn start(framework: Framework) -> Result<Self> {
        Self::start_with(framework, "/login/callbackUrl", &[]).await
    }

    /// The same with variables of its environment, of which one may have moved the callback to `callback`.
    pub async fn start_with(
        framework: Framework,
        callback: &str,
        variables: &[(&str, &str)],
    ) -> Result<Self> {
        let port = ports::reserve()?;
        let origin = format!("http://localhost:{port}");
        let x = X::start(&format!("{origin}{callback}")).await?;
        let program = match framework {
            Framework::Actix => "mounted-login-actix",
            _ => "mounted-login-axum",
        };
        let app = AppBuilder::new(program)
            .variable("LISTEN", format!("127.0.0.1:{port}"))
            .variable("SITE", &origin)
            .variable("CONSUMER_KEY", X::CONSUMER_KEY)
            .variable("CONSUMER_SECRET", X::CONSUMER_SECRET)
            .variable("COOKIE_SECRET", COOKIE_SECRET)
            .variable("X_SITE", x.address())
            .variable("X_API", x.address());
        let app = variables.iter().fold(app, |app, (name, value)| app.variable(name, *value)).start().await?;
        Ok(Self { x, app, origin })
    }

    /// An address of the application.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Presses the link of the page that is shown, and the link of `person` on X's page, to which that leads.
    pub async fn sign_in(&self, browser: &Browser, person: &str) -> Result<()> {
        browser.click("a").await?;
        let x = self.x.address();
        browser.wait_for_url_where("X's page", |now| now.as_str().starts_with(&x)).await?;
        browser.click(&format!("#{person}")).await
    }
}
