//! Plays a story on one program, as a browser would, and keeps every answer.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use url::Url;
use vestibule_dev_provider::Endpoint;
use vestibule_outside::{PATIENCE, Reply, Wire};

use crate::{
    compare::{Difference, Heard, differences, text},
    program::{Jar, Program, ask},
    stories::{Step, Story},
};

/// One thing of a story that is compared.
#[derive(Debug)]
pub(crate) enum Told {
    /// An answer.
    Heard(Heard),
    /// Something else, as text: what it is, and what it was.
    Text(&'static str, String),
}

impl Told {
    pub(crate) fn differences(&self, case: &str, other: &Self) -> Vec<Difference> {
        match (self, other) {
            (Self::Heard(ours), Self::Heard(theirs)) => differences(case, ours, theirs),
            (Self::Text(part, ours), Self::Text(_, theirs)) => {
                Difference::of(case, part, ours, theirs).into_iter().collect()
            }
            _ => Difference::of(case, "kind", &format!("{self:?}"), &format!("{other:?}"))
                .into_iter()
                .collect(),
        }
    }
}

/// Where a tab may go next.
#[derive(Debug, Clone)]
enum Next {
    Get(String),
    /// What a provider's page posts by itself.
    Post(String, String),
}

/// A browser at one program.
pub(crate) struct Player<'p> {
    program: &'p mut Program,
    jar: Jar,
    http: reqwest::Client,
    tabs: BTreeMap<u8, Next>,
    tab: u8,
    told: Vec<Told>,
}

impl<'p> Player<'p> {
    pub(crate) fn new(program: &'p mut Program) -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build();
        let http = http.expect("nothing is configured that could fail");
        let (jar, tabs, told) = (Jar::default(), BTreeMap::new(), Vec::new());
        Self { program, jar, http, tabs, tab: 0, told }
    }

    /// Signs in as whomever the provider takes the browser for, and gives the cookies.
    pub(crate) async fn signed_in(mut self) -> Result<Jar> {
        self.step(&Step::Visit("/")).await?;
        for _ in 0..3 {
            self.step(&Step::Follow).await?;
        }
        Ok(self.jar)
    }

    pub(crate) async fn tell(mut self, story: &Story) -> Result<Vec<Told>> {
        let provider = self.program.provider.clone();
        provider.honest().sign_in_as(Some("alice")).forget_requests();
        for (number, step) in story.steps.iter().enumerate() {
            self.step(step).await.with_context(|| format!("at step {number}, {step:?}"))?;
        }
        let asked = [Endpoint::Authorize, Endpoint::Token, Endpoint::Userinfo];
        let asked = asked.map(|endpoint| format!("{endpoint:?} {}", provider.requests_to(endpoint).len()));
        self.told.push(Told::Text("provider", asked.join(", ")));
        provider.honest();
        Ok(self.told)
    }

    async fn step(&mut self, step: &Step) -> Result<()> {
        let provider = self.program.provider.clone();
        match step {
            Step::Visit(path) => self.navigate("GET", path, "same-origin", "").await,
            Step::Fetch(path) => {
                let headers = "Accept: */*\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n";
                self.send("GET", path, headers, "").await.map(drop)
            }
            Step::Post(path, body) => self.navigate("POST", path, "same-origin", body).await,
            Step::Follow => self.follow().await,
            Step::Again => {
                let Next::Get(address) = self.next()? else { bail!("a form is not loaded again") };
                let path = self.own_path(&address).context("only addresses of ours are loaded again")?;
                self.navigate_keeping("GET", &path, "same-origin", "", true).await
            }
            Step::Tab(number) => {
                self.tab = *number;
                Ok(())
            }
            Step::Person(name) => {
                provider.sign_in_as(*name);
                Ok(())
            }
            Step::Lie(lie) => {
                provider.lie(lie.clone());
                Ok(())
            }
            Step::Fail(endpoint, behaviour) => {
                provider.fail_next(*endpoint, behaviour.clone());
                Ok(())
            }
            Step::Down => {
                provider.stop().await;
                Ok(())
            }
            Step::Up => Ok(provider.reopen().await?),
            Step::Forget => {
                self.jar = Jar::default();
                Ok(())
            }
            Step::Leave => self.leave().await,
            Step::Copies(number) => self.copies(*number).await,
        }
    }

    fn next(&self) -> Result<Next> {
        self.tabs.get(&self.tab).cloned().context("the tab has nowhere to go")
    }

    /// The path and query of an address, where it is the application's.
    fn own_path(&self, address: &str) -> Option<String> {
        let path = address.strip_prefix(self.program.environment.origin())?;
        path.starts_with('/').then(|| path.to_owned())
    }

    /// Goes where the last answer of this tab leads: one step, and through the provider's pages at once.
    async fn follow(&mut self) -> Result<()> {
        match self.next()? {
            Next::Post(address, body) => {
                let path = self.own_path(&address).context("the provider posts to us")?;
                self.navigate("POST", &path, "cross-site", &body).await
            }
            Next::Get(address) => match self.own_path(&address) {
                Some(path) => self.navigate("GET", &path, "cross-site", "").await,
                None => self.at_provider(&address).await,
            },
        }
    }

    async fn at_provider(&mut self, address: &str) -> Result<()> {
        let issuer = self.program.provider.issuer();
        ensure!(address.starts_with(issuer), "{address} is neither ours nor the provider's");
        let answer = self.http.get(address).send().await?;
        let location = answer.headers().get("location").map(|location| location.to_str().map(str::to_owned));
        let next = match location {
            Some(location) => Next::Get(location?),
            None => form(&answer.text().await?)?,
        };
        self.tabs.insert(self.tab, next);
        Ok(())
    }

    async fn navigate(&mut self, method: &str, path: &str, site: &str, body: &str) -> Result<()> {
        self.navigate_keeping(method, path, site, body, false).await
    }

    async fn navigate_keeping(
        &mut self,
        method: &str,
        path: &str,
        site: &str,
        body: &str,
        keep: bool,
    ) -> Result<()> {
        let reply = self.send(method, path, &navigation(site), body).await?;
        let location = reply.as_ref().and_then(|reply| reply.header("location"));
        match location {
            _ if keep => {}
            Some(location) => {
                let base = Url::parse(self.program.environment.origin())?;
                self.tabs.insert(self.tab, Next::Get(base.join(location)?.into()));
            }
            None => drop(self.tabs.remove(&self.tab)),
        }
        Ok(())
    }

    async fn send(&mut self, method: &str, path: &str, headers: &str, body: &str) -> Result<Option<Reply>> {
        let bytes = self.request(method, path, headers, body);
        let heard = ask(self.program.app.port(), bytes.into_bytes(), false).await?;
        let reply = heard.reply.clone();
        if let Some(reply) = &reply {
            self.jar.keep(reply)?;
        }
        self.told.push(Told::Heard(heard));
        Ok(reply)
    }

    fn request(&self, method: &str, path: &str, headers: &str, body: &str) -> String {
        let origin = self.program.environment.origin();
        let host = origin.split_once("//").map_or(origin, |(_, host)| host);
        let form = if method == "POST" {
            format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n", body.len())
        } else {
            String::new()
        };
        let cookies = self.jar.line();
        format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{headers}{form}{cookies}\r\n{body}")
    }

    /// Sends what this tab has to send next, and leaves before it is answered, with the provider still being asked.
    async fn leave(&mut self) -> Result<()> {
        let provider = self.program.provider.clone();
        let (before, asked) = (self.program.signed_in(), provider.requests_to(Endpoint::Token).len());
        provider.fail_next(Endpoint::Token, vestibule_dev_provider::Behaviour::Delay(Duration::from_secs(1)));
        let mut wire = Wire::to(self.program.app.port()).await?;
        wire.say(self.callback()?).await;
        provider.arrival(Endpoint::Token, asked + 1).await;
        drop(wire);
        ensure!(self.program.signed_in() == before, "the browser left too late for this to show anything");
        let end = Instant::now() + PATIENCE;
        while self.program.signed_in() == before {
            ensure!(Instant::now() < end, "what the browser left behind was never finished");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.told.push(Told::Text("left", format!("{} signed in", self.program.signed_in() - before)));
        Ok(())
    }

    /// Sends what this tab has to send next many times at once.
    async fn copies(&mut self, number: usize) -> Result<()> {
        let slow = vestibule_dev_provider::Behaviour::Delay(Duration::from_secs(1));
        self.program.provider.fail_next(Endpoint::Token, slow);
        let request = self.callback()?;
        let mut wires = Vec::new();
        for _ in 0..number {
            let mut wire = Wire::to(self.program.app.port()).await?;
            wire.say(&request).await;
            wires.push(wire);
        }
        let (mut answers, mut sealed) = (Vec::new(), Vec::new());
        for mut wire in wires {
            let reply = wire.reply().await?.context("each copy is answered")?;
            answers.push(text(&reply));
            sealed.push(reply.header("set-cookie").map(str::to_owned));
            self.jar.keep(&reply)?;
        }
        sealed.sort();
        sealed.dedup();
        answers.sort();
        let counted = answers.chunk_by(|left, right| left == right);
        let counted: Vec<_> = counted.map(|same| format!("{} × {}", same.len(), same[0])).collect();
        self.told.push(Told::Text("copies", counted.join("\n")));
        self.told.push(Told::Text("sessions", sealed.len().to_string()));
        Ok(())
    }

    /// The request that this tab has to send next, to an address of ours.
    fn callback(&self) -> Result<String> {
        let headers = navigation("cross-site");
        match self.next()? {
            Next::Get(address) => {
                let path = self.own_path(&address).context("only ours is asked")?;
                Ok(self.request("GET", &path, &headers, ""))
            }
            Next::Post(address, body) => {
                let path = self.own_path(&address).context("only ours is asked")?;
                Ok(self.request("POST", &path, &headers, &body))
            }
        }
    }
}

fn navigation(site: &str) -> String {
    format!(
        "Accept: text/html\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Site: {site}\r\n"
    )
}

/// What the provider's form-post page sends: where to, and its hidden fields.
fn form(page: &str) -> Result<Next> {
    let attribute = |tag: &str, name: &str| -> Option<String> {
        let value = tag.split_once(&format!(" {name}=\""))?.1.split('"').next()?;
        Some(value.replace("&amp;", "&"))
    };
    let tag = page.split("<form").nth(1).and_then(|rest| rest.split('>').next()).context("no form")?;
    let action = attribute(tag, "action").context("the form leads nowhere")?;
    let mut fields = url::form_urlencoded::Serializer::new(String::new());
    for input in page.split("<input").skip(1).filter_map(|rest| rest.split('>').next()) {
        let (name, value) = (attribute(input, "name"), attribute(input, "value"));
        fields.append_pair(&name.context("a field has a name")?, &value.context("a field has a value")?);
    }
    Ok(Next::Post(action, fields.finish()))
}
