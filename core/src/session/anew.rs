//! A browser's session, sealed anew once another key seals.

use std::str;

use crate::{
    config::Vestibule,
    cookie,
    entropy::{Entropy, Seed},
    request::{self, RequestHead},
    seal::Binding,
    session::{SessionHeaders, SessionId, SessionView},
    time::Timestamp,
};

impl Vestibule {
    /// Whether what a browser brings is to be sealed anew: an older key has sealed it, and whoever asks goes to a page. A
    /// page's own requests come several at once, and one of them may sign out, or change what is kept: the answer to
    /// another must not bring the older session back.
    pub(crate) fn wants_sealing(&self, head: &(impl RequestHead + ?Sized)) -> bool {
        let older =
            |name: &str| cookie::only(head, name).is_some_and(|sealed| !self.keys.first_sealed(sealed));
        self.keys.are_several()
            && request::is_document_visit(head)
            && cookie::only(head, &self.session_cookie).is_some()
            && (older(&self.session_cookie) || (!self.keeps_sessions() && older(&self.cookies.tokens())))
    }

    /// The header lines that give a browser its session, and the tokens beside it, sealed by the first key: the same
    /// session, with the same end. There are none where the first key has sealed it already, or nobody goes to a page.
    /// Without this whatever an older key has sealed ends when that key is taken away.
    ///
    /// They go to whoever was let through; a guard's answer takes them by [`SessionHeaders::beside`]. As with
    /// [`Vestibule::keep_data`], an answer to one tab that is slow brings the session back that another tab has ended in
    /// the meantime, where the session is in the cookie and nowhere else.
    pub fn sealed_anew(
        &self,
        head: &(impl RequestHead + ?Sized),
        now: Timestamp,
        seed: impl FnOnce() -> Seed,
    ) -> SessionHeaders {
        if !self.wants_sealing(head) {
            return SessionHeaders::none();
        }
        let mut entropy = Entropy::new(seed());
        let mut lines = Vec::new();
        if self.keeps_sessions() {
            lines.extend(self.line_anew(head, &self.session_cookie, &self.ticket_binding, now, &mut entropy));
        } else {
            let name = &self.session_cookie;
            lines.extend(self.line_anew(head, name, &self.session_binding, now, &mut entropy));
            if let Some(id) = self.sealed_id(head, now) {
                let name = self.cookies.tokens();
                lines.extend(self.line_anew(head, &name, &self.tokens_binding(&name, id), now, &mut entropy));
            }
        }
        SessionHeaders(lines.into_iter().map(|line| ("set-cookie", line)).collect())
    }

    /// The `Set-Cookie` of one cookie that an older key has sealed.
    fn line_anew(
        &self,
        head: &(impl RequestHead + ?Sized),
        name: &str,
        binding: &Binding,
        now: Timestamp,
        entropy: &mut Entropy,
    ) -> Option<String> {
        let sealed = cookie::only(head, name).filter(|sealed| !self.keys.first_sealed(sealed))?;
        let opened = self.keys.open(binding, sealed, now).ok()?;
        let expires = opened.expires();
        let anew = self.keys.seal(binding, entropy.bytes(), expires, opened.payload());
        Some(self.cookies.set(name, anew.expose(), expires.since(now), false))
    }

    fn sealed_id(&self, head: &(impl RequestHead + ?Sized), now: Timestamp) -> Option<SessionId> {
        let sealed = cookie::only(head, &self.session_cookie)?;
        let opened = self.keys.open(&self.session_binding, sealed, now).ok()?;
        SessionView::read(&opened).map(|session| session.id)
    }
}

impl SessionHeaders {
    /// What of these lines may stand in an answer of the application's that has such headers already: nothing where it
    /// sets one of these cookies itself, which is newer, or where it may be kept by a cache that others share.
    pub fn beside<'h>(self, answer: impl IntoIterator<Item = (&'h str, &'h [u8])>) -> Self {
        if self.0.is_empty() {
            return self;
        }
        let mut private = None;
        for (name, value) in answer {
            let value = str::from_utf8(value).unwrap_or_default();
            if name.eq_ignore_ascii_case("set-cookie") && self.sets(value) {
                return Self::none();
            }
            if name.eq_ignore_ascii_case("cache-control") {
                let names_it = |part: &str| {
                    let part = part.trim();
                    part.eq_ignore_ascii_case("private") || part.eq_ignore_ascii_case("no-store")
                };
                private = Some(private.unwrap_or(false) || value.split(',').any(names_it));
            }
        }
        if private == Some(false) { Self::none() } else { self }
    }

    fn sets(&self, line: &str) -> bool {
        let name = |line: &str| line.split('=').next().unwrap_or_default().trim().to_owned();
        self.0.iter().any(|(_, own)| name(own) == name(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_application_says_about_the_same_cookie_or_about_caches_comes_first() {
        let anew = || SessionHeaders(vec![("set-cookie", "__Host-v=sealed; Path=/".into())]);
        let kept = |said: &[(&str, &str)]| {
            !anew().beside(said.iter().map(|(name, value)| (*name, value.as_bytes()))).is_empty()
        };
        for said in [
            &[][..],
            &[("set-cookie", "theme=dark")],
            &[("set-cookie", "__Host-v2=x")],
            &[("cache-control", "max-age=60, Private")],
            &[("Cache-Control", "no-store")],
        ] {
            assert!(kept(said), "{said:?}");
        }
        for said in [
            &[("set-cookie", "theme=dark"), ("set-cookie", "__Host-v=; Max-Age=0")][..],
            &[("Set-Cookie", "__Host-v=other")],
            &[("cache-control", "public, max-age=60")],
            &[("cache-control", "")],
        ] {
            assert!(!kept(said), "{said:?}");
        }
    }
}
