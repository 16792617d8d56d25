//! Replies about the person, on bad days and in a hostile mood.

use serde_json::{Value, json};

use super::{
    Row, row,
    token::{ELSEWHERE, NOT_JSON, SILENCES, deep, not_followed, wrapped},
};
use crate::{
    exchange::Purpose,
    provider::ProviderError,
    testkit::provider_kit::{
        bench::{Bench, Outcome, ends_as, ensure, failed, left_out},
        change::set,
        play::Fault,
    },
};

pub(super) const ROWS: &[Row] = &[
    row(
        "nd_12_profile_status",
        "A profile counts with status 200 only.",
        "use `oauth2::expect_ok` or `Http::get_json`",
        |bench| {
            profile(bench)?;
            [201, 204, 400, 401, 403, 404, 410].into_iter().try_for_each(|status| {
                bench.refused(bench.play().status(Purpose::Profile, status), &format!("status {status}"))
            })
        },
    ),
    row(
        "nd_12_person_unavailable",
        "Status 429 and 5xx are `ProviderError::Unavailable`, whatever was asked about the person.",
        "use `oauth2::expect_ok` or `Http::get_json`",
        |bench| {
            each(bench, |purpose| {
                [429, 500, 503].into_iter().try_for_each(|status| {
                    let unavailable = ProviderError::Unavailable { purpose, status };
                    let play = bench.play().status(purpose, status);
                    Bench::ends_as(play, unavailable, &format!("`{purpose}`: status {status}"))
                })
            })
        },
    ),
    row(
        "nd_12_person_silence",
        "No answer is `ProviderError::Unreachable`, whatever was asked about the person: half an identity is none.",
        "hand `HttpFailure` on as it is",
        |bench| {
            each(bench, |purpose| {
                SILENCES.into_iter().try_for_each(|failure| {
                    let unreachable = ProviderError::Unreachable { purpose, failure };
                    ends_as(
                        bench.play().silent(purpose, failure).finish(),
                        &unreachable,
                        &format!("`{purpose}`: {failure}"),
                    )
                })
            })
        },
    ),
    row(
        "nd_12_profile_redirect",
        "A redirect is not followed: the access token would go elsewhere.",
        "accept status 200 only",
        |bench| {
            profile(bench)?;
            not_followed(bench, Purpose::Profile)
        },
    ),
    row(
        "nd_02_addresses_in_replies",
        "Addresses that stand in replies about the person are not asked, nor is a next page elsewhere: the access token goes to the provider only.",
        "ask addresses that are configured or below them",
        addresses_in_replies,
    ),
    row(
        "se_35_profile_not_json",
        "What is not a profile is refused: HTML around it, more after its end, nothing at all.",
        "read it by `oauth2::json_body` or `Http::get_json`",
        |bench| {
            profile(bench)?;
            for (case, change) in NOT_JSON {
                bench.refused(wrapped(bench.play(), Purpose::Profile, change), case)?;
            }
            Ok(())
        },
    ),
    row(
        "jt_26_profile_too_deep",
        "JSON that is nested a thousand levels deep is refused.",
        "read it by `oauth2::json_body` or `Http::get_json`",
        |bench| {
            profile(bench)?;
            bench.refused(wrapped(bench.play(), Purpose::Profile, deep), "a member nested 1,000 levels deep")
        },
    ),
    row(
        "profile_unknown_members",
        "Members that nobody knows are passed over: providers add them without notice.",
        "do not use `deny_unknown_fields`",
        |bench| {
            profile(bench)?;
            let play = bench.play().json(Purpose::Profile, |reply| {
                for number in 0..50 {
                    set(reply, &format!("/x_{number}"), json!({"of": [number]}));
                }
            });
            bench.accepted(play, "fifty members that nobody knows")
        },
    ),
    row(
        "profile_without_names",
        "Who has no name, no e-mail address and no picture can sign in all the same.",
        "take them as `Option`",
        without_names,
    ),
    row(
        "nd_04_person_members_odd",
        "Whatever their members are, replies about the person make nothing panic.",
        "read members by their type; no `unwrap`, no index",
        |bench| each(bench, |purpose| no_panic(bench, purpose)),
    ),
];

/// There is a profile to be changed.
pub(super) fn profile(bench: &Bench<'_>) -> Outcome {
    bench.signed_in()?;
    let asked = bench.person().contains(&Purpose::Profile);
    if asked { Ok(()) } else { Err(left_out("no profile is asked for")) }
}

fn each(bench: &Bench<'_>, row: impl Fn(Purpose) -> Outcome) -> Outcome {
    bench.signed_in()?;
    let person = bench.person();
    if person.is_empty() {
        return Err(left_out("nothing is asked about the person"));
    }
    person.into_iter().try_for_each(row)
}

fn addresses_in_replies(bench: &Bench<'_>) -> Outcome {
    fn lead_elsewhere(value: &mut Value) {
        match value {
            Value::String(text) if text.starts_with("https://") => *text = format!("{ELSEWHERE}user"),
            Value::Array(items) => items.iter_mut().for_each(lead_elsewhere),
            Value::Object(members) => members.values_mut().for_each(lead_elsewhere),
            _ => {}
        }
    }
    each(bench, |purpose| {
        let next = format!("<{ELSEWHERE}page/2>; rel=\"next\"");
        let play = bench.play().json(purpose, lead_elsewhere).at(purpose, |mut response| {
            if let Ok(next) = next.parse() {
                response.headers_mut().insert(http::header::LINK, next);
            }
            response
        });
        let seen = play.finish().seen;
        let there = seen.iter().find(|seen| seen.url.starts_with(ELSEWHERE));
        ensure(there.is_none(), || format!("an address in the reply for `{purpose}` is asked"))
    })
}

/// Every place in a value that is neither object nor list.
pub(super) fn leaves(value: &Value) -> Vec<String> {
    fn walk(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    walk(value, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
                }
            }
            Value::Array(items) => {
                items
                    .iter()
                    .enumerate()
                    .for_each(|(index, item)| walk(item, &format!("{at}/{index}"), found));
            }
            _ => found.push(at.to_owned()),
        }
    }
    let mut found = Vec::new();
    walk(value, "", &mut found);
    found
}

fn without_names(bench: &Bench<'_>) -> Outcome {
    profile(bench)?;
    let identity = &bench.signed_in()?.identity;
    let optional = [&identity.name, &identity.email, &identity.picture];
    let optional: Vec<_> = optional.into_iter().flatten().map(String::as_str).collect();
    let reply = bench.recorded_json(Purpose::Profile).unwrap_or_default();
    for at in leaves(&reply) {
        let is_one = |found: &Value| found.as_str().is_some_and(|text| optional.contains(&text));
        if !reply.pointer(&at).is_some_and(is_one) || bench.kit.subject_at.as_ref() == Some(&at) {
            continue;
        }
        let null = |reply: &mut Value| {
            if let Some(place) = reply.pointer_mut(&at) {
                *place = Value::Null;
            }
        };
        let ran = bench.play().first_json(Purpose::Profile, null).finish();
        ran.ended.map_err(|fault| failed(format!("`{at}` is null: {fault}")))?;
        let ran = bench.play().first_json(Purpose::Profile, |reply| set(reply, &at, Value::Null)).finish();
        ran.ended.map_err(|fault| failed(format!("`{at}` is missing: {fault}")))?;
    }
    Ok(())
}

/// Puts odd values in every place of the replies for one purpose.
pub(super) fn no_panic(bench: &Bench<'_>, purpose: Purpose) -> Outcome {
    let reply = bench
        .recorded_json(purpose)
        .ok_or_else(|| left_out(format!("the reply for `{purpose}` is no JSON")))?;
    let huge = "x".repeat(100_000);
    let odd = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!([]),
        json!({}),
        json!(["x", null, 7]),
        json!(""),
        json!("\r\nSet-Cookie: a=b\0"),
        json!("<svg onload=alert(1)>"),
        json!("\u{202e}\u{feff}é"),
        json!(huge),
    ];
    for at in leaves(&reply) {
        if purpose == Purpose::Profile && bench.kit.subject_at.as_ref() == Some(&at) {
            continue;
        }
        for value in &odd {
            let put = |reply: &mut Value| {
                if let Some(place) = reply.pointer_mut(&at) {
                    *place = value.clone();
                }
            };
            let shown: String = value.to_string().chars().take(40).collect();
            if let Err(panicked @ Fault::Panicked(_)) = bench.play().first_json(purpose, put).finish().ended {
                return Err(failed(format!("`{at}`: {shown}: {panicked}")));
            }
        }
    }
    Ok(())
}
