//! The sites that targets visit, each set up once: what comes of a request depends on the request alone.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use serde_json::Value;
use url::Url;
use vestibule::{
    Vestibule,
    access::{AccessRule, PathPattern},
    config::{Builder, Flavour, Keep},
    conversation::Http,
    exchange::Purpose,
    identity::{Identity, SignIn, Tokens},
    oauth2::{OAuth2, OAuth2Spec},
    paths::{Endpoint, Paths},
    provider::{Answered, AuthorizationRequest, Begun, Provider, ProviderError},
    seal::KeyRing,
    time::Timestamp,
};
use vestibule_twitter::TwitterOAuth1;

/// The origin of every site.
pub(crate) const OWN: &str = "https://rp.example";
/// When everything happens, unless a target has a clock of its own.
pub(crate) const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);
/// The session cookie of every site.
pub(crate) const SESSION: &str = "__Host-vestibule";
/// What the names of all attempt cookies begin with.
pub(crate) const ATTEMPTS: &str = "__Host-vestibule_try_";

/// A site in the making: its own origin, two kinds of allowed ones, and keys.
pub(crate) fn builder() -> Builder {
    builder_with_keys(&["a secret that only this test knows"])
}

pub(crate) fn builder_with_keys(secrets: &[&str]) -> Builder {
    let keys = KeyRing::new(secrets).expect("each secret is long and no word out of a documentation");
    Vestibule::builder(format!("{OWN}/oauth2/callback"))
        .keys(keys)
        .allow_return_to("https://*.apps.example")
        .allow_return_to("https://exact.example:8443")
}

pub(crate) fn built(builder: Builder) -> Arc<Vestibule> {
    Arc::new(builder.build().expect("every site here is set up as the documentation says"))
}

/// One provider, everything else as it is by default.
pub(crate) fn plain() -> &'static Arc<Vestibule> {
    static SITE: OnceLock<Arc<Vestibule>> = OnceLock::new();
    SITE.get_or_init(|| built(builder().provider(Plain::new("plain"))))
}

/// As [`plain`], for nginx's `auth_request` with a place to go.
pub(crate) fn for_nginx() -> &'static Arc<Vestibule> {
    static SITE: OnceLock<Arc<Vestibule>> = OnceLock::new();
    SITE.get_or_init(|| built(builder().provider(Plain::new("plain")).flavour(Flavour::Nginx)))
}

/// Whatever is below `/public/` may be got by everybody, as a proxy of this flavour says it, on a unix socket.
pub(crate) fn partly_public(flavour: Flavour) -> &'static Arc<Vestibule> {
    static SITES: OnceLock<[Arc<Vestibule>; 3]> = OnceLock::new();
    let sites = SITES.get_or_init(|| {
        [Flavour::Nginx, Flavour::ForwardAuth, Flavour::ExtAuthz].map(|flavour| {
            let rule = AccessRule::public().hosts(["rp.example"]).methods(["GET"]);
            let rule = rule.paths([PathPattern::prefix("/public/")]);
            built(
                builder().provider(Plain::new("plain")).trusted_proxies(["unix"]).flavour(flavour).rule(rule),
            )
        })
    });
    match flavour {
        Flavour::Nginx => &sites[0],
        Flavour::ForwardAuth => &sites[1],
        _ => &sites[2],
    }
}

/// A provider that answers by a form that posts itself.
pub(crate) fn by_form() -> &'static Arc<Vestibule> {
    static SITE: OnceLock<Arc<Vestibule>> = OnceLock::new();
    SITE.get_or_init(|| built(builder().provider(ByForm(Plain::new("plain")))))
}

/// A provider that is asked before the browser goes there, and whose answers have no state: X by OAuth 1.0a.
pub(crate) fn by_token() -> &'static Arc<Vestibule> {
    static SITE: OnceLock<Arc<Vestibule>> = OnceLock::new();
    SITE.get_or_init(|| {
        let x = TwitterOAuth1::builder("key", "secret").build();
        built(builder().provider(x.expect("it is set up as the documentation says")))
    })
}

/// Two providers, and paths of the operator's choosing.
pub(crate) fn renamed() -> &'static Arc<Vestibule> {
    static SITE: OnceLock<Arc<Vestibule>> = OnceLock::new();
    let paths = || Paths::default().rename(Endpoint::SignIn, "/login").sign_out_alias("/app/oauth/logout");
    SITE.get_or_init(|| {
        built(builder().provider(Plain::new("plain")).provider(Plain::new("other")).paths(paths()))
    })
}

/// Only addresses of `company.example`, and of any name below `sub.example`.
pub(crate) fn by_email() -> &'static Arc<Vestibule> {
    static SITE: OnceLock<Arc<Vestibule>> = OnceLock::new();
    SITE.get_or_init(|| {
        built(builder().provider(Plain::new("plain")).email_domains(["company.example", "*.sub.example"]))
    })
}

/// Every group that the provider names stays in the session.
pub(crate) fn keeping_groups() -> &'static Arc<Vestibule> {
    static SITE: OnceLock<Arc<Vestibule>> = OnceLock::new();
    SITE.get_or_init(|| built(builder().provider(Plain::new("plain")).keep_groups(Keep::All)))
}

/// A provider as a third party would write it.
pub(crate) struct Plain {
    spec: OAuth2Spec,
}

impl Plain {
    pub(crate) fn new(id: &str) -> Self {
        let at = |path: &str| {
            Url::parse(&format!("https://{id}.example/{path}")).expect("an id is a label of a host name")
        };
        let secret = Some("client secret".into());
        let spec = OAuth2Spec::new(id, id.to_uppercase(), at("authorize"), at("token"), "client", secret);
        Self { spec: spec.scopes(["user"]).issuer(format!("https://{id}.example")) }
    }
}

#[async_trait]
impl OAuth2 for Plain {
    fn spec(&self) -> &OAuth2Spec {
        &self.spec
    }

    async fn identify(&self, http: &Http, tokens: &Tokens) -> Result<Identity, ProviderError> {
        let mut url = self.spec.token_endpoint.clone().expect("the spec above names it");
        url.set_path("/user");
        let user: Value = http.get_json(Purpose::Profile, &url, tokens).await?;
        let text = |name: &str| user[name].as_str().map(str::to_owned);
        let groups = user["groups"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let identity = Identity::new(text("id").unwrap_or_default())
            .username(text("login"))
            .name(text("name"))
            .picture(text("picture"))
            .groups(groups.map(str::to_owned));
        Ok(if user["verified"] == true {
            identity.verified_email(text("email"))
        } else {
            identity.email(text("email"))
        })
    }
}

/// The same provider, but its answers come in forms.
struct ByForm(Plain);

#[async_trait]
impl Provider for ByForm {
    fn id(&self) -> &str {
        self.0.id()
    }

    fn label(&self) -> &str {
        self.0.label()
    }

    async fn begin(&self, http: &Http, request: &AuthorizationRequest) -> Result<Begun, ProviderError> {
        self.0.begin(http, request).await
    }

    async fn finish(&self, http: &Http, answered: &Answered) -> Result<SignIn, ProviderError> {
        self.0.finish(http, answered).await
    }

    fn answers_by_form_post(&self) -> bool {
        true
    }
}
