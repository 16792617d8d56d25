//! Beside us: Apache with Debian's mod_auth_openidc, a protected file against an open one.
//!
//! The session is got by really signing in at `dev-provider`. It is measured with sessions in the module's own cache,
//! which is its default, and in the browser's cookie, which is what a sealed session is.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};
use reqwest::{Client, header, redirect};
use tempfile::TempDir;
use vestibule_bench::browser;
use vestibule_dev_provider::{DevProvider, Running};
use vestibule_outside::{Child, PATIENCE, ports, tools};

use crate::{
    load::{CONNECTIONS, Load},
    nginx::is_root,
    rounds::{self, Arm, Measured, Pace},
    server::pinned,
};

const MODULES: &str = "/usr/lib/apache2/modules";
const PAGE_BYTES: usize = 1_024;
/// One for each connection, and some to spare: with none idle, Apache closes connections that it was to keep.
const THREADS: u32 = CONNECTIONS + 32;
/// More than any sign-in needs.
const REDIRECTS_MAX: usize = 10;

/// Both ways of keeping sessions, each against the open file of the same server.
pub(crate) async fn measure(pace: Pace) -> Result<Vec<Measured>> {
    let mut all = Vec::new();
    for (kind, label) in [
        ("client-cookie", "a protected file, session in the cookie"),
        ("server-cache", "a protected file, session in its cache"),
    ] {
        let base = all.len();
        let apache = Apache::start(kind).await?;
        let cookies = apache.sign_in().await?;
        let authority = apache.authority();
        let load = |place: &str, cookies| Load::of(&authority, &path(place), cookies);
        let arms = [
            Arm::new("an open file", load("open", cookies.clone()), None),
            Arm::new(label, load("protected", cookies), Some(0)),
        ];
        let mut measured = rounds::compare(pace, &arms, &[apache.process()?])?;
        for ratio in measured.iter_mut().filter_map(|arm| arm.ratio.as_mut()) {
            ratio.base += base;
        }
        all.extend(measured);
        apache.provider.stop().await;
    }
    Ok(all)
}

fn path(place: &str) -> String {
    format!("/{place}/page.txt")
}

struct Apache {
    _child: Child,
    provider: Running,
    port: u16,
    folder: TempDir,
}

impl Apache {
    async fn start(session: &str) -> Result<Self> {
        let port = ports::reserve()?;
        let redirect = format!("http://127.0.0.1:{port}/protected/callback");
        let provider =
            DevProvider::builder().client("apache", Some("an apache's secret"), [&redirect]).start().await?;
        let folder = tempfile::Builder::new().prefix("vestibule-bench-").tempdir()?;
        // Its workers are another user, who must be able to read the files.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        for place in ["open", "protected"] {
            fs::create_dir_all(folder.path().join("www").join(place))?;
            fs::write(folder.path().join("www").join(place).join("page.txt"), "x".repeat(PAGE_BYTES))?;
        }
        let file = folder.path().join("apache.conf");
        let text = configuration(folder.path(), port, provider.issuer(), &redirect, session)?;
        fs::write(&file, text)?;
        let mut command = pinned(&tools::system("apache2")?);
        command.arg("-DFOREGROUND").arg("-f").arg(&file);
        let mut child = Child::start("apache2", &mut command)?;
        let said = |folder: &Path| fs::read_to_string(folder.join("error.log")).unwrap_or_default();
        child.listens_on(port, PATIENCE).await.with_context(|| said(folder.path()))?;
        Ok(Self { _child: child, provider, port, folder })
    }

    fn at(&self, place: &str) -> String {
        format!("http://{}{}", self.authority(), path(place))
    }

    fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn process(&self) -> Result<u32> {
        Ok(fs::read_to_string(self.folder.path().join("apache.pid"))?.trim().parse()?)
    }

    /// Follows the redirects as a browser does. All of it is one host, so that there is one jar.
    async fn sign_in(&self) -> Result<String> {
        let client = Client::builder().redirect(redirect::Policy::none()).no_proxy().build()?;
        let mut jar = BTreeMap::new();
        let mut address = reqwest::Url::parse(&self.at("protected"))?;
        for _ in 0..REDIRECTS_MAX {
            let mut request = client.get(address.clone()).header(header::COOKIE, line(&jar));
            for (name, value) in browser::HEADERS {
                request = request.header(name, value);
            }
            let response = request.send().await?;
            for set in response.headers().get_all(header::SET_COOKIE) {
                let pair = set.to_str()?.split(';').next().unwrap_or_default();
                let (name, value) = pair.split_once('=').context("a cookie has a name")?;
                jar.insert(name.to_owned(), value.to_owned());
            }
            jar.retain(|_, value| !value.is_empty());
            if let Some(location) = response.headers().get(header::LOCATION) {
                address = address.join(location.to_str()?)?;
                continue;
            }
            let status = response.status();
            ensure!(status == 200, "signing in ended with {status}: {}", self.errors());
            return Ok(format!("{}; {}", line(&jar), browser::OTHER_COOKIES));
        }
        bail!("signing in goes round in circles: {}", self.errors())
    }

    fn errors(&self) -> String {
        fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default()
    }
}

fn line(jar: &BTreeMap<String, String>) -> String {
    jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
}

/// One process on one core.
fn configuration(folder: &Path, port: u16, issuer: &str, redirect: &str, session: &str) -> Result<String> {
    let mut modules = String::new();
    for name in ["mpm_event", "authn_core", "authz_core", "authz_user", "auth_openidc"] {
        let file = PathBuf::from(MODULES).join(format!("mod_{name}.so"));
        ensure!(file.is_file(), "mod_{name} is not installed; run `cargo xtask bench`");
        modules += &format!("LoadModule {name}_module {}\n", file.display());
    }
    let user = if is_root(folder) { "User www-data\nGroup www-data\n" } else { "" };
    let folder = folder.display();
    Ok(format!(
        "ServerRoot {folder}
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile {folder}/apache.pid
DefaultRuntimeDir {folder}
ErrorLog {folder}/error.log
LogLevel warn
{modules}{user}StartServers 1
ServerLimit 1
ThreadLimit {THREADS}
ThreadsPerChild {THREADS}
MaxRequestWorkers {THREADS}
KeepAlive On
MaxKeepAliveRequests 0
DocumentRoot {folder}/www
OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID apache
OIDCClientSecret \"an apache's secret\"
OIDCRedirectURI {redirect}
OIDCCryptoPassphrase 0123456789abcdef0123456789abcdef
OIDCScope \"openid email profile\"
OIDCAuthRequestParams login_hint=alice
OIDCPKCEMethod S256
OIDCSessionType {session}
OIDCRemoteUserClaim sub
<Location /protected>
    AuthType openid-connect
    Require valid-user
</Location>
"
    ))
}
