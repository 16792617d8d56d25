//! What an application sees from the sign-in on.
//!
//! A sealed session is the cookie itself: a compact versioned form that is read in place. It has an absolute limit, is
//! never refreshed, and a copy of it lives to that limit.

mod anew;
mod form;
mod keep;

pub use keep::{NotKept, SessionHeaders};

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    identity::{Identity, SignIn},
    provider::UserHeader,
    seal::Opened,
    time::Timestamp,
};

/// What session cookies are sealed for. Its number changes with the form of [`SessionView`], so that a cookie of
/// another form counts as none instead of being misread.
pub(crate) const SESSION_PURPOSE: &str = "session/3";

/// The name of a session: 128 bits that nobody can guess. Not a secret by itself in a sealed session.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId([u8; 16]);

impl SessionId {
    pub(crate) fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(self) -> [u8; 16] {
        self.0
    }

    /// Its one spelling: letters, digits, `-` and `_`. An application may keep things under it, for as long as the session
    /// lasts.
    pub fn to_text(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

/// Shows enough to tell two sessions apart in a log.
impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({}..)", URL_SAFE_NO_PAD.encode(&self.0[..4]))
    }
}

/// Whatever the application keeps in the session, under a version of its own.
#[derive(Clone, PartialEq, Eq)]
pub struct ApplicationData {
    version: u32,
    json: String,
}

impl ApplicationData {
    /// Keeps `data` under `version`; a later release of the application that reads another version sees none.
    ///
    /// # Errors
    /// `data` cannot be written as JSON.
    pub fn new(version: u32, data: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(Self { version, json: serde_json::to_string(data)? })
    }

    /// The data, where it has that version and can be read as a `T`; otherwise none.
    pub fn read<T: DeserializeOwned>(&self, version: u32) -> Option<T> {
        (self.version == version).then(|| serde_json::from_str(&self.json).ok()).flatten()
    }

    pub(crate) fn len(&self) -> usize {
        self.json.len()
    }
}

impl fmt::Debug for ApplicationData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApplicationData {{ version: {}, bytes: {} }}", self.version, self.json.len())
    }
}

/// A signed-in person, as the application sees them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Session {
    /// The name of the session.
    pub id: SessionId,
    /// The id of the provider that it came through.
    pub provider: String,
    /// Who signed in. Groups and claims only as far as the configuration keeps them.
    pub identity: Identity,
    /// When.
    pub signed_in: Timestamp,
    /// When the person last showed the provider who they are (`auth_time`), where it said so. Somebody who was signed
    /// in there already has done that long before [`Session::signed_in`].
    pub authenticated: Option<Timestamp>,
    /// When the session ends, however busy it is.
    pub expires: Timestamp,
    /// The provider's own name of the session (`sid`).
    pub idp_session: Option<String>,
    /// What the application attached when the person signed in.
    pub application: Option<ApplicationData>,
    pub(crate) user_header: UserHeader,
}

impl Session {
    pub(crate) fn new(id: SessionId, sign_in: SignIn, now: Timestamp, expires: Timestamp) -> Self {
        let SignIn { provider, identity, idp_session, authenticated, .. } = sign_in;
        Self {
            id,
            provider,
            identity,
            signed_in: now,
            // A provider whose clock is ahead makes nobody more recent than they are.
            authenticated: authenticated.map(|at| at.min(now)),
            expires,
            idp_session,
            application: None,
            user_header: UserHeader::Subject,
        }
    }

    /// What the application attached, where it has that version and can be read as a `T`.
    pub fn data<T: DeserializeOwned>(&self, version: u32) -> Option<T> {
        self.application.as_ref()?.read(version)
    }

    /// The further claims as one text; empty where there are none.
    pub(crate) fn claims_text(&self) -> String {
        let claims = &self.identity.claims;
        if claims.is_empty() { String::new() } else { serde_json::Value::Object(claims.clone()).to_string() }
    }

    /// The session as it looks out of its cookie; `claims` are those of [`Session::claims_text`].
    pub(crate) fn view<'s>(&'s self, claims: &'s str) -> SessionView<'s> {
        let identity = &self.identity;
        SessionView {
            id: self.id,
            provider: &self.provider,
            issuer: &identity.issuer,
            subject: &identity.subject,
            username: identity.username.as_deref(),
            name: identity.name.as_deref(),
            email: identity.email.as_deref(),
            email_verified: identity.email_verified,
            picture: identity.picture.as_deref(),
            groups: identity.groups.iter().map(String::as_str).collect(),
            signed_in: self.signed_in,
            authenticated: self.authenticated,
            expires: self.expires,
            idp_session: self.idp_session.as_deref(),
            user_header: self.user_header,
            claims,
            application: self.application.as_ref().map(|data| (data.version, data.json.as_str())),
        }
    }

    /// The compact form that is sealed.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let claims = self.claims_text();
        form::write(&self.view(&claims))
    }

    /// The part that takes the most room, for an operator whose session does not fit.
    pub(crate) fn largest_part(&self) -> &'static str {
        let identity = &self.identity;
        let claims: usize = identity.claims.values().map(|value| value.to_string().len()).sum();
        let parts = [
            (identity.groups.iter().map(String::len).sum::<usize>(), "groups"),
            (claims, "claims"),
            (self.application.as_ref().map_or(0, ApplicationData::len), "application data"),
            (identity.picture.as_ref().map_or(0, String::len), "picture"),
            (identity.subject.len() + identity.name.as_ref().map_or(0, String::len), "subject and name"),
        ];
        parts.into_iter().max().map_or("", |(_, part)| part)
    }
}

/// An opened session cookie, read in place: nothing is copied out of it.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct SessionView<'c> {
    /// The name of the session.
    pub id: SessionId,
    /// The id of the provider that it came through.
    pub provider: &'c str,
    /// Who vouches for the account.
    pub issuer: &'c str,
    /// The account.
    pub subject: &'c str,
    /// The name that the account signs in by.
    pub username: Option<&'c str>,
    /// The name that people call the person by.
    pub name: Option<&'c str>,
    /// An e-mail address.
    pub email: Option<&'c str>,
    /// Whether the provider has verified it.
    pub email_verified: bool,
    /// The address of a picture.
    pub picture: Option<&'c str>,
    /// Groups, as far as the configuration keeps them.
    pub groups: Vec<&'c str>,
    /// When the person signed in.
    pub signed_in: Timestamp,
    /// When the person last showed the provider who they are, where it said so.
    pub authenticated: Option<Timestamp>,
    /// When the session ends.
    pub expires: Timestamp,
    /// The provider's own name of the session.
    pub idp_session: Option<&'c str>,
    user_header: UserHeader,
    claims: &'c str,
    application: Option<(u32, &'c str)>,
}

/// Says which account it is and that there is more, as [`Identity`] does.
impl fmt::Debug for SessionView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("SessionView");
        shown
            .field("id", &self.id)
            .field("issuer", &self.issuer)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

impl<'c> SessionView<'c> {
    pub(crate) fn read(opened: &'c Opened) -> Option<Self> {
        Self::from_bytes(opened.payload())
    }

    pub(crate) fn from_bytes(bytes: &'c [u8]) -> Option<Self> {
        form::read(bytes)
    }

    /// Copies everything out of the cookie.
    pub fn to_session(&self) -> Session {
        let text = |value: Option<&str>| value.map(str::to_owned);
        let mut identity = Identity::new(self.subject)
            .issuer(self.issuer)
            .username(text(self.username))
            .name(text(self.name))
            .picture(text(self.picture))
            .groups(self.groups.iter().map(|&group| group.to_owned()));
        identity.email = text(self.email);
        identity.email_verified = self.email_verified;
        identity.claims = self.claims();
        Session {
            id: self.id,
            provider: self.provider.to_owned(),
            identity,
            signed_in: self.signed_in,
            authenticated: self.authenticated,
            expires: self.expires,
            idp_session: text(self.idp_session),
            application: self
                .application
                .map(|(version, json)| ApplicationData { version, json: json.to_owned() }),
            user_header: self.user_header,
        }
    }

    /// Further claims, as far as the configuration keeps them. They are read anew each time.
    pub(crate) fn claims(&self) -> serde_json::Map<String, serde_json::Value> {
        serde_json::from_str(self.claims).unwrap_or_default()
    }

    /// The name that identity headers carry.
    pub(crate) fn user(&self) -> &'c str {
        match self.user_header {
            UserHeader::Subject => self.subject,
            UserHeader::Username => self.username.unwrap_or(self.subject),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        identity::Tokens,
        seal::{Binding, KeyRing},
    };

    fn session() -> Session {
        let identity = Identity::new(7)
            .issuer("https://op.example")
            .name("Ada".to_owned())
            .verified_email("ada@a.example".to_owned())
            .groups(["staff".to_owned()])
            .claim("role", "admin");
        let sign_in = SignIn::new("oidc", identity, Tokens::new("t"))
            .idp_session(Some("sid".into()))
            .authenticated(Some(Timestamp::from_unix(-299)));
        let now = Timestamp::from_unix(1);
        let mut session = Session::new(SessionId::new([1; 16]), sign_in, now, Timestamp::from_unix(99));
        session.application = Some(ApplicationData::new(2, &vec![1, 2]).unwrap());
        session
    }

    #[test]
    fn a_session_comes_out_of_its_cookie_as_it_went_in() {
        let ring = KeyRing::new(["0123456789abcdef0123456789abcdef"]).unwrap();
        let binding = Binding::new("session", "s", "https://a.example");
        let sealed = ring.seal(&binding, [0; 12], Timestamp::from_unix(99), &session().to_bytes());
        let opened = ring.open(&binding, sealed.expose(), Timestamp::from_unix(2)).unwrap();
        let read = SessionView::read(&opened).unwrap().to_session();
        assert_eq!(read.identity, session().identity);
        assert_eq!(
            (read.id, read.expires, read.authenticated, read.idp_session.as_deref()),
            (session().id, session().expires, session().authenticated, Some("sid"))
        );
        assert_eq!(read.data::<Vec<u8>>(2), Some(vec![1, 2]));
    }

    #[test]
    fn the_form_of_a_session_is_pinned_to_its_number() {
        let bytes: String = session().to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            (SESSION_PURPOSE, bytes.as_str()),
            ("session/3", PINNED),
            "cookies of another form are out there: give SESSION_PURPOSE its next number, and pin the new form"
        );
    }

    const PINNED: &str = "010101010101010101010101010101010000000000000001000000000000006301440102ad0204120100040e00041006056f6964\
        6368747470733a2f2f6f702e6578616d706c653741646161646140612e6578616d706c657369647b22726f6c65223a226164\
        6d696e227d5b312c325d7374616666";

    #[test]
    fn nobody_has_been_seen_in_the_future() {
        let (now, later) = (Timestamp::from_unix(1), Timestamp::from_unix(2));
        let sign_in = SignIn::new("oidc", Identity::new(7), Tokens::new("t"));
        let seen = |at| {
            let sign_in = sign_in.clone().authenticated(at);
            Session::new(SessionId::new([1; 16]), sign_in, now, later).authenticated
        };
        assert_eq!((seen(None), seen(Some(now)), seen(Some(later))), (None, Some(now), Some(now)));
    }

    #[test]
    fn application_data_of_another_version_or_form_counts_as_absent() {
        assert_eq!(session().data::<Vec<u8>>(1), None);
        assert_eq!(session().data::<String>(2), None);
    }
}
