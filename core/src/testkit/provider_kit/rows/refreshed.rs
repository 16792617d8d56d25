//! ID tokens that come with new tokens (OpenID Connect Core §12.2).

use serde_json::{Value, json};

use super::{Row, authorization::client_id, row};
use crate::{
    exchange::Purpose,
    testkit::provider_kit::{
        bench::{Bench, Outcome, ensure, failed, left_out},
        openid::Mint,
        play::Fault,
    },
};

pub(super) const ROWS: &[Row] = &[
    row(
        "se_33_refreshed_subject",
        "A refreshed ID token about somebody else is refused.",
        "compare its `sub` with the sign-in's",
        |bench| refused(bench, "`sub` is another", |mint| mint.claim("sub", "somebody-else")),
    ),
    row(
        "se_33_refreshed_issuer",
        "A refreshed ID token of another issuer is refused.",
        "compare its `iss` with the sign-in's",
        |bench| {
            let issuer = bench.openid()?.issuer.clone();
            refused(bench, "`iss` is another", |mint| mint.claim("iss", format!("{issuer}1")))
        },
    ),
    row(
        "se_33_refreshed_audience",
        "A refreshed ID token for another client is refused.",
        "require the client id among its `aud`",
        |bench| {
            bench.openid()?;
            let other = format!("{}1", client_id(bench)?);
            refused(bench, "`azp` is another", |mint| mint.claim("azp", other.as_str()))?;
            refused(bench, "`aud` is another", |mint| mint.claim("aud", other))
        },
    ),
    row(
        "se_33_refreshed_signature",
        "A refreshed ID token that the issuer has not signed is refused.",
        "prove it as the first one",
        |bench| {
            refused(bench, "unsigned", |mint| {
                mint.header("alg", "none");
                mint.sign_with(|_| Vec::new());
            })?;
            refused(bench, "a signature of zeros", |mint| mint.sign_with(|_| vec![0; 256]))
        },
    ),
    row(
        "se_33_refreshed_without_id_token",
        "A refresh may bring no ID token: the person stays who they are.",
        "keep the sign-in's issuer and subject",
        |bench| {
            bench.openid()?;
            let old = bench.refreshable()?;
            let ran = bench.play().member(Purpose::Refresh, "id_token", Value::Null).refresh(old);
            let new = ran.ended.map_err(|fault| failed(format!("no ID token: {fault}")))?;
            let same = (&new.identity.issuer, &new.identity.subject)
                == (&old.identity.issuer, &old.identity.subject);
            ensure(same, || "somebody else is signed in".to_owned())
        },
    ),
    row(
        "se_33_refreshed_userinfo",
        "Where a refresh brings no ID token, userinfo about somebody else is refused.",
        "compare `sub` with the sign-in's",
        |bench| {
            bench.openid()?;
            let old = bench.refreshable()?;
            let play = bench.play().member(Purpose::Refresh, "id_token", Value::Null);
            let ran = play.json(Purpose::Profile, |reply| reply["sub"] = json!("somebody-else")).refresh(old);
            if ran.asked(Purpose::Profile).next().is_none() {
                return Err(left_out("no userinfo is asked for after such a refresh"));
            }
            ended(ran.ended.map(drop), "`sub` of userinfo is another")
        },
    ),
];

fn refused(bench: &Bench<'_>, case: &str, change: impl FnOnce(&mut Mint)) -> Outcome {
    bench.openid()?;
    let old = bench.refreshable()?;
    let ran = bench.play().mint(change).refresh(old);
    ended(ran.ended.map(drop), case)
}

fn ended(ended: Result<(), Fault>, case: &str) -> Outcome {
    match ended {
        Err(Fault::Error(_)) => Ok(()),
        Err(panicked) => Err(failed(format!("{case}: {panicked}"))),
        Ok(()) => Err(failed(format!("{case}: it is refreshed"))),
    }
}
