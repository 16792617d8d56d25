//! New tokens for old ones, and who the person is by now.

use serde_json::{Value, json};

use super::{
    Row,
    profile::profile,
    row,
    subject::pointer,
    token::{NOT_JSON, SILENCES, wrapped},
};
use crate::{
    exchange::{HttpRequest, Purpose},
    provider::{OAuthError, ProviderError},
    testkit::provider_kit::{
        bench::{Bench, Not, Outcome, ends_as, ensure, failed, form, left_out, values},
        change::set,
        play::Fault,
    },
};

pub(super) const ROWS: &[Row] = &[
    row(
        "rfc6749_6_refresh_request",
        "The refresh token goes out as it came, in the form of a POST, with `grant_type=refresh_token`.",
        "use `OAuth2Spec::renew`",
        |bench| {
            let request = refresh_request(bench)?;
            ensure(request.method() == http::Method::POST, || format!("the method is {}", request.method()))?;
            let (form, old) = (form(request), old_token(bench)?);
            ensure(values(&form, "grant_type") == ["refresh_token"], || {
                "`grant_type` is not `refresh_token`".to_owned()
            })?;
            ensure(values(&form, "refresh_token") == [old], || {
                "`refresh_token` is not the one that the provider gave".to_owned()
            })
        },
    ),
    row(
        "refresh_token_in_no_address",
        "The refresh token is in no address.",
        "send it in the body",
        |bench| {
            let old = old_token(bench)?;
            let seen = bench.base_refresh().into_iter().flat_map(|ran| &ran.seen);
            let found = seen.filter(|seen| seen.url.contains(old)).map(|seen| seen.purpose).next();
            ensure(found.is_none(), || "an address has it".to_owned())
        },
    ),
    row(
        "refresh_without_refresh_token",
        "Without a refresh token nothing is asked, and the answer is `ProviderError::Unsupported`.",
        "return it before anything else",
        |bench| {
            let mut old = bench.refreshable()?.clone();
            old.tokens.refresh_token = None;
            let ran = bench.play().refresh(&old);
            ensure(ran.asked(Purpose::Refresh).next().is_none(), || {
                "the token endpoint is asked".to_owned()
            })?;
            ends_as(ran, &ProviderError::Unsupported, "no refresh token")
        },
    ),
    row(
        "se_33_refreshed_other_person",
        "When the profile names another person after a refresh, the answer is `ProviderError::SubjectDiffers`.",
        "compare issuer and subject with the sign-in's",
        other_person,
    ),
    row(
        "se_30_rotated_refresh_token",
        "A new refresh token takes the old one's place.",
        "keep what the reply brings",
        |bench| {
            let old = bench.refreshable()?;
            let ran =
                bench.play().member(Purpose::Refresh, "refresh_token", "a-new-refresh-token").refresh(old);
            kept(ran.ended, "a-new-refresh-token")
        },
    ),
    row(
        "rfc6749_6_no_new_refresh_token",
        "Without a new refresh token the old one stays.",
        "keep the old one where the reply brings none",
        |bench| {
            let old = bench.refreshable()?;
            kept(
                bench.play().member(Purpose::Refresh, "refresh_token", Value::Null).refresh(old).ended,
                old_token(bench)?,
            )
        },
    ),
    row(
        "oidcc_new_access_token_used",
        "After a refresh, the new access token is kept, and shown to whoever says who the person is.",
        "ask with the new tokens, not with those of the sign-in",
        new_access_token,
    ),
    row(
        "se_32_invalid_grant",
        "`invalid_grant` is `ProviderError::Refused(InvalidGrant)`, which ends the session, with status 400 and 200.",
        "read the reply by `token_reply::normalise`",
        |bench| {
            let old = bench.refreshable()?;
            let refused = ProviderError::Refused(OAuthError::InvalidGrant);
            [400, 200].into_iter().try_for_each(|status| {
                let play = bench.play().body(Purpose::Refresh, r#"{"error":"invalid_grant"}"#);
                ends_as(
                    play.status(Purpose::Refresh, status).refresh(old),
                    &refused,
                    &format!("status {status}"),
                )
            })
        },
    ),
    row(
        "se_32_refresh_unavailable",
        "Status 429 and 5xx are `ProviderError::Unavailable`: an outage signs nobody out.",
        "use `OAuth2Spec::renew` or `token_reply::normalise`",
        |bench| {
            let old = bench.refreshable()?;
            [429, 500, 503].into_iter().try_for_each(|status| {
                let unavailable = ProviderError::Unavailable { purpose: Purpose::Refresh, status };
                ends_as(
                    bench.play().status(Purpose::Refresh, status).refresh(old),
                    &unavailable,
                    &format!("status {status}"),
                )
            })
        },
    ),
    row(
        "se_32_refresh_silence",
        "No answer is `ProviderError::Unreachable`, with the purpose and the failure: an outage signs nobody out.",
        "hand `HttpFailure` on as it is",
        |bench| {
            let old = bench.refreshable()?;
            SILENCES.into_iter().try_for_each(|failure| {
                let unreachable = ProviderError::Unreachable { purpose: Purpose::Refresh, failure };
                ends_as(
                    bench.play().silent(Purpose::Refresh, failure).refresh(old),
                    &unreachable,
                    &failure.to_string(),
                )
            })
        },
    ),
    row(
        "se_32_refresh_garbage",
        "What is not a token reply is an error, and not one that ends the session.",
        "do not take it for `invalid_grant`",
        |bench| {
            let old = bench.refreshable()?;
            for (case, change) in NOT_JSON {
                match wrapped(bench.play(), Purpose::Refresh, change).refresh(old).ended {
                    Err(Fault::Error(error)) => ensure(!matches!(error, ProviderError::Refused(_)), || {
                        format!("{case}: it says: {error}")
                    })?,
                    Err(panicked) => return Err(failed(format!("{case}: {panicked}"))),
                    Ok(_) => return Err(failed(format!("{case}: it is refreshed"))),
                }
            }
            Ok(())
        },
    ),
    row(
        "se_42_groups_asked_again",
        "A refresh asks again for whatever the sign-in asked about the person: who lost a role has lost it.",
        "identify anew with the new tokens",
        |bench| {
            bench.refreshable()?;
            let again = bench.base_refresh().ok_or_else(|| left_out("it refreshes nothing"))?;
            let missing = bench.person().into_iter().find(|purpose| again.asked(*purpose).next().is_none());
            ensure(missing.is_none(), || {
                format!("`{}` is not asked for again", missing.map_or("", Purpose::label))
            })
        },
    ),
];

fn old_token<'k>(bench: &'k Bench<'k>) -> Result<&'k str, Not> {
    let token = bench.refreshable()?.tokens.refresh_token.as_ref();
    Ok(token.ok_or_else(|| left_out("there is no refresh token"))?.expose())
}

fn refresh_request<'k>(bench: &'k Bench<'k>) -> Result<&'k HttpRequest, Not> {
    bench.oauth2()?;
    bench.refreshable()?;
    let ran = bench.base_refresh().ok_or_else(|| left_out("it refreshes nothing"))?;
    let request = ran.asked(Purpose::Refresh).find_map(|seen| seen.request.as_ref());
    request.ok_or_else(|| failed("nothing is sent as `Purpose::Refresh`"))
}

fn other_person(bench: &Bench<'_>) -> Outcome {
    let old = bench.refreshable()?;
    profile(bench)?;
    let at = pointer(bench)?;
    let other = match bench.recorded_json(Purpose::Profile).unwrap_or_default().pointer(at) {
        Some(Value::Number(_)) => json!(99_999_999_937_u64),
        _ => json!("99999999937"),
    };
    let play = bench.play().first_json(Purpose::Profile, |reply| set(reply, at, other.clone()));
    ends_as(play.refresh(old), &ProviderError::SubjectDiffers, "another identifier in the profile")
}

fn kept(ended: Result<crate::identity::SignIn, Fault>, expected: &str) -> Outcome {
    let new = ended.map_err(|fault| failed(fault.to_string()))?.tokens.refresh_token;
    let kept = new.as_ref().is_some_and(|new| new.expose() == expected);
    ensure(kept, || {
        (if new.is_some() { "another refresh token is kept" } else { "no refresh token is kept" }).to_owned()
    })
}

fn new_access_token(bench: &Bench<'_>) -> Outcome {
    bench.oauth2()?;
    let old = bench.refreshable()?;
    let new = "the-new-access-token";
    let ran = bench.play().member(Purpose::Refresh, "access_token", new).refresh(old);
    let old_one = old.tokens.access_token.expose();
    let shown = |purpose: Purpose| {
        let mut headers =
            ran.asked(purpose).filter_map(|seen| seen.request.as_ref()?.headers().get("authorization"));
        headers.any(|header| String::from_utf8_lossy(header.as_bytes()).contains(old_one))
    };
    ensure(!bench.person().into_iter().any(shown), || "the old access token is shown".to_owned())?;
    let kept = ran.ended.map_err(|fault| failed(fault.to_string()))?.tokens.access_token;
    ensure(kept.expose() == new, || "the new access token is not kept".to_owned())
}
