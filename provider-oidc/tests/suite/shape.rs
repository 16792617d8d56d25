//! Tokens that are not what a token looks like.

use serde_json::{Value, json};
use vestibule::limits::ID_TOKEN_BYTES_MAX;

use crate::{
    mint::{Mint, base64url, keyring, sign_raw},
    op::{Op, accepted, no_session, refused},
};

const HEADER: &[u8] = br#"{"alg":"RS256","kid":"k1"}"#;

/// The claims of a sound token as text, with `change` in place of the last brace.
fn payload(change: &str) -> String {
    let sound = Value::from(Mint::sound().claims).to_string();
    format!("{}{change}", sound.strip_suffix('}').unwrap())
}

#[test]
fn jt_08_two_members_of_one_name_are_refused_in_a_payload() {
    accepted(sign_raw(HEADER, payload("}").as_bytes()), "written by hand");
    let sound = Mint::sound();
    for name in ["sub", "iss", "aud", "exp", "nonce", "iat", "email"] {
        let doubled = format!(",{}:{}}}", json!(name), sound.claims[name]);
        refused(sign_raw(HEADER, payload(&doubled).as_bytes()), name);
    }
    refused(sign_raw(HEADER, payload(r#","s\u0075b":"victim"}"#).as_bytes()), "an escaped name");
    // Nobody but the mapping reads these.
    for doubled in
        [r#","groups":[],"groups":["admins"]}"#, r#","tid":"a","tid":"b"}"#, r#","x":{"y":1,"y":2}}"#]
    {
        refused(sign_raw(HEADER, payload(doubled).as_bytes()), doubled);
    }
    refused(sign_raw(HEADER, payload(r#","address":{"country":"GB","country":"FR"}}"#).as_bytes()), "inside");
}

#[test]
fn jt_23_a_token_has_three_parts() {
    let sound = Mint::thin().sign();
    let (input, signature) = sound.rsplit_once('.').unwrap();
    let (header, claims) = input.split_once('.').unwrap();
    for text in [
        String::new(),
        ".".into(),
        "..".into(),
        input.into(),
        format!("{input}."),
        format!(".{claims}.{signature}"),
        format!("{header}..{signature}"),
        format!("{sound}.{signature}"),
        format!("{sound}."),
        format!(".{sound}"),
        format!("{header}.{claims}.{claims}.{claims}.{signature}"),
        ".".repeat(60_000),
        ".".repeat(100_000),
    ] {
        let fault = refused(text.clone(), &text[..text.len().min(40)]);
        assert!(
            text.len() > ID_TOKEN_BYTES_MAX || fault == "it does not have three parts",
            "{fault}: {text}"
        );
    }
}

#[test]
fn jt_24_a_part_has_one_spelling() {
    let sound = Mint::sound().sign();
    let parts: Vec<_> = sound.split('.').collect();
    let respelled = |index: usize, part: String| {
        let mut parts: Vec<_> = parts.iter().map(|part| (*part).to_owned()).collect();
        parts[index] = part;
        parts.join(".")
    };
    for (index, part) in parts.iter().enumerate() {
        for other in [format!("{part}="), format!("{part}=="), format!(" {part}"), format!("{part}\n")] {
            refused(respelled(index, other), index);
        }
        let middle = part.len() / 2;
        refused(respelled(index, format!("{}\n{}", &part[..middle], &part[middle..])), index);
        if part.contains(['-', '_']) {
            refused(respelled(index, part.replace('-', "+").replace('_', "/")), index);
        }
    }
    // 256 bytes of signature leave four bits of the last character unused: another character, the same bytes.
    let (most, last) = parts[2].split_at(parts[2].len() - 1);
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let place = alphabet.iter().position(|byte| [*byte] == last.as_bytes()).unwrap();
    let other = char::from(alphabet[place ^ 1]);
    refused(respelled(2, format!("{most}{other}")), "stray bits");
}

#[test]
fn jt_25_a_payload_is_one_clean_object() {
    let with_bom = [b"\xef\xbb\xbf".as_slice(), payload("}").as_bytes()].concat();
    let invalid_utf8 = [payload(",\"x\":\"").as_bytes(), b"\xff\"}"].concat();
    let broken: [&[u8]; 12] = [
        b"[]",
        b"\"x\"",
        b"1",
        b"null",
        b"{}",
        b"",
        &with_bom,
        &invalid_utf8,
        &payload("} x").into_bytes(),
        &payload("}}").into_bytes(),
        &payload("} // done").into_bytes(),
        &payload("}").replace('"', "'").into_bytes(),
    ];
    for payload in broken {
        refused(sign_raw(HEADER, payload), String::from_utf8_lossy(payload));
    }
}

#[test]
fn jt_26_a_payload_has_limits() {
    let nested = |depth: usize| format!(",\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    accepted(sign_raw(HEADER, payload(&nested(20)).as_bytes()), "nested within reason");
    for depth in [40, 10_000] {
        refused(sign_raw(HEADER, payload(&nested(depth)).as_bytes()), depth);
    }
    refused(
        sign_raw(HEADER, payload(&format!(",\"x\":[{}1]}}", "1,".repeat(1_000_000))).as_bytes()),
        "long list",
    );
    refused(
        sign_raw(HEADER, payload(&format!(",\"x\":\"{}\"}}", "x".repeat(1 << 20))).as_bytes()),
        "long text",
    );
    let digits = format!(",\"exp\":{}}}", "9".repeat(20_000));
    let without_exp = payload(&digits).replacen("\"exp\":1700000300,", "", 1);
    refused(sign_raw(HEADER, without_exp.as_bytes()), "a number of many digits");
    accepted(
        sign_raw(HEADER, payload(r#","\u0000":"\u0000"}"#).as_bytes()),
        "NUL in a name that nobody reads",
    );
}

#[test]
fn jt_27_a_token_is_refused_by_its_size() {
    for bytes in [ID_TOKEN_BYTES_MAX, 1 << 20, 10 << 20] {
        let fault = refused(Mint::thin().claim("x", "x".repeat(bytes)).sign(), bytes);
        assert_eq!(fault, "it is larger than allowed");
        refused(Mint::thin().header("b64", false).claim("x", "x".repeat(bytes)).sign(), bytes);
    }
    accepted(Mint::sound().claim("x", "x".repeat(ID_TOKEN_BYTES_MAX / 2)).sign(), "large, but allowed");
}

#[test]
fn jt_28_jt_29_an_encrypted_token_is_not_taken_and_nothing_of_it_is_worked_on() {
    let inner = Mint::thin().sign();
    for header in [
        json!({"alg": "RSA-OAEP", "enc": "A256GCM", "cty": "JWT"}),
        json!({"alg": "dir", "enc": "A128CBC-HS256"}),
        json!({"alg": "RSA-OAEP", "enc": "A256GCM", "zip": "DEF"}),
        json!({"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 1_000_000_000, "p2s": "c2FsdA"}),
        json!({"alg": "RS256", "kid": "k1", "enc": "A256GCM"}),
    ] {
        let header = base64url(header.to_string());
        let five = format!(
            "{header}.{}.{}.{}.{}",
            base64url("key"),
            base64url("iv"),
            base64url(&inner),
            base64url("tag")
        );
        refused(five, &header);
        // The parts of an encrypted token may be empty; so may those of a truncated one.
        refused(format!("{header}....").as_str(), &header);
    }
    let signed_with_enc = Mint::thin().header("enc", "A256GCM").sign();
    refused(signed_with_enc, "a signed token that speaks of encryption");
}

#[test]
fn jt_30_only_the_compact_form_is_a_token() {
    let sound = Mint::thin().sign();
    let parts: Vec<_> = sound.split('.').collect();
    let flattened = json!({"protected": parts[0], "payload": parts[1], "signature": parts[2]});
    let general =
        json!({"payload": parts[1], "signatures": [{"protected": parts[0], "signature": parts[2]}]});
    for object in [flattened, general] {
        refused(object.to_string(), "as text");
        // As an object instead of a text it is not even a token reply.
        no_session(&Op::honest().id_token(object), "as an object");
    }
    refused(sign_raw(HEADER, sound.as_bytes()), "a token in a token");
    refused(sign_raw(br#"{"alg":"RS256","kid":"k1","cty":"JWT"}"#, sound.as_bytes()), "and saying so");
    for value in [json!(1), json!([Mint::thin().sign()]), json!(true)] {
        no_session(&Op::honest().id_token(value.clone()), value);
    }
    no_session(&Op::honest().id_token(Value::Null), "null");
}

#[test]
fn jt_34_the_signature_is_over_the_bytes_that_came() {
    let mint = Mint::thin();
    let signature = keyring().rsa.sign("RS256", mint.signing_input().as_bytes());
    // The same members in another order, and with other white space: the same JSON, other bytes.
    let reordered = r#"{"typ":"JWT","kid":"k1","alg":"RS256"}"#;
    let spaced = Value::from(mint.claims.clone()).to_string().replace(":", ": ");
    let claims = Value::from(mint.claims.clone()).to_string();
    let header = Value::from(mint.header.clone()).to_string();
    for (header, claims) in [(reordered, claims.as_str()), (header.as_str(), spaced.as_str())] {
        let text = format!("{}.{}.{}", base64url(header), base64url(claims), base64url(&signature));
        refused(text, (header, claims));
    }
    let changed = mint.clone().claim("sub", "victim");
    refused(changed.with_signature(&signature), "another subject under the old signature");
    let renamed: serde_json::Map<String, Value> =
        mint.header.iter().map(|(name, value)| (name.to_uppercase(), value.clone())).collect();
    refused(sign_raw(Value::from(renamed).to_string().as_bytes(), claims.as_bytes()), "names in capitals");
}

#[test]
fn jt_36_nothing_stands_around_a_token() {
    let sound = Mint::thin().sign();
    for text in [format!("Bearer {sound}"), format!("\"{sound}\""), format!(" {sound}"), format!("{sound}\n")]
    {
        refused(text.clone(), &text[..10]);
    }
}
