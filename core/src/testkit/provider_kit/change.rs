//! Replies, changed in one place.

use serde_json::{Map, Value};

use crate::exchange::HttpResponse;

/// The same response with another body.
pub(super) fn with_body(response: HttpResponse, body: Vec<u8>) -> HttpResponse {
    let (parts, _) = response.into_parts();
    HttpResponse::from_parts(parts, body)
}

/// A body as JSON; a form as an object of texts.
pub(super) fn json_of(response: &HttpResponse) -> Option<Value> {
    if let Ok(value) = serde_json::from_slice(response.body()) {
        return Some(value);
    }
    let text = std::str::from_utf8(response.body()).ok().filter(|text| text.contains('='))?;
    let pairs = url::form_urlencoded::parse(text.as_bytes());
    Some(Value::Object(pairs.map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect()))
}

/// The same response with its JSON changed; a form stays a form.
pub(super) fn changed(response: HttpResponse, change: impl Fn(&mut Value)) -> HttpResponse {
    let is_form = serde_json::from_slice::<Value>(response.body()).is_err();
    let Some(mut value) = json_of(&response) else { return response };
    change(&mut value);
    match value {
        Value::Object(members) if is_form => {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            for (name, value) in &members {
                form.append_pair(name, value.as_str().unwrap_or(&value.to_string()));
            }
            with_body(response, form.finish().into_bytes())
        }
        value => with_body(response, value.to_string().into_bytes()),
    }
}

/// The same response as JSON, also where it is a form.
pub(super) fn as_json(response: HttpResponse) -> HttpResponse {
    let Some(value) = json_of(&response) else { return response };
    let mut response = with_body(response, value.to_string().into_bytes());
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    response
}

/// Writes `to` wherever a number or text is `from`.
pub(super) fn replace(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) if text == from => *text = to.to_owned(),
        Value::Number(number) if number.to_string() == from => {
            *value = to.parse::<u64>().map_or_else(|_| to.into(), Value::from);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, from, to)),
        Value::Object(members) => members.values_mut().for_each(|member| replace(member, from, to)),
        _ => {}
    }
}

/// Sets what a pointer points at; `null` takes a member of an object out.
pub(super) fn set(value: &mut Value, pointer: &str, new: Value) {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return };
    let name = name.replace("~1", "/").replace("~0", "~");
    match value.pointer_mut(parent) {
        Some(Value::Object(members)) if new.is_null() => drop(members.remove(&name)),
        Some(Value::Object(members)) => drop(members.insert(name, new)),
        Some(Value::Array(items)) => {
            if let Some(item) = name.parse().ok().and_then(|index: usize| items.get_mut(index)) {
                *item = new;
            }
        }
        _ => {}
    }
}

/// An object's members.
pub(super) fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
