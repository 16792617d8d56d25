//! Lists that come in pages (RFC 8288).

use http::header;
use url::Url;

use crate::{
    exchange::{HttpResponse, Purpose},
    provider::ProviderError,
};

/// The target of `rel="next"`, read against the page that names it, if `may_go` lets the access token go there.
///
/// # Errors
/// It lies elsewhere, or is no address.
pub fn next(
    purpose: Purpose,
    response: &HttpResponse,
    page: &Url,
    may_go: impl Fn(&Url) -> bool,
) -> Result<Option<Url>, ProviderError> {
    let links = response.headers().get_all(header::LINK).iter().filter_map(|value| value.to_str().ok());
    let Some((target, _)) = links.flat_map(links_of).find(|(_, is_next)| *is_next) else { return Ok(None) };
    // A list that ends here would be taken for the whole of it.
    let elsewhere = ProviderError::Broken { purpose, fault: "its next page lies elsewhere" };
    page.join(target).ok().filter(may_go).ok_or(elsewhere).map(Some)
}

/// Each target, and whether it is the next page.
fn links_of(header: &str) -> impl Iterator<Item = (&str, bool)> {
    header.split('<').skip(1).filter_map(|link| {
        let (target, parameters) = link.split_once('>')?;
        let is_next = parameters.split([';', ',']).any(|parameter| {
            let relation = parameter.trim().strip_prefix("rel=").map(|relation| relation.trim_matches('"'));
            relation.is_some_and(|relation| {
                relation.split(' ').any(|relation| relation.eq_ignore_ascii_case("next"))
            })
        });
        Some((target, is_next))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_among_links() {
        let list = Url::parse("https://api.example/user/teams?per_page=100").unwrap();
        let next = |header: &str| {
            let response = http::Response::builder().header("link", header).body(Vec::new()).unwrap();
            next(Purpose::Groups, &response, &list, |url| url.path() != "/admin")
                .map(|url| url.map(String::from))
        };
        let page = |number| format!("<https://api.example/user/teams?per_page=100&page={number}>");
        let target = Ok(Some("https://api.example/user/teams?per_page=100&page=2".to_owned()));
        assert_eq!(next(&format!("{}; rel=\"next\", {}; rel=\"last\"", page(2), page(9))), target);
        assert_eq!(next(&format!("{}; rel=\"prev\", {}; rel=\"next\"", page(1), page(2))), target);
        assert_eq!(next(&format!("{}; title=\"a, b\"; rel=next", page(2))), target);
        assert_eq!(next("<?per_page=100&page=2>; rel=next"), target);
        assert_eq!(next(&format!("{}; rel=\"last\"", page(2))), Ok(None));
        for none in ["", "<", "rel=\"next\"", "<https://api.example/; rel=\"next\""] {
            assert_eq!(next(none), Ok(None), "{none}");
        }
        for elsewhere in ["</admin>; rel=next", "<https://>; rel=next"] {
            assert!(next(elsewhere).is_err(), "{elsewhere}");
        }
    }
}
