//! Codes, tokens and browser sessions that are out there.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::jose::random_text;

/// How many of each kind are kept; the oldest go first.
const KEPT_MAX: usize = 20_000;

/// What a person granted to a client. Everything that came of it dies with it.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) sub: String,
    pub(crate) scope: String,
    pub(crate) nonce: Option<String>,
    pub(crate) code_challenge: String,
    pub(crate) auth_time: i64,
    pub(crate) sid: String,
    pub(crate) revoked: AtomicBool,
}

impl Grant {
    pub(crate) fn asked(&self, scope: &str) -> bool {
        self.scope.split(' ').any(|asked| asked == scope)
    }

    fn revoke(&self) {
        self.revoked.store(true, Ordering::Relaxed);
    }

    fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Relaxed)
    }
}

/// Who is signed in at which client, by which session here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SignedIn {
    pub(crate) client_id: String,
    pub(crate) sub: String,
    pub(crate) sid: String,
}

/// A browser that is signed in here.
#[derive(Debug, Clone)]
pub(crate) struct BrowserSession {
    pub(crate) sub: String,
    pub(crate) auth_time: i64,
    pub(crate) sid: String,
}

#[derive(Debug)]
struct Token {
    grant: Arc<Grant>,
    expires: i64,
    used: bool,
}

/// Everything that was issued and may come back.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    codes: Kept<Token>,
    access_tokens: Kept<Token>,
    refresh_tokens: Kept<Token>,
    browsers: Kept<BrowserSession>,
}

impl Grants {
    pub(crate) fn issue_code(&mut self, grant: Grant, expires: i64, suffix: &str) -> String {
        self.codes
            .put(format!("{}{suffix}", random_text()), Token { grant: Arc::new(grant), expires, used: false })
    }

    pub(crate) fn issue_access_token(&mut self, grant: &Arc<Grant>, expires: i64) -> String {
        self.access_tokens.put(random_text(), Token { grant: Arc::clone(grant), expires, used: false })
    }

    pub(crate) fn issue_refresh_token(&mut self, grant: &Arc<Grant>) -> String {
        let token = Token { grant: Arc::clone(grant), expires: i64::MAX, used: false };
        self.refresh_tokens.put(random_text(), token)
    }

    /// Uses a code up. A code that comes twice was stolen once, so everything that came of it is revoked
    /// (RFC 6749 §4.1.2).
    pub(crate) fn redeem_code(&mut self, code: &str, client_id: &str, now: i64) -> Option<Arc<Grant>> {
        redeem(self.codes.get_mut(code)?, client_id, now)
    }

    /// Uses a refresh token up, as a code (RFC 9700 §4.14.2).
    pub(crate) fn redeem_refresh_token(
        &mut self,
        token: &str,
        client_id: &str,
        now: i64,
    ) -> Option<Arc<Grant>> {
        redeem(self.refresh_tokens.get_mut(token)?, client_id, now)
    }

    pub(crate) fn of_access_token(&self, token: &str, now: i64) -> Option<Arc<Grant>> {
        let token = self.access_tokens.get(token)?;
        let good = now < token.expires && !token.grant.is_revoked();
        good.then(|| Arc::clone(&token.grant))
    }

    pub(crate) fn remember_browser(&mut self, session: BrowserSession) -> String {
        self.browsers.put(random_text(), session)
    }

    pub(crate) fn browser(&self, cookie: &str) -> Option<&BrowserSession> {
        self.browsers.get(cookie)
    }

    /// Who is signed in of those whom `which` picks, each once.
    pub(crate) fn signed_in(&self, which: impl Fn(&SignedIn) -> bool) -> BTreeSet<SignedIn> {
        let all = [&self.codes, &self.access_tokens, &self.refresh_tokens];
        let grants = all.into_iter().flat_map(Kept::values).map(|token| &token.grant);
        let signed_in = |grant: &Arc<Grant>| SignedIn {
            client_id: grant.client_id.clone(),
            sub: grant.sub.clone(),
            sid: grant.sid.clone(),
        };
        grants.filter(|grant| !grant.is_revoked()).map(signed_in).filter(which).collect()
    }

    /// Ends what `which` picks, with all that came of it, and says what that was.
    pub(crate) fn end(&mut self, which: impl Fn(&SignedIn) -> bool) -> BTreeSet<SignedIn> {
        let ended = self.signed_in(which);
        self.revoke(|grant| ended.iter().any(|ended| ended.sid == grant.sid));
        self.browsers.entries.retain(|_, browser| !ended.iter().any(|ended| ended.sid == browser.sid));
        ended
    }

    pub(crate) fn forget_browser(&mut self, cookie: &str) {
        self.browsers.remove(cookie);
    }

    /// Revokes whatever `which` picks.
    pub(crate) fn revoke(&self, which: impl Fn(&Grant) -> bool) {
        let all = [&self.codes, &self.access_tokens, &self.refresh_tokens];
        let grants = all.into_iter().flat_map(Kept::values).map(|token| &token.grant);
        grants.filter(|grant| which(grant)).for_each(|grant| grant.revoke());
    }
}

fn redeem(token: &mut Token, client_id: &str, now: i64) -> Option<Arc<Grant>> {
    // Before it is used up, or any client could spend another's.
    if token.grant.client_id != client_id {
        return None;
    }
    if std::mem::replace(&mut token.used, true) {
        token.grant.revoke();
    }
    (now < token.expires && !token.grant.is_revoked()).then(|| Arc::clone(&token.grant))
}

/// A map that forgets its oldest entries.
#[derive(Debug)]
struct Kept<T> {
    entries: HashMap<String, T>,
    order: VecDeque<String>,
}

impl<T> Kept<T> {
    fn put(&mut self, key: String, value: T) -> String {
        if self.order.len() == KEPT_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
        self.order.push_back(key.clone());
        self.entries.insert(key.clone(), value);
        key
    }

    fn get(&self, key: &str) -> Option<&T> {
        self.entries.get(key)
    }

    fn get_mut(&mut self, key: &str) -> Option<&mut T> {
        self.entries.get_mut(key)
    }

    fn remove(&mut self, key: &str) {
        self.entries.remove(key);
    }

    fn values(&self) -> impl Iterator<Item = &T> {
        self.entries.values()
    }
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { entries: HashMap::new(), order: VecDeque::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant() -> Grant {
        Grant {
            client_id: "demo".into(),
            redirect_uri: "http://127.0.0.1/callback".into(),
            sub: "1001".into(),
            scope: "openid".into(),
            nonce: None,
            code_challenge: String::new(),
            auth_time: 0,
            sid: "sid".into(),
            revoked: AtomicBool::new(false),
        }
    }

    #[test]
    fn a_code_is_used_once_and_twice_kills_its_tokens() {
        let mut grants = Grants::default();
        let code = grants.issue_code(grant(), 60, "");
        let granted = grants.redeem_code(&code, "demo", 0).unwrap();
        let access = grants.issue_access_token(&granted, 300);
        assert!(grants.of_access_token(&access, 299).is_some());
        assert!(grants.redeem_code(&code, "demo", 0).is_none());
        assert!(grants.of_access_token(&access, 0).is_none());
    }

    #[test]
    fn another_client_neither_gets_nor_spends_a_code() {
        let mut grants = Grants::default();
        let code = grants.issue_code(grant(), 60, "");
        assert!(grants.redeem_code(&code, "other", 0).is_none());
        assert!(grants.redeem_code(&code, "demo", 0).is_some());
    }

    #[test]
    fn everything_expires() {
        let mut grants = Grants::default();
        let code = grants.issue_code(grant(), 60, "");
        assert!(grants.redeem_code(&code, "demo", 60).is_none());
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let mut kept = Kept::default();
        for number in 0..=KEPT_MAX {
            kept.put(number.to_string(), ());
        }
        assert!(kept.get("0").is_none());
        assert!(kept.get("1").is_some());
        assert_eq!(kept.entries.len(), KEPT_MAX);
    }
}
