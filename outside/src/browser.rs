//! A real browser without a window: Debian's Chromium, driven by its own chromedriver.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow};
use fantoccini::{Client, ClientBuilder, Locator, cookies::Cookie, elements::Element, wd::WindowHandle};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

use crate::{Child, PATIENCE, tools};

/// How often a condition is looked at while it is waited for.
const LOOK: Duration = Duration::from_millis(50);

/// How often chromedriver is started until it finds a port.
const STARTS_MAX: usize = 5;

/// A browser that nobody has used before. Its profile goes with it.
///
/// Every method that looks for something waits for it, and says after [`PATIENCE`] what it saw
/// instead, with a screenshot in `target`.
#[derive(Debug)]
pub struct Browser {
    pub(crate) client: Client,
    _driver: Child,
    _profile: TempDir,
}

/// What a person, or a test, has set in a browser before its first visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// No site may keep a cookie.
    NoCookies,
    /// Nobody waits for pages to load: a visit that is under way can be broken off.
    Impatient,
}

/// chromedriver, and the line in which it says where it listens. It takes a port that the system gives out for IPv6, and
/// ends if another program has the same one for IPv4: then the next may be free.
async fn started() -> Result<(Child, String)> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let mut command = Command::new(tools::system("chromedriver")?);
        let mut driver = Child::start("chromedriver", command.arg("--port=0"))?;
        match driver.line_with("started successfully on port", PATIENCE).await {
            Ok(line) => return Ok((driver, line)),
            Err(_) if attempts < STARTS_MAX && driver.output().contains("port not available") => {}
            Err(error) => return Err(error),
        }
    }
}

impl Browser {
    /// Starts a browser of its own.
    pub async fn start() -> Result<Self> {
        Self::start_with(&[]).await
    }

    /// Starts a browser of its own with these settings.
    pub async fn start_with(settings: &[Setting]) -> Result<Self> {
        let (driver, line) = started().await?;
        let port = line.trim_end_matches('.').rsplit(' ').next().context("the line names a port")?;
        let profile = tempfile::Builder::new().prefix("vestibule-chromium-").tempdir()?;
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(&profile, settings)?)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .with_context(|| format!("chromium does not start:\n{}", driver.output()))?;
        Ok(Self { client, _driver: driver, _profile: profile })
    }

    /// Goes to an address, as if it had been typed, and waits until the page has loaded.
    pub async fn goto(&self, url: &str) -> Result<()> {
        self.client.goto(url).await.with_context(|| format!("while going to {url}"))
    }

    /// Where the current tab is.
    pub async fn url(&self) -> Result<Url> {
        Ok(self.client.current_url().await?)
    }

    /// Waits until the current tab is at exactly this address.
    pub async fn wait_for_url(&self, url: &str) -> Result<()> {
        self.wait_for_url_where(&format!("the address {url}"), |now| now.as_str() == url).await
    }

    /// Waits until the current tab's address is as `wanted`, which `what` puts in words.
    pub async fn wait_for_url_where(&self, what: &str, wanted: impl Fn(&Url) -> bool) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        loop {
            // In the middle of a navigation there may be no address to tell.
            if self.client.current_url().await.is_ok_and(|now| wanted(&now)) {
                return Ok(());
            }
            if end < Instant::now() {
                return Err(self.gave_up_on(what).await);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Presses what `css` finds.
    pub async fn click(&self, css: &str) -> Result<()> {
        let element = self.element(css).await?;
        element.click().await.with_context(|| format!("while clicking {css}"))
    }

    /// Types into what `css` finds.
    pub async fn fill(&self, css: &str, text: &str) -> Result<()> {
        let element = self.element(css).await?;
        element.send_keys(text).await.with_context(|| format!("while filling {css}"))
    }

    /// The text that a person sees in what `css` finds.
    pub async fn text(&self, css: &str) -> Result<String> {
        self.element(css).await?.text().await.with_context(|| format!("while reading {css}"))
    }

    /// Waits until the page shows this text.
    pub async fn wait_for_text(&self, text: &str) -> Result<()> {
        let shown = format!("return document.body.innerText.includes({})", json!(text));
        self.wait_until(&format!("the text {text:?}"), &shown).await
    }

    /// Waits until `script` returns true, which `what` puts in words.
    pub async fn wait_until(&self, what: &str, script: &str) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        // In the middle of a navigation a script may have no page to run in.
        while !self.run(script).await.is_ok_and(|answer| answer == true) {
            if end < Instant::now() {
                return Err(self.gave_up_on(what).await);
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// Whether `css` finds anything at this moment.
    pub async fn has(&self, css: &str) -> Result<bool> {
        Ok(!self.client.find_all(Locator::Css(css)).await?.is_empty())
    }

    /// Runs `script`, the body of an async function, in the page, and gives what it returns.
    pub async fn run(&self, script: &str) -> Result<Value> {
        let wrapped = format!(
            "const done = arguments[arguments.length - 1]; (async () => {{ {script} }})().then(done, e => done('' + e));"
        );
        self.client
            .execute_async(&wrapped, Vec::new())
            .await
            .with_context(|| format!("while running {script}"))
    }

    /// Marks the page that is shown, so that [`Browser::wait_for_unmarked_page`] can tell another one
    /// from it. An address cannot: it may be the same again, and what lies between may be over at once.
    pub async fn mark_page(&self) -> Result<()> {
        self.run("window.marked = true").await.map(drop)
    }

    /// Waits until a page is shown that was loaded after [`Browser::mark_page`].
    pub async fn wait_for_unmarked_page(&self) -> Result<()> {
        self.wait_until("another page", "return window.marked !== true").await
    }

    /// All cookies that the current tab's address would be sent, those that scripts cannot see included.
    pub async fn cookies(&self) -> Result<Vec<Cookie<'static>>> {
        Ok(self.client.get_all_cookies().await?)
    }

    /// Opens a further tab and looks at it.
    pub async fn new_tab(&self) -> Result<WindowHandle> {
        let tab = self.client.new_window(true).await?.handle;
        self.look_at(tab.clone()).await?;
        Ok(tab)
    }

    /// The tab that is looked at.
    pub async fn tab(&self) -> Result<WindowHandle> {
        Ok(self.client.window().await?)
    }

    /// Looks at another tab.
    pub async fn look_at(&self, tab: WindowHandle) -> Result<()> {
        Ok(self.client.switch_to_window(tab).await?)
    }

    /// Closes the tab that is looked at; another one must be looked at next.
    pub async fn close_tab(&self) -> Result<()> {
        Ok(self.client.close_window().await?)
    }

    /// Sets the window's size, in CSS pixels.
    pub async fn resize(&self, width: u32, height: u32) -> Result<()> {
        Ok(self.client.set_window_size(width, height).await?)
    }

    /// Writes what the tab shows into a PNG file.
    pub async fn screenshot(&self, file: &Path) -> Result<()> {
        fs::write(file, self.client.screenshot().await?)
            .with_context(|| format!("while writing {}", file.display()))
    }

    async fn element(&self, css: &str) -> Result<Element> {
        match self.client.wait().at_most(PATIENCE).for_element(Locator::Css(css)).await {
            Ok(element) => Ok(element),
            Err(error) => Err(self.gave_up_on(&format!("an element {css}")).await.context(error)),
        }
    }

    /// What a person needs to know of a page that is not as expected.
    async fn gave_up_on(&self, what: &str) -> anyhow::Error {
        let address = self.client.current_url().await.map_or_else(|error| error.to_string(), String::from);
        let text = match self.client.find(Locator::Css("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(error) => error.to_string(),
        };
        let picture = match self.picture_of_failure().await {
            Ok(file) => file.display().to_string(),
            Err(error) => format!("none: {error}"),
        };
        anyhow!("waited {PATIENCE:?} for {what}\naddress: {address}\npicture: {picture}\npage:\n{text}")
    }

    async fn picture_of_failure(&self) -> Result<PathBuf> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
        let file = tools::failures()?.join(format!("{}.png", now.as_millis()));
        self.screenshot(&file).await?;
        Ok(file)
    }
}

fn capabilities(profile: &TempDir, settings: &[Setting]) -> Result<serde_json::Map<String, Value>> {
    let mut options = json!({
        "binary": tools::system("chromium")?,
        "args": [
            "--headless",
            // As root, in CI, Chromium has no sandbox; it sees nothing but the tests' own pages.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            // It must not call anybody on its own, nor fetch what a page of others names.
            "--disable-quic",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
            "--no-first-run",
            "--window-size=1280,900",
            format!("--user-data-dir={}", profile.path().display()),
        ],
    });
    let mut wanted = serde_json::Map::new();
    if settings.contains(&Setting::NoCookies) {
        options["prefs"] = json!({ "profile.default_content_setting_values.cookies": 2 });
    }
    if settings.contains(&Setting::Impatient) {
        wanted.insert("pageLoadStrategy".to_owned(), json!("none"));
    }
    wanted.insert("browserName".to_owned(), json!("chrome"));
    wanted.insert("goog:chromeOptions".to_owned(), options);
    wanted.insert("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" }));
    Ok(wanted)
}
