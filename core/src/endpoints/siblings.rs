//! Several hosts that share a session: a sign-in that begins at one of them goes on at the one that the provider knows.
//!
//! `Host` is what the browser addressed, or what a proxy made of it. It decides nothing but whether to go to our own
//! address, and which of the allowed origins to come back to.

use url::Url;

use crate::{
    config::{Vestibule, is_under},
    endpoints::Visit,
    request::{self, Asker, RequestHead},
    response::Response,
    return_target::ReturnTarget,
};

/// Stands in the query of whoever was sent here from a sibling: a proxy that rewrites `Host` must not send anybody round
/// in circles.
const FROM_SIBLING: &str = "sibling";

impl Vestibule {
    /// The origin that a request came to, where it is a sibling's.
    fn sibling(&self, head: &(impl RequestHead + ?Sized)) -> Option<String> {
        let domain = self.cookies.domain()?;
        let host = Url::parse(&format!("https://{}/", request::text(head, "host")?)).ok()?;
        let is_sibling = host.host_str().is_some_and(|host| is_under(host, domain))
            && host.origin() != self.redirect_url.origin();
        is_sibling.then(|| host.origin().ascii_serialization())
    }

    /// Whether a request came to a sibling, where no sign-in can end.
    pub(super) fn is_at_a_sibling(&self, head: &(impl RequestHead + ?Sized)) -> bool {
        self.sibling(head).is_some()
    }

    /// A page as it was meant where it was asked for: of a sibling's, if that may be returned to.
    pub(crate) fn meant_at(&self, head: &(impl RequestHead + ?Sized), target: ReturnTarget) -> ReturnTarget {
        let Some(sibling) = self.sibling(head).filter(|_| target.as_str().starts_with('/')) else {
            return target;
        };
        ReturnTarget::parse(&format!("{sibling}{}", target.as_str()), &self.policy).unwrap_or(target)
    }
}

impl<R: RequestHead + ?Sized> Visit<'_, R> {
    /// The way from a sibling to the host where sign-ins can end; `None` where the browser is there.
    pub(super) fn way_home(&self) -> Option<Response> {
        let vestibule = self.vestibule;
        let begins = self.head.method() == "GET" && self.asker == Asker::Navigation;
        if !begins || self.parameter(FROM_SIBLING).is_some() {
            return None;
        }
        vestibule.sibling(self.head)?;
        let target = vestibule.meant_at(self.head, self.return_target());
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("rd", target.as_str()).append_pair(FROM_SIBLING, "1");
        let others = url::form_urlencoded::parse(request::query(self.head.target()).as_bytes());
        query.extend_pairs(others.filter(|(name, _)| name != "rd"));
        let path = request::path(self.head.target());
        Some(Response::see_other(&vestibule.address(&format!("{path}?{}", query.finish()))))
    }
}
