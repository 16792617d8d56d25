//! `docs/oauth2-proxy-options.md` is drawn from the rows; set `UPDATE_DOCS=1` to draw it anew.

#[test]
fn the_page_of_options_is_the_rows() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/oauth2-proxy-options.md");
    let drawn = vestibule_settings::documentation();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &drawn).unwrap();
    }
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        page == drawn,
        "docs/oauth2-proxy-options.md is not what the rows say: run UPDATE_DOCS=1 cargo test -p vestibule-settings \
         --test documentation"
    );
}
