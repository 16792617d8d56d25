//! What an adapter's browser for tests is made of: cookies, headers, and where redirects lead.

use std::{collections::BTreeMap, ops::Index};

use url::Url;

/// The headers by which a browser shows that it goes to a page from one of the same site.
pub const VISIT_HEADERS: [(&str, &str); 3] =
    [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"), ("sec-fetch-site", "same-origin")];

/// The headers by which a browser shows that one of the site's own scripts asks.
pub const FETCH_HEADERS: [(&str, &str); 3] =
    [("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty"), ("sec-fetch-site", "same-origin")];

/// What a browser sends in its request for `address`: its path and query, whether it is a whole address or not.
pub fn request_target(address: &str) -> String {
    match Url::parse(address) {
        Ok(url) => url[url::Position::BeforePath..url::Position::AfterQuery].to_owned(),
        Err(_) => address.split('#').next().unwrap_or_default().to_owned(),
    }
}

/// Keeps and drops cookies as a browser does that visits one site. It minds neither paths nor the time: a cookie goes
/// when the site takes it away.
///
/// ```
/// use vestibule::testkit::CookieJar;
///
/// let mut jar = CookieJar::default();
/// jar.take(["a=1; Path=/; Max-Age=60", "b=2; Path=/", "a=; Path=/; Max-Age=0; HttpOnly"]);
/// assert_eq!(jar.header().as_deref(), Some("b=2"));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CookieJar(BTreeMap<String, String>);

impl CookieJar {
    /// Does what `Set-Cookie` lines say, one after the other.
    pub fn take<'l>(&mut self, lines: impl IntoIterator<Item = &'l str>) {
        for line in lines {
            let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
            let Some((name, value)) = pair.split_once('=') else { continue };
            let is_gone = attributes.split(';').any(|attribute| attribute.trim() == "Max-Age=0");
            if is_gone {
                self.remove(name);
            } else {
                self.insert(name, value);
            }
        }
    }

    /// Puts a cookie in, or another value into one.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// Takes a cookie out.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// The value of the cookie `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The names of all cookies.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The value of the `Cookie` header; `None` where there are no cookies.
    pub fn header(&self) -> Option<String> {
        let pairs: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

/// The value of the cookie of a name; without one it panics.
impl Index<&str> for CookieJar {
    type Output = String;

    fn index(&self, name: &str) -> &String {
        self.0.get(name).unwrap_or_else(|| panic!("there is no cookie `{name}`"))
    }
}

/// Cookies are not shown: only their names.
impl std::fmt::Debug for CookieJar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
