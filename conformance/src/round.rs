//! One round trip, step by step, for tests that do something on the way.

use url::Url;
use vestibule::{driver::Host as _, limits::PROVIDER_CALL_TIME_MAX, request::PlainHead, response::Response};

use crate::{Browser, Endpoint, Outcome, Site};

/// A browser that has been sent to the provider, or was not let go.
#[derive(Debug)]
pub struct Round<'s> {
    pub(crate) site: &'s Site,
    /// The browser.
    pub browser: Browser,
    /// What it was told at the beginning.
    pub begun: Response,
    requests: usize,
    issued: usize,
    sent: usize,
}

impl<'s> Round<'s> {
    pub(crate) async fn begin(site: &'s Site, browser: Browser) -> Self {
        Self::begin_at(site, browser, "/oauth2/start/oidc?rd=%2Fdeep").await
    }

    pub(crate) async fn begin_at(site: &'s Site, mut browser: Browser, target: &str) -> Self {
        let (requests, issued) = (site.asked().len(), site.provider().issued().len());
        let sent = site.host().asked().len();
        let begun = browser.visit(site.driver(), target).await;
        Self { site, browser, begun, requests, issued, sent }
    }

    /// Where the browser was sent.
    ///
    /// # Panics
    /// It was not sent anywhere.
    pub fn authorize(&self) -> Url {
        let location =
            self.begun.get("location").unwrap_or_else(|| panic!("{:?} sends nobody anywhere", self.begun));
        Url::parse(location).expect("the core sends browsers to addresses")
    }

    /// A parameter of the authorization request.
    ///
    /// # Panics
    /// It is not there exactly once.
    pub fn parameter(&self, name: &str) -> String {
        let url = self.authorize();
        let values: Vec<_> =
            url.query_pairs().filter(|(own, _)| own == name).map(|(_, value)| value.into_owned()).collect();
        let [value] = values.as_slice() else {
            panic!("`{name}` stands {} times in the request", values.len())
        };
        value.clone()
    }

    /// Goes to the provider, and says where it sends the browser back to: path and query.
    ///
    /// # Panics
    /// It sends the browser nowhere.
    pub async fn ask_provider(&self) -> String {
        let request =
            http::Request::get(self.authorize().as_str()).body(Vec::new()).expect("it is an address");
        let answer = self.site.host().unwatched().exchange(request, PROVIDER_CALL_TIME_MAX).await;
        let answer = answer.expect("the provider answers browsers");
        let location = answer.headers().get("location").and_then(|location| location.to_str().ok());
        let location = location.unwrap_or_else(|| panic!("the provider answered {}", answer.status()));
        let url = Url::parse(location).expect("the provider sends browsers to registered addresses");
        format!("{}?{}", url.path(), url.query().unwrap_or_default())
    }

    /// Goes on to the end, wherever that is.
    pub async fn finish(self) -> Outcome {
        if self.begun.status != 303 {
            let begun = self.begun.clone();
            return self.end(begun, false).await;
        }
        let target = self.ask_provider().await;
        self.come_back(&target).await
    }

    /// Comes back to our side with this address.
    pub async fn come_back(mut self, target: &str) -> Outcome {
        let response = self.browser.visit(self.site.driver(), target).await;
        self.end(response, true).await
    }

    async fn end(self, response: Response, came_back: bool) -> Outcome {
        let site = self.site;
        let mut browser = self.browser.clone();
        let me = browser.send(site.driver(), PlainHead::fetch("/oauth2/userinfo"), b"").await;
        let issued = site.provider().issued().split_off(self.issued);
        Outcome {
            asked: self.asked(),
            elsewhere: self.elsewhere(),
            session: site.session_of(&self.browser),
            issued: issued.into_iter().map(|issued| issued.value).collect(),
            browser: self.browser,
            response,
            came_back,
            me,
        }
    }

    /// What the provider has been asked since this round began.
    pub fn asked(&self) -> Vec<Endpoint> {
        self.site.asked().split_off(self.requests)
    }

    /// Addresses that were asked since this round began and are not the provider's.
    fn elsewhere(&self) -> Vec<Url> {
        let own =
            Url::parse(&self.site.provider().url(Endpoint::Metadata)).expect("the provider has an address");
        let asked = self.site.host().asked().split_off(self.sent).into_iter().map(|asked| asked.url);
        asked.filter(|url| url.origin() != own.origin()).collect()
    }
}
