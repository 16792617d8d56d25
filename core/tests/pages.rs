//! Pages: those of the core, with what a site adds to them, and those that a site draws itself.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod world;

use std::sync::{Arc, Mutex};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};
use vestibule::{
    config::Builder,
    flow::Decision,
    pages::{ActionKind, DrawPage, Logo, PageContent, PageKind, PageStyle, escaped},
    request::PlainHead,
    response::Response,
};
use world::{Browser, Plain, World, builder};

fn site(style: PageStyle) -> World {
    World::of(builder().provider(Plain::new("one")).provider(Plain::new("two")).pages(style))
}

fn html(response: &Response) -> String {
    assert_eq!(response.get("content-type"), Some("text/html; charset=utf-8"), "{response:?}");
    String::from_utf8(response.body.clone()).unwrap()
}

/// A page of every kind: to choose, to sign out, signed out, refused.
fn every_page(world: &mut World) -> [Response; 4] {
    let mut browser = Browser::default();
    let choice = browser.visit(world, "/oauth2/sign_in?rd=/deep");
    let ended = browser.visit(world, "/oauth2/sign_out?ended");
    let refused = browser.visit(world, "/oauth2/callback/one?code=c&state=s");
    let begun = browser.visit(world, "/oauth2/start/one");
    browser.come_back(world, &world::Asked::of(&begun));
    let foreign = PlainHead::navigation("/oauth2/sign_out").without("sec-fetch-site");
    let question = browser.send(world, foreign.with("sec-fetch-site", "cross-site"));
    [choice, question, ended, refused]
}

#[test]
fn a_page_loads_nothing_runs_nothing_and_cannot_be_framed() {
    let logo = Logo::new(b"<svg xmlns='http://www.w3.org/2000/svg'/>").unwrap();
    for style in [PageStyle::new(), PageStyle::new().site("Site").logo(logo).banner("B").footer("F")] {
        for response in every_page(&mut site(style)) {
            let policy = response.get("content-security-policy").unwrap();
            let directives: Vec<_> =
                policy.split("; ").map(|directive| directive.split(' ').next().unwrap()).collect();
            assert_eq!(
                directives,
                ["default-src", "style-src", "img-src", "form-action", "base-uri", "frame-ancestors"]
            );
            assert!(policy.starts_with("default-src 'none'; ") && policy.ends_with("frame-ancestors 'none'"));
            assert!(policy.contains("; img-src data:; ") && !policy.contains("unsafe"), "{policy}");
            assert_eq!(response.get("x-frame-options"), Some("DENY"));
            let html = html(&response);
            assert!(
                !html.contains("http") && !html.contains("<script") && !html.contains(" style="),
                "{html}"
            );
            for source in html.split("src=\"").skip(1) {
                assert!(source.starts_with("data:image/"), "{source}");
            }
            let (_, style) = html.split_once("<style>").unwrap();
            let hash = STANDARD.encode(Sha256::digest(style.split_once("</style>").unwrap().0));
            assert!(policy.contains(&format!("style-src 'sha256-{hash}';")), "{policy}");
        }
    }
}

#[test]
fn a_site_shows_its_name_its_logo_and_its_lines_on_every_page() {
    let logo = Logo::new(b"\x89PNG\r\n\x1a\n").unwrap();
    let style =
        PageStyle::new().site("Reports & <more>").logo(logo).banner("Closed on Sunday").footer("Imprint");
    for response in every_page(&mut site(style.sign_in_title("Welcome").sign_in_text("Take either."))) {
        let html = html(&response);
        for shown in [
            "Reports &amp; &lt;more&gt;",
            "data:image/png;base64,iVBORw0KGgo=",
            "Closed on Sunday",
            "Imprint",
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
        assert_eq!(
            html.contains("<h1>Welcome</h1><p>Take either.</p>"),
            html.contains("Sign in with"),
            "{html}"
        );
    }
    for plain in every_page(&mut site(PageStyle::new())).map(|response| html(&response)) {
        assert!(!plain.contains("<img") && !plain.contains("class=\"site\"") && !plain.contains("<footer"));
    }
}

/// Draws pages as a template would, and remembers what it was given.
#[derive(Clone, Default)]
struct Template {
    seen: Arc<Mutex<Vec<(PageKind, u16, String)>>>,
    careless: bool,
}

const OWN_STYLE: &str = "body { color: teal }\r\n";

impl DrawPage for Template {
    fn draw(&self, page: &PageContent<'_>) -> String {
        self.seen.lock().unwrap().push((page.kind, page.status, page.title.to_owned()));
        let mut html = format!(
            "<!doctype html><title>{}</title><STYLE media=all>{OWN_STYLE}</STYLE>",
            escaped(page.title)
        );
        for paragraph in &page.paragraphs {
            // A template that forgets to escape.
            html += &if self.careless { (*paragraph).to_owned() } else { escaped(paragraph).to_string() };
        }
        for action in &page.actions {
            html += &match action.kind {
                ActionKind::Post => {
                    format!("<form method=post action=\"{}\"><button>", escaped(action.address))
                }
                _ => format!("<a href=\"{}\">", escaped(action.address)),
            };
            html += &escaped(action.label).to_string();
        }
        html
    }
}

/// Whether a policy lets this style count, as browsers hash it: after line breaks are made one.
fn lets_count(response: &Response, style: &str) -> bool {
    let hash = STANDARD.encode(Sha256::digest(style.replace("\r\n", "\n")));
    response.get("content-security-policy").unwrap().contains(&format!("'sha256-{hash}'"))
}

#[test]
fn a_page_of_the_sites_own_is_served_with_the_same_policy() {
    let template = Template::default();
    let mut world = site(PageStyle::new().drawn_by(template.clone()));
    template.seen.lock().unwrap().clear();
    for response in every_page(&mut world) {
        assert!(html(&response).starts_with("<!doctype html><title>"));
        assert!(lets_count(&response, OWN_STYLE));
        let policy = response.get("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"));
        assert!(policy.ends_with("base-uri 'none'; frame-ancestors 'none'"), "{policy}");
        assert_eq!(response.get("x-frame-options"), Some("DENY"));
    }
    let seen = template.seen.lock().unwrap();
    let kinds: Vec<_> = seen.iter().map(|(kind, status, _)| (*kind, *status)).collect();
    let expected = [
        (PageKind::SignIn, 200),
        (PageKind::SignedOut, 200),
        (PageKind::Refused, 400),
        (PageKind::SignOut, 200),
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn lk_12_a_careless_template_lets_no_style_in_that_came_with_a_text() {
    let template = Template { careless: true, ..Template::default() };
    let mut world = site(PageStyle::new().drawn_by(template));
    let injected = "body{display:none}";
    world.decision = Some(Decision::deny(format!("<style>{injected}</style>")));
    let mut browser = Browser::default();
    let begun = browser.visit(&mut world, "/oauth2/start/one");
    let denied = browser.come_back(&mut world, &world::Asked::of(&begun));
    assert!(html(&denied).contains(&format!("<style>{injected}</style>")), "the template is careless");
    assert!(!lets_count(&denied, injected) && lets_count(&denied, OWN_STYLE));
}

#[test]
fn a_template_may_fall_back_to_the_cores_page_which_keeps_its_style() {
    struct Bare;
    impl DrawPage for Bare {
        fn draw(&self, page: &PageContent<'_>) -> String {
            if page.kind == PageKind::SignIn { "<p>bare".to_owned() } else { page.html() }
        }
    }
    let [choice, _, ended, _] = every_page(&mut site(PageStyle::new().drawn_by(Bare)));
    assert_eq!(html(&choice), "<p>bare");
    let ended_html = html(&ended);
    assert!(ended_html.contains("<h1>Signed out</h1>"));
    let (_, style) = ended_html.split_once("<style>").unwrap();
    assert!(lets_count(&ended, style.split_once("</style>").unwrap().0));
}

#[test]
fn what_does_not_fit_on_a_page_is_said_at_construction() {
    let fields = |style: PageStyle| -> Vec<_> {
        let built = builder().provider(Plain::new("plain")).pages(style);
        Builder::build(built).unwrap_err().problems.into_iter().map(|problem| problem.fault).collect()
    };
    let long = "x".repeat(2_001);
    let faults = fields(PageStyle::new().banner(long.as_str()).footer(long.as_str()));
    assert!(faults.len() == 2 && faults[0].contains("banner") && faults[1].contains("footer"), "{faults:?}");
}
