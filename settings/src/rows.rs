//! Every option there is. Names are oauth2-proxy's where it has one for the same thing.

use crate::row::{Heeded, Kind, Row};

macro_rules! rows {
    ($($name:ident $whose:ident $kind:expr, $default:literal, $meaning:literal;)*) => {
        $(
            #[doc = $meaning]
            pub static $name: Row = Row {
                name: concat!("VESTIBULE_", stringify!($name)),
                oauth2_proxy: rows!(@ $whose $name),
                heeded: rows!(@ $whose),
                kind: $kind,
                default: $default,
                meaning: $meaning,
            };
        )*

        /// All of them.
        pub static ROWS: &[&Row] = &[$(&$name,)*];
    };
    // Whose it is: oauth2-proxy's too, or ours alone; with `gate_` what only the gateway heeds.
    (@ both $name:ident) => { Some(concat!("OAUTH2_PROXY_", stringify!($name))) };
    (@ ours $name:ident) => { None };
    (@ gate_both $name:ident) => { Some(concat!("OAUTH2_PROXY_", stringify!($name))) };
    (@ gate_ours $name:ident) => { None };
    (@ both) => { Heeded::Everywhere };
    (@ ours) => { Heeded::Everywhere };
    (@ gate_both) => { Heeded::ByTheGateway };
    (@ gate_ours) => { Heeded::ByTheGateway };
}

use Kind::{Address, Always, Choice, Duration, File, Flag, List, Secret, Text, Url, Words};

rows! {
    // Who signs people in.
    PROVIDER both Text, "", "Who signs people in: `oidc` (also as `google`, `gitlab`, `keycloak-oidc`, `entra-id`, `adfs`), `github`, `twitter`, `twitter-oauth1` (with an API key), or `oauth2`.";
    PROVIDER_DISPLAY_NAME both Text, "", "The provider's name on pages.";
    CLIENT_ID both Text, "", "The client id that is registered at the provider.";
    CLIENT_SECRET both Secret, "", "The client's secret. Without one the client is public, which GitHub does not allow.";
    CLIENT_SECRET_FILE both File, "", "A file with the client's secret, read at the start.";
    REDIRECT_URL both Url, "", "The callback's whole address, as registered at the provider. Its origin is this site's.";
    SCOPE both Words, "", "The scopes to ask for, with spaces between.";
    PROMPT both Text, "", "`prompt` of the authorization request, such as `login` or `select_account`.";
    CODE_CHALLENGE_METHOD both Always(&["S256"]), "S256", "PKCE is always on.";

    // OpenID Connect.
    OIDC_ISSUER_URL both Url, "", "The issuer, spelled as its own metadata spells it.";
    OIDC_GROUPS_CLAIM both Text, "groups", "The claim that lists groups; `/a/b` looks for `b` in `a`.";
    OIDC_EXTRA_AUDIENCES both List, "", "Further audiences whose ID tokens count.";
    OIDC_ENABLED_SIGNING_ALGS both List, "RS256", "The algorithms that ID tokens may be signed with.";
    ACR_VALUES both Words, "", "Ways to sign in of which one must have been used.";
    AUTH_REQUEST_RESPONSE_MODE both Choice(&["query", "form_post"]), "query", "How the provider answers.";
    INSECURE_OIDC_ALLOW_UNVERIFIED_EMAIL both Flag, "false",
        "Lets an address count that the provider has not verified: whoever can set it there, can enter here.";
    SKIP_OIDC_DISCOVERY both Always(&["false"]), "false", "The issuer is always asked for its metadata, when first needed.";
    INSECURE_OIDC_SKIP_NONCE both Always(&["false"]), "false", "The nonce is always checked.";
    INSECURE_OIDC_SKIP_ISSUER_VERIFICATION both Always(&["false"]), "false", "The issuer is always checked.";
    OIDC_EMAIL_CLAIM both Always(&["email"]), "email", "The claim with the address, which `email_verified` is about.";
    OIDC_AUDIENCE_CLAIMS both Always(&["aud"]), "aud", "The claim that says whom an ID token is for.";

    // GitHub and GitHub Enterprise.
    GITHUB_ORG both Text, "", "Lets in only members of this organisation.";
    GITHUB_TEAM both List, "", "Lets in only members of one of these teams: `team` of the organisation, or `org:team`.";
    LOGIN_URL both Url, "", "The authorization endpoint of a GitHub Enterprise server, or of a provider that is `oauth2`.";
    REDEEM_URL both Url, "", "The token endpoint of the same.";
    VALIDATE_URL both Url, "", "The root of its API, such as `https://github.example/api/v3`.";
    PROFILE_URL both Url, "", "The address that says who signed in; for GitHub the root of the API is taken from it where VALIDATE_URL is not set.";

    // Any other provider that speaks OAuth 2: names of members of its profile, or JSON pointers such as `/data/id`.
    OAUTH2_SUBJECT_CLAIM ours Text, "id", "The immutable identifier of the account in an `oauth2` provider's profile.";
    OAUTH2_USERNAME_CLAIM ours Text, "login", "The name that the account signs in by.";
    OAUTH2_NAME_CLAIM ours Text, "name", "The name that people call the person by.";
    OAUTH2_EMAIL_CLAIM ours Text, "email", "The e-mail address.";
    OAUTH2_EMAIL_VERIFIED_CLAIM ours Text, "", "A flag that says that the address is verified; where it is not set, no address is.";
    OAUTH2_GROUPS_CLAIM ours Text, "groups", "The list of groups.";
    OAUTH2_CLIENT_AUTHENTICATION ours Choice(&["basic", "post"]), "basic", "How the client proves who it is: by a header, or in the form.";

    // Reaching the provider.
    PROVIDER_CA_FILES both List, "", "PEM files of certificate authorities; only these are trusted then.";
    USE_SYSTEM_TRUST_STORE both Flag, "false", "Trusts the system's authorities beside those of the files.";
    PROVIDER_PROXY gate_ours Secret, "", "The proxy through which the provider is asked: `http://name:password@host:port`. The environment's own is never used.";
    SSL_INSECURE_SKIP_VERIFY both Always(&["false"]), "false", "Certificates are always checked.";

    // Who may enter, and where they land.
    EMAIL_DOMAINS both List, "", "Domains whose verified addresses may enter; `.example.com` for those below; `*` for everybody.";
    AUTHENTICATED_EMAILS_FILE gate_both File, "", "A file with addresses that may enter beside those domains, one a line.";
    ALLOWED_GROUPS both List, "", "Groups of which one is needed to enter.";
    KEEP_GROUPS gate_ours List, "*", "The groups that the session keeps beside those that rules name: all of them, for headers and `allowed_groups`, or these.";
    WHITELIST_DOMAINS both List, "", "Other hosts that a sign-in may lead back to; `.example.com` for one label below.";

    // What needs no session. `[[rule]]` tables of the file come first.
    SKIP_AUTH_ROUTES gate_both List, "", "What everybody may have: regular expressions of paths that begin with `^`, after `METHOD=` or `METHOD!=` or not.";
    SKIP_AUTH_REGEX gate_both List, "", "What everybody may have by any method: regular expressions of paths that begin with `^`.";
    SKIP_AUTH_PREFLIGHT gate_both Flag, "false", "Lets OPTIONS through.";
    TRUSTED_IPS gate_both List, "", "Addresses and networks of clients that need no session, as far as a trusted proxy says where they come from.";
    SKIP_AUTH_STRIP_HEADERS gate_both Always(&["true"]), "true", "Identity headers go out empty where nobody is signed in.";

    // Tokens of API clients. `[[bearer]]` tables of the file are further issuers.
    SKIP_JWT_BEARER_TOKENS gate_both Flag, "false", "Lets API clients in that bring a token of the provider for this client.";
    EXTRA_JWT_ISSUERS gate_both List, "", "Further issuers whose tokens count, each `issuer=audience`.";
    BEARER_TOKEN_LOGIN_FALLBACK gate_both Flag, "true", "Lets the session decide where a token proves nothing.";

    // The session's cookie.
    COOKIE_SECRET both Secret, "", "What cookies are sealed with: 32 random bytes, in base64.";
    COOKIE_SECRET_FILE both File, "", "A file with it, read at the start.";
    COOKIE_SECRETS_PREVIOUS ours Secret, "", "Secrets that cookies were sealed with before, with commas between.";
    COOKIE_NAME both Text, "vestibule", "What the names of cookies begin with, after `__Host-`.";
    COOKIE_DOMAINS both List, "", "The one domain whose hosts share a session. Without it cookies are for the redirect URL's host alone, so that no neighbour can set or read them.";
    COOKIE_EXPIRE both Duration, "168h", "How long a session lasts, however busy it is.";
    COOKIE_SECURE both Flag, "", "Whether cookies are for https only. This follows from the redirect URL and cannot differ.";
    COOKIE_HTTPONLY both Always(&["true"]), "true", "No script reads the cookies.";
    COOKIE_SAMESITE both Always(&["lax"]), "lax", "Cookies do not come along with other sites' requests.";
    COOKIE_PATH both Always(&["/"]), "/", "Cookies are for the whole site.";
    COOKIE_REFRESH both Duration, "", "How old what is known about a person may get before the provider is asked anew: a minute or more, and `0` for never. It needs a store; there, where it is not set, the provider is asked before the access token ends.";
    COOKIE_CSRF_PER_REQUEST both Always(&["true"]), "true", "Each sign-in has a cookie of its own, so that tabs do not disturb each other.";
    COOKIE_CSRF_EXPIRE both Always(&["10m", "10m0s", "600s"]), "10m", "How long a sign-in may be under way.";
    SESSION_COOKIE_MINIMAL both Flag, "", "Whether no tokens are kept. They are kept only where a header needs them, and this cannot differ.";

    // Where sessions are kept: see store-redis/docs.md.
    SESSION_STORE_TYPE both Choice(&["cookie", "redis", "memory"]), "cookie", "Where sessions are kept: in the cookie itself, in Redis or Valkey for any number of processes, or in the memory of this one.";
    IDLE_LIMIT ours Duration, "", "Ends a session that nobody has used for so long: a minute or more. It needs a store.";
    SIGN_OUT_AT_PROVIDER ours Flag, "false", "Sends whoever signs out on to the provider, to sign out there too. The sign-out address has to be registered there as a post-logout redirect URI.";
    BACKCHANNEL_LOGOUT ours Flag, "false", "Lets providers end sessions here when they end their own, by a signed token that they send to `backchannel_logout` (with `/` and the provider's id where there are several). It needs a store and an OpenID Connect provider, and the address has to be registered there.";
    FRONTCHANNEL_LOGOUT ours Flag, "false", "The same by a frame in the browser, which shows `frontchannel_logout`: for providers that cannot reach this program.";
    REDIS_CONNECTION_URL both Secret, "", "The address of the one server: `redis://host:port/database`, `rediss://` with TLS, or `unix:///path`.";
    REDIS_USERNAME both Text, "", "The name that the servers know this program by, where an address names none.";
    REDIS_PASSWORD both Secret, "", "The password for it, where an address has none.";
    REDIS_CA_PATH both File, "", "A PEM file of certificate authorities; only these are trusted then.";
    REDIS_USE_SENTINEL both Flag, "false", "Asks Sentinels which server is the master.";
    REDIS_SENTINEL_MASTER_NAME both Text, "", "What the Sentinels call the master.";
    REDIS_SENTINEL_CONNECTION_URLS both Secret, "", "The addresses of the Sentinels, with commas between.";
    REDIS_SENTINEL_PASSWORD both Secret, "", "The password for the Sentinels.";
    REDIS_USE_CLUSTER both Flag, "false", "Spreads sessions over a cluster.";
    REDIS_CLUSTER_CONNECTION_URLS both Secret, "", "The addresses of some of its nodes, with commas between.";
    REDIS_INSECURE_SKIP_TLS_VERIFY both Always(&["false"]), "false", "Certificates are always checked.";

    // Where this program is.
    HTTP_ADDRESS both Address, "127.0.0.1:4180", "Where to listen; port 0 takes a free one.";
    PROXY_PREFIX both Text, "/oauth2", "What the paths of the endpoints begin with.";
    SKIP_PROVIDER_BUTTON both Flag, "true", "Whether signing in leads straight on where there is one provider, instead of showing a page with one button.";
    START_PARAMETERS ours List, "", "What `sign_in` and `start` hand on to the provider: `login_hint`, `prompt`. Anybody can write a link with them.";
    SET_XAUTHREQUEST both Flag, "true", "Whether `auth` answers with `X-Auth-Request-User`, `-Email`, `-Preferred-Username` and `-Groups`.";
    IDENTITY_HEADERS ours List, "", "Further headers of that kind, each `Name=meaning`: `user`, `email`, `preferred_username`, `name`, `groups`, `subject`, `issuer`, `provider` or `claim:NAME`.";
    PREFER_EMAIL_TO_USER both Flag, "false", "Lets the user be named by the verified address, where there is one.";
    PASS_ACCESS_TOKEN both Flag, "false", "Whether `auth` answers with `X-Auth-Request-Access-Token` too, where SET_XAUTHREQUEST is on.";
    SET_AUTHORIZATION_HEADER both Flag, "false", "Whether `auth` answers with `Authorization: Bearer` and the ID token.";
    SET_BASIC_AUTH both Flag, "false", "Whether `auth` answers with `Authorization: Basic`, the user and BASIC_AUTH_PASSWORD.";
    BASIC_AUTH_PASSWORD both Secret, "", "The password of SET_BASIC_AUTH, the same for everybody.";
    PASS_AUTHORIZATION_HEADER both Always(&["true", "false"]), "", "This program forwards nothing, so that nothing is passed on: this has no effect.";
    PASS_USER_HEADERS both Always(&["true", "false"]), "", "This program forwards nothing, so that nothing is passed on: this has no effect.";
    PASS_BASIC_AUTH both Always(&["true", "false"]), "", "This program forwards nothing, so that nothing is passed on: this has no effect.";
    PASS_HOST_HEADER both Always(&["true", "false"]), "", "This program forwards nothing, so that nothing is passed on: this has no effect.";
    ENCODE_STATE both Always(&["true", "false"]), "", "`state` carries nothing but a random text: this has no effect.";
    REVERSE_PROXY both Always(&["true", "false"]), "", "This site's address is taken from the redirect URL, never from a proxy's headers: this has no effect.";
    LOG_FORMAT ours Choice(&["text", "json"]), "text", "How log lines are written; RUST_LOG says which.";

    // What pages look like.
    SITE_NAME ours Text, "", "The site's name on pages.";
    CUSTOM_SIGN_IN_LOGO both File, "", "A file with the logo: PNG, JPEG or SVG, at most 64 KiB. It becomes part of each page.";
    BANNER both Text, "", "A line of text above every page.";
    FOOTER both Text, "", "A line of text below every page.";
    SIGN_IN_TITLE ours Text, "", "The heading of the page to choose a provider on.";
    SIGN_IN_TEXT ours Text, "", "What that page says below its heading.";
    PAGE_TEMPLATE ours File, "", "A minijinja template that draws every page: see docs/pages.md.";

    // How the gateway runs.
    UPSTREAMS gate_both List, "", "Only `static://202`: this program forwards nothing. Let the proxy forward, and ask here.";
    STANDARD_LOGGING gate_both Always(&["true"]), "true", "What is logged is for RUST_LOG to say.";
    AUTH_LOGGING gate_both Always(&["true"]), "true", "What is logged is for RUST_LOG to say.";
    FLAVOUR gate_ours Choice(&["oauth2-proxy", "nginx", "forward-auth", "ext-authz"]), "oauth2-proxy",
        "What the proxy that asks `auth` expects: as oauth2-proxy, nginx with a `Location`, Traefik, Caddy and HAProxy, or Envoy.";
    TRUSTED_PROXY_IPS gate_both List, "", "Whose forwarded headers are believed: addresses, networks, and `unix` for a peer at a unix socket; nobody's where it is not set.";
    REAL_CLIENT_IP_HEADER gate_both Text, "X-Forwarded-For", "The header of a trusted proxy that says where a request comes from.";
    METRICS_ADDRESS gate_both Address, "", "Where `/metrics` is served for Prometheus; nowhere where it is not set.";
    PING_PATH gate_both Text, "/ping", "The path that says whether the program runs.";
    READY_PATH gate_both Text, "/ready", "The path that says whether the program can serve.";
    REQUEST_ID_HEADER gate_both Text, "X-Request-Id", "The header with the request's id in the proxy's log, which then stands in ours too. It is believed from everybody: the proxy must set it itself, whatever the client has sent.";
    REQUEST_LOGGING gate_both Flag, "true", "Whether each request gets a line in the log; a check that lets somebody through gets one at `debug` only.";
    EXCLUDE_LOGGING_PATHS gate_both List, "", "Paths whose requests get no line.";
    SILENCE_PING_LOGGING gate_both Flag, "false", "Whether requests for the ping and ready paths get no line.";
    SHUTDOWN_GRACE gate_ours Duration, "10s", "How long requests under way have to end once the program is asked to.";
    CONNECTION_SILENCE gate_ours Duration, "75s", "How long a connection may be silent, until a request's head is whole: longer than the proxy keeps its connections.";
}
