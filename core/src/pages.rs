//! The pages of the core: plain HTML, no script, nothing from elsewhere. They must work everywhere and weigh nothing.
//!
//! [`PageStyle`] adds a logo and texts of the site's own, or draws pages by itself ([`DrawPage`]). Whoever draws them,
//! they are served with the same strict policy.

mod draw;
mod style;

pub use self::draw::{ActionKind, DrawPage, PageAction, PageContent, PageKind, escaped};
pub(crate) use self::style::Pages;
pub use self::style::{Logo, PageStyle, UnusableLogo};
use crate::{config::Vestibule, refusal::Refusal, response::Response};

/// The page about pages, whose example for applications is compiled here.
#[cfg(doctest)]
#[doc = include_str!("../../docs/pages.md")]
pub struct Documented;

/// One page: a heading, what there is to say, what there is to do.
pub(crate) struct Page<'p> {
    pub(crate) kind: PageKind,
    pub(crate) title: &'p str,
    pub(crate) paragraphs: Vec<&'p str>,
    pub(crate) acts: Vec<PageAction<'p>>,
    pub(crate) code: Option<&'p str>,
    /// Another origin that the page's form leads to in the end.
    pub(crate) form_leads_to: Option<String>,
}

impl<'p> Page<'p> {
    pub(crate) fn new(
        kind: PageKind,
        title: &'p str,
        paragraphs: Vec<&'p str>,
        acts: Vec<PageAction<'p>>,
    ) -> Self {
        Self { kind, title, paragraphs, acts, code: None, form_leads_to: None }
    }

    /// What a person sees of a refusal. `reason` is the application's own word on it.
    pub(crate) fn refused(refusal: Refusal, reason: Option<&'p str>, acts: Vec<PageAction<'p>>) -> Self {
        let title = match refusal.status() {
            401 => "Please sign in",
            403 => "You may not enter",
            404 | 405 => "Nothing here",
            500.. => "Sign-in is not possible right now",
            _ => "This sign-in cannot go on",
        };
        let paragraphs =
            [Some(refusal.meaning()), reason, Some(refusal.remedy())].into_iter().flatten().collect();
        let code = Some(refusal.code());
        Self { code, ..Self::new(PageKind::Refused, title, paragraphs, acts) }
    }
}

impl Vestibule {
    /// Draws a page. It cannot be framed, and neither runs nor loads anything (CSP, RFC 6749 §10.13).
    pub(crate) fn draw(&self, status: u16, page: Page<'_>) -> Response {
        let has_form = page.acts.iter().any(|act| act.kind == ActionKind::Post);
        let form_leads_to = page.form_leads_to.iter().map(|origin| format!(" {origin}")).collect::<String>();
        let policy = format!(
            "default-src 'none'; style-src{}; img-src data:; form-action 'self'{form_leads_to}; base-uri 'none'; \
             frame-ancestors 'none'",
            self.pages.style_sources()
        );
        // A form that sends no referrer sends no origin either, by which it is told from another site's.
        let referrer = if has_form { "same-origin" } else { "no-referrer" };
        let mut response = Response::new(status)
            .header("content-type", "text/html; charset=utf-8")
            .header("content-security-policy", policy)
            .header("x-frame-options", "DENY")
            .header("x-content-type-options", "nosniff")
            .header("referrer-policy", referrer);
        response.body = self.pages.draw(status, page).into_bytes();
        response
    }
}
