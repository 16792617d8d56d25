//! What stands in a token's header beside the algorithm.

use serde_json::{Value, json};

use crate::{
    mint::{Mint, keyring, sign_raw},
    op::{Op, accepted, no_session, refused, refused_at_sign_in},
};

fn payload() -> String {
    Value::from(Mint::thin().claims).to_string()
}

#[test]
fn jt_05_a_key_id_is_a_name_and_nothing_more() {
    for key_id in [json!(null), json!(["k1"]), json!({"kid": "k1"}), json!(1), json!(true)] {
        refused(Mint::thin().header("kid", key_id.clone()).sign(), key_id);
    }
    let long = "k".repeat(1_024 * 1_024);
    for key_id in ["", "K1", "k1 ", "../../../../dev/null", "' OR 1=1--", "\u{0}", "k1\u{0}", &long] {
        refused(Mint::thin().header("kid", key_id).sign(), key_id.len());
    }
    let keys = keyring();
    let mut for_encryption = keys.rsa.jwk("enc");
    for_encryption["use"] = json!("enc");
    let op = || Op::honest().keys([keys.p256.jwk("k1"), for_encryption.clone(), keys.other_rsa.jwk("k2")]);
    for key_id in ["enc", "k1", "k2"] {
        // The signature is by the RSA key that is in the set for encryption only.
        no_session(&op().minted(&Mint::thin().header("kid", key_id)), key_id);
    }
    no_session(&op().minted(&Mint::thin().without_header("kid")), "no key id");
}

#[test]
fn jt_06_what_is_critical_and_unknown_is_refused() {
    for critical in [
        json!(["exp"]),
        json!(["b64"]),
        json!(["unknown"]),
        json!([]),
        json!("exp"),
        json!([1]),
        json!(["exp", "exp"]),
        json!(null),
    ] {
        refused(Mint::thin().header("crit", critical.clone()).sign(), &critical);
        refused(Mint::thin().header("crit", critical.clone()).header("b64", false).sign(), &critical);
    }
    for (name, value) in
        [("b64", json!(false)), ("b64", json!(true)), ("cty", json!("JWT")), ("zip", json!("DEF"))]
    {
        refused(Mint::thin().header(name, value).sign(), name);
    }
}

#[test]
fn jt_07_a_token_of_another_kind_is_not_an_id_token() {
    for kind in ["at+jwt", "application/at+jwt"] {
        refused_at_sign_in(Mint::thin().header("typ", kind).sign(), kind);
    }
    for kind in ["logout+jwt", "dpop+jwt", "JOSE", "", "JWTx", "application/jwt", "at+jwtx"] {
        refused(Mint::thin().header("typ", kind).sign(), kind);
    }
    for kind in [json!(1), json!(null), json!(["JWT"])] {
        refused(Mint::thin().header("typ", kind.clone()).sign(), kind);
    }
    for kind in ["JWT", "jwt", "Jwt"] {
        accepted(Mint::sound().header("typ", kind).sign(), kind);
    }
    accepted(Mint::sound().without_header("typ").sign(), "no typ");
}

#[test]
fn jt_08_two_members_of_one_name_are_refused_in_a_header() {
    for header in [
        r#"{"alg":"none","alg":"RS256","kid":"k1"}"#,
        r#"{"alg":"RS256","alg":"RS256","kid":"k1"}"#,
        r#"{"alg":"RS256","kid":"evil","kid":"k1"}"#,
        r#"{"alg":"RS256","kid":"k1","\u0061lg":"RS256"}"#,
    ] {
        refused(sign_raw(header.as_bytes(), payload().as_bytes()), header);
    }
}

#[test]
fn jt_25_a_header_is_one_clean_object() {
    let sound = r#"{"alg":"RS256","kid":"k1"}"#;
    accepted(
        sign_raw(sound.as_bytes(), Value::from(Mint::sound().claims).to_string().as_bytes()),
        "written by hand",
    );
    let broken: [&[u8]; 11] = [
        b"[]",
        b"\"RS256\"",
        b"1",
        b"null",
        b"",
        b"{\"alg\":\"RS256\",\"kid\":\"k1\"} ,",
        b"{\"alg\":\"RS256\",\"kid\":\"k1\"}{}",
        b"\xef\xbb\xbf{\"alg\":\"RS256\",\"kid\":\"k1\"}",
        b"{\"alg\":\"RS256\",\"kid\":\"k1\",\"x\":\"\xff\"}",
        b"{'alg':'RS256','kid':'k1'}",
        b"{\"alg\":\"RS256\",\"kid\":\"k1\" /* */}",
    ];
    for header in broken {
        refused(sign_raw(header, payload().as_bytes()), String::from_utf8_lossy(header));
    }
}

#[test]
fn jt_26_a_header_has_limits() {
    let deep = format!(r#"{{"alg":"RS256","kid":"k1","x":{}{}}}"#, "[".repeat(40), "]".repeat(40));
    refused(sign_raw(deep.as_bytes(), payload().as_bytes()), "deep");
    refused(Mint::thin().header("x", "x".repeat(8 * 1_024)).sign(), "long");
    accepted(Mint::sound().header("x", "x".repeat(7 * 1_024)).sign(), "within the limit");
}
