//! What stands on a page, and how the core draws it.

use std::fmt::{self, Write as _};

use serde::Serialize;

/// Draws pages in place of the core, for a site that has a template engine.
pub trait DrawPage: Send + Sync + 'static {
    /// The whole document.
    ///
    /// Every text must be escaped, as [`escaped`] does. Nothing is loaded but images in `data:` addresses, no script
    /// runs, and no `style` attribute counts. A `<style>` block counts if it stands letter for letter in one of the
    /// pages that are drawn for trial when the site is set up, so that no text of a page can ever become one.
    ///
    /// Whoever cannot draw a page hands out what [`PageContent::html`] makes of it.
    fn draw(&self, page: &PageContent<'_>) -> String;
}

/// What a page is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PageKind {
    /// Providers to choose from.
    SignIn,
    /// Whether to sign out.
    SignOut,
    /// Signed out.
    SignedOut,
    /// Something that cannot be had.
    Refused,
}

/// Everything that stands on a page.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct PageContent<'p> {
    /// What the page is for.
    pub kind: PageKind,
    /// Its HTTP status.
    pub status: u16,
    /// The heading.
    pub title: &'p str,
    /// What there is to say.
    pub paragraphs: Vec<&'p str>,
    /// What there is to do.
    pub actions: Vec<PageAction<'p>>,
    /// The stable name of a refusal.
    pub code: Option<&'p str>,
    /// The site's name.
    pub site: Option<&'p str>,
    /// The site's logo, as a `data:` address.
    pub logo: Option<&'p str>,
    /// A line that stands above everything.
    pub banner: Option<&'p str>,
    /// A line that stands below everything.
    pub footer: Option<&'p str>,
}

/// Something to do.
#[derive(Clone, Copy, Debug, Serialize)]
#[non_exhaustive]
pub struct PageAction<'p> {
    /// What the person reads.
    pub label: &'p str,
    /// Where it leads.
    pub address: &'p str,
    /// How.
    pub kind: ActionKind,
}

/// How something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ActionKind {
    /// A link.
    Visit,
    /// A link to what people seldom want.
    QuietVisit,
    /// A form with nothing but a button, sent by POST.
    Post,
}

impl<'p> PageAction<'p> {
    pub(crate) fn visit(label: &'p str, address: &'p str) -> Self {
        Self { label, address, kind: ActionKind::Visit }
    }

    pub(crate) fn quiet_visit(label: &'p str, address: &'p str) -> Self {
        Self { label, address, kind: ActionKind::QuietVisit }
    }

    pub(crate) fn post(label: &'p str, address: &'p str) -> Self {
        Self { label, address, kind: ActionKind::Post }
    }
}

/// The style of the core's own drawing.
pub(super) const STYLE: &str = "\
:root{color-scheme:light dark;--ground:#f4f5f7;--card:#fff;--ink:#1c2330;--soft:#5a6474;--line:#dfe3e9;--accent:#2456c7;--on:#fff}\
@media(prefers-color-scheme:dark){:root{--ground:#12151b;--card:#1b2029;--ink:#e8ebf0;--soft:#a0a9b8;--line:#2c3441;--accent:#8ab0ff;--on:#0d1420}\
.logo{background:#fff;padding:.4rem;border-radius:.4rem}}\
*{box-sizing:border-box}\
body{margin:0;min-height:100vh;min-height:100dvh;display:flex;flex-direction:column;align-items:center;gap:1rem;padding:1rem;background:var(--ground);color:var(--ink);\
font:1rem/1.55 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;overflow-wrap:anywhere}\
main{width:100%;max-width:26rem;margin:auto;background:var(--card);border:1px solid var(--line);border-radius:.9rem;padding:2rem 1.75rem}\
h1{margin:0 0 .6rem;font-size:1.35rem;line-height:1.3;text-wrap:balance}\
p{margin:.6rem 0;color:var(--soft);text-wrap:pretty}\
h1+p{color:var(--ink)}\
.site{display:flex;flex-wrap:wrap;align-items:center;gap:.6rem .75rem;margin:0 0 1.25rem;color:var(--ink);font-weight:600}\
.logo{display:block;max-width:100%;max-height:3rem;object-fit:contain}\
.banner{width:100%;max-width:40rem;margin:0;padding:.6rem 1rem;border:1px solid var(--line);border-left:.3rem solid var(--accent);border-radius:.55rem;\
background:var(--card);color:var(--ink);font-size:.9rem}\
footer{max-width:40rem;color:var(--soft);font-size:.8rem;text-align:center}\
.act{display:block;width:100%;margin-top:.75rem;padding:.7rem 1rem;border:1px solid var(--accent);border-radius:.55rem;\
background:var(--accent);color:var(--on);font:inherit;font-weight:600;line-height:1.35;text-align:center;text-decoration:none;cursor:pointer}\
p+.act,p+form>.act{margin-top:1.4rem}\
.act:hover{opacity:.9}\
.act.quiet{background:transparent;color:var(--accent)}\
.act:focus-visible{outline:3px solid var(--accent);outline-offset:2px}\
small{display:block;margin-top:1.5rem;color:var(--soft);font-size:.8rem}\
code{font-family:ui-monospace,monospace}";

impl PageContent<'_> {
    /// The page as the core draws it.
    pub fn html(&self) -> String {
        let mut html = String::with_capacity(STYLE.len() + self.logo.map_or(0, str::len) + 1_024);
        let title = escaped(self.title);
        let site = self.site.map(|site| format!(" – {}", escaped(site))).unwrap_or_default();
        let _ = write!(
            html,
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
             <meta name=\"robots\" content=\"noindex\"><title>{title}{site}</title><style>{STYLE}</style></head><body>"
        );
        if let Some(banner) = self.banner {
            let _ = write!(html, "<p class=\"banner\">{}</p>", escaped(banner));
        }
        html.push_str("<main>");
        self.write_site(&mut html);
        let _ = write!(html, "<h1>{title}</h1>");
        for paragraph in &self.paragraphs {
            let _ = write!(html, "<p>{}</p>", escaped(paragraph));
        }
        self.actions.iter().for_each(|action| action.write(&mut html));
        if let Some(code) = self.code {
            let _ = write!(html, "<small>Code: <code>{}</code></small>", escaped(code));
        }
        html.push_str("</main>");
        if let Some(footer) = self.footer {
            let _ = write!(html, "<footer>{}</footer>", escaped(footer));
        }
        html.push_str("</body></html>\n");
        html
    }

    /// Logo and name of the site. The name need not be read twice.
    fn write_site(&self, html: &mut String) {
        if self.site.is_none() && self.logo.is_none() {
            return;
        }
        html.push_str("<div class=\"site\">");
        if let Some(logo) = self.logo {
            let _ = write!(html, "<img class=\"logo\" alt=\"\" src=\"{}\">", escaped(logo));
        }
        if let Some(site) = self.site {
            let _ = write!(html, "<span>{}</span>", escaped(site));
        }
        html.push_str("</div>");
    }
}

impl PageAction<'_> {
    fn write(&self, html: &mut String) {
        let (label, address) = (escaped(self.label), escaped(self.address));
        let _ = match self.kind {
            ActionKind::Visit => write!(html, "<a class=\"act\" href=\"{address}\">{label}</a>"),
            ActionKind::QuietVisit => write!(html, "<a class=\"act quiet\" href=\"{address}\">{label}</a>"),
            ActionKind::Post => write!(
                html,
                "<form method=\"post\" action=\"{address}\"><button class=\"act\">{label}</button></form>"
            ),
        };
    }
}

/// Text that is safe between tags and in quoted attributes.
pub fn escaped(text: &str) -> impl fmt::Display + '_ {
    Escaped(text)
}

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
        let page = PageContent {
            kind: PageKind::Refused,
            status: 400,
            title: hostile,
            paragraphs: vec![hostile],
            actions: vec![PageAction::visit(hostile, hostile), PageAction::post(hostile, hostile)],
            code: Some(hostile),
            site: Some(hostile),
            logo: Some(hostile),
            banner: Some(hostile),
            footer: Some(hostile),
        };
        let html = page.html();
        assert!(
            !html.contains("<script") && !html.contains("\">&lt;script&gt;\"") && !html.contains("'{{"),
            "{html}"
        );
        assert_eq!(html.matches("&lt;script&gt;").count(), 13, "each of them is there: {html}");
    }
}
