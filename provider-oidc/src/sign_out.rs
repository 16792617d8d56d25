//! Where the browser goes to end the issuer's own session (OpenID Connect RP-Initiated Logout §2).

use url::Url;

/// Bytes of the whole address: servers take request lines of some 8 KiB. One that would be longer goes without the ID
/// token; the issuer then goes by the client id, and may ask the person.
const LOCATION_BYTES_MAX: usize = 7 * 1_024;

/// `endpoint` with what it needs added to the query that it has.
pub(crate) fn location(
    endpoint: &Url,
    client_id: &str,
    back_to: &Url,
    id_token: Option<&str>,
    state: Option<&str>,
) -> Url {
    let with = |id_token: Option<&str>| {
        let mut location = endpoint.clone();
        let mut query = location.query_pairs_mut();
        if let Some(hint) = id_token {
            query.append_pair("id_token_hint", hint);
        }
        query.append_pair("client_id", client_id);
        query.append_pair("post_logout_redirect_uri", back_to.as_str());
        if let Some(state) = state {
            query.append_pair("state", state);
        }
        drop(query);
        location
    };
    let location = with(id_token);
    if location.as_str().len() > LOCATION_BYTES_MAX { with(None) } else { location }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(endpoint: &str, id_token: Option<&str>, state: Option<&str>) -> String {
        let back_to = Url::parse("https://app.example/bye?x=1").unwrap();
        location(&Url::parse(endpoint).unwrap(), "the client", &back_to, id_token, state).into()
    }

    #[test]
    fn hint_client_target_and_state_are_added_to_the_query_that_is_there() {
        let whole = "https://op.example/end?tenant=7&id_token_hint=a.b.c&client_id=the+client\
                     &post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye%3Fx%3D1&state=s";
        assert_eq!(at("https://op.example/end?tenant=7", Some("a.b.c"), Some("s")), whole);
    }

    #[test]
    fn lo_03_a_hint_that_no_server_takes_is_left_out() {
        let without = at("https://op.example/end", None, None);
        let room = LOCATION_BYTES_MAX - at("https://op.example/end", Some(""), None).len();
        assert_eq!(at("https://op.example/end", Some(&"x".repeat(room + 1)), None), without);
        assert_eq!(at("https://op.example/end", Some(&"x".repeat(room)), None).len(), LOCATION_BYTES_MAX);
        // It is the whole that counts, whatever it is long by.
        let long = format!("https://op.example/end?x={}", "x".repeat(LOCATION_BYTES_MAX));
        assert_eq!(at(&long, Some("a.b.c"), None), at(&long, None, None));
    }
}
