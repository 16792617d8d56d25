//! The request that a browser sends when somebody goes to a page.

/// The headers of a navigation by Chrome, `Host` and `Cookie` not among them; with both they are eighteen.
pub const HEADERS: [(&str, &str); 16] = [
    ("cache-control", "max-age=0"),
    ("sec-ch-ua", "\"Chromium\";v=\"140\", \"Not=A?Brand\";v=\"24\", \"Google Chrome\";v=\"140\""),
    ("sec-ch-ua-mobile", "?0"),
    ("sec-ch-ua-platform", "\"Linux\""),
    ("dnt", "1"),
    ("upgrade-insecure-requests", "1"),
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    ),
    (
        "accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
    ),
    ("sec-fetch-site", "same-origin"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-user", "?1"),
    ("sec-fetch-dest", "document"),
    ("referer", "https://app.example.com/projects/42/board?view=week"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("accept-language", "en-GB,en;q=0.9,de;q=0.8"),
    ("priority", "u=0, i"),
];

/// What sites have in cookies beside a session: two of a statistics service's, and a preference.
pub const OTHER_COOKIES: &str = "_ga=GA1.1.1234567890.1759000000; _ga_ABCDEF1234=GS2.1.s1759000000$o3$g1$t1759000100$j60$l0$h0; theme=dark";

/// The whole request, as it goes over the wire.
pub fn written(authority: &str, target: &str, cookies: &str) -> Vec<u8> {
    let own = [("host", authority)].into_iter().chain(HEADERS).chain([("cookie", cookies)]);
    let lines: String = own.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("GET {target} HTTP/1.1\r\n{lines}\r\n").into_bytes()
}

/// A `Cookie` header of `own` and that many cookies of somebody else's, half of them before it.
pub fn cookies_beside(own: &str, others: usize) -> String {
    let other = |number: usize| format!("other_{number}=0123456789abcdef");
    let before = (0..others / 2).map(other);
    let after = (others / 2..others).map(other);
    before.chain([own.to_owned()]).chain(after).collect::<Vec<_>>().join("; ")
}
