//! The cookies of one browser.

use std::collections::BTreeMap;

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
#[derive(Clone, Default)]
pub struct CookieJar(BTreeMap<String, String>);

impl CookieJar {
    /// Does what `Set-Cookie` lines say, one after the other.
    pub fn take<'l>(&mut self, lines: impl IntoIterator<Item = &'l str>) {
        for line in lines {
            let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
            let Some((name, value)) = pair.split_once('=') else { continue };
            let is_gone = attributes.split(';').any(|attribute| attribute.trim() == "Max-Age=0");
            if is_gone {
                self.0.remove(name);
            } else {
                self.put(name, value);
            }
        }
    }

    /// Puts a cookie in.
    pub fn put(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// The value of the cookie `name`.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The names of all cookies.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The value of the `Cookie` header; `None` where there are no cookies.
    pub fn header(&self) -> Option<String> {
        let pairs: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

/// Cookies are not shown: only their names.
impl std::fmt::Debug for CookieJar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
