//! Where a browser is to go after sign-in: a text from a query or header.

use std::sync::OnceLock;

use url::Url;
use vestibule::{
    request::PlainHead,
    return_target::{ReturnPolicy, ReturnTarget},
};

use crate::{
    Seen,
    oracle::{Landing, lands},
    outside::{Outside, session},
    readers::percent_decoded,
    site::{OWN, SESSION, plain},
    text::lossy,
};

struct Place {
    own: Url,
    policy: ReturnPolicy,
    session: String,
}

impl Place {
    fn get() -> &'static Self {
        static PLACE: OnceLock<Place> = OnceLock::new();
        PLACE.get_or_init(|| {
            let own = Url::parse(OWN).expect("the site's origin is an address");
            let allowed = ReturnPolicy::new(&own)
                .never("/oauth2", ["/logout".to_owned()])
                .allow("https://*.apps.example");
            let policy = allowed.and_then(|policy| policy.allow("https://exact.example:8443"));
            Self { own, policy: policy.expect("both are origins"), session: session(plain()) }
        })
    }
}

/// The text.
///
/// What is accepted leads to the own or an allowed origin for both readers, never to our own endpoints, and is
/// accepted again, unchanged, when it comes back (RD-01 to RD-05). What `sign_in` makes of it as `rd` is the same.
pub fn return_target(data: &[u8]) -> Seen {
    let place = Place::get();
    let text = lossy(data);
    let target = ReturnTarget::parse(&text, &place.policy);
    if let Some(target) = &target {
        let location = target.location(&place.own);
        match lands(&location) {
            Landing::Own(path) => never_ours(&path),
            Landing::Allowed => assert_eq!(target.as_str(), location),
            Landing::Provider => panic!("{location:?} is nobody's page"),
        }
        assert_eq!(
            ReturnTarget::parse(target.as_str(), &place.policy).as_ref(),
            Some(target),
            "it comes back"
        );
    }
    let rd: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let head = PlainHead::navigation(&format!("/oauth2/sign_in?rd={rd}"))
        .with("cookie", format!("{SESSION}={}", place.session));
    let response = Outside::honest().visit(plain(), head, b"").response;
    if response.status != 413 {
        // `/logout` is an alias of this target's own policy, not of that site.
        let ours = target.as_ref().is_none_or(|target| target.as_str().starts_with("/logout"));
        let expected =
            target.as_ref().map_or_else(|| format!("{OWN}/"), |target| target.location(&place.own));
        assert!(ours || response.get("location") == Some(&expected), "{response:?}");
    }
    Seen::accepted(target.is_some())
}

/// A path that no server takes for one of our endpoints, however it decodes it.
fn never_ours(path: &str) {
    let mut bytes = path.as_bytes().to_vec();
    for _ in 0..6 {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let tidied: Vec<&str> = text.split('/').filter(|segment| !segment.is_empty()).collect();
        assert!(tidied.first() != Some(&"oauth2") && tidied != ["logout"], "{path:?} is ours");
        bytes = percent_decoded(&bytes);
    }
}
