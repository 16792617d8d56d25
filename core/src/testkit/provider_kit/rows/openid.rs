//! What ties an ID token to this sign-in, and userinfo to the ID token.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    Row,
    id_token::{each, minted, openid},
    profile::profile,
    row,
};
use crate::{
    exchange::Purpose,
    testkit::provider_kit::{
        bench::{Bench, Outcome, attempt, ensure, left_out, values},
        change::set,
    },
};

pub(super) const ROWS: &[Row] = &[
    row(
        "rp_00b_scope_openid",
        "The authorization request asks for `openid`.",
        "always ask for it",
        |bench| {
            openid(bench)?;
            let query = bench.query()?;
            let asked =
                values(&query, "scope").iter().any(|scope| scope.split(' ').any(|scope| scope == "openid"));
            ensure(asked, || "`scope` is without it".to_owned())
        },
    ),
    row(
        "se_07_nonce_sent",
        "The authorization request carries the attempt's nonce, to the letter.",
        "send `request.nonce`",
        |bench| {
            openid(bench)?;
            let query = bench.query()?;
            let sent = values(&query, "nonce") == [attempt(1).nonce.expose()];
            ensure(sent, || "`nonce` is not there, or another".to_owned())
        },
    ),
    row(
        "jt_32_nonce",
        "A token with another sign-in's nonce, or with none, is refused (CVE-2020-26244).",
        "compare `nonce` with `answered.nonce`",
        |bench| {
            openid(bench)?;
            let own = attempt(1).nonce;
            let others = [
                json!(format!("{}1", own.expose())),
                json!(attempt(2).nonce.expose()),
                json!(""),
                json!([own.expose()]),
                Value::Null,
            ];
            for other in others {
                each(bench, &format!("`nonce`: {other}"), |mint| mint.claim("nonce", other.clone()))?;
            }
            each(bench, "no `nonce`", |mint| drop(mint.claims.remove("nonce")))
        },
    ),
    row(
        "jt_33_max_age",
        "Where `max_age` was asked for, the token must say that the person signed in so recently.",
        "require `auth_time`, and compare it with `answered.max_age`",
        |bench| {
            openid(bench)?;
            let now = bench.kit.now.unix();
            for auth_time in [Value::Null, json!(now - 60 - 61), json!(now + 3_600), json!("now")] {
                let play = minted(bench, |mint| {
                    mint.claims.remove("auth_time");
                    if !auth_time.is_null() {
                        mint.claim("auth_time", auth_time.clone());
                    }
                });
                bench.refused(play.max_age(60), &format!("`max_age` is 60 and `auth_time` {auth_time}"))?;
            }
            bench.accepted(
                minted(bench, |mint| mint.claim("auth_time", now - 30)).max_age(60),
                "30 seconds ago",
            )
        },
    ),
    row(
        "jt_31_access_token_hash",
        "An `at_hash` that is not that of the access token is refused (OpenID Connect Core §3.1.3.8).",
        "compare it where it is there; refuse it where it cannot be compared",
        access_token_hash,
    ),
    row(
        "userinfo_after_proof",
        "Until the ID token is proven, its nonce included, no token is used (RFC 9700 §4.5.3.2).",
        "ask for userinfo last",
        |bench| {
            openid(bench)?;
            profile(bench)?;
            let ran = minted(bench, |mint| mint.claim("nonce", "another")).finish();
            ensure(ran.asked(Purpose::Profile).next().is_none(), || {
                "userinfo is asked with another's ID token".to_owned()
            })
        },
    ),
    row(
        "se_35_userinfo_other_subject",
        "Userinfo about somebody else than the ID token is refused, in whatever its `sub` differs.",
        "compare `sub` of the two, byte by byte",
        |bench| {
            openid(bench)?;
            profile(bench)?;
            let own = bench.signed_in()?.identity.subject.clone();
            for other in
                [format!("{own}invalid"), format!("{own} "), String::new(), own[..own.len() - 1].to_owned()]
            {
                let play =
                    bench.play().json(Purpose::Profile, |reply| set(reply, "/sub", other.clone().into()));
                bench.refused(play, &format!("`sub`: {other:?}"))?;
            }
            Ok(())
        },
    ),
    row(
        "se_36_address_and_flag_of_one_source",
        "A flag of userinfo verifies userinfo's address, never another one that stands in the ID token.",
        "take address and flag from the same of the two",
        |bench| {
            openid(bench)?;
            profile(bench)?;
            let own = "unproven@example.com";
            let play = minted(bench, |mint| {
                mint.claim("email", own);
                mint.claims.remove("email_verified");
            });
            let play = play.json(Purpose::Profile, |reply| {
                set(reply, "/email", "proven@example.com".into());
                set(reply, "/email_verified", true.into());
            });
            let Ok(sign_in) = play.finish().ended else { return Ok(()) };
            let identity = sign_in.identity;
            let mixed = identity.email_verified && identity.email.as_deref() == Some(own);
            ensure(!mixed, || "userinfo's flag verifies the ID token's address".to_owned())
        },
    ),
    row(
        "se_35_userinfo_without_subject",
        "Userinfo that does not say about whom it is, is refused.",
        "require `sub` in userinfo",
        |bench| {
            openid(bench)?;
            profile(bench)?;
            for other in [Value::Null, json!(7), json!({})] {
                let play = bench.play().json(Purpose::Profile, |reply| set(reply, "/sub", other.clone()));
                bench.refused(play, &format!("`sub`: {other}"))?;
            }
            Ok(())
        },
    ),
];

fn access_token_hash(bench: &Bench<'_>) -> Outcome {
    if !openid(bench)?.algorithm.ends_with("256") {
        return Err(left_out("the kit knows the hash of algorithms with SHA-256 only"));
    }
    let token = bench.signed_in()?.tokens.access_token.expose();
    let hash = Sha256::digest(token.as_bytes());
    let right = URL_SAFE_NO_PAD.encode(&hash[..16]);
    bench.accepted(
        minted(bench, |mint| mint.claim("at_hash", right.as_str())),
        "the access token's `at_hash`",
    )?;
    let wrong = [
        json!(URL_SAFE_NO_PAD.encode(&hash[16..])),
        json!(URL_SAFE_NO_PAD.encode(hash)),
        json!(right[..8]),
        json!(""),
        json!(7),
    ];
    wrong.into_iter().try_for_each(|other| {
        each(bench, &format!("`at_hash`: {other}"), |mint| mint.claim("at_hash", other.clone()))
    })
}
