//! An issuer's description of itself.

use serde_json::{Value, json};

use super::{
    Row, row,
    token::{NOT_JSON, SILENCES, wrapped},
};
use crate::{
    exchange::Purpose,
    provider::ProviderError,
    testkit::provider_kit::{
        bench::{Bench, Outcome, ends_as, ensure, failed, left_out},
        change::set,
        play::{Fault, Ran},
    },
};

const METADATA: Purpose = Purpose::Metadata;

pub(super) const ROWS: &[Row] = &[
    row(
        "oidcc_discovery_issuer_mismatch",
        "A description of another issuer, or of none, begins nothing.",
        "compare `issuer` with the configured one, to the letter",
        |bench| {
            let issuer = described(bench)?;
            let others = [format!("{issuer}1"), format!("{issuer}/"), issuer.to_uppercase(), String::new()];
            let others = others.into_iter().map(Value::from).chain([Value::Null, json!([issuer])]);
            others.into_iter().try_for_each(|other| {
                let play = bench.play().json(METADATA, |metadata| set(metadata, "/issuer", other.clone()));
                begins_nothing(play.begin(), &format!("`issuer`: {other}"))
            })
        },
    ),
    row(
        "nd_04_discovery_incomplete",
        "A description without an address that is needed is an error.",
        "require `authorization_endpoint`, `token_endpoint` and `jwks_uri`",
        |bench| {
            described(bench)?;
            for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
                for value in [Value::Null, json!(""), json!(7), json!("/relative")] {
                    let play = || {
                        bench
                            .play()
                            .json(METADATA, |metadata| set(metadata, &format!("/{name}"), value.clone()))
                    };
                    let case = format!("`{name}`: {value}");
                    if name == "authorization_endpoint" {
                        begins_nothing(play().begin(), &case)?;
                    } else {
                        bench.refused(play(), &case)?;
                    }
                }
            }
            Ok(())
        },
    ),
    row(
        "nd_02_discovery_addresses",
        "Addresses that are not https are neither asked nor visited.",
        "look at each address of the description before it is used",
        addresses,
    ),
    row(
        "nd_04_discovery_not_json",
        "What is not a description is an error.",
        "read it by `json::parse`",
        |bench| {
            described(bench)?;
            NOT_JSON.into_iter().try_for_each(|(case, change)| {
                begins_nothing(wrapped(bench.play(), METADATA, change).begin(), case)
            })
        },
    ),
    row(
        "nd_05_discovery_silence",
        "No answer is `ProviderError::Unreachable`, with the purpose and the failure.",
        "hand `HttpFailure` on as it is",
        |bench| {
            described(bench)?;
            SILENCES.into_iter().try_for_each(|failure| {
                let unreachable = ProviderError::Unreachable { purpose: METADATA, failure };
                ends_as(bench.play().silent(METADATA, failure).begin(), &unreachable, &failure.to_string())
            })
        },
    ),
];

/// The issuer, where it is described by discovery.
fn described<'k>(bench: &'k Bench<'_>) -> Result<&'k str, super::super::bench::Not> {
    let openid = bench.openid()?;
    bench.begun()?;
    let asks = bench.base_begin().asked(METADATA).next().is_some();
    if asks { Ok(&openid.issuer) } else { Err(left_out("`begin` asks for no description")) }
}

fn begins_nothing<T>(ran: Ran<T>, case: &str) -> Outcome {
    match ran.ended {
        Err(Fault::Error(_)) => Ok(()),
        Err(panicked) => Err(failed(format!("{case}: {panicked}"))),
        Ok(_) => Err(failed(format!("{case}: an attempt begins"))),
    }
}

fn addresses(bench: &Bench<'_>) -> Outcome {
    described(bench)?;
    for bad in [
        "http://op.elsewhere.example/x",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "ftp://op.elsewhere.example/x",
    ] {
        for name in [
            "authorization_endpoint",
            "token_endpoint",
            "jwks_uri",
            "userinfo_endpoint",
            "revocation_endpoint",
            "end_session_endpoint",
        ] {
            let play =
                || bench.play().json(METADATA, |metadata| set(metadata, &format!("/{name}"), bad.into()));
            let case = |what: &str| format!("`{name}`: {bad}: {what}");
            let visited = play().begin().ended.is_ok_and(|begun| begun.location.as_str().starts_with(bad));
            ensure(!visited, || case("the browser is sent there"))?;
            let old = bench.signed_in()?;
            let (finished, revoked) = (play().finish().seen, play().revoke(&old.tokens).seen);
            let asked = finished.iter().chain(&revoked).any(|seen| seen.url.starts_with(bad));
            ensure(!asked, || case("it is asked"))?;
            let ended = play().end_session(&super::super::bench::sign_out()).ended;
            let visited = ended.is_ok_and(|url| url.is_some_and(|url| url.as_str().starts_with(bad)));
            ensure(!visited, || case("the browser is sent there to sign out"))?;
        }
    }
    Ok(())
}
