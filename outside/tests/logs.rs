//! The log of a whole day at the most talkative level, every dependency included: nothing secret, nothing personal, no
//! text of somebody else's; and one event is one line.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use vestibule_dev_provider::{Answer, Behaviour, Edit, Endpoint, Lie, Object, Person};
use vestibule_outside::{COOKIE_SECRET, Framework, Idp, Seed1, Visitor, client};

/// Whatever others wrote stands between these.
const CANARY: &str = "canary-9f3b";

/// Others' text that would like to be a line, a colour, or a script.
fn hostile() -> String {
    format!(
        "{CANARY}\u{1b}[31m\r\n2026-01-01T00:00:00Z  INFO forged: signed in\u{202e}<script>alert(1)</script>{{{{7*7}}}}"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lk_01_lk_12_a_whole_day_at_trace_leaves_nothing_secret_in_the_log_for_people() -> Result<()> {
    for_people(Framework::Axum).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lk_01_lk_12_nor_does_a_day_of_the_gateway_in_the_log_for_people() -> Result<()> {
    for_people(Framework::Gateway).await
}

async fn for_people(framework: Framework) -> Result<()> {
    let day = Day::live(framework, "text").await?;
    day.assert_nothing_secret()?;
    for line in day.log.lines() {
        let is_ours = line.starts_with("20") && line.get(4..5) == Some("-") && line.contains('Z');
        assert!(is_ours, "a line that is not the beginning of an event: {line:?}");
    }
    for (code, count) in &day.refused {
        let needle = format!("code=\"{code}\"");
        assert_eq!(
            day.log.lines().filter(|line| line.contains(&needle)).count(),
            *count,
            "{code}: {}",
            day.log
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lk_01_lk_12_a_whole_day_at_trace_leaves_nothing_secret_in_the_log_for_programs() -> Result<()> {
    for_programs(Framework::Axum).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lk_01_lk_12_nor_does_a_day_of_the_gateway_in_the_log_for_programs() -> Result<()> {
    for_programs(Framework::Gateway).await
}

async fn for_programs(framework: Framework) -> Result<()> {
    let day = Day::live(framework, "json").await?;
    day.assert_nothing_secret()?;
    let mut refused = BTreeMap::new();
    let mut messages = BTreeMap::new();
    for line in day.log.lines() {
        let event: Value = serde_json::from_str(line).with_context(|| format!("not JSON: {line:?}"))?;
        let message = event["fields"]["message"].as_str().unwrap_or_default().to_owned();
        if message == "refused" {
            let code = event["fields"]["code"].as_str().context("a refusal has a code")?;
            *refused.entry(code.to_owned()).or_insert(0) += 1;
        }
        *messages.entry(message).or_insert(0) += 1;
    }
    assert_eq!(refused, day.refused, "each refusal is one line");
    assert_eq!((messages["signed in"], messages["signed out"]), (1, 1), "{messages:?}");
    Ok(())
}

/// What a day has left behind.
struct Day {
    log: String,
    secrets: Vec<String>,
    refused: BTreeMap<String, usize>,
}

impl Day {
    /// Everything that may happen to people who sign in, once.
    async fn live(framework: Framework, format: &str) -> Result<Self> {
        let app = |app: vestibule_outside::AppBuilder| {
            app.variable("RUST_LOG", "trace")
                .variable("VESTIBULE_LOG_FORMAT", format)
                .option("EMAIL_DOMAINS", "example.com")
        };
        let mut system = Seed1::start_all(framework, Idp::dev, app, |servers| servers).await?;
        let provider = system.dev()?.clone();
        let name = format!("Name {CANARY}");
        provider.person(Person::new("1", "pia").name(&name).verified_email(format!("{CANARY}@example.com")));
        provider.person(Person::new("2", "rex").name(&name).verified_email(format!("{CANARY}@example.org")));
        let mut story = Story { system: &system, framework, cookies: Vec::new(), refused: BTreeMap::new() };

        story.bad_documents().await?;
        story.bad_answers().await?;
        story.turned_away().await?;
        story.a_good_day().await?;

        let Story { cookies, refused, .. } = story;
        let mut secrets = cookies;
        secrets.extend([client::SECRET, COOKIE_SECRET].map(str::to_owned));
        secrets.extend(provider.issued().into_iter().map(|issued| issued.value));
        for asked in provider.requests() {
            let given = asked.query.iter().chain(&asked.form).chain(&asked.headers);
            let is_secret = |name: &str| {
                ["state", "nonce", "code", "code_verifier", "client_secret", "authorization"].contains(&name)
            };
            secrets.extend(given.filter(|(name, _)| is_secret(name)).map(|(_, value)| {
                value.trim_start_matches("Basic ").trim_start_matches("Bearer ").to_owned()
            }));
        }
        secrets.retain(|secret| !secret.is_empty());
        secrets.sort();
        secrets.dedup();
        // What the program has said last may still be on its way. And one line is no event, on the other of its outputs.
        system.app.log_line_with("signed out").await?;
        let log = system.app.log();
        let log = log.lines().filter(|line| !line.starts_with("listening on http://")).collect::<Vec<_>>();
        Ok(Self { log: log.join("\n"), secrets, refused })
    }

    fn assert_nothing_secret(&self) -> Result<()> {
        let Self { log, secrets, .. } = self;
        assert!(30 < secrets.len(), "only {} secrets were found", secrets.len());
        let talks = |line: &&str| line.contains("TRACE") && line.contains("hyper_util");
        assert!(
            log.lines().any(|line| talks(&line)),
            "what we depend on does not say all that it could: {log}"
        );
        for secret in secrets {
            for shape in shapes(secret) {
                let line = log.lines().find(|line| line.contains(&shape));
                assert_eq!(line, None, "a piece of {secret}");
            }
        }
        // The people's own data, and whatever the provider said.
        for text in [CANARY, "<script", "forged", "example.org"] {
            assert_eq!(log.lines().find(|line| line.contains(text)), None, "{text}");
        }
        let odd = log.chars().find(|char| char.is_control() && *char != '\n');
        assert_eq!(odd, None, "a control character in the log");
        Ok(())
    }
}

/// What would give a secret away: any piece of sixteen characters, in any of the ways that bytes are printed.
fn shapes(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let mut shapes: Vec<String> = bytes
        .chunks(16)
        .filter(|piece| 12 <= piece.len())
        .map(|piece| String::from_utf8_lossy(piece).into_owned())
        .collect();
    if 12 <= bytes.len() {
        let numbers: Vec<String> = bytes[..8].iter().map(u8::to_string).collect();
        shapes.push(numbers.join(", "));
        shapes.push(bytes[..8].iter().map(|byte| format!("{byte:02x}")).collect());
    } else {
        shapes.push(secret.to_owned());
    }
    shapes
}

/// A day while it is lived.
struct Story<'s> {
    system: &'s Seed1,
    framework: Framework,
    cookies: Vec<String>,
    refused: BTreeMap<String, usize>,
}

impl Story<'_> {
    /// Somebody new visits the front page as `person`, and ends on a page with this code, or where they wanted to go.
    async fn visit(&mut self, person: &str, expected: Option<&str>) -> Result<Visitor> {
        let provider = self.system.dev()?;
        provider.sign_in_as(Some(person));
        let mut visitor = Visitor::new(&self.system.origin)?;
        let visited = visitor.follow(&self.system.at("/")).await?;
        // What nginx asked about the first page of all.
        self.refused("sign_in_required");
        match expected {
            None => assert_eq!(visited.status, 200, "{}", visited.text),
            Some(code) => {
                assert!(visited.text.contains(&format!("<code>{code}</code>")), "{code}: {}", visited.text);
                assert!(
                    !visited.text.contains(CANARY) && !visited.text.contains("<script"),
                    "{}",
                    visited.text
                );
                self.refused(code);
            }
        }
        provider.honest();
        self.cookies.extend_from_slice(visitor.cookies_ever_set());
        Ok(visitor)
    }

    fn refused(&mut self, code: &str) {
        *self.refused.entry(code.to_owned()).or_insert(0) += 1;
    }

    async fn bad_documents(&mut self) -> Result<()> {
        let provider = self.system.dev()?.clone();
        let said = json!({ "error": hostile() }).to_string();
        let pause = || tokio::time::sleep(vestibule::limits::DOCUMENT_FAILURE_PAUSE);
        provider.fail_next(Endpoint::Metadata, Behaviour::answer(500, said));
        self.visit("pia", Some("provider_unreachable")).await?;
        pause().await;
        provider.fail_next(Endpoint::Metadata, Behaviour::Raw(hostile().into_bytes()));
        self.visit("pia", Some("provider_unreachable")).await?;
        pause().await;
        provider.lie(Lie::RawKeys(hostile()));
        self.visit("pia", Some("provider_answer_invalid")).await?;
        pause().await;
        Ok(())
    }

    async fn bad_answers(&mut self) -> Result<()> {
        let provider = self.system.dev()?.clone();
        let error =
            json!({ "error": "invalid_grant", "error_description": hostile(), "error_uri": hostile() });
        provider.fail_next(Endpoint::Token, Behaviour::Answer(Answer::new(400).json(error.to_string())));
        self.visit("pia", Some("token_refused")).await?;
        let error = json!({ "error": hostile() }).to_string();
        provider.fail_next(Endpoint::Token, Behaviour::Answer(Answer::new(400).json(error)));
        self.visit("pia", Some("token_refused")).await?;
        provider.fail_next(Endpoint::Token, Behaviour::Answer(Answer::new(200).json(hostile())));
        self.visit("pia", Some("provider_answer_invalid")).await?;
        provider.fail_next(Endpoint::Token, Behaviour::CloseAfter(20));
        self.visit("pia", Some("provider_unreachable")).await?;
        provider.fail_next(Endpoint::Userinfo, Behaviour::Answer(Answer::new(200).json(hostile())));
        self.visit("pia", Some("provider_answer_invalid")).await?;
        for claim in ["nonce", "aud", "azp", "iss", "exp", "at_hash"] {
            provider.lie(Lie::claim(claim, hostile()));
            self.visit("pia", Some("id_token_invalid")).await?;
        }
        for member in ["alg", "kid", "typ", "crit"] {
            provider.lie(Lie::member(Object::Header, member, Edit::Set(hostile().into())));
            self.visit("pia", Some("id_token_invalid")).await?;
        }
        provider.lie(Lie::RawIdToken(hostile()));
        self.visit("pia", Some("id_token_invalid")).await?;
        provider.lie(Lie::UserinfoOf("2".to_owned()));
        self.visit("pia", Some("subject_mismatch")).await?;
        Ok(())
    }

    async fn turned_away(&mut self) -> Result<()> {
        let provider = self.system.dev()?.clone();
        let refuse = |error: &str| Lie::Refuse { error: error.to_owned(), description: hostile() };
        provider.lie(refuse("access_denied"));
        self.visit("pia", Some("access_denied")).await?;
        provider.lie(refuse(&hostile()));
        self.visit("pia", Some("provider_refused")).await?;
        provider.lie(Lie::callback("iss", [hostile()]));
        self.visit("pia", Some("issuer_mismatch")).await?;
        provider.lie(Lie::callback("code", [hostile(), hostile()]));
        self.visit("pia", Some("callback_malformed")).await?;
        provider.lie(Lie::callback("state", [hostile()]));
        self.visit("pia", Some("state_mismatch")).await?;
        self.visit("rex", Some("email_not_allowed")).await?;
        Ok(())
    }

    async fn a_good_day(&mut self) -> Result<()> {
        let mut visitor = self.visit("pia", None).await?;
        for path in ["/app/api/userinfo", "/app/oauth2/userinfo", "/app/oauth2/auth"] {
            // Beside the gateway the application has no such thing.
            if self.framework == Framework::Gateway && path.contains("/api/") {
                continue;
            }
            assert!(visitor.fetch(&self.system.at(path)).await?.status().is_success(), "{path}");
        }
        let mut tampered = Visitor::new(&self.system.origin)?;
        let forged = format!("/app/oauth2/callback?code={CANARY}&state={CANARY}");
        let answer = tampered.navigate(&self.system.at(&forged)).await?;
        assert_eq!(answer.status(), 400);
        self.refused("attempt_missing");
        let answer = visitor.navigate(&self.system.at("/app/oauth2/sign_out")).await?;
        assert!(answer.status().is_redirection());
        Ok(())
    }
}
