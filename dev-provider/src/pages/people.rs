//! The page to choose a person.

use axum::{http::StatusCode, response::Response};

use super::html::{escape, hidden_inputs, page};
use crate::Person;

/// One button a person, and one to cancel. The form repeats the whole request, so that nothing need be remembered
/// here while somebody looks at the page.
pub(crate) fn people(client_id: &str, people: &[Person], parameters: &[(String, String)]) -> Response {
    let buttons: String = people.iter().map(button).collect();
    // Without an action a form goes to the page's own address, query and all; that would send everything twice.
    let body = format!(
        "<h1>Who are you?</h1><p>Choose a person to sign in to <b>{}</b>.</p>\n\
         <form method=\"post\" action=\"?\">\n{}\n{buttons}\
         <button type=\"submit\" name=\"cancel\" value=\"1\">Cancel</button>\n</form>",
        escape(client_id),
        hidden_inputs(parameters)
    );
    page(StatusCode::OK, "Sign in", &body)
}

fn button(person: &Person) -> String {
    let username = escape(&person.username);
    let name = person.name.as_deref().map_or_else(|| username.clone(), escape);
    let mut lines = format!("<b>{name}</b>");
    let email = match &person.email {
        None => "<span>no e-mail address</span>".to_owned(),
        Some(email) if person.email_verified => format!("<span>{}</span>", escape(email)),
        Some(email) => format!("<span class=\"warn\">{} (not verified)</span>", escape(email)),
    };
    lines.push_str(&email);
    if !person.groups.is_empty() {
        lines.push_str(&format!("<span>{}</span>", escape(&person.groups.join(", "))));
    }
    format!("<button type=\"submit\" name=\"person\" value=\"{username}\">{lines}</button>\n")
}
