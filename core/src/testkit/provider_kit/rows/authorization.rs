//! Where the browser is sent.

use super::{Row, row};
use crate::{
    address::is_safe,
    oauth2::PROTOCOL_PARAMETERS,
    testkit::provider_kit::bench::{Bench, Not, Outcome, attempt, ensure, failed, values},
};

pub(super) const ROWS: &[Row] = &[
    row(
        "rp_00b_response_type",
        "It asks for a code and nothing else: `response_type=code`.",
        "never ask for tokens at the callback (RFC 9700 §2.1.2)",
        |bench| is(bench, "response_type", "code"),
    ),
    row(
        "rp_00a_client_id",
        "It names the client, to the letter.",
        "send `client_id` as it is registered",
        |bench| is(bench, "client_id", client_id(bench)?),
    ),
    row(
        "rp_00a_redirect_uri",
        "It names the redirect URI, byte for byte.",
        "send `request.redirect_uri` as it is, a query included",
        |bench| is(bench, "redirect_uri", attempt(1).redirect_uri.as_str()),
    ),
    row(
        "se_02_state",
        "It carries the attempt's `state`, to the letter.",
        "send `request.state` as it is; the core compares it",
        |bench| is(bench, "state", attempt(1).state.expose()),
    ),
    row(
        "rp_00e_code_challenge",
        "It carries the attempt's `code_challenge`.",
        "send `request.code_challenge()`",
        |bench| is(bench, "code_challenge", &attempt(1).code_challenge()),
    ),
    row(
        "rp_00e_code_challenge_method",
        "The challenge is made by S256, never `plain` (RFC 7636 §4.2).",
        "send `code_challenge_method=S256`",
        |bench| is(bench, "code_challenge_method", "S256"),
    ),
    row(
        "parameters_stand_once",
        "Each of the protocol's parameters stands there once, whatever else is configured.",
        "refuse further parameters that are in `oauth2::PROTOCOL_PARAMETERS`",
        |bench| stand_once(&bench.query()?),
    ),
    row(
        "wishes_stay_values",
        "What an application passes on (`login_hint`, `prompt`) cannot add parameters.",
        "write the query with `Url::query_pairs_mut`, never by hand",
        wishes_stay_values,
    ),
    row(
        "nd_03_authorization_address",
        "The browser is sent to an https address, without a password or a fragment.",
        "use https; plain http is for this machine only",
        |bench| {
            let url = &bench.begun()?.location;
            ensure(is_safe(url), || format!("it begins with {}://", url.scheme()))?;
            let plain = url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
            ensure(plain, || "it has a password or a fragment".to_owned())
        },
    ),
    row(
        "code_verifier_stays_here",
        "The verifier is nowhere in the address: it is what proves who began.",
        "send the challenge only",
        |bench| {
            let url = bench.begun()?.location.as_str();
            ensure(!url.contains(attempt(1).code_verifier.expose()), || "the address has it".to_owned())
        },
    ),
    row(
        "se_22_issuer_to_expect",
        "Where the callback may bring an `iss`, it is the issuer of the accounts (RFC 9207 §2.4).",
        "give `Begun::issuer` what `Identity::issuer` is, or none",
        |bench| {
            bench.oauth2()?;
            let (begun, vouching) = (&bench.begun()?.issuer, &bench.signed_in()?.identity.issuer);
            let fits = begun.as_ref().is_none_or(|issuer| issuer == vouching);
            ensure(fits, || {
                format!("accounts are of `{vouching}`, and the callback is to bring another `iss`")
            })
        },
    ),
];

pub(super) fn client_id<'k>(bench: &'k Bench<'_>) -> Result<&'k str, Not> {
    let id = bench.kit.client_id.as_deref();
    id.ok_or_else(|| failed("the kit does not know the client id: give it by `.client(..)`"))
}

/// The parameter has this value at its first place; that there is one only is another row.
fn is(bench: &Bench<'_>, name: &str, expected: &str) -> Outcome {
    let query = bench.query()?;
    match values(&query, name).as_slice() {
        [] => Err(failed(format!("there is no `{name}`"))),
        [value, ..] => ensure(*value == expected, || format!("`{name}` is `{value}`, not `{expected}`")),
    }
}

fn stand_once(query: &[(String, String)]) -> Outcome {
    let twice = PROTOCOL_PARAMETERS.iter().find(|name| values(query, name).len() > 1);
    ensure(twice.is_none(), || format!("`{}` stands there twice", twice.unwrap_or(&"")))
}

fn wishes_stay_values(bench: &Bench<'_>) -> Outcome {
    bench.query()?;
    let hostile = "x&state=evil&redirect_uri=https://evil.example/#";
    let begun = bench.play().begin_with(|request| {
        request.login_hint = Some(hostile.to_owned());
        request.prompt = Some(hostile.to_owned());
    });
    let Ok(begun) = begun.ended else { return Ok(()) };
    let query: Vec<_> = begun.location.query_pairs().into_owned().collect();
    let added = query.iter().any(|(name, value)| {
        (name == "state" && value == "evil") || (name == "redirect_uri" && value.contains("evil"))
    });
    ensure(!added && begun.location.fragment().is_none(), || {
        "a `login_hint` adds parameters of its own".to_owned()
    })
}
