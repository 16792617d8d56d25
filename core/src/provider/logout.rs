//! What a provider says of sessions that it has ended.

use crate::{
    limits::{CLOCK_LEEWAY, LOGOUT_NAME_BYTES_MAX, LOGOUT_TOKEN_AGE_MAX},
    time::Timestamp,
};

/// A proven logout token (OpenID Connect Back-Channel Logout §2.4). Its `Debug` print names nobody.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogoutNotice {
    /// Who says so: `iss`, as it stands in identities.
    pub issuer: String,
    /// The name of the notice, by which a copy is known: `jti`.
    pub id: String,
    /// Whose sessions end, where it is about an account: `sub`.
    pub subject: Option<String>,
    /// The provider's own session, where it is about one: `sid`.
    pub idp_session: Option<String>,
    /// When it was issued: `iat`.
    pub issued: Timestamp,
    /// When it ends: `exp`.
    pub ends: Timestamp,
}

impl LogoutNotice {
    /// A notice that is about nobody so far.
    pub fn new(issuer: impl Into<String>, id: impl Into<String>, issued: Timestamp, ends: Timestamp) -> Self {
        Self { issuer: issuer.into(), id: id.into(), subject: None, idp_session: None, issued, ends }
    }

    /// Sets the account.
    pub fn subject(mut self, subject: impl Into<Option<String>>) -> Self {
        self.subject = subject.into();
        self
    }

    /// Sets the provider's session.
    pub fn idp_session(mut self, sid: impl Into<Option<String>>) -> Self {
        self.idp_session = sid.into();
        self
    }

    /// Looks at everything that does not need the issuer's keys. A plugin does well to ask this before it fetches them:
    /// anybody can send anything. The core asks it in any case.
    ///
    /// # Errors
    /// What is wrong, in words of ours.
    pub fn check(&self, now: Timestamp) -> Result<(), &'static str> {
        let is_name = |text: &String| (1..=LOGOUT_NAME_BYTES_MAX).contains(&text.len());
        let mut names =
            [Some(&self.issuer), Some(&self.id), self.subject.as_ref(), self.idp_session.as_ref()]
                .into_iter()
                .flatten();
        if !names.all(is_name) {
            return Err("a name in it is empty or too long");
        }
        if self.subject.is_none() && self.idp_session.is_none() {
            return Err("it says neither whose sessions have ended nor which");
        }
        if self.issued > now.after(CLOCK_LEEWAY) {
            return Err("it was issued in the future: the clocks differ by more than a minute");
        }
        if now.since(self.issued) > LOGOUT_TOKEN_AGE_MAX + CLOCK_LEEWAY {
            return Err("it was issued too long ago");
        }
        if now >= self.ends.after(CLOCK_LEEWAY) {
            return Err("it has ended, or the clocks differ by more than a minute");
        }
        Ok(())
    }
}

impl std::fmt::Debug for LogoutNotice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogoutNotice")
            .field("issuer", &self.issuer)
            .field("issued", &self.issued)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000_000;

    fn at(issued: i64, ends: i64) -> Result<(), &'static str> {
        let notice =
            LogoutNotice::new("i", "j", Timestamp::from_unix(NOW + issued), Timestamp::from_unix(NOW + ends));
        notice.subject("s".to_owned()).check(Timestamp::from_unix(NOW))
    }

    #[test]
    fn lo_11_a_notice_is_of_now_give_or_take_a_minute() {
        for (issued, ends) in [(0, 120), (-180, 1), (60, 120), (-60, -59)] {
            assert_eq!(at(issued, ends), Ok(()), "{issued} {ends}");
        }
        for (issued, ends) in [(-181, 120), (-600, 120), (61, 120), (600, 1_200), (-120, -60)] {
            assert!(at(issued, ends).is_err(), "{issued} {ends}");
        }
    }

    #[test]
    fn a_notice_names_somebody_and_nobody_at_length() {
        let (now, later) = (Timestamp::from_unix(NOW), Timestamp::from_unix(NOW + 1));
        let notice = |id: &str| LogoutNotice::new("i", id, now, later);
        assert!(notice("j").check(now).is_err());
        assert!(notice("j").idp_session("sid".to_owned()).check(now).is_ok());
        assert!(notice("j").idp_session(String::new()).check(now).is_err());
        assert!(notice("").idp_session("sid".to_owned()).check(now).is_err());
        let long = "s".repeat(LOGOUT_NAME_BYTES_MAX + 1);
        assert!(notice("j").subject(long.clone()).check(now).is_err());
        assert!(!format!("{:?}", notice("canary").subject(long)).contains("canary"));
    }
}
