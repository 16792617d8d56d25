//! Mistakes that a store, a host or an adapter could make. Each is found by some run, or the simulation is no use.

/// A planted mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// The store says that everybody is the first.
    EverybodyIsFirst,
    /// A replacement brings back what was removed.
    RemovedComesBack,
    /// The store removes nothing.
    NothingIsRemoved,
    /// The store lists all but one.
    OneIsNotListed,
    /// The store answers with a record as it was before.
    OldRecords,
    /// A store that is out of reach says that there is nothing.
    AwayIsEmpty,
    /// The host sends a request again when its answer is lost.
    SentAgain,
    /// The host says that a request was never heard when its answer is lost.
    SaysUnheard,
    /// Answers of the provider go to whoever asked before.
    AnswersSwapped,
    /// A response goes to another browser.
    ResponsesSwapped,
    /// The adapter remembers what a ticket led to.
    Remembered,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::EverybodyIsFirst,
        Self::RemovedComesBack,
        Self::NothingIsRemoved,
        Self::OneIsNotListed,
        Self::OldRecords,
        Self::AwayIsEmpty,
        Self::SentAgain,
        Self::SaysUnheard,
        Self::AnswersSwapped,
        Self::ResponsesSwapped,
        Self::Remembered,
    ];
}
