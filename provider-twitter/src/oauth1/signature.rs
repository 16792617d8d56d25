//! What a signature is over, and how it is made (RFC 5849 §3.4).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;
use url::Url;
use vestibule::secret::Secret;

/// Everything but the unreserved characters of RFC 3986 (RFC 5849 §3.6).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as it stands in headers and base strings. Not as in a form: a space is `%20`, and `*` is not itself.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// The signature base string (RFC 5849 §3.4.1) of a request to `url` that carries `parameters` beside those of the
/// address' own query.
pub(crate) fn base_string(method: &str, url: &Url, parameters: &[(&str, &str)]) -> String {
    let own = parameters.iter().map(|(name, value)| (encoded(name), encoded(value)));
    let query = url.query_pairs().map(|(name, value)| (encoded(&name), encoded(&value)));
    let mut pairs: Vec<_> = own.chain(query).collect();
    // By name, then by value, both as they are encoded (RFC 5849 §3.4.1.3.2).
    pairs.sort();
    let pairs: Vec<_> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{}&{}&{}", method.to_ascii_uppercase(), encoded(&base_uri(url)), encoded(&pairs.join("&")))
}

/// The address without query and fragment, and without the port that its scheme has anyway (RFC 5849 §3.4.1.2). Scheme
/// and host are in lower case already.
fn base_uri(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

/// The HMAC-SHA1 of a base string (RFC 5849 §3.4.2). HMAC has no use for what is broken in SHA-1, collisions; X takes
/// no other method.
pub(crate) fn hmac_sha1(
    base_string: &str,
    consumer_secret: &Secret,
    token_secret: Option<&Secret>,
) -> String {
    let token_secret = token_secret.map_or("", Secret::expose);
    let key = Secret::new(format!("{}&{}", encoded(consumer_secret.expose()), encoded(token_secret)));
    let hmac = Hmac::<Sha1>::new_from_slice(key.expose().as_bytes());
    let mut hmac = hmac.expect("HMAC takes a key of any length (RFC 2104 §2)");
    hmac.update(base_string.as_bytes());
    STANDARD.encode(hmac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("the examples are addresses")
    }

    #[test]
    fn the_base_string_is_that_of_rfc_5849_section_3_4_1_1() {
        // Its body has `c2`, and a second `a3` with a space; realm and signature do not count.
        let parameters = [
            ("oauth_consumer_key", "9djdj82h48djs9d2"),
            ("oauth_token", "kkk9d7dh3k39sjv7"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "137131201"),
            ("oauth_nonce", "7d8f3e4a"),
            ("c2", ""),
            ("a3", "2 q"),
        ];
        let url = url("http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b");
        assert_eq!(
            base_string("post", &url, &parameters),
            "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%25\
             40%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method\
             %3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
        );
    }

    #[test]
    fn addresses_are_those_of_rfc_5849_section_3_4_1_2() {
        for (address, expected) in [
            ("http://EXAMPLE.COM:80/r%20v/X?id=123", "http://example.com/r%20v/X"),
            ("https://www.example.net:8080/?q=1", "https://www.example.net:8080/"),
            ("https://example.com", "https://example.com/"),
            ("http://127.0.0.1:443/a#b", "http://127.0.0.1:443/a"),
        ] {
            assert_eq!(base_uri(&url(address)), expected);
        }
    }

    #[test]
    fn texts_are_encoded_as_x_and_rfc_5849_section_3_6_show() {
        for (text, expected) in [
            ("Ladies + Gentlemen", "Ladies%20%2B%20Gentlemen"),
            ("An encoded string!", "An%20encoded%20string%21"),
            ("Dogs, Cats & Mice", "Dogs%2C%20Cats%20%26%20Mice"),
            ("\u{2603}", "%E2%98%83"),
            ("a-Z.0_9~", "a-Z.0_9~"),
            ("*'()", "%2A%27%28%29"),
        ] {
            assert_eq!(encoded(text), expected);
        }
    }

    /// The three requests of RFC 5849 §1.2: of which the last one is to an address with a query.
    #[test]
    fn signatures_are_those_of_rfc_5849_section_1_2() {
        let secret = Secret::new("kd94hf93k423kf44");
        let sign =
            |method, address, timestamp, nonce, more: &[(&'static str, &'static str)], token_secret: &str| {
                let mut parameters = vec![
                    ("oauth_consumer_key", "dpf43f3p2l4k3l03"),
                    ("oauth_signature_method", "HMAC-SHA1"),
                    ("oauth_timestamp", timestamp),
                    ("oauth_nonce", nonce),
                ];
                parameters.extend(more);
                let token_secret = Secret::new(token_secret);
                let token_secret = Some(&token_secret).filter(|secret| !secret.is_empty());
                hmac_sha1(&base_string(method, &url(address), &parameters), &secret, token_secret)
            };
        let callback = [("oauth_callback", "http://printer.example.com/ready")];
        let initiate = "https://photos.example.net/initiate";
        assert_eq!(
            sign("POST", initiate, "137131200", "wIjqoS", &callback, ""),
            "74KNZJeDHnMBp0EMJ9ZHt/XKycU="
        );
        let verifier = [("oauth_token", "hh5s93j4hdidpola"), ("oauth_verifier", "hfdp7dh39dks9884")];
        let token = "https://photos.example.net/token";
        assert_eq!(
            sign("POST", token, "137131201", "walatlh", &verifier, "hdhd0244k9j7ao03"),
            "gKgrFCywp7rO0OXSjdot/IHF7IU="
        );
        let photos = "http://photos.example.net/photos?file=vacation.jpg&size=original";
        let access = [("oauth_token", "nnch734d00sl2jdk")];
        assert_eq!(
            sign("GET", photos, "137131202", "chapoH", &access, "pfkkdhi9sl3r4s00"),
            "MdpQcU8iPSUjWoN/UDMsK2sui9I="
        );
    }

    /// The requests of X's own pages "Creating a signature" and "Log in with X". The second page was signed when X had
    /// another host.
    #[test]
    fn signatures_are_those_of_x() {
        let parameters = |key, nonce, timestamp, more: (&'static str, &'static str)| {
            [
                ("oauth_consumer_key", key),
                ("oauth_nonce", nonce),
                ("oauth_signature_method", "HMAC-SHA1"),
                ("oauth_timestamp", timestamp),
                ("oauth_version", "1.0"),
                more,
            ]
        };
        let update = url("https://api.x.com/1.1/statuses/update.json?include_entities=true");
        let nonce = "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg";
        let status = ("status", "Hello Ladies + Gentlemen, a signed OAuth request!");
        let mut own = parameters("xvz1evFS4wEEPTGEFPHBog", nonce, "1318622958", status).to_vec();
        own.push(("oauth_token", "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb"));
        let secret = Secret::new("kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw");
        let token_secret = Secret::new("LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE");
        let signature = hmac_sha1(&base_string("POST", &update, &own), &secret, Some(&token_secret));
        assert_eq!(signature, "Ls93hJiZbQ3akF3HF3x1Bz8/zU4=");

        let request_token = url("https://api.twitter.com/oauth/request_token");
        let nonce = "ea9ec8429b68d6b77cd5600adbbb0456";
        let callback = ("oauth_callback", "http://localhost/sign-in-with-twitter/");
        let own = parameters("cChZNFj6T5R0TigYB9yd1w", nonce, "1318467427", callback);
        let secret = Secret::new("L8qq9PZyRg6ieKGEKhZolGC0vJWLw8iEJ88DRdyOg");
        let signature = hmac_sha1(&base_string("POST", &request_token, &own), &secret, None);
        assert_eq!(signature, "F1Li3tvehgcraF8DMJ7OyxO4w9Y=");
    }
}
