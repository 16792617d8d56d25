//! What of the core is measured alone.

/// One function of the core on one input.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Figure {
    /// The name by which criterion keeps it.
    pub id: &'static str,
    /// What it is, for a reader of the report.
    pub label: &'static str,
    /// What it may take, in nanoseconds, where the design says so.
    pub budget: Option<f64>,
}

const fn figure(id: &'static str, label: &'static str, budget: Option<f64>) -> Figure {
    Figure { id, label, budget }
}

/// Reads a typical sealed session, beside three other cookies.
pub const CHECK: Figure = figure("check", "`check`: who asks, by a typical sealed session", Some(600.0));
/// The same with that many other cookies beside, of some 25 bytes each.
pub const CHECK_BESIDE: [(usize, Figure); 3] = [
    (1, figure("check_beside_1", "`check` beside 1 other cookie", None)),
    (20, figure("check_beside_20", "`check` beside 20 other cookies", None)),
    (60, figure("check_beside_60", "`check` beside 60 other cookies", None)),
];
/// Nobody is signed in.
pub const CHECK_NOBODY: Figure = figure("check_nobody", "`check` of somebody without a session", None);
/// A session cookie with one bit changed.
pub const CHECK_FORGED: Figure = figure("check_forged", "`check` of a forged session", None);
/// A session near the largest that fits into a cookie.
pub const CHECK_LARGE: Figure = figure("check_large", "`check` of a session of 100 groups", None);
/// A session in a store: ticket opened, record opened, judged. The store has answered at once.
pub const CHECK_STORED: Figure =
    figure("check_stored", "`check` by a ticket, the store's answer at hand", None);
/// The whole answer to a proxy's question.
pub const GRANT: Figure = figure("grant", "`grant`: the whole answer of `auth`", None);
/// The session as an owned value, for handlers.
pub const SESSION: Figure = figure("session", "`session`: copied out for a handler", None);
/// The answer to a browser that nobody knows, with what it wanted remembered.
pub const REFUSE: Figure = figure("refuse", "`auth` of a visit by nobody: 401, target sealed", None);
/// Begins an attempt: secrets drawn, attempt sealed, redirect.
pub const START: Figure = figure("start", "`start`: an attempt drawn and sealed, 303", None);
/// A callback up to the token request: parsed, its attempt opened, state compared.
pub const CALLBACK: Figure = figure("callback", "`callback` up to the token request", None);
/// A callback that no attempt belongs to.
pub const CALLBACK_STRAY: Figure = figure("callback_stray", "`callback` without its attempt: the page", None);
/// From the first request to the session cookie, without the network.
pub const SIGN_IN: Figure = figure("sign_in", "a whole sign-in, network not counted", None);
/// A return target on the own site.
pub const TARGET: Figure = figure("return_target", "a return target parsed and written again", None);
/// One that is refused.
pub const TARGET_HOSTILE: Figure = figure("return_target_hostile", "a hostile return target refused", None);

/// Every figure, in the order of the report.
pub const ALL: [Figure; 17] = [
    CHECK,
    CHECK_BESIDE[0].1,
    CHECK_BESIDE[1].1,
    CHECK_BESIDE[2].1,
    CHECK_NOBODY,
    CHECK_FORGED,
    CHECK_LARGE,
    CHECK_STORED,
    GRANT,
    SESSION,
    REFUSE,
    START,
    CALLBACK,
    CALLBACK_STRAY,
    SIGN_IN,
    TARGET,
    TARGET_HOSTILE,
];
