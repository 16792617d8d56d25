//! The end: tokens are revoked, and the provider's own session ends.

use url::Url;

use super::{Row, row, token::SILENCES};
use crate::{
    address::is_safe,
    exchange::Purpose,
    provider::ProviderError,
    secret::Secret,
    testkit::provider_kit::{
        bench::{Bench, Not, ends_as, ensure, failed, left_out, sign_out},
        play::{Fault, Ran},
    },
};

/// Bytes that every server takes in a request line.
const ADDRESS_BYTES_MAX: usize = 8 * 1_024;

pub(super) const ROWS: &[Row] = &[
    row(
        "rfc7009_token_in_the_body",
        "What is revoked goes out in the body of a POST: a token of this sign-in, and in no address.",
        "use `OAuth2Spec::revoke_at`",
        |bench| {
            bench.oauth2()?;
            let (tokens, ran) = (&bench.signed_in()?.tokens, revoked(bench)?);
            let own = [Some(&tokens.access_token), tokens.refresh_token.as_ref()];
            let own: Vec<_> = own.into_iter().flatten().map(Secret::expose).collect();
            for request in ran.asked(Purpose::Revocation).filter_map(|seen| seen.request.as_ref()) {
                let address = request.uri().to_string();
                ensure(!own.iter().any(|token| address.contains(token)), || {
                    "a token is in the address".to_owned()
                })?;
                let body = String::from_utf8_lossy(request.body()).into_owned();
                let named =
                    url::form_urlencoded::parse(body.as_bytes()).any(|(_, value)| own.contains(&&*value));
                ensure(named || own.iter().any(|token| body.contains(token)), || {
                    "no token of the sign-in is in the body".to_owned()
                })?;
            }
            Ok(())
        },
    ),
    row(
        "lo_06_revocation_refused",
        "A revocation that is refused or unavailable is an error, which the core lets pass; it does not count as done.",
        "look at the status: `OAuth2Spec::revoke_at` does",
        |bench| {
            let tokens = &bench.signed_in()?.tokens;
            revoked(bench)?;
            // Without OAuth 2, the token's own signature may be refused because it has ended.
            let mut statuses =
                [400, 403, 429, 500, 503].into_iter().chain(bench.oauth2().is_ok().then_some(401));
            statuses.try_for_each(|status| {
                match bench.play().status(Purpose::Revocation, status).revoke(tokens).ended {
                    Err(Fault::Error(_)) => Ok(()),
                    Err(panicked) => Err(failed(format!("status {status}: {panicked}"))),
                    Ok(()) => Err(failed(format!("status {status}: it counts as done"))),
                }
            })
        },
    ),
    row(
        "lo_06_revocation_silence",
        "No answer is `ProviderError::Unreachable`, with the purpose and the failure.",
        "hand `HttpFailure` on as it is",
        |bench| {
            let tokens = &bench.signed_in()?.tokens;
            revoked(bench)?;
            SILENCES.into_iter().try_for_each(|failure| {
                let unreachable = ProviderError::Unreachable { purpose: Purpose::Revocation, failure };
                ends_as(
                    bench.play().silent(Purpose::Revocation, failure).revoke(tokens),
                    &unreachable,
                    &failure.to_string(),
                )
            })
        },
    ),
    row(
        "nd_03_end_session_address",
        "The browser is sent to an https address, without a password or a fragment.",
        "use https; plain http is for this machine only",
        |bench| {
            let url = ended(bench)?;
            ensure(is_safe(url), || format!("it begins with {}://", url.scheme()))?;
            let plain = url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
            ensure(plain, || "it has a password or a fragment".to_owned())
        },
    ),
    row(
        "end_session_returns",
        "The address says where the browser comes back to, byte for byte.",
        "send `request.post_logout_redirect_uri` as it is",
        |bench| {
            let back_to = sign_out().post_logout_redirect_uri;
            let named = ended(bench)?.query_pairs().any(|(_, value)| value == back_to.as_str());
            ensure(named, || format!("no parameter is {back_to}"))
        },
    ),
    row(
        "lk_04_end_session_without_secrets",
        "Neither the client's secret nor an access or refresh token is in the address.",
        "send `id_token_hint`, `client_id` and `state` at most",
        |bench| {
            let url = ended(bench)?.as_str();
            let mut planted = bench.planted()?.into_iter().filter(|(what, _)| *what != "the ID token");
            let found = planted.find(|(_, value)| url.contains(value.as_str()));
            ensure(found.is_none(), || format!("{} is in it", found.map_or("a secret", |(what, _)| what)))
        },
    ),
    row(
        "lo_03_huge_hint",
        "The address stays below 8 KiB, however large the ID token is: no server takes more.",
        "leave out a hint that is too large",
        |bench| {
            ended(bench)?;
            let request = sign_out().id_token(Secret::new("h".repeat(2 * ADDRESS_BYTES_MAX)));
            match bench.play().end_session(&request).ended {
                Ok(Some(url)) => ensure(url.as_str().len() < ADDRESS_BYTES_MAX, || {
                    format!("it has {} bytes", url.as_str().len())
                }),
                Ok(None) => Ok(()),
                Err(fault) => Err(failed(fault.to_string())),
            }
        },
    ),
];

/// A revocation that asks something.
fn revoked<'k>(bench: &'k Bench<'k>) -> Result<&'k Ran<()>, Not> {
    bench.signed_in()?;
    let ran = bench.base_revoke().filter(|ran| ran.ended.is_ok());
    let ran = ran.ok_or_else(|| left_out("no revocation succeeds: see `revokes`"))?;
    let asks = ran.asked(Purpose::Revocation).next().is_some();
    if asks { Ok(ran) } else { Err(left_out("nothing is asked as `Purpose::Revocation`")) }
}

/// The address of a sign-out.
fn ended<'k>(bench: &'k Bench<'k>) -> Result<&'k Url, Not> {
    bench.signed_in()?;
    match bench.base_end_session().map(|ran| &ran.ended) {
        Some(Ok(Some(url))) => Ok(url),
        Some(Ok(None)) => Err(left_out("the provider's own session is not ended")),
        _ => Err(left_out("see `ends_session`")),
    }
}
