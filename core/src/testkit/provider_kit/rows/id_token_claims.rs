//! ID tokens that the issuer has signed, for somebody else, about nobody, or at another time.

use serde_json::{Value, json};

use super::{
    Row,
    authorization::client_id,
    id_token::{each, minted, openid},
    row,
    subject::with,
};
use crate::{
    limits::{CLOCK_LEEWAY, ID_TOKEN_AGE_MAX},
    testkit::provider_kit::bench::{Bench, Outcome},
};

const DAY: i64 = 24 * 60 * 60;

pub(super) const ROWS: &[Row] = &[
    row(
        "jt_12_issuer",
        "A token of another issuer, or of none, is refused: the names are compared to the letter.",
        "compare `iss` with the configured issuer",
        |bench| {
            let issuer = openid(bench)?.issuer.clone();
            let prefix = &issuer[..issuer.len() - 1];
            let others = [
                json!(format!("{issuer}1")),
                json!(format!("{issuer}/")),
                json!(issuer.to_uppercase()),
                json!(prefix),
                json!([issuer]),
                json!(""),
                Value::Null,
            ];
            each_value(bench, "iss", &others)
        },
    ),
    row(
        "jt_13_audience",
        "A token for another client, or for nobody, is refused.",
        "require the client id among `aud`",
        |bench| {
            openid(bench)?;
            let own = client_id(bench)?;
            let others = [
                json!(format!("{own}1")),
                json!(own[..own.len() - 1]),
                json!([]),
                json!([format!("{own}1")]),
                json!(""),
                json!(7),
                json!({own: true}),
                Value::Null,
            ];
            each_value(bench, "aud", &others)
        },
    ),
    row(
        "jt_13_further_audiences",
        "A token that is meant for others too is refused, unless they were named as trusted.",
        "refuse audiences that are not configured",
        |bench| {
            openid(bench)?;
            let own = client_id(bench)?;
            each(bench, "a second audience", |mint| {
                mint.claim("aud", json!([own, "somebody-else"]));
                mint.claim("azp", own);
            })
        },
    ),
    row(
        "jt_13_audience_in_a_list",
        "A list with the client alone in it is as good as the client.",
        "read `aud` as a text or a list",
        |bench| {
            openid(bench)?;
            let own = client_id(bench)?;
            bench.accepted(minted(bench, |mint| mint.claim("aud", json!([own]))), "`aud` is a list of one")
        },
    ),
    row(
        "jt_14_authorized_party",
        "A token that was made for another client (`azp`) is refused.",
        "compare `azp` with the client id where it is there",
        |bench| {
            openid(bench)?;
            let own = client_id(bench)?;
            each_value(
                bench,
                "azp",
                &[json!(format!("{own}1")), json!("somebody-else"), json!(""), json!([own])],
            )
        },
    ),
    row(
        "jt_15_subject_odd",
        "A subject of more than 255 characters, or with control characters, is refused.",
        "accept 1 to 255 printable ASCII characters",
        |bench| {
            openid(bench)?;
            let odd =
                ["x".repeat(256), "a\nb".to_owned(), "a\0".to_owned(), "a\u{7f}".to_owned()].map(Value::from);
            odd.iter().try_for_each(|odd| {
                let shown: String = odd.to_string().chars().take(40).collect();
                bench.refused(with(bench, odd)?, &format!("`sub`: {shown}"))
            })
        },
    ),
    row(
        "jt_09_times_odd",
        "A time that is not a number of seconds is refused: it never passes for an absent one.",
        "read `exp`, `iat` and `nbf` as numbers",
        |bench| {
            openid(bench)?;
            let odd = [
                json!("1900000000"),
                json!(true),
                json!([1_900_000_000]),
                json!({}),
                json!(-1),
                json!(1e300),
            ];
            ["exp", "iat", "nbf"].into_iter().try_for_each(|name| each_value(bench, name, &odd))
        },
    ),
    row("jt_10_no_end", "A token without `exp` is refused.", "require `exp`", |bench| {
        each(bench, "no `exp`", |mint| drop(mint.claims.remove("exp")))
    }),
    row("jt_10_ended", "A token that has ended is refused.", "compare `exp` with `Http::now`", |bench| {
        at(bench, "exp", &[-leeway() - 1, -3_600])?;
        each_value(bench, "exp", &[json!(0), json!(1)])
    }),
    row("oidcc_missing_iat", "A token without `iat` is refused.", "require `iat`", |bench| {
        each(bench, "no `iat`", |mint| drop(mint.claims.remove("iat")))
    }),
    row(
        "jt_10_issued_in_the_future",
        "A token that was issued in the future is refused.",
        "compare `iat` with `Http::now`",
        |bench| at(bench, "iat", &[leeway() + 1, DAY]),
    ),
    row(
        "jt_10_issued_long_ago",
        "A token that was issued more than a day ago is none of this sign-in.",
        "compare `iat` with `limits::ID_TOKEN_AGE_MAX`",
        |bench| {
            let age = i64::try_from(ID_TOKEN_AGE_MAX.as_secs()).unwrap_or(DAY);
            at(bench, "iat", &[-age - leeway() - 1, -3_650 * DAY])
        },
    ),
    row(
        "jt_10_not_yet_valid",
        "A token that is not valid yet is refused.",
        "compare `nbf` with `Http::now`",
        |bench| at(bench, "nbf", &[leeway() + 1, DAY]),
    ),
    row(
        "jt_11_clocks_differ",
        "Clocks may differ by almost a minute.",
        "allow `limits::CLOCK_LEEWAY`",
        |bench| {
            openid(bench)?;
            let now = bench.kit.now.unix();
            let accepted = |name, by: i64| {
                bench.accepted(
                    minted(bench, |mint| mint.claim(name, now + by)),
                    &format!("`{name}` is {by} s from now"),
                )
            };
            accepted("exp", 1 - leeway())?;
            accepted("iat", leeway() - 1)?;
            accepted("nbf", leeway() - 1)
        },
    ),
];

fn leeway() -> i64 {
    i64::try_from(CLOCK_LEEWAY.as_secs()).unwrap_or(60)
}

fn each_value(bench: &Bench<'_>, name: &str, values: &[Value]) -> Outcome {
    values.iter().try_for_each(|value| {
        let shown: String = value.to_string().chars().take(60).collect();
        each(bench, &format!("`{name}`: {shown}"), |mint| mint.claim(name, value.clone()))
    })?;
    // What `null` stands for is a claim that is there; here it is not.
    let absent = values.contains(&Value::Null);
    if absent { each(bench, &format!("no `{name}`"), |mint| drop(mint.claims.remove(name))) } else { Ok(()) }
}

fn at(bench: &Bench<'_>, name: &str, seconds_from_now: &[i64]) -> Outcome {
    let now = bench.kit.now.unix();
    seconds_from_now.iter().try_for_each(|by| {
        each(bench, &format!("`{name}` is {by} s from now"), |mint| mint.claim(name, now + by))
    })
}
