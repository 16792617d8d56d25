//! Where the browser goes to end the issuer's own session (OpenID Connect RP-Initiated Logout §2).

use url::Url;

/// Bytes of an ID token that may stand in an address as `id_token_hint`; servers take request lines of some 8 KB.
/// Without it the issuer goes by the client id, and may ask the person.
const HINT_BYTES_MAX: usize = 6 * 1_024;

/// `endpoint` with what it needs added to the query that it has.
pub(crate) fn location(
    mut endpoint: Url,
    client_id: &str,
    back_to: &Url,
    id_token: Option<&str>,
    state: Option<&str>,
) -> Url {
    let mut query = endpoint.query_pairs_mut();
    if let Some(hint) = id_token.filter(|hint| hint.len() <= HINT_BYTES_MAX) {
        query.append_pair("id_token_hint", hint);
    }
    query.append_pair("client_id", client_id);
    query.append_pair("post_logout_redirect_uri", back_to.as_str());
    if let Some(state) = state {
        query.append_pair("state", state);
    }
    drop(query);
    endpoint
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(endpoint: &str, id_token: Option<&str>, state: Option<&str>) -> String {
        let back_to = Url::parse("https://app.example/bye?x=1").unwrap();
        location(Url::parse(endpoint).unwrap(), "the client", &back_to, id_token, state).into()
    }

    #[test]
    fn hint_client_target_and_state_are_added_to_the_query_that_is_there() {
        let whole = "https://op.example/end?tenant=7&id_token_hint=a.b.c&client_id=the+client\
                     &post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye%3Fx%3D1&state=s";
        assert_eq!(at("https://op.example/end?tenant=7", Some("a.b.c"), Some("s")), whole);
    }

    #[test]
    fn a_hint_that_no_server_takes_is_left_out() {
        let without = at("https://op.example/end", None, None);
        assert_eq!(at("https://op.example/end", Some(&"x".repeat(HINT_BYTES_MAX + 1)), None), without);
        assert_ne!(at("https://op.example/end", Some(&"x".repeat(HINT_BYTES_MAX)), None), without);
    }
}
