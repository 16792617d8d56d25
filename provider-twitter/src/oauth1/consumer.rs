//! The client, and the requests that it signs (RFC 5849 §3.1 and §3.5.1).

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderValue, Method, header::AUTHORIZATION};
use sha2::Sha256;
use url::Url;
use vestibule::{exchange::HttpRequest, secret::Secret, time::Timestamp};

use super::{
    Credentials,
    signature::{base_string, encoded, hmac_sha1},
};

/// The client as registered (RFC 5849 §1.1 calls its identifier and secret "client credentials").
pub(crate) struct Consumer {
    key: String,
    secret: Secret,
}

/// When a request is signed, and what its nonce is derived from: a secret that nobody else has, and that serves for
/// requests of one sign-in or one token only.
pub(crate) struct Moment<'m> {
    pub(crate) now: Timestamp,
    pub(crate) secret: &'m str,
}

impl Consumer {
    pub(crate) fn new(key: impl Into<String>, secret: Secret) -> Self {
        Self { key: key.into(), secret }
    }

    /// A request without a body, signed, with everything that the protocol adds in its `Authorization` header. What
    /// stands in the address' query is signed with it; `more` are parameters of the protocol such as `oauth_callback`.
    pub(crate) fn request(
        &self,
        method: Method,
        url: &Url,
        credentials: Option<&Credentials>,
        more: &[(&str, &str)],
        moment: &Moment<'_>,
    ) -> HttpRequest {
        let timestamp = moment.now.unix().to_string();
        let mut parameters = vec![
            ("oauth_consumer_key", self.key.as_str()),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", &timestamp),
            ("oauth_version", "1.0"),
        ];
        parameters.extend(credentials.map(|credentials| ("oauth_token", credentials.token.expose())));
        parameters.extend(more);
        let nonce = nonce(&base_string(method.as_str(), url, &parameters), moment.secret);
        parameters.push(("oauth_nonce", &nonce));
        let base_string = base_string(method.as_str(), url, &parameters);
        let token_secret = credentials.map(|credentials| &credentials.secret);
        let signature = hmac_sha1(&base_string, &self.secret, token_secret);
        parameters.push(("oauth_signature", &signature));
        let mut request = HttpRequest::new(Vec::new());
        *request.method_mut() = method;
        *request.uri_mut() = url.as_str().parse().expect("an address with a host is one that can be asked");
        request.headers_mut().insert(AUTHORIZATION, authorization(&parameters));
        request
    }
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").field("key", &self.key).finish_non_exhaustive()
    }
}

/// A nonce out of what is about to be signed: two requests with one nonce would be one request (RFC 5849 §3.3), sent
/// twice within a second for one sign-in. Nobody can foretell it who does not have the secret.
fn nonce(unsigned: &str, secret: &str) -> String {
    let hmac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
    let mut hmac = hmac.expect("HMAC takes a key of any length (RFC 2104 §2)");
    hmac.update(unsigned.as_bytes());
    hmac.finalize().into_bytes().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn authorization(parameters: &[(&str, &str)]) -> HeaderValue {
    let pairs: Vec<_> =
        parameters.iter().map(|(name, value)| format!("{name}=\"{}\"", encoded(value))).collect();
    let header = HeaderValue::from_str(&format!("OAuth {}", pairs.join(", ")));
    let mut header = header.expect("whatever is percent-encoded can stand in a header");
    header.set_sensitive(true);
    header
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_318_622_958);

    fn consumer() -> Consumer {
        Consumer::new("key", Secret::new("secret"))
    }

    fn url(path: &str) -> Url {
        Url::parse(&format!("https://op.example/{path}")).expect("a path")
    }

    /// The parameters of an `Authorization` header, decoded.
    fn parameters(request: &HttpRequest) -> BTreeMap<String, String> {
        let header = request.headers()[AUTHORIZATION].to_str().expect("visible ASCII");
        let pairs = header.strip_prefix("OAuth ").expect("the scheme").split(", ");
        pairs
            .map(|pair| {
                let (name, value) = pair.split_once('=').expect("a pair");
                let value = value.trim_matches('"');
                let value = percent_encoding::percent_decode_str(value).decode_utf8().expect("UTF-8");
                (name.to_owned(), value.into_owned())
            })
            .collect()
    }

    #[test]
    fn everything_that_is_signed_is_sent_and_nothing_else() {
        let credentials = Credentials::new("to ken", "token secret");
        let moment = Moment { now: NOW, secret: "attempt" };
        let more = [("oauth_verifier", "v/1")];
        let request =
            consumer().request(Method::POST, &url("access?a=b"), Some(&credentials), &more, &moment);
        let mut sent = parameters(&request);
        let signature = sent.remove("oauth_signature").expect("a signature");
        let names: Vec<_> = sent.keys().map(String::as_str).collect();
        let expected = [
            "oauth_consumer_key",
            "oauth_nonce",
            "oauth_signature_method",
            "oauth_timestamp",
            "oauth_token",
            "oauth_verifier",
            "oauth_version",
        ];
        assert_eq!(names, expected);
        assert_eq!(sent["oauth_timestamp"], "1318622958");
        let pairs: Vec<_> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let base_string = base_string("POST", &url("access?a=b"), &pairs);
        let expected = hmac_sha1(&base_string, &Secret::new("secret"), Some(&Secret::new("token secret")));
        assert_eq!(signature, expected);
        assert!(request.headers()[AUTHORIZATION].is_sensitive());
        assert_eq!((request.uri().path(), request.body().len()), ("/access", 0));
    }

    #[test]
    fn a_nonce_belongs_to_one_request_of_one_moment_and_cannot_be_foretold() {
        let nonce = |path: &str, token: Option<&str>, now: i64, secret: &str| {
            let moment = Moment { now: Timestamp::from_unix(now), secret };
            let credentials = token.map(|token| Credentials::new(token, "s"));
            let request = consumer().request(Method::POST, &url(path), credentials.as_ref(), &[], &moment);
            parameters(&request).remove("oauth_nonce").expect("a nonce")
        };
        let all = [
            nonce("a", None, 1, "one"),
            nonce("b", None, 1, "one"),
            nonce("a?b", None, 1, "one"),
            nonce("a", Some("t"), 1, "one"),
            nonce("a", Some("u"), 1, "one"),
            nonce("a", None, 2, "one"),
            nonce("a", None, 1, "two"),
        ];
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        assert!(all.iter().all(|nonce| nonce.len() == 32), "128 bits, in letters and digits");
        assert_eq!(all[0], nonce("a", None, 1, "one"), "a run can be replayed");
    }

    #[test]
    fn lk_02_debug_shows_no_secret() {
        let shown = format!("{:?} {:?}", consumer(), Credentials::new("canary-token", "canary-secret"));
        assert!(!shown.contains("canary") && !shown.contains("\"secret\""), "{shown}");
    }
}
