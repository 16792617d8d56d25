//! Which account it is: the provider's immutable identifier says so, and nothing else.

use serde_json::{Value, json};

use super::{
    Row,
    profile::{leaves, profile},
    row,
};
use crate::{
    exchange::Purpose,
    oauth2::changes_hands,
    testkit::provider_kit::{
        bench::{Bench, Not, Outcome, PERSON, ensure, failed},
        change::{replace, set},
        play::{Fault, Play},
    },
};

pub(super) const ROWS: &[Row] = &[
    row(
        "se_41_subject_is_no_name",
        "What the kit is told to be the identifier is no login name, address or name: somebody else can have that tomorrow.",
        "take the member that the provider never changes and never gives to somebody else",
        |bench| {
            let at = pointer(bench)?;
            ensure(!changes_hands(at), || format!("`{at}` changes hands"))
        },
    ),
    row(
        "se_41_renamed_account",
        "The subject stays as it is when login, name, e-mail address and picture change (CVE-2024-32879).",
        "make the subject of the provider's immutable identifier alone",
        renamed_account,
    ),
    row(
        "se_41_other_account",
        "Another identifier is another subject, also where everything else is the same: a login is given to somebody else.",
        "make the subject of the provider's immutable identifier alone",
        other_account,
    ),
    row(
        "jt_08_profile_duplicates",
        "A profile that names two accounts is refused.",
        "read it by `oauth2::json_body` or `Http::get_json`",
        duplicates,
    ),
    row(
        "se_41_without_subject",
        "Who has no identifier does not sign in: nothing else stands in for it.",
        "require the identifier",
        |bench| each_refused(bench, &[Value::Null], true),
    ),
    row("se_41_empty_subject", "An empty identifier is none.", "refuse it", |bench| {
        each_refused(bench, &[json!("")], false)
    }),
    row(
        "se_41_subject_of_another_kind",
        "An identifier that is neither a number nor a text is refused.",
        "read it as `u64` or `String`, not as `serde_json::Value`",
        |bench| each_refused(bench, &[json!(true), json!(["x"]), json!({"a": 1}), json!(1.5)], false),
    ),
    row(
        "se_41_number_or_text",
        "An identifier that is a number today and the same digits as a text tomorrow is one account, or refused.",
        "write a text as it is, without quotation marks",
        |bench| {
            let (number, text) = (subject(bench, json!(583_231))?, subject(bench, json!("583231"))?);
            let one = number.is_none() || text.is_none() || number == text;
            ensure(one, || format!("the number gives `{}`, the text `{}`", shown(&number), shown(&text)))
        },
    ),
    row(
        "se_41_large_numbers",
        "Identifiers that differ in their last digit only are two accounts, however large they are.",
        "do not read them as `f64`",
        |bench| {
            differ(
                bench,
                &[
                    json!(9_007_199_254_740_992_u64),
                    json!(9_007_199_254_740_993_u64),
                    json!(9_007_199_254_740_994_u64),
                ],
            )
        },
    ),
    row(
        "se_41_bytes_count",
        "Identifiers that differ in case, in a space, or in how a letter is composed are different accounts.",
        "leave the identifier as it comes",
        |bench| {
            let spelled = ["Ada", "ada", "ada ", " ada", "ad\u{e1}", "ada\u{301}", "ada\t"].map(Value::from);
            differ(bench, &spelled)
        },
    ),
];

/// Where the identifier stands; with OpenID Connect in userinfo, and in the ID token besides.
pub(super) fn pointer<'k>(bench: &'k Bench<'_>) -> Result<&'k str, Not> {
    if bench.kit.openid.is_some() {
        bench.signed_in()?;
        return Ok("/sub");
    }
    profile(bench)?;
    bench.kit.subject_at.as_deref().ok_or_else(|| {
        failed("the kit does not know which member is the immutable identifier: say so by `.subject_at(\"/id\")`")
    })
}

/// A play in which the identifier is another.
pub(super) fn with<'k>(bench: &'k Bench<'k>, id: &Value) -> Result<Play<'k>, Not> {
    let (at, id) = (pointer(bench)?.to_owned(), id.clone());
    let recorded = bench.recorded_json(Purpose::Profile);
    if bench.kit.openid.is_none() && recorded.is_none_or(|reply| reply.pointer(&at).is_none()) {
        return Err(failed(format!("there is no `{at}` in the recorded profile: see `.subject_at(..)`")));
    }
    let play = bench.play().mint(|mint| {
        if id.is_null() {
            mint.claims.remove("sub");
        } else {
            mint.claim("sub", id.clone());
        }
    });
    Ok(play.first_json(Purpose::Profile, move |reply| set(reply, &at, id.clone())))
}

/// The subject for an identifier; `None` where it is refused.
fn subject(bench: &Bench<'_>, id: Value) -> Result<Option<String>, Not> {
    match with(bench, &id)?.finish().ended {
        Ok(sign_in) => Ok(Some(sign_in.identity.subject)),
        Err(Fault::Error(_)) => Ok(None),
        Err(panicked) => Err(failed(format!("{id}: {panicked}"))),
    }
}

fn shown(subject: &Option<String>) -> &str {
    subject.as_deref().unwrap_or_default()
}

fn each_refused(bench: &Bench<'_>, ids: &[Value], also_null: bool) -> Outcome {
    for id in ids {
        bench.refused(
            with(bench, id)?,
            &format!(
                "an identifier that is {}",
                if id.is_null() { "missing".to_owned() } else { id.to_string() }
            ),
        )?;
    }
    if also_null {
        let at = pointer(bench)?;
        let play =
            bench.play().mint(|mint| mint.claim("sub", Value::Null)).first_json(Purpose::Profile, |reply| {
                if let Some(place) = reply.pointer_mut(at) {
                    *place = Value::Null;
                }
            });
        bench.refused(play, "an identifier that is null")?;
    }
    Ok(())
}

fn differ(bench: &Bench<'_>, ids: &[Value]) -> Outcome {
    let mut before: Vec<(&Value, String)> = Vec::new();
    for id in ids {
        let Some(subject) = subject(bench, id.clone())? else { continue };
        if let Some((other, _)) = before.iter().find(|(_, other)| *other == subject) {
            return Err(failed(format!("{other} and {id} are one subject, `{subject}`")));
        }
        before.push((id, subject));
    }
    Ok(())
}

fn renamed_account(bench: &Bench<'_>) -> Outcome {
    let at = pointer(bench)?;
    let identity = &bench.signed_in()?.identity;
    let shown = [&identity.username, &identity.name, &identity.email, &identity.picture];
    let shown: Vec<_> = shown.into_iter().flatten().map(String::as_str).collect();
    let mut play = bench.play().mint(|mint| {
        for (name, value) in &mut mint.claims {
            if name != "sub" && value.as_str().is_some_and(|text| shown.contains(&text)) {
                *value = Value::from(format!("another-{}", value.as_str().unwrap_or_default()));
            }
        }
    });
    for purpose in PERSON {
        let reply = bench.recorded_json(purpose).unwrap_or_default();
        for place in leaves(&reply) {
            let text = reply.pointer(&place).and_then(Value::as_str).filter(|text| shown.contains(text));
            let Some(text) = text.filter(|_| purpose != Purpose::Profile || place != at) else { continue };
            let other = Value::from(format!("another-{text}"));
            play = play.first_json(purpose, move |reply| set(reply, &place, other.clone()));
        }
    }
    bench.accepted(play, "with another login, name, e-mail address and picture")
}

/// Whatever repeats the identifier, in whichever reply, names the other account too.
fn other_account(bench: &Bench<'_>) -> Outcome {
    let at = pointer(bench)?;
    let recorded = bench.recorded_json(Purpose::Profile).unwrap_or_default();
    let own = match recorded.pointer(at) {
        Some(Value::String(text)) => text.clone(),
        Some(number @ Value::Number(_)) => number.to_string(),
        _ => bench.signed_in()?.identity.subject.clone(),
    };
    let is_number = own.bytes().all(|byte| byte.is_ascii_digit());
    let other = if is_number { "999999937".to_owned() } else { format!("{own}z") };
    let mut play = bench.play().mint(|mint| mint.claim("sub", other.as_str()));
    for purpose in [Purpose::Token, Purpose::Profile, Purpose::Emails, Purpose::Groups] {
        let (from, to) = (own.clone(), other.clone());
        play = play.json(purpose, move |reply| replace(reply, &from, &to));
    }
    let sign_in = play.finish().ended;
    let sign_in = sign_in.map_err(|fault| failed(format!("somebody with another identifier: {fault}")))?;
    let same = sign_in.identity.subject == bench.signed_in()?.identity.subject;
    ensure(!same, || "somebody with another identifier is the same subject".to_owned())
}

fn duplicates(bench: &Bench<'_>) -> Outcome {
    profile(bench)?;
    let at = pointer(bench)?;
    let name = at.rsplit('/').next().unwrap_or_default().to_owned();
    let member = format!("\"{name}\":");
    for other in ["999999937", "\"another\""] {
        let twice = |body: &str| body.replacen(&member, &format!("{member}{other},{member}"), 1);
        let play = super::token::wrapped(bench.play(), Purpose::Profile, twice);
        bench.refused(play, &format!("a second `{name}`"))?;
    }
    Ok(())
}
