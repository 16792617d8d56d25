//! JSON from outside.

use std::collections::BTreeMap;

use serde_json::Value;
use vestibule::{
    json::{self, JsonFault},
    limits::JSON_DEPTH_MAX,
};

use crate::{
    Seen,
    readers::{Layout, clean_json},
};

/// The text.
///
/// What is accepted has no two members of one name, nests no deeper than is allowed, and is what `serde_json` reads;
/// a refusal says what is wrong and not something else (JT-08, JT-25, JT-26).
pub fn json(data: &[u8]) -> Seen {
    let plain = serde_json::from_slice::<Value>(data);
    let parsed = json::parse::<Value>(data);
    match &parsed {
        Ok(value) => {
            assert_eq!(clean_json(data).as_ref(), Some(value));
            assert!(Layout::of(data).depth <= JSON_DEPTH_MAX);
            let object = json::parse::<BTreeMap<String, Value>>(data);
            assert_eq!(object.is_ok(), value.is_object(), "a shape that was not asked for");
        }
        Err(JsonFault::Syntax) => assert!(plain.is_err(), "it is JSON after all"),
        Err(JsonFault::TooDeep) => assert!(Layout::of(data).depth > JSON_DEPTH_MAX || plain.is_err()),
        Err(JsonFault::DuplicateName) => assert!(clean_json(data).is_none()),
        Err(other) => panic!("every value is a value: {other}"),
    }
    Seen::accepted(parsed.is_ok())
}
