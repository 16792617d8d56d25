//! `docs/provider-test-kit.md` is drawn from the rows; set `UPDATE_DOCS=1` to draw it anew.

use std::collections::HashSet;

use vestibule::testkit::ProviderKit;

#[test]
fn the_page_of_the_kit_is_its_rows() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/provider-test-kit.md");
    let drawn = ProviderKit::documentation();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &drawn).unwrap();
    }
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        page == drawn,
        "docs/provider-test-kit.md is not what the rows say: run UPDATE_DOCS=1 cargo test -p vestibule --test provider_kit"
    );
}

#[test]
fn names_are_unique_and_sentences_are_whole() {
    let rows = ProviderKit::rows();
    assert_eq!(rows.iter().collect::<HashSet<_>>().len(), rows.len());
    let page = ProviderKit::documentation();
    for row in rows {
        let line = page.lines().find(|line| line.starts_with(&format!("| `{row}` |"))).unwrap();
        let cells: Vec<_> = line.trim_matches('|').split(" | ").collect();
        let [_, about, remedy] = cells.as_slice() else { panic!("{line}") };
        assert!(about.trim_end().ends_with('.') && !remedy.trim_end().ends_with('.'), "{line}");
    }
}
