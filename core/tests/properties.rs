//! Whatever the bytes: nothing panics, and nothing gets in that was not sealed here.

mod world;

use proptest::prelude::*;
use vestibule::request::PlainHead;
use world::{Browser, World};

fn nasty() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        &b"__Host-vestibule="[..],
        b"__Host-vestibule_try_",
        b"=",
        b";",
        b" ",
        b"\"",
        b"\\",
        b"%",
        b"%00",
        b"&",
        b"code=",
        b"state=",
        b"iss=",
        b"error=",
        b"?",
        b"/",
        b"//",
        b"\xff",
        b"\x00",
        b"\r\n",
        b"A",
        b"AQID",
        b",",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

proptest! {
    #[test]
    fn no_cookie_header_gets_in_or_breaks_anything(one in nasty(), two in nasty(), prefix in 0..40_usize) {
        let mut world = World::new();
        let mut browser = Browser::default();
        browser.sign_in(&mut world, "/");
        let sealed = &browser.jar["__Host-vestibule"];
        let cut = format!("; __Host-vestibule={}", &sealed[..prefix]);
        for path in ["/oauth2/auth", "/oauth2/sign_in", "/oauth2/callback?code=a&state=b", "/oauth2/sign_out"] {
            let head = PlainHead::navigation(path).with("cookie", one.clone()).with("cookie", [two.as_slice(), cut.as_bytes()].concat());
            let response = world.handle(head).response;
            prop_assert!(response.status != 202 && response.status < 500, "{path}: {response:?}");
        }
    }

    #[test]
    fn no_callback_signs_anybody_in_that_no_attempt_is_answered_by(query in nasty()) {
        let mut world = World::new();
        let mut browser = Browser::default();
        browser.begin(&mut world, "/");
        let response = browser.visit(&mut world, &format!("/oauth2/callback?{}", text(&query)));
        prop_assert_eq!(response.status, 400);
        prop_assert!(world.asked.is_empty() && !browser.is_signed_in(&world));
    }

    #[test]
    fn ck_19_no_input_becomes_part_of_a_header(target in nasty(), header in nasty()) {
        let mut world = World::new();
        let rd = url::form_urlencoded::byte_serialize(&target).collect::<String>();
        for head in [
            PlainHead::navigation(&format!("/oauth2/sign_in?rd={rd}")),
            PlainHead::navigation("/oauth2/auth").with("x-auth-request-redirect", header.clone()),
            PlainHead::navigation(&format!("/oauth2/sign_out?rd={rd}")),
        ] {
            let response = world.handle(head).response;
            for (name, value) in &response.headers {
                prop_assert!(value.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{}: {:?}", name, value);
            }
            if let Some(location) = response.get("location") {
                let origin = url::Url::parse(location).unwrap().origin().ascii_serialization();
                prop_assert!(["https://app.example", "https://plain.example"].contains(&origin.as_str()), "{}", location);
            }
        }
    }
}
