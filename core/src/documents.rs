//! Discovery documents and key sets of all issuers: what a process remembers of them.
//!
//! A document is used without asking for [`DOCUMENT_SOFT_AGE`]; after that the next request fetches it anew, and goes
//! on with the old one where the provider does not answer, up to [`DOCUMENT_HARD_AGE`]. Only a document that can be
//! used is remembered, and by whoever asked for it: a bad one neither takes a good one's place nor stays. Refetches because of an unknown key are rationed per document.

use std::collections::HashMap;

use url::Url;

use crate::{
    exchange::{Document, Freshness, HttpFailure, HttpResponse, Purpose},
    json,
    limits::{
        DOCUMENT_FAILURE_PAUSE, DOCUMENT_HARD_AGE, DOCUMENT_REFETCH_BURST, DOCUMENT_REFETCH_INTERVAL,
        DOCUMENT_RETRY_INTERVAL, DOCUMENT_SOFT_AGE, DOCUMENTS_MAX,
    },
    log,
    time::Timestamp,
};

/// What there is of a document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LookUp {
    /// Use this one.
    Use(Document),
    /// Fetch it; where that fails, [`Documents::fetched`] says what to use.
    Fetch,
    /// There is none, and asking again so soon would bring nothing but this again.
    Failed(HttpFailure),
}

/// All documents that a process remembers.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    entries: HashMap<Url, Entry>,
}

#[derive(Debug)]
struct Entry {
    document: Option<Document>,
    /// When the last fetch was tried, whatever came of it.
    tried: Timestamp,
    /// Why the last fetch brought nothing, if it did not.
    failure: Option<HttpFailure>,
    tokens: u32,
    refilled: Timestamp,
}

impl Documents {
    /// Decides whether a document has to be fetched.
    pub(crate) fn look_up(&mut self, url: &Url, freshness: Freshness, now: Timestamp) -> LookUp {
        let Some(entry) = self.entries.get_mut(url) else { return LookUp::Fetch };
        if let (None, Some(failure)) = (entry.last_good(now), entry.failure)
            && now.since(entry.tried) < DOCUMENT_FAILURE_PAUSE
        {
            return LookUp::Failed(failure);
        }
        let Some(document) = entry.document.clone() else { return LookUp::Fetch };
        let age = now.since(document.fetched);
        let fetch = match freshness {
            Freshness::Refetched => entry.take_token(now),
            Freshness::Cached if age >= DOCUMENT_HARD_AGE => true,
            Freshness::Cached => {
                age >= DOCUMENT_SOFT_AGE && now.since(entry.tried) >= DOCUMENT_RETRY_INTERVAL
            }
        };
        if fetch { LookUp::Fetch } else { LookUp::Use(document) }
    }

    /// The last one, where it is not too old to be used at all.
    pub(crate) fn last(&self, url: &Url, now: Timestamp) -> Option<Document> {
        self.entries.get(url)?.last_good(now)
    }

    /// Takes note of a fetch, and says what to use. `usable` says whether what came serves whoever asked for it.
    pub(crate) fn fetched(
        &mut self,
        purpose: Purpose,
        url: &Url,
        result: Result<HttpResponse, HttpFailure>,
        usable: bool,
        now: Timestamp,
    ) -> Result<Document, HttpFailure> {
        let answered = result.is_ok();
        let result = result.and_then(|response| document(purpose, response, now));
        if !self.entries.contains_key(url) && self.entries.len() >= DOCUMENTS_MAX {
            self.forget_the_oldest();
        }
        let entry = self.entries.entry(url.clone()).or_insert_with(|| Entry {
            document: None,
            tried: now,
            failure: None,
            tokens: DOCUMENT_REFETCH_BURST,
            refilled: now,
        });
        entry.tried = now;
        entry.failure = result.as_ref().err().copied();
        match result {
            Ok(document) if usable => Ok(entry.document.insert(document).clone()),
            // Where there is no good one, whoever asked finds out what is wrong with this one, and it is forgotten.
            bad => match entry.last_good(now) {
                Some(good) => {
                    if answered {
                        log::document_set_aside(purpose);
                    }
                    Ok(good)
                }
                None => bad,
            },
        }
    }

    fn forget_the_oldest(&mut self) {
        let oldest = self.entries.iter().min_by_key(|(url, entry)| (entry.tried, *url));
        if let Some(url) = oldest.map(|(url, _)| url.clone()) {
            self.entries.remove(&url);
        }
    }
}

impl Entry {
    fn last_good(&self, now: Timestamp) -> Option<Document> {
        self.document.clone().filter(|last| now.since(last.fetched) < DOCUMENT_HARD_AGE)
    }

    fn take_token(&mut self, now: Timestamp) -> bool {
        let earned = now.since(self.refilled).as_secs() / DOCUMENT_REFETCH_INTERVAL.as_secs();
        if earned > 0 {
            let earned = u32::try_from(earned).unwrap_or(u32::MAX);
            self.tokens = self.tokens.saturating_add(earned).min(DOCUMENT_REFETCH_BURST);
            self.refilled = now;
        }
        let taken = self.tokens > 0;
        self.tokens = self.tokens.saturating_sub(1);
        taken
    }
}

/// Accepts an answer as the document that was asked for: an unusable one never replaces a good one.
fn document(purpose: Purpose, response: HttpResponse, now: Timestamp) -> Result<Document, HttpFailure> {
    match response.status().as_u16() {
        200 => {}
        status @ (429 | 500..=599) => return Err(HttpFailure::Unavailable(status)),
        _ => return Err(HttpFailure::NotADocument),
    }
    let members: serde_json::Map<String, serde_json::Value> =
        json::parse(response.body()).map_err(|_| HttpFailure::NotADocument)?;
    let usable = match purpose {
        Purpose::Keys => {
            members.get("keys").and_then(|keys| keys.as_array()).is_some_and(|keys| !keys.is_empty())
        }
        _ => !members.is_empty(),
    };
    if usable { Ok(Document::new(response.into_body(), now)) } else { Err(HttpFailure::NotADocument) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_000_000);

    fn url() -> Url {
        Url::parse("https://op.example/keys").unwrap()
    }

    fn answer(status: u16, body: &str) -> Result<HttpResponse, HttpFailure> {
        Ok(http::Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap())
    }

    fn with_keys() -> Documents {
        let mut documents = Documents::default();
        documents.fetched(Purpose::Keys, &url(), answer(200, r#"{"keys":[{}]}"#), true, NOW).unwrap();
        documents
    }

    fn after(seconds: u64) -> Timestamp {
        NOW.after(Duration::from_secs(seconds))
    }

    #[test]
    fn nd_05_a_document_survives_the_downtime_of_its_provider() {
        let mut documents = with_keys();
        let soft = DOCUMENT_SOFT_AGE.as_secs();
        assert!(matches!(documents.look_up(&url(), Freshness::Cached, after(soft - 1)), LookUp::Use(_)));
        assert_eq!(documents.look_up(&url(), Freshness::Cached, after(soft)), LookUp::Fetch);
        let old =
            documents.fetched(Purpose::Keys, &url(), Err(HttpFailure::Connect), true, after(soft)).unwrap();
        assert_eq!(old.fetched, NOW);
        assert!(
            matches!(documents.look_up(&url(), Freshness::Cached, after(soft + 1)), LookUp::Use(_)),
            "not at once"
        );
        let hard = after(DOCUMENT_HARD_AGE.as_secs());
        let gone = documents.fetched(Purpose::Keys, &url(), Err(HttpFailure::Connect), true, hard);
        assert_eq!(gone, Err(HttpFailure::Connect));
    }

    #[test]
    fn nd_06_an_unusable_answer_never_replaces_a_good_one() {
        let mut documents = with_keys();
        for body in ["", "{}", r#"{"keys":[]}"#, "[]", "<html>", r#"{"keys":[{}],"keys":[{}]}"#] {
            let kept = documents.fetched(Purpose::Keys, &url(), answer(200, body), true, after(9)).unwrap();
            assert_eq!(kept.fetched, NOW, "{body}");
        }
        assert_eq!(
            documents
                .fetched(Purpose::Keys, &url(), answer(500, r#"{"keys":[{}]}"#), true, NOW)
                .unwrap()
                .fetched,
            NOW
        );
        let mut none = Documents::default();
        assert_eq!(
            none.fetched(Purpose::Keys, &url(), answer(404, "{}"), true, NOW),
            Err(HttpFailure::NotADocument)
        );
        for status in [429, 500, 503] {
            let unavailable = none.fetched(Purpose::Keys, &url(), answer(status, "{}"), true, NOW);
            assert_eq!(unavailable, Err(HttpFailure::Unavailable(status)));
        }
    }

    #[test]
    fn nd_05_a_document_of_no_use_to_whoever_asked_neither_replaces_a_good_one_nor_stays() {
        let mut documents = with_keys();
        let bad = || answer(200, r#"{"keys":[{"bad":1}]}"#);
        let kept = documents.fetched(Purpose::Keys, &url(), bad(), false, after(9)).unwrap();
        assert_eq!(kept.fetched, NOW);
        let gone = after(DOCUMENT_HARD_AGE.as_secs());
        let shown = documents.fetched(Purpose::Keys, &url(), bad(), false, gone).unwrap();
        assert_eq!(shown.fetched, gone, "a good one that is too old is none");
        let mut none = Documents::default();
        let shown = none.fetched(Purpose::Keys, &url(), bad(), false, NOW).unwrap();
        assert_eq!(shown.body.as_slice(), br#"{"keys":[{"bad":1}]}"#, "so that its fault can be named");
        assert_eq!(none.look_up(&url(), Freshness::Cached, NOW), LookUp::Fetch);
        assert_eq!(none.last(&url(), NOW), None);
    }

    #[test]
    fn nd_09_after_a_failure_nobody_is_asked_again_at_once() {
        let mut documents = Documents::default();
        let refused = Err(HttpFailure::Connect);
        documents.fetched(Purpose::Keys, &url(), refused.clone(), true, NOW).unwrap_err();
        let pause = DOCUMENT_FAILURE_PAUSE.as_secs();
        for freshness in [Freshness::Cached, Freshness::Refetched] {
            let meanwhile = documents.look_up(&url(), freshness, after(pause - 1));
            assert_eq!(meanwhile, LookUp::Failed(HttpFailure::Connect));
            assert_eq!(documents.look_up(&url(), freshness, after(pause)), LookUp::Fetch);
        }
        let other = Url::parse("https://op.example/other").unwrap();
        assert_eq!(documents.look_up(&other, Freshness::Cached, NOW), LookUp::Fetch);
        documents.fetched(Purpose::Keys, &url(), answer(200, r#"{"keys":[{}]}"#), true, NOW).unwrap();
        assert!(matches!(documents.look_up(&url(), Freshness::Cached, NOW), LookUp::Use(_)));
        let gone = DOCUMENT_HARD_AGE.as_secs();
        documents.fetched(Purpose::Keys, &url(), refused, true, after(gone)).unwrap_err();
        let too_old = documents.look_up(&url(), Freshness::Cached, after(gone + pause - 1));
        assert_eq!(too_old, LookUp::Failed(HttpFailure::Connect), "one that is too old is none");
    }

    #[test]
    fn nd_09_refetches_are_rationed() {
        let mut documents = with_keys();
        let mut fetches = |from: u64, count: u64| {
            (from..from + count)
                .filter(|second| {
                    documents.look_up(&url(), Freshness::Refetched, after(*second)) == LookUp::Fetch
                })
                .count()
        };
        assert_eq!(fetches(1, 50), DOCUMENT_REFETCH_BURST as usize);
        assert_eq!(fetches(61, 50), 1);
        assert_eq!(fetches(100_000, 50), DOCUMENT_REFETCH_BURST as usize);
    }

    #[test]
    fn the_number_of_documents_is_bounded() {
        let mut documents = Documents::default();
        for number in 0..2 * DOCUMENTS_MAX {
            let url = Url::parse(&format!("https://op.example/{number}")).unwrap();
            documents
                .fetched(Purpose::Metadata, &url, answer(200, r#"{"a":1}"#), true, after(number as u64))
                .unwrap();
        }
        assert_eq!(documents.entries.len(), DOCUMENTS_MAX);
    }
}
