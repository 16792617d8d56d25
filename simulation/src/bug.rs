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
    /// The store replaces whatever version there is.
    VersionsIgnored,
    /// The store says that it has replaced a record, and has not.
    WritesLost,
    /// Records end after a tenth of their time.
    LivesCutShort,
    /// With one record, the store takes all off its lists.
    ListsDropped,
    /// The host sends a request again when its answer is lost.
    SentAgain,
    /// The host says that a request was never heard when its answer is lost.
    SaysUnheard,
    /// Answers of the provider go to whoever asked before.
    AnswersSwapped,
    /// The host answers with what the provider said about somebody first.
    ProfilesCached,
    /// A response goes to another browser.
    ResponsesSwapped,
    /// The adapter remembers what a ticket led to.
    Remembered,
    /// The process forgets at once which attempts were answered.
    ClaimsForgotten,
    /// The adapter answers a provider's notice and does not hand it on.
    NoticesDropped,
    /// A key that was taken away still opens.
    KeyStays,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::EverybodyIsFirst,
        Self::RemovedComesBack,
        Self::NothingIsRemoved,
        Self::OneIsNotListed,
        Self::OldRecords,
        Self::AwayIsEmpty,
        Self::VersionsIgnored,
        Self::WritesLost,
        Self::LivesCutShort,
        Self::ListsDropped,
        Self::SentAgain,
        Self::SaysUnheard,
        Self::AnswersSwapped,
        Self::ProfilesCached,
        Self::ResponsesSwapped,
        Self::Remembered,
        Self::ClaimsForgotten,
        Self::NoticesDropped,
        Self::KeyStays,
    ];
}
