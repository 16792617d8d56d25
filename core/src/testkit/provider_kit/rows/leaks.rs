//! What was printed and logged while all other rows ran.

use super::{Row, row};
use crate::testkit::provider_kit::bench::{Bench, Outcome, ensure, left_out};

pub(super) const ROWS: &[Row] = &[
    row(
        "lk_02_errors",
        "No error, and no `Debug` of what the provider returns, shows a code, verifier, token or secret.",
        "say in words of your own what is wrong; put nothing into `fault` that came from outside",
        |bench| {
            let printed = bench.printed.borrow().join("\n");
            shows_nothing(bench, &printed)
        },
    ),
    row(
        "lk_02_debug",
        "The provider's own `Debug` does not show the client's secret.",
        "keep it as `secret::Secret`",
        |bench| {
            let printed = bench.kit.printed.as_ref();
            let printed = printed.ok_or_else(|| {
                left_out("give the kit `.printed(format!(\"{provider:?}\"))` to have it looked at")
            })?;
            shows_nothing(bench, printed)
        },
    ),
    row(
        "lk_01_log",
        "Nothing that is logged through `tracing`, at any level, shows a code, verifier, token or secret.",
        "log what was asked and what went wrong, never with what",
        |bench| {
            let logged = bench.logged.borrow().clone();
            shows_nothing(bench, &logged)
        },
    ),
];

fn shows_nothing(bench: &Bench<'_>, text: &str) -> Outcome {
    for (what, value) in bench.planted()? {
        let escaped = format!("{value:?}");
        let shown = text.contains(&value) || text.contains(escaped.trim_matches('"'));
        ensure(!shown, || format!("{what} can be read in it"))?;
    }
    Ok(())
}
