//! The pages that the core draws itself: plain HTML, one style, no script, nothing from elsewhere.
//!
//! Templates of the application's own take their place where it has some; these must work everywhere and weigh nothing.

use std::fmt::{self, Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

use crate::{refusal::Refusal, response::Response};

const STYLE: &str = "\
:root{color-scheme:light dark;--ground:#f4f5f7;--card:#fff;--ink:#1c2330;--soft:#5a6474;--line:#dfe3e9;--accent:#2456c7;--on:#fff}\
@media(prefers-color-scheme:dark){:root{--ground:#12151b;--card:#1b2029;--ink:#e8ebf0;--soft:#a0a9b8;--line:#2c3441;--accent:#8ab0ff;--on:#0d1420}}\
*{box-sizing:border-box}\
body{margin:0;min-height:100vh;min-height:100dvh;display:grid;place-items:center;padding:1rem;background:var(--ground);color:var(--ink);\
font:1rem/1.55 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}\
main{width:100%;max-width:26rem;background:var(--card);border:1px solid var(--line);border-radius:.9rem;padding:2rem 1.75rem;overflow-wrap:anywhere}\
h1{margin:0 0 .6rem;font-size:1.35rem;line-height:1.3;text-wrap:balance}\
p{margin:.6rem 0;color:var(--soft);text-wrap:pretty}\
h1+p{color:var(--ink)}\
.act{display:block;width:100%;margin-top:.75rem;padding:.7rem 1rem;border:1px solid var(--accent);border-radius:.55rem;\
background:var(--accent);color:var(--on);font:inherit;font-weight:600;line-height:1.35;text-align:center;text-decoration:none;cursor:pointer}\
p+.act,p+form>.act{margin-top:1.4rem}\
.act:hover{opacity:.9}\
.act.quiet{background:transparent;color:var(--accent)}\
.act:focus-visible{outline:3px solid var(--accent);outline-offset:2px}\
small{display:block;margin-top:1.5rem;color:var(--soft);font-size:.8rem}\
code{font-family:ui-monospace,monospace}";

/// What a page offers to do next.
pub(crate) enum Act<'p> {
    /// A visit.
    Link { label: &'p str, href: &'p str, quiet: bool },
    /// A form that changes something.
    Post { label: &'p str, action: &'p str },
}

/// One page: a heading, what there is to say, what there is to do.
pub(crate) struct Page<'p> {
    pub(crate) title: &'p str,
    pub(crate) paragraphs: Vec<&'p str>,
    pub(crate) acts: Vec<Act<'p>>,
    pub(crate) code: Option<&'p str>,
    /// Another origin that the page's form leads to in the end.
    pub(crate) form_leads_to: Option<String>,
}

impl<'p> Page<'p> {
    pub(crate) fn new(title: &'p str, paragraphs: Vec<&'p str>, acts: Vec<Act<'p>>) -> Self {
        Self { title, paragraphs, acts, code: None, form_leads_to: None }
    }

    /// Draws the page. It cannot be framed, and neither runs nor loads anything (CSP, RFC 6749 §10.13).
    pub(crate) fn render(&self, status: u16) -> Response {
        let style = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
        let form_leads_to = self.form_leads_to.iter().map(|origin| format!(" {origin}")).collect::<String>();
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'{form_leads_to}; base-uri 'none'; \
             frame-ancestors 'none'"
        );
        // A form that sends no referrer sends no origin either, by which it is told from another site's.
        let has_form = self.acts.iter().any(|act| matches!(act, Act::Post { .. }));
        let referrer = if has_form { "same-origin" } else { "no-referrer" };
        let mut response = Response::new(status)
            .header("content-type", "text/html; charset=utf-8")
            .header("content-security-policy", policy)
            .header("x-frame-options", "DENY")
            .header("x-content-type-options", "nosniff")
            .header("referrer-policy", referrer);
        response.body = self.html().into_bytes();
        response
    }

    fn html(&self) -> String {
        let mut html = String::with_capacity(STYLE.len() + 1_024);
        let title = Escaped(self.title);
        let _ = write!(
            html,
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
             <meta name=\"robots\" content=\"noindex\"><title>{title}</title><style>{STYLE}</style></head>\
             <body><main><h1>{title}</h1>"
        );
        for paragraph in &self.paragraphs {
            let _ = write!(html, "<p>{}</p>", Escaped(paragraph));
        }
        for act in &self.acts {
            let _ = match act {
                Act::Link { label, href, quiet } => {
                    let class = if *quiet { "act quiet" } else { "act" };
                    write!(html, "<a class=\"{class}\" href=\"{}\">{}</a>", Escaped(href), Escaped(label))
                }
                Act::Post { label, action } => write!(
                    html,
                    "<form method=\"post\" action=\"{}\"><button class=\"act\">{}</button></form>",
                    Escaped(action),
                    Escaped(label)
                ),
            };
        }
        if let Some(code) = self.code {
            let _ = write!(html, "<small>Code: <code>{}</code></small>", Escaped(code));
        }
        html.push_str("</main></body></html>\n");
        html
    }
}

/// The page that a person sees for a refusal. `reason` is the application's own word on it.
pub(crate) fn refused(refusal: Refusal, reason: Option<&str>, acts: Vec<Act<'_>>) -> Response {
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
    Page { code, ..Page::new(title, paragraphs, acts) }.render(refusal.status())
}

/// Text that is safe between tags and in quoted attributes.
struct Escaped<'t>(&'t str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            character => f.write_char(character),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lk_12_no_text_becomes_markup() {
        let hostile = "\"><script>alert(1)</script>'{{7*7}}";
        let act = Act::Link { label: hostile, href: hostile, quiet: false };
        let page = Page { code: Some(hostile), ..Page::new(hostile, vec![hostile], vec![act]) };
        let html = String::from_utf8(page.render(400).body).unwrap();
        assert!(
            !html.contains("<script") && !html.contains("\">&lt;script&gt;\"") && !html.contains("'{{"),
            "{html}"
        );
    }

    #[test]
    fn a_page_loads_nothing_runs_nothing_and_cannot_be_framed() {
        let response = refused(Refusal::StateMismatch, None, Vec::new());
        let policy = response.get("content-security-policy").unwrap();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        let html = String::from_utf8(response.body).unwrap();
        assert!(!html.contains("http") && !html.contains("src=") && !html.contains("<script"), "{html}");
        assert!(html.contains("state_mismatch"));
    }
}
