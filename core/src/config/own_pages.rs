//! Pages of the application's own that a sign-in begins and ends at.

use super::{Builder, Problem, Vestibule};
use crate::{
    paths::{Endpoint, is_plain},
    return_target::{ReturnPolicy, ReturnTarget},
};

impl Builder {
    /// Sends whoever has to sign in to a page of the application's own at `path`, instead of to `sign_in`. That page is
    /// for everybody, and has a link to `start` on it, `/oauth2/start` or `/oauth2/start/{provider}`.
    ///
    /// Where the person wanted to go stands in the page's query as `rd`. A link that passes it on (`start?rd=…`) leads
    /// back there, and one that does not leads to wherever [`Builder::land_on`] says. The endpoint `sign_in` stays where
    /// it is.
    pub fn sign_in_page(mut self, path: impl Into<String>) -> Self {
        self.sign_in_page = Some(path.into());
        self
    }

    /// Sets where people land after signing in who came from nowhere else: a path of this site, or an address at an
    /// origin of [`Builder::allow_return_to`]. Without this it is `/`.
    pub fn land_on(mut self, target: impl Into<String>) -> Self {
        self.land_on = Some(target.into());
        self
    }

    pub(super) fn check_sign_in_page(&self, problems: &mut Vec<Problem>) {
        let Some(path) = self.sign_in_page.as_deref() else { return };
        if path != "/" && !is_plain(path) {
            let fault = format!("`{path}` is not a plain path");
            let remedy = "begin with `/`, and use letters, digits, `-`, `_`, `.` and `~`";
            problems.push(Problem::new("sign_in_page", fault, remedy));
        }
        if self.paths.all().any(|(own, _)| own == path) {
            let fault = format!("at `{path}` an endpoint answers");
            let remedy = "rename that endpoint (`Paths::rename`), or give the page another path";
            problems.push(Problem::new("sign_in_page", fault, remedy));
        }
    }

    /// Where a sign-in lands that has no better place. The address itself is no part of a problem: it may have a
    /// password in it.
    pub(super) fn landing(
        &self,
        policy: Option<&ReturnPolicy>,
        problems: &mut Vec<Problem>,
    ) -> Option<ReturnTarget> {
        let Some(text) = self.land_on.as_deref() else { return Some(ReturnTarget::root()) };
        let landing = ReturnTarget::parse(text, policy?);
        if landing.is_none() {
            let fault = "a browser may not be sent there after a sign-in";
            let remedy = "give a path that begins with `/` and is none of sign-in's own, or allow its origin by \
                          `allow_return_to`";
            problems.push(Problem::new("land_on", fault, remedy));
        }
        landing
    }
}

impl Vestibule {
    /// Whether `path` is that of the application's own sign-in page.
    pub(crate) fn is_sign_in_page(&self, path: &str) -> bool {
        self.sign_in_page.as_deref() == Some(path)
    }

    /// The path of the page that whoever has to sign in begins at.
    pub(crate) fn begins_at(&self) -> &str {
        self.sign_in_page.as_deref().unwrap_or_else(|| self.paths.of(Endpoint::SignIn))
    }
}
