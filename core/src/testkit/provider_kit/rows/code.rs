//! How the code becomes tokens, and where secrets go.

use super::{Row, authorization::client_id, row};
use crate::{
    exchange::{HttpFailure, HttpRequest, Purpose},
    testkit::provider_kit::{
        bench::{Bench, Not, Outcome, PERSON, attempt, code, ensure, failed, form, left_out, values},
        play::Seen,
    },
};

pub(super) const ROWS: &[Row] = &[
    row("token_request_is_a_post", "The code goes out by POST (RFC 6749 §3.2).", "use POST", |bench| {
        let method = bench.token_request()?.method();
        ensure(method == http::Method::POST, || format!("the method is {method}"))
    }),
    row(
        "rp_00d_code_verbatim",
        "The code goes out as it came, with `grant_type=authorization_code`.",
        "send `answered.code` as it is, in a form",
        |bench| {
            in_form(bench, "grant_type", "authorization_code")?;
            in_form(bench, "code", code(1).expose())
        },
    ),
    row(
        "rp_00e_code_verifier",
        "The verifier of this attempt goes with the code.",
        "send `answered.code_verifier`",
        |bench| in_form(bench, "code_verifier", attempt(1).code_verifier.expose()),
    ),
    row(
        "rp_00d_redirect_uri",
        "The redirect URI of this attempt goes with the code, byte for byte.",
        "send `answered.redirect_uri` as it is",
        |bench| in_form(bench, "redirect_uri", attempt(1).redirect_uri.as_str()),
    ),
    row(
        "rp_00d_client_authentication",
        "The client says who it is in one way only: the `Authorization` header, or the form (RFC 6749 §2.3).",
        "use `OAuth2Spec::client_authentication`, and nothing beside it",
        client_authentication,
    ),
    row(
        "nd_10_code_sent_once",
        "A code is sent once, also where its answer is lost: the provider may have taken it.",
        "never repeat the token request",
        code_sent_once,
    ),
    row(
        "nothing_after_a_refusal",
        "After a token endpoint has refused, nothing more is asked.",
        "return the error before anything else is asked",
        |bench| {
            bench.token_request()?;
            let ran = bench
                .play()
                .status(Purpose::Token, 400)
                .body(Purpose::Token, r#"{"error":"invalid_grant"}"#)
                .finish();
            let after = ran.seen.iter().skip_while(|seen| seen.purpose != Purpose::Token).nth(1);
            ensure(after.is_none(), || {
                format!("`{}` is asked for", after.map_or("", |seen| seen.purpose.label()))
            })
        },
    ),
    row(
        "secret_in_no_address",
        "Neither code, verifier, nor the client's secret is in an address: addresses are logged.",
        "send them in the body or in the `Authorization` header",
        |bench| {
            let planted = bench.planted()?;
            let of = |what: &str| {
                what != "the access token" && what != "the refresh token" && what != "the ID token"
            };
            in_no_address(bench, planted.into_iter().filter(|(what, _)| of(what)))
        },
    ),
    row(
        "rp_00f_access_token_in_no_address",
        "The access token is in no address (RFC 9700 §4.3.2).",
        "send it in the `Authorization` header; `Http::get_with_token` does",
        |bench| {
            in_no_address(bench, bench.planted()?.into_iter().filter(|(what, _)| *what == "the access token"))
        },
    ),
    row(
        "rp_00f_access_token_in_header",
        "Whoever says who signed in is shown the access token in the `Authorization` header (RFC 6750 §2.1).",
        "use `Http::get_with_token` or `Http::get_json`",
        access_token_in_header,
    ),
    row(
        "client_secret_for_tokens_only",
        "The client's secret goes to token and revocation endpoints only.",
        "show the access token to the provider's interfaces, not the client's secret",
        client_secret_for_tokens_only,
    ),
];

fn in_form(bench: &Bench<'_>, name: &str, expected: &str) -> Outcome {
    let form = form(bench.token_request()?);
    match values(&form, name).as_slice() {
        [value] => ensure(*value == expected, || format!("`{name}` is `{value}`, not `{expected}`")),
        found => Err(failed(format!("`{name}` stands {} times in the form", found.len()))),
    }
}

fn authorization(request: &HttpRequest) -> Option<&str> {
    request.headers().get(http::header::AUTHORIZATION)?.to_str().ok()
}

fn client_authentication(bench: &Bench<'_>) -> Outcome {
    let request = bench.token_request()?;
    let form = form(request);
    let header = authorization(request).is_some();
    let secrets = values(&form, "client_secret").len();
    if bench.kit.client_secret.is_none() {
        ensure(!header && secrets == 0, || {
            "the kit knows of no secret: give it by `.client_secret(..)`".to_owned()
        })?;
        let named = values(&form, "client_id").contains(&client_id(bench)?);
        return ensure(named, || "a public client does not say who it is".to_owned());
    }
    match (header, secrets) {
        (true, 0) | (false, 1) => Ok(()),
        (false, 0) => Err(failed("the client does not prove who it is")),
        _ => Err(failed("the secret goes out in more than one way")),
    }
}

fn code_sent_once(bench: &Bench<'_>) -> Outcome {
    bench.token_request()?;
    for failure in [HttpFailure::Broken, HttpFailure::TimedOut, HttpFailure::Connect] {
        let count = bench.play().silent(Purpose::Token, failure).finish().asked(Purpose::Token).count();
        ensure(count == 1, || format!("{failure}: it is sent {count} times"))?;
    }
    for status in [500, 503, 400] {
        let count = bench.play().status(Purpose::Token, status).finish().asked(Purpose::Token).count();
        ensure(count == 1, || format!("status {status}: it is sent {count} times"))?;
    }
    Ok(())
}

/// Everything that is asked on a good day.
fn all_seen<'k>(bench: &'k Bench<'k>) -> Vec<&'k Seen> {
    let mut seen: Vec<_> = bench.base_begin().seen.iter().chain(&bench.base_finish().seen).collect();
    seen.extend(bench.base_refresh().into_iter().flat_map(|ran| &ran.seen));
    seen.extend(bench.base_revoke().into_iter().flat_map(|ran| &ran.seen));
    seen
}

fn in_no_address(bench: &Bench<'_>, planted: impl Iterator<Item = (&'static str, String)>) -> Outcome {
    // What is revoked has a row of its own.
    let seen = all_seen(bench).into_iter().filter(|seen| seen.purpose != Purpose::Revocation);
    let mut addresses: Vec<_> = seen.map(|seen| (seen.purpose.label(), seen.url.clone())).collect();
    addresses.push(("the authorization request", bench.begun()?.location.to_string()));
    for (what, value) in planted {
        // The verifier in the authorization request has a row of its own.
        let spelled: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
        let found = addresses.iter().find(|(of, url)| {
            let own_row = what == "the code verifier" && *of == "the authorization request";
            !own_row && (url.contains(&value) || url.contains(&spelled))
        });
        ensure(found.is_none(), || {
            format!("{what} is in the address of {}", found.map_or("", |(of, _)| of))
        })?;
    }
    Ok(())
}

/// Requests that tell about the person.
fn about_the_person<'k>(bench: &'k Bench<'k>) -> Result<Vec<&'k HttpRequest>, Not> {
    bench.signed_in()?;
    let seen = bench.base_finish().seen.iter().filter(|seen| PERSON.contains(&seen.purpose));
    let requests: Vec<_> = seen.filter_map(|seen| seen.request.as_ref()).collect();
    if requests.is_empty() { Err(left_out("nothing is asked about the person")) } else { Ok(requests) }
}

fn access_token_in_header(bench: &Bench<'_>) -> Outcome {
    bench.oauth2()?;
    let bearer = format!("Bearer {}", bench.signed_in()?.tokens.access_token.expose());
    for request in about_the_person(bench)? {
        // Where it is in the address instead, that is another row.
        if request.uri().query().is_some_and(|query| query.contains(&bearer["Bearer ".len()..])) {
            continue;
        }
        let shown = authorization(request) == Some(bearer.as_str());
        ensure(shown, || format!("the request to {} does not have it there", request.uri()))?;
    }
    Ok(())
}

fn client_secret_for_tokens_only(bench: &Bench<'_>) -> Outcome {
    let secret = bench.kit.client_secret.as_ref();
    let secret =
        secret.ok_or_else(|| left_out("the client is public: the kit was given no `client_secret`"))?;
    for request in about_the_person(bench)? {
        let mut texts = request.headers().values().map(|value| String::from_utf8_lossy(value.as_bytes()));
        let found = texts.any(|text| text.contains(secret.as_str()))
            || String::from_utf8_lossy(request.body()).contains(secret.as_str());
        ensure(!found, || format!("the request to {} has it", request.uri()))?;
    }
    Ok(())
}
