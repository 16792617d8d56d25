//! `docs/refusals.md` is drawn from the list; set `UPDATE_DOCS=1` to draw it anew.

#[test]
fn the_page_of_refusals_is_the_list() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/refusals.md");
    let drawn = vestibule::refusal::documentation();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &drawn).unwrap();
    }
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        page == drawn,
        "docs/refusals.md is not what the list says: run UPDATE_DOCS=1 cargo test -p vestibule --test refusals"
    );
}
