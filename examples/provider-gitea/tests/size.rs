//! What the plugin takes: one dependency, and forty lines.

/// The names in one table of the manifest.
fn names_in(table: &str) -> Vec<&'static str> {
    let manifest = include_str!("../Cargo.toml");
    let lines = manifest.lines().skip_while(|line| *line != table).skip(1);
    let entries = lines.take_while(|line| !line.starts_with('['));
    entries.filter_map(|line| line.split_once('=').map(|(name, _)| name.trim())).collect()
}

#[test]
fn it_depends_on_vestibule_alone() {
    assert_eq!(names_in("[dependencies]"), ["vestibule"]);
    assert_eq!(names_in("[dev-dependencies]"), ["vestibule"]);
    let other_tables = include_str!("../Cargo.toml").lines().filter(|line| line.contains("dependencies"));
    assert_eq!(
        other_tables.count(),
        2,
        "no dependencies elsewhere, such as those of a target or a build script"
    );
}

#[test]
fn it_has_at_most_forty_lines_of_code() {
    let lines = include_str!("../src/lib.rs").lines().map(str::trim);
    let code: Vec<_> = lines.filter(|line| !line.is_empty() && !line.starts_with("//")).collect();
    assert!(code.len() <= 40, "{} lines: {code:#?}", code.len());
    assert!(code.contains(&"impl OAuth2 for Gitea {"), "and it is all of it");
}

#[test]
fn the_readme_of_the_project_shows_this_very_code() {
    let (_, code) = include_str!("../src/lib.rs").split_once("\n\n").expect("the first line is the README's");
    let shown = include_str!("../../../README.md");
    assert!(shown.contains(code.trim_end()), "copy src/lib.rs into the README");
    let lines = code.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
    // The attribute in the first line counts too.
    let count = lines.count() + 1;
    assert!(shown.contains(&format!("{count} lines of code")));
    assert!(include_str!("../../../docs/provider-guide.md").contains(&format!("in {count} lines")));
}
