//! What stands in a token reply, when it does not stand there as it should.

use serde_json::{Value, json};

use super::{Row, profile::no_panic, row};
use crate::{
    exchange::Purpose,
    testkit::provider_kit::{
        bench::{Bench, Outcome, ensure, failed},
        change::set,
        play::Fault,
    },
};

pub(super) const ROWS: &[Row] = &[
    row(
        "token_without_access_token",
        "Without a whole access token nobody signs in.",
        "require `access_token`, a text that is not empty",
        |bench| {
            each_refused(bench, "access_token", &[Value::Null, json!(""), json!(7), json!(["x"]), json!({})])
        },
    ),
    row(
        "token_with_control_characters",
        "An access token that cannot stand in a header is refused, not repaired.",
        "refuse whatever is not visible ASCII",
        |bench| {
            let hostile = [
                "access\r\nX-Admin: 1",
                "access\0token",
                "access token",
                "access-tökén",
                "access\u{7f}token",
            ];
            each_refused(bench, "access_token", &hostile.map(Value::from))
        },
    ),
    row(
        "token_type_other",
        "A token of another type than Bearer, or of none, is not used (RFC 6749 §7.1).",
        "require `token_type`",
        |bench| {
            each_refused(
                bench,
                "token_type",
                &[Value::Null, json!(""), json!("mac"), json!("DPoP"), json!(7)],
            )
        },
    ),
    row(
        "token_type_in_any_case",
        "`token_type` is read without regard to case (RFC 6749 §5.1).",
        "compare by `eq_ignore_ascii_case`",
        |bench| {
            each_accepted(bench, "token_type", &["bEaReR", "bearer", "Bearer", "BEARER"].map(Value::from))
        },
    ),
    row(
        "access_token_is_opaque",
        "Nothing is read into an access token (OAuth 2.1 §1.4): one that looks like a JWT and is none will do.",
        "do not parse it",
        |bench| {
            let odd =
                ["eyJhbGciOiJub25lIn0.e30.", "...", "a.b.c", "~+/=-_", &"x".repeat(4_000)].map(Value::from);
            each_accepted(bench, "access_token", &odd)
        },
    ),
    row(
        "token_minimal",
        "`access_token` and `token_type` are enough: the provider may leave out the rest.",
        "take everything else as it comes",
        |bench| {
            bench.token_request()?;
            let play = bench.play().json(Purpose::Token, |reply| {
                let needed = ["access_token", "token_type", "id_token"];
                if let Value::Object(members) = reply {
                    members.retain(|name, _| needed.contains(&name.as_str()));
                }
            });
            bench.accepted(play, "a reply of `access_token` and `token_type`")
        },
    ),
    row(
        "jt_09_expires_in_odd",
        "An `expires_in` that is no number of seconds never means that the token has no end.",
        "refuse it, or clamp it",
        expires_in_odd,
    ),
    row(
        "nd_04_token_members_odd",
        "Whatever its members are, a token reply makes nothing panic.",
        "read members by their type; no `unwrap`, no index",
        |bench| {
            bench.token_request()?;
            no_panic(bench, Purpose::Token)
        },
    ),
];

fn each_refused(bench: &Bench<'_>, name: &'static str, values: &[Value]) -> Outcome {
    bench.token_request()?;
    values.iter().try_for_each(|value| {
        bench.refused(bench.play().member(Purpose::Token, name, value.clone()), &format!("`{name}`: {value}"))
    })
}

fn each_accepted(bench: &Bench<'_>, name: &'static str, values: &[Value]) -> Outcome {
    bench.token_request()?;
    values.iter().try_for_each(|value| {
        let shown = if value.as_str().is_some_and(|text| text.len() > 80) {
            "4,000 characters".into()
        } else {
            value.to_string()
        };
        bench
            .accepted(bench.play().member(Purpose::Token, name, value.clone()), &format!("`{name}`: {shown}"))
    })
}

fn expires_in_odd(bench: &Bench<'_>) -> Outcome {
    bench.token_request()?;
    let odd = [
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(u64::MAX),
        json!("soon"),
        json!("-1"),
        json!(""),
        json!(true),
        json!([3_600]),
        json!({}),
    ];
    for value in odd {
        let play = bench.play().json(Purpose::Token, |reply| {
            set(reply, "/expires_in", value.clone());
        });
        match play.finish().ended {
            Err(Fault::Error(_)) => {}
            Err(panicked) => return Err(failed(format!("`expires_in`: {value}: {panicked}"))),
            Ok(sign_in) => {
                ensure(sign_in.tokens.expires.is_some(), || format!("`expires_in`: {value} means no end"))?;
            }
        }
    }
    Ok(())
}
