//! The e-mail address is verified where the provider says so, and only there.

use serde_json::{Value, json};

use super::{Row, row};
use crate::{
    exchange::Purpose,
    testkit::provider_kit::{
        bench::{Bench, Not, Outcome, ensure, failed, left_out},
        change::{replace, set},
        play::{Fault, Play},
    },
};

pub(super) const ROWS: &[Row] = &[
    row(
        "se_36_verified_by_the_provider",
        "An address counts as verified by a member of a reply, or by what the provider's documentation says of all.",
        "use `Identity::email`, or tell the kit by `.verified_at(..)` or `.always_verified(..)`",
        |bench| {
            let claimed = verified(bench)? && bench.kit.openid.is_none();
            let known = !bench.kit.verified_at.is_empty() || bench.kit.always_verified.is_some();
            ensure(!claimed || known, || {
                "the address counts as verified, and the kit does not know who says so".to_owned()
            })
        },
    ),
    row(
        "se_36_unverified_email",
        "An address of which the provider says that it is not verified does not count as verified.",
        "look at the flag of the address that counts, and let `.verified_at` point there",
        |bench| unverified(bench, &[json!(false)], "false"),
    ),
    row(
        "se_36_only_true_verifies",
        "No flag, `null`, the text \"true\" or \"false\", a number or a list verify nothing.",
        "read the flag as `bool`",
        |bench| {
            let odd = [Value::Null, json!("true"), json!("false"), json!(1), json!([true]), json!({})];
            unverified(bench, &odd, "nothing of the kind")
        },
    ),
    row(
        "se_37_email_as_it_comes",
        "An address is handed on as it comes, or not at all: rules compare it.",
        "do not trim, lower-case or repair it",
        as_it_comes,
    ),
];

fn verified(bench: &Bench<'_>) -> Result<bool, Not> {
    Ok(bench.signed_in()?.identity.email_verified)
}

/// A play in which a flag is another.
fn flagged<'k>(bench: &'k Bench<'k>, value: &Value) -> Result<Play<'k>, Not> {
    let mut play = bench.play();
    if bench.kit.openid.is_some() {
        play = play.mint(|mint| {
            if value.is_null() {
                mint.claims.remove("email_verified");
            } else if mint.claims.contains_key("email") {
                mint.claim("email_verified", value.clone());
            }
        });
    }
    for (purpose, at) in &bench.kit.verified_at {
        let value = value.clone();
        play = play.first_json(*purpose, move |reply| set(reply, at, value.clone()));
    }
    Ok(play)
}

fn unverified(bench: &Bench<'_>, values: &[Value], says: &str) -> Outcome {
    if !verified(bench)? {
        return Err(left_out("no address is verified: if the provider verifies any, record such a person"));
    }
    if let Some(because) = &bench.kit.always_verified {
        return Err(left_out(because.clone()));
    }
    if bench.kit.verified_at.is_empty() && bench.kit.openid.is_none() {
        return Err(left_out("see `se_36_verified_by_the_provider`"));
    }
    for value in values {
        match flagged(bench, value)?.finish().ended {
            Err(Fault::Error(_)) => {}
            Err(panicked) => return Err(failed(format!("{value}: {panicked}"))),
            Ok(sign_in) => ensure(!sign_in.identity.email_verified, || {
                format!("the flag is {value}, which says {says}, and the address counts as verified")
            })?,
        }
    }
    Ok(())
}

/// Two accounts of which one has the other's address but for its spelling.
fn as_it_comes(bench: &Bench<'_>) -> Outcome {
    let address = bench.signed_in()?.identity.email.clone();
    let address =
        address.ok_or_else(|| left_out("there is no address: if the provider shows any, record one"))?;
    for odd in
        [format!("{address}\n"), format!(" {address}"), address.to_uppercase(), format!("evil@{address}")]
    {
        let mut play = bench.play();
        if bench.kit.openid.is_some() {
            let odd = odd.clone();
            play = play.mint(move |mint| {
                if mint.claims.contains_key("email") {
                    mint.claim("email", odd);
                }
            });
        }
        for purpose in [Purpose::Profile, Purpose::Emails] {
            let (from, to) = (address.clone(), odd.clone());
            play = play.json(purpose, move |reply| replace(reply, &from, &to));
        }
        let Ok(sign_in) = play.finish().ended else { continue };
        let found = sign_in.identity.email;
        ensure(found.as_ref().is_none_or(|found| *found == odd), || {
            format!("{odd:?} becomes {:?}", found.unwrap_or_default())
        })?;
    }
    Ok(())
}
