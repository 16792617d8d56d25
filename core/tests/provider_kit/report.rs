//! A report says in words what is missing.

use vestibule::{
    exchange::Purpose,
    testkit::{ProviderKit, Verdict},
};

use crate::plain::{Plain, SECRET, kit};

#[test]
fn what_was_seen_and_what_to_do_stand_beside_the_row() {
    let report = kit("nd_10_token_redirect").run();
    let text = report.to_string();
    for part in [
        "FAILED    nd_10_token_redirect: A redirect is not followed",
        "seen: status 301: somebody is signed in",
        "do:   accept status 200 only",
        "1 failed",
        "left out  jt_01_unsigned: not OpenID Connect",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let panicked = std::panic::catch_unwind(|| report.assert()).unwrap_err();
    assert_eq!(panicked.downcast_ref::<String>(), Some(&text), "the panic is the whole report");
}

#[test]
fn a_reply_that_is_not_recorded_is_named() {
    let report = ProviderKit::new(Plain::broken_as(""))
        .reply(Purpose::Begin, 200, "application/json", "{}")
        .client("op")
        .client_secret(SECRET)
        .run();
    let signs_in = report.rows().iter().find(|line| line.row == "signs_in").unwrap();
    let Verdict::Failed { seen, .. } = &signs_in.verdict else { panic!("{report}") };
    assert_eq!(seen, "it asks for `token` at https://op.example/token, and no such reply is recorded");
    assert_eq!(report.failed(), ["signs_in"], "everything else waits for it");
}

#[test]
fn what_the_kit_was_not_told_is_asked_for() {
    let text = |kit: ProviderKit| kit.run().to_string();
    let bare = ProviderKit::new(Plain::broken_as(""))
        .reply(Purpose::Begin, 200, "application/json", "{}")
        .reply(
            Purpose::Token,
            200,
            "application/json",
            r#"{"access_token":"the-access-token","token_type":"bearer"}"#,
        )
        .reply(Purpose::Profile, 200, "application/json", r#"{"id":7}"#)
        .reply(Purpose::Emails, 200, "application/json", "[]");
    let text = text(bare);
    for part in [".client(..)", ".client_secret(..)", ".subject_at(\"/id\")", "there is no refresh token"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn a_row_that_is_left_out_says_why_and_one_that_is_not_there_fails() {
    let report = kit("nd_10_token_redirect").does_not_apply("nd_10_token_redirect", "it is a toy").run();
    assert!(
        report.failed().is_empty()
            && report.to_string().contains("left out  nd_10_token_redirect: it is a toy")
    );
    let report = kit("").does_not_apply("nd_10", "it is a toy").run();
    assert_eq!(report.failed(), ["does_not_apply"]);
}

#[test]
fn a_secret_that_is_too_short_to_be_looked_for_is_named() {
    let text = kit("").client_secret("short").run().to_string();
    assert!(text.contains("the client's secret is too short to be looked for"), "{text}");
}
