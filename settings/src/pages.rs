//! What pages look like: texts, a logo, or a template of the operator's own.

use std::fs;

use minijinja::{Environment, value::Serde};
use vestibule::pages::{DrawPage, Logo, PageContent, PageStyle};

use crate::{options::Options, row::Row, rows};

/// How the template is called: its ending has every text escaped.
const NAME: &str = "page.html";

/// What pages look like.
pub(crate) fn style(options: &mut Options) -> PageStyle {
    let mut style = PageStyle::new();
    if let Some(name) = options.text(&rows::SITE_NAME) {
        style = style.site(name);
    }
    // oauth2-proxy has texts of its own there, which `-` takes away.
    let text = |row: &Row| options.text(row).filter(|text| text != "-");
    if let Some(text) = text(&rows::BANNER) {
        style = style.banner(text);
    }
    if let Some(text) = text(&rows::FOOTER) {
        style = style.footer(text);
    }
    if let Some(text) = options.text(&rows::SIGN_IN_TITLE) {
        style = style.sign_in_title(text);
    }
    if let Some(text) = options.text(&rows::SIGN_IN_TEXT) {
        style = style.sign_in_text(text);
    }
    if let Some(logo) = logo(options) {
        style = style.logo(logo);
    }
    match template(options) {
        Some(template) => style.drawn_by(template),
        None => style,
    }
}

fn logo(options: &mut Options) -> Option<Logo> {
    let row = &rows::CUSTOM_SIGN_IN_LOGO;
    let path = options.text(row).filter(|path| path != "-")?;
    if path.contains("://") {
        let remedy = "download it, and name the file: pages load nothing from elsewhere";
        options.problem(row, "it is an address", remedy);
        return None;
    }
    let bytes = read(options, row, &path)?;
    match Logo::new(&bytes) {
        Ok(logo) => Some(logo),
        Err(unusable) => {
            options.problem(row, unusable.to_string(), "or leave it out");
            None
        }
    }
}

/// A template that draws every page.
struct Template(Environment<'static>);

fn template(options: &mut Options) -> Option<Template> {
    let row = &rows::PAGE_TEMPLATE;
    let path = options.text(row)?;
    let text = String::from_utf8_lossy(&read(options, row, &path)?).into_owned();
    // What comes from a provider or a browser never becomes markup, whatever the template says: there are two ways to
    // say that it shall.
    if turns_escaping_off(&text) {
        let remedy = "leave it out: every text on a page is escaped";
        options.problem(row, "it has an `autoescape` block in it", remedy);
        return None;
    }
    let mut engine = Environment::new();
    engine.remove_filter("safe");
    match engine.add_template_owned(NAME, text) {
        Ok(()) => Some(Template(engine)),
        Err(error) => {
            let line = error.line().unwrap_or_default();
            let fault = format!("line {line}: {}", error.detail().unwrap_or("it is no template"));
            options.problem(row, fault, "write it as docs/pages.md shows");
            None
        }
    }
}

fn turns_escaping_off(template: &str) -> bool {
    let tags = template.split("{%").skip(1);
    tags.map(|tag| tag.trim_start_matches(['-', '+']).trim_start()).any(|tag| tag.starts_with("autoescape"))
}

fn read(options: &mut Options, row: &Row, path: &str) -> Option<Vec<u8>> {
    match fs::read(path) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            let fault = format!("{path} cannot be read: {error}");
            options.problem(row, fault, "give a file that this program may read");
            None
        }
    }
}

impl DrawPage for Template {
    fn draw(&self, page: &PageContent<'_>) -> String {
        let drawn = self.0.get_template(NAME).and_then(|template| template.render(Serde(page)));
        drawn.unwrap_or_else(|error| {
            tracing::error!(%error, "the page template cannot draw a page, which is drawn without it");
            page.html()
        })
    }
}
