//! What a person sees in a browser's developer tools: its console, its cookies, other screens.

use anyhow::{Context, Result};
use fantoccini::wd::WebDriverCompatibleCommand;
use serde_json::{Value, json};
use url::{ParseError, Url};

use crate::Browser;

/// What a page is shown on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    /// A window of 1,000 by 700.
    Desk,
    /// A phone held upright, 375 by 700.
    Phone,
}

/// A cookie as the browser keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl Browser {
    /// One command of the DevTools protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Result<Value> {
        let command = ChromiumCommand {
            path: "goog/cdp/execute",
            body: json!({ "cmd": command, "params": parameters }),
        };
        let said = command.body.to_string();
        self.client.issue_cmd(command).await.with_context(|| format!("while sending {said}"))
    }

    /// What the console has said since it was last read: scripts, refused loads, broken policies.
    pub async fn console(&self) -> Result<Vec<String>> {
        let command = ChromiumCommand { path: "se/log", body: json!({ "type": "browser" }) };
        let lines = self.client.issue_cmd(command).await?;
        let lines = lines.as_array().context("the console is a list")?;
        Ok(lines.iter().map(|line| format!("{}: {}", line["level"], line["message"])).collect())
    }

    /// Every cookie of every site, wherever the current tab is.
    pub async fn all_cookies(&self) -> Result<Vec<Kept>> {
        let answer = self.devtools("Storage.getCookies", json!({})).await?;
        let cookies = answer["cookies"].as_array().context("cookies are a list")?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(cookies
            .iter()
            .map(|cookie| Kept { name: text(&cookie["name"]), value: text(&cookie["value"]) })
            .collect())
    }

    /// Gives the browser a cookie for `url`.
    pub async fn plant_cookie(&self, url: &str, name: &str, value: &str) -> Result<()> {
        let cookie = json!({ "url": url, "name": name, "value": value });
        self.devtools("Network.setCookie", cookie).await.map(drop)
    }

    /// Shows pages as on another screen, in light or dark.
    pub async fn show_as(&self, screen: Screen, dark: bool) -> Result<()> {
        let (width, height, mobile) = match screen {
            Screen::Desk => (1000, 700, false),
            Screen::Phone => (375, 700, true),
        };
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await?;
        let scheme = if dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", media).await.map(drop)
    }

    /// Goes back by one page, as the button does.
    pub async fn back(&self) -> Result<()> {
        Ok(self.client.back().await?)
    }

    /// Loads the page again, as the button does.
    pub async fn reload(&self) -> Result<()> {
        Ok(self.client.refresh().await?)
    }

    /// The text in the first frame of the page that is shown.
    pub async fn text_in_frame(&self) -> Result<String> {
        self.client.enter_frame(0).await?;
        let text = self.text("body").await;
        self.client.enter_parent_frame().await?;
        text
    }
}

/// A command that Chromium's driver knows and WebDriver does not.
#[derive(Debug)]
struct ChromiumCommand {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for ChromiumCommand {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}
