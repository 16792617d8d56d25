//! JSON from outside: bounded in depth, and without two members of one name.
//!
//! `serde_json` takes the last of two members, other parsers the first: a token that one side reads otherwise than
//! another is refused here before anything is read from it (RFC 8259 §4, RFC 7515 §4).

use std::{collections::HashSet, fmt};

use serde::{
    Deserializer as _,
    de::{DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor},
};

use crate::limits::JSON_DEPTH_MAX;

/// Why a text is not JSON that we accept. The text itself is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonFault {
    /// Not JSON, or more after its end.
    #[error("not JSON")]
    Syntax,
    /// Two members of one object have the same name.
    #[error("two members of one name")]
    DuplicateName,
    /// Nested deeper than [`JSON_DEPTH_MAX`].
    #[error("nested too deep")]
    TooDeep,
    /// JSON, but a member is missing or of another type than agreed.
    #[error("a member is missing or of the wrong type")]
    Shape,
}

/// Reads `text` as a `T`.
///
/// # Errors
/// See [`JsonFault`]: what is not JSON is told from what is JSON of another shape.
pub fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, JsonFault> {
    check(text)?;
    serde_json::from_slice(text).map_err(|_| JsonFault::Shape)
}

fn check(text: &[u8]) -> Result<(), JsonFault> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let mut fault = None;
    let walked = deserializer.deserialize_any(Walk { depth: 0, fault: &mut fault });
    match (walked, fault) {
        (_, Some(fault)) => Err(fault),
        (Err(_), None) => Err(JsonFault::Syntax),
        (Ok(()), None) => deserializer.end().map_err(|_| JsonFault::Syntax),
    }
}

/// Walks through a value without keeping anything of it.
struct Walk<'f> {
    depth: usize,
    fault: &'f mut Option<JsonFault>,
}

impl Walk<'_> {
    fn deeper<E: serde::de::Error>(&mut self) -> Result<Walk<'_>, E> {
        if self.depth == JSON_DEPTH_MAX {
            *self.fault = Some(JsonFault::TooDeep);
            return Err(E::custom("nested too deep"));
        }
        Ok(Walk { depth: self.depth + 1, fault: self.fault })
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self.deeper()?)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if !names.insert(name) {
                *self.fault = Some(JsonFault::DuplicateName);
                return Err(serde::de::Error::custom("two members of one name"));
            }
            members.next_value_seed(self.deeper()?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn fault(text: &str) -> Option<JsonFault> {
        parse::<Value>(text.as_bytes()).err()
    }

    #[test]
    fn jt_08_two_members_of_one_name_are_refused_at_any_depth() {
        assert_eq!(fault(r#"{"sub":"a","sub":"b"}"#), Some(JsonFault::DuplicateName));
        assert_eq!(fault(r#"{"a":[{"b":1,"\u0062":2}]}"#), Some(JsonFault::DuplicateName));
        assert_eq!(fault(r#"{"a":{"b":1},"b":{"b":2}}"#), None);
    }

    #[test]
    fn jt_25_what_is_not_json_is_refused() {
        for text in ["", "{", "{} x", "{'a':1}", "\u{feff}{}", "{\"a\":1,}", "{\"a\":NaN}"] {
            assert_eq!(fault(text), Some(JsonFault::Syntax), "{text:?}");
        }
        assert_eq!(parse::<Value>(b"\"\xff\""), Err(JsonFault::Syntax));
    }

    #[test]
    fn jt_26_depth_is_bounded() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(fault(&nested(JSON_DEPTH_MAX)), None);
        assert_eq!(fault(&nested(JSON_DEPTH_MAX + 1)), Some(JsonFault::TooDeep));
        assert!(fault(&nested(100_000)).is_some());
    }
}
