//! What came of it, in words.

use std::fmt;

/// What a provider was seen to do, row by row. Printed, it says what is missing and what to do about it.
#[derive(Clone, Debug)]
pub struct Report {
    pub(super) provider: String,
    pub(super) rows: Vec<Line>,
}

/// One row of a report.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Line {
    /// The row's name; see `docs/provider-test-kit.md`.
    pub row: &'static str,
    /// What the row asks for.
    pub about: &'static str,
    /// What came of it.
    pub verdict: Verdict,
}

/// What came of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The provider does as it must.
    Passed,
    /// It does not.
    Failed {
        /// What was seen.
        seen: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// The row could not be asked, or need not be.
    NotApplicable {
        /// Why.
        why: String,
    },
}

impl Report {
    /// Every row, in the order in which they were run.
    pub fn rows(&self) -> &[Line] {
        &self.rows
    }

    /// The names of the rows that failed.
    pub fn failed(&self) -> Vec<&'static str> {
        self.named(|verdict| matches!(verdict, Verdict::Failed { .. }))
    }

    /// The names of the rows that were left out.
    pub fn not_applicable(&self) -> Vec<&'static str> {
        self.named(|verdict| matches!(verdict, Verdict::NotApplicable { .. }))
    }

    /// For use in a test.
    ///
    /// # Panics
    /// A row failed. The panic's text is the whole report.
    #[track_caller]
    pub fn assert(&self) {
        assert!(self.failed().is_empty(), "{self}");
    }

    fn named(&self, is: impl Fn(&Verdict) -> bool) -> Vec<&'static str> {
        self.rows.iter().filter(|line| is(&line.verdict)).map(|line| line.row).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (failed, left_out) = (self.failed().len(), self.not_applicable().len());
        let passed = self.rows.len() - failed - left_out;
        writeln!(
            f,
            "provider `{}`: {passed} rows passed, {failed} failed, {left_out} left out",
            self.provider
        )?;
        for line in &self.rows {
            match &line.verdict {
                Verdict::Passed => writeln!(f, "  passed    {}", line.row)?,
                Verdict::NotApplicable { why } => writeln!(f, "  left out  {}: {why}", line.row)?,
                Verdict::Failed { seen, remedy } => {
                    let (row, about) = (line.row, line.about);
                    writeln!(
                        f,
                        "  FAILED    {row}: {about}\n              seen: {seen}\n              do:   {remedy}"
                    )?;
                }
            }
        }
        Ok(())
    }
}
