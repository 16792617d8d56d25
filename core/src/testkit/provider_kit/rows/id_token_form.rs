//! ID tokens that the issuer has signed and that are no sound text.

use serde_json::json;

use super::{Row, id_token::each, row};
use crate::limits::ID_TOKEN_BYTES_MAX;

pub(super) const ROWS: &[Row] = &[
    row(
        "jt_06_critical_parameters",
        "A header that asks for something that is not understood (`crit`, `b64`) is refused (RFC 7515 §4.1.11).",
        "refuse `crit`",
        |bench| {
            for crit in
                [json!(["exp"]), json!(["b64"]), json!(["unknown"]), json!([]), json!("exp"), json!([1])]
            {
                each(bench, &format!("`crit`: {crit}"), |mint| mint.header("crit", crit.clone()))?;
            }
            Ok(())
        },
    ),
    row(
        "jt_05_key_id_odd",
        "A key id that is not a text is refused: it does not stand for all keys.",
        "refuse a `kid` that is not a text",
        |bench| {
            for key_id in [json!(null), json!(7), json!(["k1"]), json!({"kid": "k1"}), json!(true)] {
                each(bench, &format!("`kid`: {key_id}"), |mint| mint.header("kid", key_id.clone()))?;
            }
            Ok(())
        },
    ),
    row(
        "jt_07_token_of_another_kind",
        "A token that says that it is an access token, a logout token or a proof is no ID token (RFC 8725 §3.11).",
        "accept no `typ`, or `JWT`",
        |bench| {
            for typ in [
                json!("at+jwt"),
                json!("logout+jwt"),
                json!("dpop+jwt"),
                json!("application/at+jwt"),
                json!(7),
            ] {
                each(bench, &format!("`typ`: {typ}"), |mint| mint.header("typ", typ.clone()))?;
            }
            Ok(())
        },
    ),
    row(
        "jt_08_duplicate_claims",
        "Two claims, or two parameters of the header, of one name are refused, in either order.",
        "read header and payload by `json::parse`",
        |bench| {
            for claim in [
                "\"sub\":\"somebody-else\"",
                "\"iss\":\"https://evil.example\"",
                "\"nonce\":\"x\"",
                "\"aud\":\"x\"",
                "\"exp\":1",
            ] {
                each(bench, &format!("{claim} first"), |mint| {
                    mint.payload(move |payload| payload.replacen('{', &format!("{{{claim},"), 1));
                })?;
                each(bench, &format!("{claim} last"), |mint| {
                    mint.payload(move |payload| format!("{},{claim}}}", &payload[..payload.len() - 1]));
                })?;
            }
            each(bench, "`alg` twice", |mint| {
                mint.head(|header| header.replacen('{', "{\"alg\":\"none\",", 1));
            })
        },
    ),
    row(
        "jt_23_number_of_parts",
        "A token has three parts, each with something in it.",
        "split at two dots exactly",
        |bench| {
            each(bench, "four parts", |mint| mint.text(|token| format!("{token}.e30")))?;
            each(bench, "five parts, as an encrypted one", |mint| {
                mint.text(|token| format!("{token}.e30.e30"))
            })?;
            each(bench, "the JSON form of a signed token", |mint| mint.text(|token| json_form(&token)))?;
            each(bench, "a part before the first", |mint| mint.text(|token| format!(".{token}")))?;
            each(bench, "two parts", |mint| {
                mint.text(|token| token.rsplit_once('.').unwrap_or_default().0.to_owned())
            })?;
            each(bench, "5,000 dots", |mint| mint.text(|_| ".".repeat(5_000)))
        },
    ),
    row(
        "jt_24_another_encoding",
        "One token has one spelling: no padding, no other alphabet, nothing around it.",
        "decode by an engine that refuses padding and stray bits",
        |bench| {
            each(bench, "padding", |mint| mint.text(|token| format!("{token}==")))?;
            each(bench, "a space behind", |mint| mint.text(|token| format!("{token} ")))?;
            each(bench, "a line break in it", |mint| mint.text(|token| token.replacen('.', ".\n", 1)))?;
            each(bench, "`Bearer ` before", |mint| mint.text(|token| format!("Bearer {token}")))?;
            each(bench, "quotation marks around it", |mint| mint.text(|token| format!("\"{token}\"")))
        },
    ),
    row(
        "jt_25_payload_not_an_object",
        "A payload that is not one JSON object is refused, whoever signed it.",
        "read it by `json::parse`",
        |bench| {
            each(bench, "more after its end", |mint| mint.payload(|payload| format!("{payload}{{}}")))?;
            each(bench, "a list", |mint| mint.payload(|payload| format!("[{payload}]")))?;
            each(bench, "a text", |mint| mint.payload(|_| "\"x\"".to_owned()))?;
            each(bench, "nothing", |mint| mint.payload(|_| String::new()))
        },
    ),
    row(
        "jt_26_payload_too_deep",
        "A payload that is nested a thousand levels deep is refused.",
        "read it by `json::parse`",
        |bench| each(bench, "1,000 levels", |mint| mint.payload(|payload| super::token::deep(&payload))),
    ),
    row(
        "jt_27_too_large",
        "A token of more than 64 KiB is refused before anything of it is decoded.",
        "compare its length with `limits::ID_TOKEN_BYTES_MAX` first",
        |bench| each(bench, "a claim of 64 KiB", |mint| mint.claim("x", "x".repeat(ID_TOKEN_BYTES_MAX))),
    ),
];

/// RFC 7515 §7.2.2.
fn json_form(token: &str) -> String {
    let mut parts = token.split('.');
    let mut part = || parts.next().unwrap_or_default();
    format!(r#"{{"protected":"{}","payload":"{}","signature":"{}"}}"#, part(), part(), part())
}
