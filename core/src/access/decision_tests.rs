//! Which rule fits which request, and what becomes of requests of which too little is known.

use super::*;

fn rules(rules: impl IntoIterator<Item = AccessRule>) -> AccessRules {
    let rules: Vec<_> = rules.into_iter().collect();
    let (rules, faults) = AccessRules::compile(&rules, |id| id == "plain");
    assert!(faults.is_empty(), "{faults:?}");
    rules
}

fn asked<'r>(method: &'r str, host: &str, path: &str) -> Asked<'r> {
    Asked {
        method: canonical::method(method),
        scheme: Some("https"),
        host: canonical::host(host),
        path: canonical::path(path),
        target: None,
    }
}

/// What the rules say about a request, in a word.
fn says(rules: &AccessRules, asked: &Asked<'_>) -> &'static str {
    match rules.decide(asked, None) {
        Ruling::Public { .. } => "public",
        Ruling::SignedIn(_) => "signed in",
        Ruling::Closed(Refusal::ClosedToEverybody, _) => "nobody",
        Ruling::Closed(_, Some(part)) => part,
        Ruling::Closed(..) => "?",
    }
}

fn path_says(pattern: PathPattern, path: &str) -> &'static str {
    says(&rules([AccessRule::public().paths([pattern])]), &asked("GET", "a.example", path))
}

#[test]
fn a_prefix_ends_where_a_segment_does() {
    for (prefix, path, expected) in [
        ("/public", "/public", "public"),
        ("/public", "/public/", "public"),
        ("/public", "/public/a", "public"),
        ("/public", "/publicity", "signed in"),
        ("/public", "/a/public", "signed in"),
        ("/public/", "/public/a", "public"),
        ("/public/", "/public", "signed in"),
        ("/public/", "/PUBLIC/a", "signed in"),
        ("/", "/anything", "public"),
        ("/über/", "/%C3%BCber/x", "public"),
    ] {
        assert_eq!(path_says(PathPattern::prefix(prefix), path), expected, "{prefix} {path}");
    }
    assert_eq!(path_says(PathPattern::exact("/a"), "/a"), "public");
    assert_eq!(path_says(PathPattern::exact("/a"), "/a/"), "signed in");
}

#[test]
fn pc_an_expression_begins_where_the_path_does_in_all_its_alternatives() {
    for (expression, path, expected) in [
        ("^/assets/", "/assets/x", "public"),
        ("^/assets/", "/a/assets/x", "signed in"),
        ("^/assets/.*\\.css$", "/assets/a.css", "public"),
        ("^/assets/.*\\.css$", "/assets/a.css/admin", "signed in"),
        ("^/a$|/b", "/b", "public"),
        ("^/a$|/b", "/admin/b", "signed in"),
        ("(?i)^/a", "/A", "public"),
        ("(?m)^/a", "/x/a", "signed in"),
        ("\\A/a\\z", "/a", "public"),
    ] {
        assert_eq!(path_says(PathPattern::regex(expression), path), expected, "{expression} {path}");
    }
    for odd in ["\\.css$", "/a|^/b", "", "(?i)/a", "^/a)|(?:/b", "^/(", "(?x)^/a # "] {
        let rule = AccessRule::public().paths([PathPattern::regex(odd)]);
        assert_eq!(AccessRules::compile(&[rule], |_| true).1.len(), 1, "{odd}");
    }
}

#[test]
fn gw_18_a_host_is_compared_in_its_one_spelling() {
    let host = |pattern: &str, host: &str| {
        says(&rules([AccessRule::nobody().hosts([pattern])]), &asked("GET", host, "/"))
    };
    for (pattern, written, expected) in [
        ("app.example", "app.example", "nobody"),
        ("app.example", "APP.EXAMPLE", "nobody"),
        ("App.Example.", "app.example.", "nobody"),
        ("app.example", "app.example:443", "nobody"),
        ("app.example", "app.example:8443", "nobody"),
        ("app.example:8443", "app.example:8443", "nobody"),
        ("app.example:8443", "app.example", "signed in"),
        ("app.example:8443", "app.example:9443", "signed in"),
        ("app.example:443", "app.example", "nobody"),
        ("bücher.example", "xn--bcher-kva.example", "nobody"),
        ("*.example", "a.b.example", "nobody"),
        ("*.example", "example", "signed in"),
        ("*.example", "badexample", "signed in"),
        ("app.example", "user@app.example", "its host"),
        ("app.example", "app.example, x", "its host"),
        ("app.example", "app.example:", "its host"),
        ("app.example", "", "its host"),
        ("app.example", "xapp.example", "signed in"),
        ("app.example", "app.example.evil.example", "signed in"),
    ] {
        assert_eq!(host(pattern, written), expected, "{pattern} {written}");
    }
    let no_scheme = Asked { scheme: None, ..asked("GET", "app.example", "/") };
    let with_port = rules([AccessRule::nobody().hosts(["app.example:443"])]);
    assert_eq!(says(&with_port, &no_scheme), "its port");
}

#[test]
fn gw_09_a_rule_for_get_is_met_by_get_alone() {
    let public = rules([AccessRule::public().methods(["GET"])]);
    let closed = rules([AccessRule::nobody().methods(["POST"]), AccessRule::public()]);
    for (method, opened, closes) in [
        ("GET", "public", "public"),
        ("HEAD", "signed in", "public"),
        ("POST", "signed in", "nobody"),
        ("get", "signed in", "its method"),
        ("GeT", "signed in", "its method"),
        ("post", "signed in", "its method"),
        ("FOO", "signed in", "public"),
        ("OPTIONS", "signed in", "public"),
        ("TRACE", "signed in", "public"),
        ("CONNECT", "signed in", "public"),
        ("", "signed in", "its method"),
    ] {
        assert_eq!(says(&public, &asked(method, "a.example", "/")), opened, "{method}");
        assert_eq!(says(&closed, &asked(method, "a.example", "/")), closes, "{method}");
    }
}

#[test]
fn the_first_rule_that_fits_decides_and_all_its_parts_must_fit() {
    let rules = rules([
        AccessRule::nobody().paths([PathPattern::prefix("/a/secret")]),
        AccessRule::public().hosts(["a.example"]).paths([PathPattern::prefix("/a")]).methods(["GET", "HEAD"]),
        AccessRule::public().paths([PathPattern::prefix("/b")]).except_paths([PathPattern::exact("/b/not")]),
        AccessRule::nobody(),
    ]);
    for (method, host, path, expected) in [
        ("GET", "a.example", "/a/secret/x", "nobody"),
        ("GET", "a.example", "/a/x", "public"),
        ("HEAD", "a.example", "/a/x", "public"),
        ("POST", "a.example", "/a/x", "nobody"),
        ("GET", "b.example", "/a/x", "nobody"),
        ("POST", "b.example", "/b/x", "public"),
        ("POST", "b.example", "/b/not", "nobody"),
    ] {
        assert_eq!(says(&rules, &asked(method, host, path)), expected, "{method} {host} {path}");
    }
}

#[test]
fn what_is_not_known_for_sure_opens_nothing_and_closes_what_it_could_be() {
    let public = AccessRule::public().paths([PathPattern::prefix("/public/")]);
    let admin = AccessRule::nobody().paths([PathPattern::prefix("/admin")]);
    let except = AccessRule::public().except_paths([PathPattern::prefix("/admin")]);
    let elsewhere = AccessRule::nobody().hosts(["b.example"]).paths([PathPattern::prefix("/admin")]);
    let unclear = asked("GET", "a.example", "/public/%2e%2e/admin");
    assert_eq!(says(&rules([public.clone()]), &unclear), "signed in");
    assert_eq!(says(&rules([except]), &unclear), "signed in");
    assert_eq!(says(&rules([public.clone(), admin.clone(), AccessRule::public()]), &unclear), "its path");
    assert_eq!(says(&rules([elsewhere, AccessRule::public()]), &unclear), "public", "another host for sure");
    assert_eq!(says(&rules([public, AccessRule::nobody()]), &unclear), "nobody");
    for rule in [
        AccessRule::nobody().hosts(["a.example"]),
        AccessRule::nobody().methods(["GET"]),
        AccessRule::nobody().clients(["10.0.0.0/8"]),
        AccessRule::signed_in(Requirement::new()).paths([PathPattern::prefix("/")]),
        admin,
    ] {
        let said = says(&rules([rule, AccessRule::public()]), &Asked::default());
        assert!(said.starts_with("its "), "{said}");
    }
}

#[test]
fn what_is_wrong_with_a_rule_is_said_with_its_number_and_a_remedy() {
    let none = Vec::<String>::new;
    for rule in [
        AccessRule::public().hosts(none()),
        AccessRule::public().paths([]),
        AccessRule::public().methods(none()),
        AccessRule::public().clients(none()),
        AccessRule::public().hosts(["https://app.example"]),
        AccessRule::public().hosts(["*"]),
        AccessRule::public().methods(["get"]),
        AccessRule::public().clients(["office"]),
        AccessRule::public().paths([PathPattern::prefix("public")]),
        AccessRule::public().paths([PathPattern::prefix("/a/../b")]),
        AccessRule::public().paths([PathPattern::exact("/a?b")]),
        AccessRule::public().except_paths([PathPattern::exact("//")]),
        AccessRule::signed_in(Requirement::new().groups(none())),
        AccessRule::signed_in(Requirement::new().emails(none())),
        AccessRule::signed_in(Requirement::new().emails(["nobody"])),
        AccessRule::signed_in(Requirement::new().email_domains(["a b"])),
        AccessRule::signed_in(Requirement::new().providers(none())),
        AccessRule::signed_in(Requirement::new().providers(["other"])),
        AccessRule::signed_in(Requirement::new().claim("role", none())),
        AccessRule::signed_in(Requirement::new().claim("email", ["a@x"])),
        AccessRule::signed_in(Requirement::new().claim("groups", ["a"])),
    ] {
        let shown = format!("{rule:?}");
        let (_, faults) =
            AccessRules::compile(&[AccessRule::nobody().methods(["PUT"]), rule], |id| id == "plain");
        assert_eq!(faults.len(), 1, "{shown}: {faults:?}");
        assert!(faults[0].0 == 2 && !faults[0].1.1.is_empty(), "{faults:?}");
    }
    let (_, faults) = AccessRules::compile(&[AccessRule::public(), AccessRule::nobody()], |_| true);
    assert!(faults[0].0 == 1 && faults[0].1.0.contains("no rule after it counts"), "{faults:?}");
}
