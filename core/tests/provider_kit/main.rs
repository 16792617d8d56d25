//! The test kit of `vestibule::testkit` tried on providers that are broken in one place each: every row must catch its
//! own, and no other row may.

#![allow(clippy::unwrap_used, reason = "in a test, the panic is the report")]

mod id_token;
mod issuer;
mod messages;
mod page;
mod plain;
mod proof;
mod report;
mod request;

use vestibule::testkit::ProviderKit;

/// Runs the provider that is broken as `row` says, and complains unless that row alone catches it.
fn caught_by_its_row_alone(row: &'static str, failed: &[&'static str]) -> Option<String> {
    (failed != [row]).then(|| format!("{row}: caught by {failed:?}"))
}

#[test]
fn a_sound_provider_passes_every_row() {
    let (plain, openid) = (plain::kit("").run(), issuer::kit("").run());
    plain.assert();
    openid.assert();
    // What is left out with one of the two must be asked of the other.
    let both: Vec<_> =
        plain.not_applicable().into_iter().filter(|row| openid.not_applicable().contains(row)).collect();
    assert!(both.is_empty(), "no provider is asked for {both:?}\n{plain}\n{openid}");
}

#[test]
fn for_each_row_a_broken_provider_is_caught_by_that_row_alone() {
    let openid = issuer::kit("").run();
    let plain = plain::kit("").run();
    let mut wrong = Vec::new();
    for row in ProviderKit::rows() {
        // Rows that a plain provider is not asked are tried on an issuer.
        let of_issuer = plain.not_applicable().contains(&row);
        let report = if of_issuer { issuer::kit(row).run() } else { plain::kit(row).run() };
        wrong.extend(caught_by_its_row_alone(row, &report.failed()));
    }
    assert!(wrong.is_empty(), "{}\n{openid}", wrong.join("\n"));
}
