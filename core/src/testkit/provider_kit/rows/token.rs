//! A token endpoint on bad days, and in a hostile mood: the reply as a whole.

use super::{Row, row};
use crate::{
    exchange::{HttpFailure, Purpose},
    provider::{OAuthError, ProviderError},
    testkit::provider_kit::{
        bench::{Bench, Outcome, ends_as, ensure, failed},
        change::{as_json, set, with_body},
        play::Play,
    },
};

/// Where a redirect or an address in a reply leads.
pub(super) const ELSEWHERE: &str = "https://elsewhere.example/";
/// Every way in which there is no answer.
pub(super) const SILENCES: [HttpFailure; 5] = [
    HttpFailure::Connect,
    HttpFailure::Certificate,
    HttpFailure::TimedOut,
    HttpFailure::TooLarge,
    HttpFailure::Broken,
];

pub(super) const ROWS: &[Row] = &[
    row(
        "token_error_with_status_200",
        "An `error` with status 200 is a refusal, whatever stands beside it (GitHub; CVE-2021-41580).",
        "read the reply by `token_reply::normalise` or `OAuth2Spec::exchange`",
        |bench| {
            let play = ready(bench)?.member(Purpose::Token, "error", "invalid_grant");
            let refused = ProviderError::Refused(OAuthError::InvalidGrant);
            Bench::ends_as(play, refused, "`invalid_grant` beside an access token")
        },
    ),
    row(
        "token_status_4xx",
        "A token reply with status 400, 401, 403 or 404 is a refusal, whatever its body says.",
        "look at the status",
        |bench| {
            [400, 401, 403, 404].into_iter().try_for_each(|status| {
                bench.refused(ready(bench)?.status(Purpose::Token, status), &format!("status {status}"))
            })
        },
    ),
    row(
        "nd_10_token_unavailable",
        "Status 429 and 5xx are `ProviderError::Unavailable`, so that people are told to try later.",
        "use `oauth2::expect_ok` or `token_reply::normalise`",
        |bench| {
            [429, 500, 502, 503].into_iter().try_for_each(|status| {
                let unavailable = ProviderError::Unavailable { purpose: Purpose::Token, status };
                let play = ready(bench)?.status(Purpose::Token, status);
                Bench::ends_as(play, unavailable, &format!("status {status}"))
            })
        },
    ),
    row(
        "nd_10_token_silence",
        "No answer is `ProviderError::Unreachable`, with the purpose and the failure.",
        "hand `HttpFailure` on as it is",
        |bench| {
            ready(bench)?;
            SILENCES.into_iter().try_for_each(|failure| {
                let unreachable = ProviderError::Unreachable { purpose: Purpose::Token, failure };
                let ran = bench.play().silent(Purpose::Token, failure).finish();
                // How often it was asked is another row.
                ends_as(ran, &unreachable, &failure.to_string())
            })
        },
    ),
    row(
        "nd_10_token_redirect",
        "A redirect is not followed: the code would go elsewhere.",
        "accept status 200 only",
        |bench| not_followed(bench, Purpose::Token),
    ),
    row(
        "jt_25_token_not_json",
        "What is not a token reply is refused: HTML around it, more after its end, a list, nothing at all.",
        "read it by `json::parse`, never by searching in it",
        |bench| {
            ready(bench)?;
            for (case, change) in NOT_JSON {
                bench.refused(wrapped(bench.play(), Purpose::Token, change), case)?;
            }
            Ok(())
        },
    ),
    row(
        "jt_26_token_too_deep",
        "JSON that is nested a thousand levels deep is refused.",
        "read it by `json::parse`",
        |bench| {
            let play = ready(bench)?;
            bench.refused(wrapped(play, Purpose::Token, deep), "a member nested 1,000 levels deep")
        },
    ),
    row(
        "jt_08_token_duplicates",
        "Two members of one name are refused: two readers would take different ones.",
        "read it by `json::parse`",
        |bench| {
            ready(bench)?;
            for change in [first as fn(&str) -> String, last] {
                let play = wrapped(bench.play(), Purpose::Token, change);
                bench.refused(play, "a second `access_token`")?;
            }
            Ok(())
        },
    ),
    row(
        "token_unknown_members",
        "Members that nobody knows are passed over (RFC 6749 §5.1).",
        "do not use `deny_unknown_fields`",
        |bench| {
            let play = ready(bench)?.json(Purpose::Token, |reply| {
                for number in 0..50 {
                    set(reply, &format!("/x_{number}"), serde_json::json!({"of": [number]}));
                }
            });
            bench.accepted(play, "fifty members that nobody knows")
        },
    ),
];

fn ready<'k>(bench: &'k Bench<'k>) -> Result<Play<'k>, super::super::bench::Not> {
    bench.token_request()?;
    Ok(bench.play())
}

type Rewrite = fn(&str) -> String;

/// What is no JSON document of its kind, made from one that is.
pub(super) const NOT_JSON: [(&str, Rewrite); 7] = [
    ("an HTML page with the reply in it", |body| {
        format!("<!doctype html><script>let reply = {body};</script>")
    }),
    ("the reply with more after its end", |body| format!("{body}{{}}")),
    ("the reply cut short", |body| body[..body.len() - 1].to_owned()),
    ("nothing", |_| String::new()),
    ("a text", |_| "\"x\"".to_owned()),
    ("`null`", |_| "null".to_owned()),
    ("a number", |_| "7".to_owned()),
];

/// An object with one more member, nested too deep.
pub(super) fn deep(body: &str) -> String {
    let nested = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    body.replacen('{', &format!("{{\"nested\":{nested},"), 1)
}

fn first(body: &str) -> String {
    body.replacen('{', "{\"access_token\":\"another-token\",", 1)
}

fn last(body: &str) -> String {
    body.strip_suffix('}')
        .map_or_else(String::new, |body| format!("{body},\"access_token\":\"another-token\"}}"))
}

/// Rewrites the text of the JSON replies for one purpose.
pub(super) fn wrapped<'p>(
    play: Play<'p>,
    purpose: Purpose,
    rewrite: impl Fn(&str) -> String + 'p,
) -> Play<'p> {
    // A form becomes JSON first.
    play.at(purpose, move |response| {
        let response = as_json(response);
        let body = rewrite(&String::from_utf8_lossy(response.body())).into_bytes();
        with_body(response, body)
    })
}

/// Redirects are not followed, and nobody signs in by one.
pub(super) fn not_followed(bench: &Bench<'_>, purpose: Purpose) -> Outcome {
    bench.oauth2()?;
    bench.signed_in()?;
    for status in [301, 302, 303, 307, 308] {
        let ran = bench.play().status(purpose, status).at(purpose, |mut response| {
            response.headers_mut().insert(http::header::LOCATION, http::HeaderValue::from_static(ELSEWHERE));
            response
        });
        let ran = ran.finish();
        ensure(!ran.seen.iter().any(|seen| seen.url.starts_with(ELSEWHERE)), || {
            format!("status {status} is followed")
        })?;
        if ran.ended.is_ok() {
            return Err(failed(format!("status {status}: somebody is signed in")));
        }
    }
    Ok(())
}
