//! An application that shows every page that the core draws, and beside it another site that would like to frame them.

use anyhow::Result;
use axum::{
    Router,
    extract::{Path, Request, State},
    response::{Html, IntoResponse as _, Response},
    routing::get,
};
use tokio::{net::TcpListener, task::JoinHandle};
use vestibule::{
    Vestibule,
    driver::{AdmitAll, Driver},
    pages::{Logo, PageStyle},
    refusal::Refusal,
    seal::KeyRing,
};
use vestibule_axum::Gate;
use vestibule_dev_provider::{DevProvider, Running};
use vestibule_oidc::Oidc;
use vestibule_outside::{COOKIE_SECRET, client};
use vestibule_reqwest::ReqwestHost;

/// A name as long as real ones are, with words that do not break.
const LONG_NAME: &str = "Bundesministerium für Wissenschaft – Identitätsföderation";

/// A dark logo, wider than a phone: it must fit, and be seen by night too.
const LOGO: &str = "<svg xmlns='http://www.w3.org/2000/svg' width='900' height='160' viewBox='0 0 900 160'>\
    <circle cx='80' cy='80' r='64' fill='#123'/><rect x='180' y='48' width='700' height='64' rx='16' fill='#345'/></svg>";

/// The house, visited as `localhost`; the other site is the same server, visited as `127.0.0.1`.
pub(crate) struct House {
    _provider: Running,
    port: u16,
    server: JoinHandle<()>,
}

impl House {
    pub(crate) async fn open() -> Result<Self> {
        Self::open_with(PageStyle::new()).await
    }

    /// A house with a name, a logo and lines of its own.
    pub(crate) async fn decorated() -> Result<Self> {
        let style = PageStyle::new()
            .site("The Reporting House")
            .logo(Logo::new(LOGO.as_bytes())?)
            .banner("Test system: what you write here is deleted every Sunday at three in the morning.")
            .footer("Questions? Ask the help desk, room 207, or call 1234.");
        let style = style
            .sign_in_title("Welcome to your reports")
            .sign_in_text("Colleagues take the first, guests the last.");
        Self::open_with(style).await
    }

    async fn open_with(style: PageStyle) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let redirect_url = format!("http://localhost:{port}/oauth2/callback");
        let callback = format!("{redirect_url}/oidc");
        let provider =
            DevProvider::builder().client(client::ID, Some(client::SECRET), [callback]).start().await?;
        provider.sign_in_as(Some("alice"));
        let oidc = |id: &str, label: &str| {
            Oidc::builder(provider.issuer(), client::ID)
                .client_secret(client::SECRET)
                .id(id)
                .label(label)
                .build()
        };
        let vestibule = Vestibule::builder(redirect_url)
            .provider(oidc("oidc", "the development provider")?)
            .provider(vestibule_github::GitHub::builder("client", "secret").build()?)
            .provider(oidc("long", LONG_NAME)?)
            .keys(KeyRing::new([COOKIE_SECRET])?)
            .allow_return_to("https://elsewhere.example")
            .pages(style)
            .build()?;
        let host = ReqwestHost::builder().only_given_cas().build()?;
        let gate = Gate::new(Driver::new(vestibule, host, AdmitAll));
        let app = Router::new()
            .route("/refusal/{code}", get(refusal))
            .route("/plain", get(async || Html("<h1>Plain</h1>")))
            .route("/other-site", get(other_site))
            .with_state(gate.clone())
            .merge(gate.routes());
        let server = tokio::spawn(async move {
            // It ends with the house.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { _provider: provider, port, server })
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.port)
    }

    /// A page of another site that frames `address`, and has a link to it.
    pub(crate) fn other_site(&self, address: &str) -> String {
        let address: String = url::form_urlencoded::byte_serialize(address.as_bytes()).collect();
        format!("http://127.0.0.1:{}/other-site?{address}", self.port)
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The page for a refusal of this code, as an application of ours would show it.
async fn refusal(State(gate): State<Gate>, Path(code): Path<String>, request: Request) -> Response {
    let Some(refusal) = Refusal::ALL.iter().find(|refusal| refusal.code() == code) else {
        return "no such refusal".into_response();
    };
    gate.turn_back(&request.into_parts().0, *refusal)
}

async fn other_site(request: Request) -> Html<String> {
    let query = request.uri().query().unwrap_or_default();
    let address =
        url::form_urlencoded::parse(query.as_bytes()).next().map(|(address, _)| address.into_owned());
    let address = address.unwrap_or_default();
    Html(format!("<iframe src=\"{address}\"></iframe><p><a href=\"{address}\">there</a>"))
}
