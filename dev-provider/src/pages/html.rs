//! The frame around every page, and its headers.

use std::sync::LazyLock;

use aws_lc_rs::digest;
use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The only script: it sends the form of the form-post page.
pub(super) const SUBMIT_SCRIPT: &str = "document.forms[0].submit()";

const STYLE: &str = include_str!("style.css");

static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = |text: &str| STANDARD.encode(digest::digest(&digest::SHA256, text.as_bytes()));
    // form-action cannot be narrower: Chromium holds it against every redirect that follows, and those lead to the
    // application and to wherever it sends people next.
    let policy = format!(
        "default-src 'none'; img-src data:; style-src 'sha256-{}'; script-src 'sha256-{}'; form-action 'self' http: https:; \
         base-uri 'none'; frame-src http:; frame-ancestors 'none'",
        hash(STYLE),
        hash(SUBMIT_SCRIPT)
    );
    HeaderValue::try_from(policy).expect("base64 makes a header")
});

/// A whole page. `body` is HTML: whoever makes it escapes.
pub(super) fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<main>\n{body}\n</main>\n\
         <footer>Development provider. Everybody here is invented, and nobody needs a password.</footer>\n\
         </body>\n</html>\n",
        escape(title)
    );
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY.clone());
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Repeats parameters in a form.
pub(super) fn hidden_inputs(parameters: &[(String, String)]) -> String {
    let input = |(name, value): &(String, String)| {
        format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", escape(name), escape(value))
    };
    parameters.iter().map(input).collect()
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out() {
        assert_eq!(escape(r#"<a b="c" d='e'>&"#), "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;");
        let inputs = hidden_inputs(&[("\"><script>".into(), "\"onload=\"x".into())]);
        assert!(!inputs.contains("<script"));
        assert!(!inputs.contains("\"onload"));
    }
}
