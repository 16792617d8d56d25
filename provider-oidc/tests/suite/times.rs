//! When a token counts. The clocks of two honest machines may differ by a minute.

use serde_json::{Value, json};
use vestibule::limits::{CLOCK_LEEWAY, ID_TOKEN_AGE_MAX};

use crate::{
    mint::{Mint, NOW},
    op::{Op, accepted, no_session, refused, refused_at_sign_in},
};

const LEEWAY: i64 = CLOCK_LEEWAY.as_secs() as i64;
const AGE: i64 = ID_TOKEN_AGE_MAX.as_secs() as i64;

/// A sound token in which `name` has a value that only text can express.
fn with_raw(name: &str, value: &str) -> String {
    let mint = Mint::sound().claim(name, "PLACEHOLDER");
    let claims = Value::from(mint.claims).to_string().replace("\"PLACEHOLDER\"", value);
    crate::mint::sign_raw(br#"{"alg":"RS256","kid":"k1"}"#, claims.as_bytes())
}

#[test]
fn jt_09_a_time_of_the_wrong_type_does_not_pass_for_an_absent_one() {
    for name in ["exp", "iat", "nbf", "auth_time"] {
        for value in [
            json!("1700000100"),
            json!("2023-11-14T22:15:00Z"),
            json!(null),
            json!(true),
            json!(false),
            json!([NOW]),
            json!({"seconds": NOW}),
            json!(""),
            json!("NaN"),
            json!(-1),
            json!(-1.5),
            json!((1_i64 << 53) + 1),
            json!(i64::MAX),
            json!(u64::MAX),
            json!(1e300),
        ] {
            refused(Mint::sound().claim(name, value.clone()).sign(), (name, value));
        }
        for value in ["9223372036854775808", "18446744073709551616", "1e19", "1E400"] {
            refused(with_raw(name, value), (name, value));
        }
    }
}

#[test]
fn jt_09_fractions_of_a_second_are_numbers_too() {
    let fractions = Mint::sound().claim("iat", NOW as f64 - 0.5).claim("exp", NOW as f64 + 300.25);
    accepted(fractions.claim("nbf", NOW as f64 - 0.75).sign(), "fractions");
    accepted(with_raw("exp", "1.7000003e9"), "an exponent");
}

#[test]
fn jt_10_a_token_has_an_end() {
    refused(Mint::sound().claim("exp", NOW - LEEWAY - 1).sign(), "ended before the leeway");
    refused(Mint::sound().claim("exp", NOW - LEEWAY).sign(), "ends with the leeway");
    accepted(Mint::sound().claim("exp", NOW - LEEWAY + 1).sign(), "ended within the leeway");
    refused(Mint::sound().claim("exp", 0).sign(), "1970");
    accepted(Mint::sound().claim("exp", 1_i64 << 31).sign(), "2038");
    accepted(Mint::sound().claim("exp", NOW + 100 * 365 * 86_400).sign(), "in a hundred years");
    assert_eq!(refused(Mint::sound().without("exp").sign(), "no end"), "it does not say when it ends");
}

#[test]
fn jt_10_a_token_was_issued_just_now() {
    accepted(Mint::sound().claim("iat", NOW + LEEWAY).sign(), "by a clock that is early");
    refused(Mint::sound().claim("iat", NOW + LEEWAY + 1).sign(), "in the future");
    accepted(Mint::sound().claim("iat", NOW - AGE).sign(), "a day ago");
    refused_at_sign_in(Mint::sound().claim("iat", NOW - AGE - LEEWAY - 1).sign(), "more than a day ago");
    refused_at_sign_in(Mint::sound().claim("iat", NOW - 10 * 365 * 86_400).sign(), "ten years ago");
    refused_at_sign_in(Mint::sound().claim("iat", 0).sign(), "1970");
    assert_eq!(
        refused_at_sign_in(Mint::sound().without("iat").sign(), "never"),
        "it does not say when it was issued"
    );
}

#[test]
fn jt_10_a_token_may_have_a_beginning() {
    accepted(Mint::sound().claim("nbf", NOW + LEEWAY).sign(), "within the leeway");
    refused(Mint::sound().claim("nbf", NOW + LEEWAY + 1).sign(), "later");
    accepted(Mint::sound().claim("nbf", 0).sign(), "1970");
}

#[test]
fn jt_11_a_minute_between_the_clocks_is_nothing_and_ten_are_named() {
    let fresh = || Mint::sound().claim("iat", NOW).claim("exp", NOW + 1).claim("nbf", NOW);
    for skew in [-59, 59] {
        let mut op = Op::honest().minted(&fresh());
        op.now = NOW + skew;
        assert!(op.sign_in().is_ok(), "{skew} s");
    }
    for skew in [-600, 600] {
        let mut op = Op::honest().minted(&fresh());
        op.now = NOW + skew;
        let error = no_session(&op, skew).to_string();
        assert!(error.contains("clocks"), "{error}");
    }
}

#[test]
fn jt_33_max_age_is_looked_at() {
    let within =
        |mint: &Mint, max_age| Op::honest().minted(mint).sign_in_within(crate::op::client(), max_age);
    let at = |seconds: i64| Mint::sound().claim("auth_time", NOW - seconds);
    assert!(within(&Mint::sound(), None).is_ok(), "nobody asked");
    assert!(within(&at(1_000_000), None).is_ok(), "nobody asked");
    assert!(within(&Mint::sound(), Some(60)).is_err(), "asked, and no answer");
    assert!(within(&at(60 + LEEWAY), Some(60)).is_ok());
    assert!(within(&at(61 + LEEWAY), Some(60)).is_err());
    assert!(within(&at(-LEEWAY), Some(60)).is_ok());
    assert!(within(&at(-3_600), Some(60)).is_err(), "in an hour");
    assert!(within(&at(3_600), Some(u64::MAX)).is_ok());
    let signed_in = within(&at(7), Some(60)).unwrap();
    assert_eq!(signed_in.authenticated.map(vestibule::time::Timestamp::unix), Some(NOW - 7));
}

#[test]
fn jt_33_a_configured_max_age_is_looked_at_too() {
    let strict = || crate::op::builder().max_age(std::time::Duration::from_secs(60)).build().unwrap();
    let old = Mint::sound().claim("auth_time", NOW - 61 - LEEWAY);
    assert!(Op::honest().minted(&old).sign_in_to(strict()).is_err());
    assert!(Op::honest().minted(&Mint::sound()).sign_in_to(strict()).is_err());
    // What one sign-in was asked for wins over what is configured.
    assert!(Op::honest().minted(&old).sign_in_within(strict(), Some(3_600)).is_ok());
}
