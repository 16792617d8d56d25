//! A run from the browser's request to its session cookie, printed without a secret and replayed bit for bit.

mod world;

use vestibule::{request::PlainHead, transcript::Transcript};
use world::{Browser, SECRET, World};

fn callback(world: &mut World) -> (Transcript, Vec<String>) {
    let mut browser = Browser::default();
    let asked = browser.begin(world, "/deep?private=canary-query");
    let head = browser.with_cookies(PlainHead::navigation(&asked.callback("code=canary-code")));
    let transcript = world.record(head, b"");
    let mut secrets: Vec<_> = browser.jar.into_values().collect();
    secrets.extend(
        ["canary-code", "canary-access-token", "canary-client-secret", "canary-query", SECRET]
            .map(str::to_owned),
    );
    secrets.push(asked.parameter("state"));
    secrets.extend(transcript.outcome.response.set_cookies().filter_map(|line| {
        Some(line.split_once('=')?.1.split(';').next()?.to_owned()).filter(|value| !value.is_empty())
    }));
    (transcript, secrets)
}

#[test]
fn a_run_comes_out_the_same_from_its_inputs_and_seed_to_the_last_byte() {
    let mut world = World::new();
    let (mut transcript, _) = callback(&mut world);
    let session_cookie = transcript.outcome.response.set_cookies().next().unwrap().to_owned();
    assert!(session_cookie.starts_with("__Host-vestibule="));
    assert_eq!(transcript.replay(&world.vestibule), Ok(()));
    transcript.inputs.seed[0] ^= 1;
    assert_eq!(
        transcript.replay(&world.vestibule),
        Err(4),
        "another seed makes another cookie, and nothing else"
    );
}

#[test]
fn lk_02_a_printed_run_shows_its_course_and_no_secret() {
    let mut world = World::new();
    let (transcript, secrets) = callback(&mut world);
    let printed = format!("{transcript}\n{transcript:?}\n{:?}", transcript.outcome);
    for secret in secrets {
        assert!(!printed.contains(&secret), "{secret} in {printed}");
    }
    let expected = "\
1800000000  > GET /oauth2/callback?code=[..]&state=[..], 0 bytes
            ? claim the attempt until 1800007800
1800000000  ! First
            ? token: POST plain.example/token, 163 bytes
1800000000  ! 200 OK, 60 bytes
            ? profile: GET plain.example/user, 0 bytes
1800000000  ! 200 OK, 94 bytes
            ? decide about Identity { issuer: \"https://plain.example\", subject: \"7\", .. }
1800000000  ! Allow(None)
            < 303
              cache-control: no-store
              location: https://app.example/deep?[..]
              referrer-policy: no-referrer
              set-cookie: __Host-vestibule=[sealed]; Path=/; Max-Age=604800; HttpOnly; SameSite=Lax; Secure
              set-cookie: __Host-vestibule_rounds=[sealed]; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure
              set-cookie: __Host-vestibule_try_";
    assert!(transcript.to_string().starts_with(expected), "{transcript}");
}
