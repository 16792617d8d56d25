//! Signing test people in is for tests: no crate that anybody runs turns the feature `testkit` on.
//!
//! It could open nothing, since whatever it makes needs the site's keys. It does not belong there all the same.

/// Crates that are nothing but tests.
const TESTS: [&str; 3] = ["conformance/Cargo.toml", "fuzzing/Cargo.toml", "simulation/Cargo.toml"];

const FEATURE: &str = "testkit";

/// What is wrong with one manifest. The feature may stand among the dependencies of tests, and a crate may have a
/// feature of that name that turns on those of its dependencies; nothing else turns it on.
pub(crate) fn turned_on(name: &str, text: &str) -> Vec<String> {
    if !name.ends_with("Cargo.toml") || TESTS.contains(&name) {
        return Vec::new();
    }
    let (mut section, mut key) = ("", "");
    let mut problems = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let code = line.split('#').next().unwrap_or_default().trim();
        if code.starts_with('[') && code.ends_with(']') && !code.starts_with("[\"") {
            (section, key) = (code.trim_matches(['[', ']']), "");
            continue;
        }
        if let Some((said, _)) = code.split_once('=') {
            key = said.trim();
        }
        let is_for_tests = section.split('.').any(|part| part == "dev-dependencies");
        let is_passed_on = section == "features" && key == FEATURE;
        if code.contains(FEATURE) && !is_for_tests && !is_passed_on {
            let instead = "it is for tests: ask for it in [dev-dependencies]";
            problems.push(format!("{name}:{number}: `{FEATURE}` is turned on; {instead}"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> usize {
        turned_on("gateway/Cargo.toml", text).len()
    }

    #[test]
    fn the_kit_is_turned_on_for_tests_only() {
        for bad in [
            "[dependencies]\nvestibule = { workspace = true, features = [\"testkit\"] }",
            "[dependencies.vestibule-axum]\nfeatures = [\n  \"json\",\n  \"testkit\",\n]",
            "[features]\ntestkit = []\ndefault = [\"testkit\"]",
            "[features]\nfull = [\n  \"vestibule/testkit\",\n]",
            "[build-dependencies]\nvestibule = { path = \".\", features = [\"testkit\"] }",
            "[target.\"cfg(unix)\".dependencies]\nvestibule = { features = [\"testkit\"] }",
            "[workspace.dependencies]\nvestibule = { path = \"core\", features = [\"testkit\"] }",
        ] {
            assert_eq!(problems(bad), 1, "{bad}");
        }
        for good in [
            "[dev-dependencies]\nvestibule = { workspace = true, features = [\"testkit\"] }",
            "[target.'cfg(unix)'.dev-dependencies]\nvestibule = { features = [\"testkit\"] }",
            "[features]\n# The testkit.\ntestkit = [\n  \"dep:tokio\",\n  \"vestibule/testkit\",\n]",
            "[dependencies]\nvestibule = { workspace = true } # without testkit",
        ] {
            assert_eq!(problems(good), 0, "{good}");
        }
        assert!(turned_on("core/src/lib.rs", "[dependencies] testkit").is_empty());
    }
}
