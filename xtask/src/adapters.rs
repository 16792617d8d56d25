//! Adapters translate and decide nothing: what they may not name, and how large they may become.

/// Lines of an adapter's `src`, documentation and all. The aim was 400, and is passed by what an application asks for in
/// words of its framework: five methods of a gate for handlers (`handler.rs`), four conditions of a guard
/// (`require.rs`), the extractor that hands a gate out, and each of these twice: at once, where a cookie is the session,
/// and in a future, where a store has to be asked. Each is a line that calls the driver, and what documents it.
const LINES_MAX: usize = 690;

/// What the core decides, and what an adapter does instead of naming it.
const FORBIDDEN: [(&str, &str); 5] = [
    ("HttpOnly", "a cookie's attributes come from the core: send its lines as they are"),
    ("SameSite", "a cookie's attributes come from the core: send its lines as they are"),
    ("Max-Age", "a cookie's attributes come from the core: send its lines as they are"),
    ("set-cookie", "a cookie comes from the core: send every header of its response"),
    ("Set-Cookie", "a cookie comes from the core: send every header of its response"),
];

/// What may not be followed by a capital letter: that would be one status, one refusal or one ready answer by its name.
const NAMING: [(&str, &str); 4] = [
    ("StatusCode::", "a status comes from the core: translate that of its response"),
    ("Refusal::", "a refusal comes from the core: hand on the one that it gave"),
    ("HttpResponse::", "an answer comes from the core: translate its response"),
    ("error::Error", "an answer comes from the core: translate its response"),
];

/// What an application's own tests are helped with: it decides nothing, and nobody runs it.
const TESTING: &str = "src/testing.rs";

/// The adapter that a file belongs to, where it is part of one.
pub(crate) fn adapter(name: &str) -> Option<&str> {
    let (folder, rest) = name.split_once('/')?;
    (folder.starts_with("adapter-") && rest.starts_with("src/") && rest != TESTING).then_some(folder)
}

/// The part of a file that goes into applications.
pub(crate) fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

/// What is wrong with one file of an adapter.
pub(crate) fn names_a_rule(name: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let code =
        (1..).zip(without_tests(text).lines()).filter(|(_, line)| !line.trim_start().starts_with("//"));
    for (number, line) in code {
        for (word, instead) in FORBIDDEN.into_iter().filter(|(word, _)| line.contains(word)) {
            problems.push(format!("{name}:{number}: `{word}` in an adapter; {instead}"));
        }
        for (word, instead) in NAMING.into_iter().filter(|(word, _)| is_named_after(line, word)) {
            problems.push(format!("{name}:{number}: a name after `{word}` in an adapter; {instead}"));
        }
        if let Some(status) = status(line) {
            let instead = "a status comes from the core: translate that of its response";
            problems.push(format!("{name}:{number}: `{status}` in an adapter; {instead}"));
        }
    }
    problems
}

/// What is wrong with an adapter of so many lines.
pub(crate) fn too_long(adapter: &str, lines: usize) -> Option<String> {
    let why = "an adapter translates: move what is more into the core";
    (LINES_MAX < lines).then(|| format!("{adapter}/src: {lines} lines, {LINES_MAX} is the most; {why}"))
}

fn is_named_after(line: &str, word: &str) -> bool {
    line.match_indices(word)
        .any(|(at, _)| line[at + word.len()..].starts_with(|next: char| next.is_ascii_uppercase()))
}

/// A number that could be a status.
fn status(line: &str) -> Option<&str> {
    let words = line.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    let numbers = words.filter(|word| word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_digit()));
    numbers.into_iter().find(|number| matches!(number.as_bytes()[0], b'1'..=b'5'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_core_decides_is_found_in_code_and_allowed_in_comments() {
        for line in [
            "*response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;",
            "if refusal == Refusal::SignInRequired {",
            "HttpResponse::Unauthorized().finish()",
            "return Err(actix_web::error::ErrorForbidden(text));",
            "headers.append(\"set-cookie\", value);",
            "line.push_str(\"; SameSite=None\");",
            "StatusCode::from_u16(if ok { 303 } else { 302 })",
        ] {
            assert!(!names_a_rule("adapter-x/src/a.rs", line).is_empty(), "{line}");
            assert!(names_a_rule("adapter-x/src/a.rs", &format!("/// {line}")).is_empty(), "{line}");
        }
        for line in [
            "*converted.status_mut() = StatusCode::from_u16(response.status)?;",
            "HttpResponse::with_body(status, body)",
            "Err(refusal) => self.gate.turn_back(request, refusal),",
            "use vestibule::{refusal::Refusal, session::Session};",
            "let size = 4_096;",
        ] {
            assert_eq!(names_a_rule("adapter-x/src/a.rs", line), [""; 0], "{line}");
        }
    }

    #[test]
    fn an_adapter_is_its_src() {
        assert_eq!(adapter("adapter-axum/src/head.rs"), Some("adapter-axum"));
        assert_eq!(adapter("adapter-axum/tests/guard.rs"), None);
        assert_eq!(adapter("adapter-axum/src/testing.rs"), None);
        assert_eq!(adapter("core/src/lib.rs"), None);
        assert!(
            too_long("adapter-axum", LINES_MAX).is_none()
                && too_long("adapter-axum", LINES_MAX + 1).is_some()
        );
    }
}
