//! A good day: everything is as the provider's documentation says.

use std::fmt;

use super::{Row, row};
use crate::{
    exchange::Purpose,
    provider::ProviderError,
    testkit::provider_kit::{
        bench::{Bench, Outcome, attempt, ensure, failed, left_out, values},
        play::{Fault, Ran},
    },
};

pub(super) const ROWS: &[Row] = &[
    row(
        "set_up",
        "The provider finds no problem in its own set-up; its id can stand in a path, and it has a label.",
        "repair what it names in `problems`; use lower-case letters, digits, `-` and `_` for the id",
        set_up,
    ),
    row(
        "begins",
        "An attempt begins.",
        "record what it asks for before the browser is sent away, or repair `begin`",
        |bench| succeeds(bench.base_begin()),
    ),
    row(
        "signs_in",
        "Somebody signs in, through the provider of that id, with an issuer and a subject.",
        "record a reply for each request that it makes, as the provider really sends it, or repair `finish`",
        signs_in,
    ),
    row(
        "refreshes",
        "A sign-in with a refresh token is refreshed.",
        "record what a refresh needs, or repair `refresh`",
        |bench| match bench.base_refresh() {
            None => Err(left_out("nobody signs in: see `signs_in`")),
            Some(ran) if bench.signed_in()?.tokens.refresh_token.is_some() => succeeds(ran),
            Some(_) => Err(left_out("there is no refresh token in the token reply")),
        },
    ),
    row(
        "revokes",
        "Tokens are revoked, or nothing is asked.",
        "record a reply for `Purpose::Revocation`, or repair `revoke`",
        |bench| succeeds(bench.base_revoke().ok_or_else(|| left_out("nobody signs in: see `signs_in`"))?),
    ),
    row(
        "ends_session",
        "It says where the provider's own session ends, or that there is no such place.",
        "repair `end_session`",
        |bench| {
            succeeds(bench.base_end_session().ok_or_else(|| left_out("nobody signs in: see `signs_in`"))?)
        },
    ),
    row(
        "awaits_nothing_else",
        "No part awaits anything but its `Http` handle: there is no runtime that would wake it.",
        "ask through `http`; sleep, spawn and lock asynchronously nowhere",
        |bench| nothing_ends_as(bench, ProviderError::AwaitsElsewhere),
    ),
    row(
        "requests_within_limit",
        "No part asks more often than a conversation may (`limits::CONVERSATION_REQUESTS_MAX`).",
        "ask for larger pages, or for less",
        |bench| nothing_ends_as(bench, ProviderError::TooManyRequests),
    ),
    row(
        "se_24_attempts_do_not_mix",
        "Of two attempts under way, each finishes with its own verifier and redirect URI.",
        "keep nothing in the provider between `begin` and `finish`; what must travel goes into `Begun::private`",
        attempts_do_not_mix,
    ),
];

fn set_up(bench: &Bench<'_>) -> Outcome {
    let provider = &bench.kit.provider;
    let problems: Vec<_> = provider.problems().iter().map(ToString::to_string).collect();
    ensure(problems.is_empty(), || problems.join("; "))?;
    let id = provider.id();
    let sound = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    ensure(!id.is_empty() && id.bytes().all(sound), || format!("its id is `{id}`"))?;
    ensure(!provider.label().trim().is_empty(), || "it has no label".to_owned())
}

/// Two errors have rows of their own.
fn succeeds<T>(ran: &Ran<T>) -> Outcome {
    match (&ran.ended, ran.unanswered()) {
        (Ok(_), None) => Ok(()),
        (Err(Fault::Error(ProviderError::AwaitsElsewhere)), _) => Err(left_out("see `awaits_nothing_else`")),
        (Err(Fault::Error(ProviderError::TooManyRequests)), _) => {
            Err(left_out("see `requests_within_limit`"))
        }
        (_, Some(unanswered)) => Err(failed(unanswered)),
        (Err(fault), None) => Err(failed(fault.to_string())),
    }
}

fn signs_in(bench: &Bench<'_>) -> Outcome {
    bench.begun()?;
    succeeds(bench.base_finish())?;
    let sign_in = bench.signed_in()?;
    let (id, through) = (bench.kit.provider.id(), &sign_in.provider);
    ensure(id == through, || {
        format!("the sign-in says that it came through `{through}`, and the id is `{id}`")
    })?;
    ensure(!sign_in.identity.issuer.is_empty(), || {
        "nobody vouches for the account: `issuer` is empty".to_owned()
    })
}

fn nothing_ends_as(bench: &Bench<'_>, error: ProviderError) -> Outcome {
    fn named<T: fmt::Debug>(part: &str, ran: Option<&Ran<T>>, error: ProviderError) -> Outcome {
        let so = ran.is_some_and(|ran| matches!(ran.ended, Err(Fault::Error(found)) if found == error));
        ensure(!so, || format!("`{part}` does"))
    }
    named("begin", Some(bench.base_begin()), error)?;
    named("finish", Some(bench.base_finish()), error)?;
    named("refresh", bench.base_refresh(), error)?;
    named("revoke", bench.base_revoke(), error)?;
    named("end_session", bench.base_end_session(), error)
}

fn attempts_do_not_mix(bench: &Bench<'_>) -> Outcome {
    bench.oauth2()?;
    bench.signed_in()?;
    let first = bench.private(2);
    bench.play().attempt(3).begin();
    let ran = bench.play().attempt(2).finish_with(first);
    if let Err(fault) = &ran.ended {
        return Err(failed(format!("the first of two attempts does not finish: {fault}")));
    }
    let request = ran.asked(Purpose::Token).find_map(|seen| seen.request.as_ref());
    let form = request.map(crate::testkit::provider_kit::bench::form).unwrap_or_default();
    // That its own is sent is another row.
    let others = attempt(3).code_verifier;
    ensure(!values(&form, "code_verifier").contains(&others.expose()), || {
        "the first of two attempts sends the second one's verifier".to_owned()
    })
}
