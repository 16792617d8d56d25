//! What providers send, and how a broken one reads what comes back.

use http::Request;
use serde_json::{Map, Value};
use vestibule::{
    conversation::Http,
    exchange::{HttpRequest, HttpResponse, Purpose},
    json,
    provider::ProviderError,
};

pub(crate) fn post(url: &str, form: &[(&str, &str)], authorization: &str) -> HttpRequest {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form);
    Request::post(url)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", authorization)
        .body(body.finish().into_bytes())
        .unwrap()
}

pub(crate) async fn send(
    http: &Http,
    purpose: Purpose,
    request: HttpRequest,
) -> Result<HttpResponse, ProviderError> {
    let sent = http.send(purpose, request).await;
    sent.map_err(|failure| ProviderError::Unreachable { purpose, failure })
}

pub(crate) fn broken(purpose: Purpose, fault: &'static str) -> ProviderError {
    ProviderError::Broken { purpose, fault }
}

/// How carefully JSON is read.
pub(crate) enum Reader {
    Sound,
    /// Looks for it in whatever came.
    Searching,
    /// Takes the last of two members of one name.
    LastOfTwo,
    /// Passes over what it does not know, however deep.
    Deep,
}

pub(crate) fn object(reader: &Reader, body: &[u8]) -> Option<Map<String, Value>> {
    match reader {
        Reader::Sound => json::parse(body).ok(),
        Reader::Searching => {
            let (from, to) =
                (body.iter().position(|byte| *byte == b'{')?, body.iter().rposition(|byte| *byte == b'}')?);
            json::parse(body.get(from..=to)?).ok()
        }
        Reader::LastOfTwo => serde_json::from_slice(body).ok(),
        Reader::Deep => {
            json::parse(body).ok().or_else(|| {
                // Everything but the member that is too deep.
                let text = std::str::from_utf8(body).ok()?;
                let (before, rest) = text.split_once("\"nested\":")?;
                let after = rest.trim_start_matches('[').trim_start_matches(']').strip_prefix(',')?;
                json::parse(format!("{before}{after}").as_bytes()).ok()
            })
        }
    }
}
