//! What criterion has measured of the core alone.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context as _, Result};
use vestibule_bench::figures::{self, Figure};

/// One function's time.
#[derive(Debug)]
pub(crate) struct Timed {
    pub(crate) figure: Figure,
    pub(crate) median: Duration,
}

/// Reads what `benches/core.rs` left behind.
pub(crate) fn read(folder: &Path) -> Result<Vec<Timed>> {
    figures::ALL
        .into_iter()
        .map(|figure| {
            let file = folder.join(figure.id).join("new/estimates.json");
            let text = fs::read(&file).with_context(|| {
                format!("{} is not there; run `cargo bench -p vestibule-bench --bench core` first", figure.id)
            })?;
            let estimates: serde_json::Value = serde_json::from_slice(&text)?;
            let nanoseconds = estimates["median"]["point_estimate"].as_f64();
            let nanoseconds =
                nanoseconds.with_context(|| format!("criterion gives no median of {}", figure.id))?;
            Ok(Timed { figure, median: Duration::from_secs_f64(nanoseconds * 1e-9) })
        })
        .collect()
}
