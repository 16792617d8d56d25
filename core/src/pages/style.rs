//! What a site adds to its pages.

use std::{fmt, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

use crate::{
    config::{Builder, Problem},
    limits::{LOGO_BYTES_MAX, PAGE_TEXT_BYTES_MAX},
    pages::{DrawPage, Page, PageAction, PageContent, PageKind, draw::STYLE},
    refusal::Refusal,
};

/// What the pages of a site look like. Texts are texts: what looks like markup in them is shown as it is.
#[derive(Clone, Default)]
pub struct PageStyle {
    site: Option<String>,
    logo: Option<Logo>,
    banner: Option<String>,
    footer: Option<String>,
    sign_in_title: Option<String>,
    sign_in_text: Option<String>,
    draw: Option<Arc<dyn DrawPage>>,
}

impl fmt::Debug for PageStyle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageStyle")
            .field("site", &self.site)
            .field("banner", &self.banner)
            .field("footer", &self.footer)
            .finish_non_exhaustive()
    }
}

impl PageStyle {
    /// Pages as the core draws them, of no site in particular.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the site's name.
    pub fn site(mut self, name: impl Into<String>) -> Self {
        self.site = Some(name.into());
        self
    }

    /// Sets the logo.
    pub fn logo(mut self, logo: Logo) -> Self {
        self.logo = Some(logo);
        self
    }

    /// Sets a line that stands above everything.
    pub fn banner(mut self, text: impl Into<String>) -> Self {
        self.banner = Some(text.into());
        self
    }

    /// Sets a line that stands below everything.
    pub fn footer(mut self, text: impl Into<String>) -> Self {
        self.footer = Some(text.into());
        self
    }

    /// Sets the heading of the page to choose a provider on.
    pub fn sign_in_title(mut self, text: impl Into<String>) -> Self {
        self.sign_in_title = Some(text.into());
        self
    }

    /// Sets what that page says below its heading.
    pub fn sign_in_text(mut self, text: impl Into<String>) -> Self {
        self.sign_in_text = Some(text.into());
        self
    }

    /// Lets somebody else draw the pages.
    pub fn drawn_by(mut self, draw: impl DrawPage) -> Self {
        self.draw = Some(Arc::new(draw));
        self
    }

    pub(crate) fn problems(&self) -> Vec<Problem> {
        let texts = [
            ("site", &self.site),
            ("banner", &self.banner),
            ("footer", &self.footer),
            ("sign_in_title", &self.sign_in_title),
            ("sign_in_text", &self.sign_in_text),
        ];
        let too_long = |(name, text): (&str, &Option<String>)| {
            let bytes = text.as_ref().map_or(0, String::len);
            (bytes > PAGE_TEXT_BYTES_MAX).then(|| {
                let fault = format!("its {name} has {bytes} bytes of {PAGE_TEXT_BYTES_MAX}");
                Problem::new("pages", fault, "shorten it; a page of your own has room for more (`drawn_by`)")
            })
        };
        texts.into_iter().filter_map(too_long).collect()
    }
}

impl Builder {
    /// Sets what pages look like.
    pub fn pages(mut self, style: PageStyle) -> Self {
        self.pages = style;
        self
    }
}

/// A picture that stands in the page itself: PNG, JPEG or SVG, at most [`LOGO_BYTES_MAX`] bytes. As an image, an SVG
/// runs no script and loads nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Logo(String);

/// Why a picture is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnusableLogo {
    /// It would make every page too large.
    #[error("the logo is larger than 64 KiB: give a smaller one, such as an SVG")]
    TooLarge,
    /// It is no picture of a kind that every browser shows.
    #[error("the logo is neither PNG nor JPEG nor SVG: convert it into one of these")]
    UnknownKind,
}

impl Logo {
    /// A logo of these bytes; what they are, they say themselves.
    ///
    /// # Errors
    /// They are too many, or no picture.
    pub fn new(bytes: &[u8]) -> Result<Self, UnusableLogo> {
        if bytes.len() > LOGO_BYTES_MAX {
            return Err(UnusableLogo::TooLarge);
        }
        let media_type = match bytes {
            [0x89, b'P', b'N', b'G', ..] => "image/png",
            [0xff, 0xd8, 0xff, ..] => "image/jpeg",
            _ if is_svg(bytes) => "image/svg+xml",
            _ => return Err(UnusableLogo::UnknownKind),
        };
        Ok(Self(format!("data:{media_type};base64,{}", STANDARD.encode(bytes))))
    }
}

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Logo({} bytes)", self.0.len())
    }
}

fn is_svg(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let text = text.trim_start_matches('\u{feff}').trim_start();
    ["<svg", "<?xml", "<!--", "<!DOCTYPE svg"].iter().any(|begins| text.starts_with(begins))
        && text.contains("<svg")
}

/// The pages of a site, ready to be drawn.
#[derive(Debug)]
pub(crate) struct Pages {
    style: PageStyle,
    /// What `style-src` allows: blocks that pages have, by their hashes.
    style_sources: String,
}

impl Pages {
    pub(crate) fn new(style: PageStyle) -> Self {
        let mut pages = Self { style, style_sources: String::new() };
        pages.style_sources =
            pages.styles().iter().map(|style| format!(" 'sha256-{}'", hash(style))).collect();
        pages
    }

    pub(crate) fn style_sources(&self) -> &str {
        &self.style_sources
    }

    /// The core's own style, and those of the pages that are drawn for trial: they come from whoever draws, and from no
    /// text that a request brought.
    fn styles(&self) -> Vec<String> {
        let mut styles = vec![STYLE.to_owned()];
        if self.style.draw.is_some() {
            styles.extend(trials().flat_map(|page| blocks(&self.draw(page.status_for_trial(), page))));
        }
        styles.sort();
        styles.dedup();
        styles
    }

    pub(crate) fn draw(&self, status: u16, page: Page<'_>) -> String {
        let Page { kind, mut title, mut paragraphs, acts, code, .. } = page;
        let style = &self.style;
        if kind == PageKind::SignIn {
            title = style.sign_in_title.as_deref().unwrap_or(title);
            if let Some(text) = &style.sign_in_text {
                paragraphs = vec![text];
            }
        }
        let content = PageContent {
            kind,
            status,
            title,
            paragraphs,
            actions: acts,
            code,
            site: style.site.as_deref(),
            logo: style.logo.as_ref().map(|logo| logo.0.as_str()),
            banner: style.banner.as_deref(),
            footer: style.footer.as_deref(),
        };
        style.draw.as_ref().map_or_else(|| content.html(), |draw| draw.draw(&content))
    }
}

/// A page of every kind.
fn trials() -> impl Iterator<Item = Page<'static>> {
    let visit = || vec![PageAction::visit("Trial", "/")];
    let page = |kind, acts| Page::new(kind, "Trial", vec!["Trial."], acts);
    [
        page(PageKind::SignIn, visit()),
        page(PageKind::SignOut, vec![PageAction::post("Trial", "/"), PageAction::quiet_visit("Trial", "/")]),
        page(PageKind::SignedOut, visit()),
        Page::refused(Refusal::NotFound, Some("Trial."), Vec::new()),
    ]
    .into_iter()
}

impl Page<'_> {
    fn status_for_trial(&self) -> u16 {
        if self.kind == PageKind::Refused { Refusal::NotFound.status() } else { 200 }
    }
}

/// The contents of the `<style>` elements of a document, as browsers read them: with plain line feeds.
fn blocks(html: &str) -> Vec<String> {
    // Lower case changes no position of ASCII, and that is all that is looked for.
    let lower = html.to_ascii_lowercase();
    let mut blocks = Vec::new();
    let mut at = 0;
    while let Some(found) = lower[at..].find("<style") {
        let tag = at + found + "<style".len();
        let Some(open) = lower[tag..].find('>').map(|end| tag + end + 1) else { break };
        let Some(close) = lower[open..].find("</style").map(|end| open + end) else { break };
        blocks.push(html[open..close].replace("\r\n", "\n").replace('\r', "\n"));
        at = close;
    }
    blocks
}

fn hash(style: &str) -> String {
    STANDARD.encode(Sha256::digest(style.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_blocks_are_found_as_browsers_find_them() {
        assert_eq!(blocks("<style>a{}</style><STYLE media=\"x\">b{}\r\n</Style>"), ["a{}", "b{}\n"]);
        assert_eq!(blocks("<p style=\"x\">é</p>"), [""; 0]);
        assert_eq!(blocks("<style>never closed"), [""; 0]);
    }

    #[test]
    fn a_logo_is_known_by_what_it_is() {
        let kind = |bytes: &[u8]| Logo::new(bytes).map(|logo| logo.0.split(';').next().unwrap().to_owned());
        assert_eq!(kind(b"\x89PNG\r\n\x1a\n").as_deref(), Ok("data:image/png"));
        assert_eq!(kind(b"\xff\xd8\xff\xe0").as_deref(), Ok("data:image/jpeg"));
        for svg in [
            "<svg xmlns='http://www.w3.org/2000/svg'/>",
            "\u{feff}<?xml version='1.0'?>\n<svg/>",
            "<!-- x --><svg/>",
        ] {
            assert_eq!(kind(svg.as_bytes()).as_deref(), Ok("data:image/svg+xml"), "{svg}");
        }
        for other in ["", "GIF89a", "<html><svg/></html>", "<?xml version='1.0'?><html/>", "svg"] {
            assert_eq!(kind(other.as_bytes()), Err(UnusableLogo::UnknownKind), "{other}");
        }
        assert_eq!(kind(&vec![0; LOGO_BYTES_MAX + 1]), Err(UnusableLogo::TooLarge));
    }
}
