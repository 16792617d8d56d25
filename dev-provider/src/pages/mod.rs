//! The pages that people see. They load nothing but frames of clients that are told of a
//! sign-out, run at most one line of script, and cannot be framed.

mod html;
mod people;

pub(crate) use people::people;

use axum::{http::StatusCode, response::Response};

use html::{escape, hidden_inputs, page};

/// A failure that no client can be told of.
pub(crate) fn failure(status: StatusCode, reason: &str) -> Response {
    let body = format!(
        "<h1>This request cannot be answered</h1><p>{}</p><p class=\"note\">Go back to the application and try \
         again. If it recurs, its settings do not fit those of this development provider.</p>",
        escape(reason)
    );
    page(status, "Request refused", &body)
}

/// The end of a sign-out. Clients are told of it in frames, and a link leads back, where there is a way.
pub(crate) fn signed_out(frames: &[String], back: Option<&str>) -> Response {
    let frame = |uri: &String| format!("<iframe hidden title=\"A client\" src=\"{}\"></iframe>", escape(uri));
    let frames: String = frames.iter().map(frame).collect();
    let on = match back {
        Some(uri) => format!("<p><a id=\"back\" href=\"{}\">Back to the application</a></p>", escape(uri)),
        None => "<p>You may close this page.</p>".to_owned(),
    };
    page(StatusCode::OK, "Signed out", &format!("<h1>You are signed out</h1>{on}{frames}"))
}

/// Carries an authorization response in a form (OAuth 2.0 Form Post Response Mode).
pub(crate) fn form_post(to: &str, parameters: &[(String, String)]) -> Response {
    let body = format!(
        "<h1>One moment</h1><p>You are being led back to the application.</p>\
         <form method=\"post\" action=\"{}\">{}<button type=\"submit\">Continue</button></form>\
         <script>{}</script>",
        escape(to),
        hidden_inputs(parameters),
        html::SUBMIT_SCRIPT
    );
    page(StatusCode::OK, "Back to the application", &body)
}
