//! Every limit with its name and unit. What comes from outside is refused beyond these, never truncated.

use std::time::Duration;

/// How long a sign-in may be under way: from the redirect to the provider to the callback.
pub const ATTEMPT_AGE_MAX: Duration = Duration::from_secs(10 * 60);
/// How many attempts one browser may have under way; the oldest is dropped beyond that.
pub const ATTEMPTS_MAX: usize = 8;
/// Bytes of all attempt cookies of a browser together, names included.
pub const ATTEMPTS_BYTES_MAX: usize = 2_560;
/// Bytes of one attempt cookie's value; an attempt whose return target does not fit lands on `/`.
pub const ATTEMPT_BYTES_MAX: usize = 2_400;
/// Bytes of the session cookie, its name included. Browsers drop cookies of more than 4,096 bytes.
pub const SESSION_BYTES_MAX: usize = 3_800;
/// Bytes of session and tokens together, so that a request stays under nginx's 8 KB for one header line.
pub const SESSION_AND_TOKENS_BYTES_MAX: usize = 5 * 1_024;
/// Bytes of the `Cookie` header that we are willing to read.
pub const COOKIE_HEADER_BYTES_MAX: usize = 16 * 1_024;
/// How many cookies we are willing to read.
pub const COOKIES_MAX: usize = 64;

/// How long `auth` remembers where a browser wanted to go.
pub const REMEMBERED_AGE_MAX: Duration = Duration::from_secs(120);
/// Bytes of a return target that `auth` remembers.
pub const REMEMBERED_BYTES_MAX: usize = 1_024;
/// How long finished round trips are counted.
pub const ROUNDS_AGE_MAX: Duration = Duration::from_secs(60);
/// After how many finished round trips without a session `start` stops and explains.
pub const ROUNDS_MAX: u8 = 3;

/// Bytes of a request target (path and query).
pub const REQUEST_TARGET_BYTES_MAX: usize = 16 * 1_024;
/// Bytes of a path that a rule is compared with; a longer one is doubtful.
pub const ASKED_PATH_BYTES_MAX: usize = 8 * 1_024;
/// Bytes of all `X-Forwarded-For` headers of a request; with more, its client is unknown.
pub const FORWARDED_FOR_BYTES_MAX: usize = 8 * 1_024;
/// How many trusted proxies a request may have come through; with more, its client is unknown.
pub const FORWARDED_HOPS_MAX: usize = 32;
/// Bytes of a return target.
pub const RETURN_TARGET_BYTES_MAX: usize = 2_048;
/// Bytes of a request body; only the callback, sign-out and back-channel logout read one.
pub const BODY_BYTES_MAX: usize = 64 * 1_024;
/// How long a request's body may take to arrive.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(10);
/// Bytes of `state` in a callback.
pub const STATE_BYTES_MAX: usize = 512;
/// Bytes of an OAuth 1.0a request token, in the provider's answer and in a callback.
pub const REQUEST_TOKEN_BYTES_MAX: usize = 512;
/// Bytes of `code` or `oauth_verifier` in a callback.
pub const CODE_BYTES_MAX: usize = 4_096;
/// How many parameters a callback may have.
pub const CALLBACK_PARAMETERS_MAX: usize = 32;

/// Bytes of a `login_hint` that is passed on to a provider: as long as an e-mail address may be, and some.
pub const LOGIN_HINT_BYTES_MAX: usize = 320;
/// Bytes of a logo; it stands in every page.
pub const LOGO_BYTES_MAX: usize = 64 * 1_024;
/// Bytes of each text that a site adds to its pages.
pub const PAGE_TEXT_BYTES_MAX: usize = 2_000;

/// How many exchanges with a provider one conversation may need.
pub const CONVERSATION_REQUESTS_MAX: usize = 32;
/// How long one conversation with a provider may take.
pub const CONVERSATION_TIME_MAX: Duration = Duration::from_secs(15);
/// How long a connection to a provider may take to be made.
pub const PROVIDER_CONNECT_TIME_MAX: Duration = Duration::from_secs(3);
/// How long one exchange with a provider may take.
pub const PROVIDER_CALL_TIME_MAX: Duration = Duration::from_secs(10);
/// How long the application may take to decide about somebody who has proven who they are.
pub const DECISION_TIME_MAX: Duration = Duration::from_secs(15);
/// How many sign-ins of one process may wait for a provider or the application at once; as many tokens of API clients
/// may wait for their issuers' keys. Each holds some tens of
/// kilobytes at most; whoever comes beyond that is told to try again in a moment.
pub const SIGN_INS_UNDER_WAY_MAX: usize = 1_000;
/// Bytes of a provider's answer, after decompression.
pub const PROVIDER_BODY_BYTES_MAX: usize = 256 * 1_024;
/// Bytes of an ID token, before it is decoded.
pub const ID_TOKEN_BYTES_MAX: usize = 64 * 1_024;
/// Bytes of a token that an API client brings in `Authorization`.
pub const BEARER_TOKEN_BYTES_MAX: usize = 16 * 1_024;
/// How deep JSON from a provider may nest.
pub const JSON_DEPTH_MAX: usize = 32;
/// How many keys of a key set are looked at.
pub const KEYS_MAX: usize = 100;
/// How far a provider's clock may be from ours.
pub const CLOCK_LEEWAY: Duration = Duration::from_secs(60);
/// How old an ID token may be when it arrives.
pub const ID_TOKEN_AGE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// How old a logout token may be when it arrives.
pub const LOGOUT_TOKEN_AGE_MAX: Duration = Duration::from_secs(2 * 60);
/// How long it is remembered that a logout token has been heard: as long as it could be brought again, and some.
pub const LOGOUT_TOKEN_REMEMBERED: Duration = Duration::from_secs(10 * 60);
/// Bytes of `iss`, `sub`, `sid` and `jti` of whoever ends sessions.
pub const LOGOUT_NAME_BYTES_MAX: usize = 2_048;

/// How long discovery documents and keys are used without asking again.
pub const DOCUMENT_SOFT_AGE: Duration = Duration::from_secs(60 * 60);
/// How long discovery documents and keys are used while the provider cannot be reached.
pub const DOCUMENT_HARD_AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How long to go on with an aged document after a fetch of it failed.
pub const DOCUMENT_RETRY_INTERVAL: Duration = Duration::from_secs(30);
/// How long a document that could not be fetched, and of which there is no older one, is not asked for again. Whoever
/// tries to sign in once more a moment later finds a provider that has come back.
pub const DOCUMENT_FAILURE_PAUSE: Duration = Duration::from_secs(2);
/// How many refetches of one document may happen at once because it turned out too old ...
pub const DOCUMENT_REFETCH_BURST: u32 = 3;
/// ... and how long it takes until one more is allowed.
pub const DOCUMENT_REFETCH_INTERVAL: Duration = Duration::from_secs(60);
/// How many documents are kept; the least recently fetched is dropped beyond that.
pub const DOCUMENTS_MAX: usize = 256;

/// How far a clock may be from another's or from the time that it showed before, be it an instance's or the store's,
/// without an attempt being answered twice. Beyond that only the provider stands against it, which takes a code once.
pub const CLOCK_JUMP_MAX: Duration = Duration::from_secs(60 * 60);
/// How long it is remembered that an attempt was answered: as long as it can be answered, with one clock that judges
/// its age and another that ends the memory, each of which may have jumped.
pub const ANSWER_REMEMBERED: Duration =
    Duration::from_secs(ATTEMPT_AGE_MAX.as_secs() + 2 * CLOCK_JUMP_MAX.as_secs());
/// How many answered attempts a process remembers.
pub const ANSWERED_ATTEMPTS_MAX: usize = 100_000;

/// How long one call of a session store may take.
pub const STORE_CALL_TIME_MAX: Duration = Duration::from_secs(2);
/// How long whatever asks a session store may wait for a provider too.
pub const ERRAND_TIME_MAX: Duration = CONVERSATION_TIME_MAX;
/// How long one refresh of a session has its turn. Longer than everything that it may wait for.
pub const REFRESH_TURN: Duration = Duration::from_secs(20);
/// How long a provider that could not refresh a session is not asked again for it.
pub const REFRESH_RETRY_INTERVAL: Duration = Duration::from_secs(30);
/// How long before the access token ends it is refreshed at most; a fifth of its life where that is less.
pub const REFRESH_AHEAD_MAX: Duration = Duration::from_secs(60);
/// How long to wait for somebody else's refresh between looking, at first; then a second each time.
pub const REFRESH_WAIT_STEPS: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
];
/// The shortest interval at which sessions can be refreshed.
pub const REFRESH_INTERVAL_MIN: Duration = Duration::from_secs(60);
/// The shortest time after which an unused session can end.
pub const IDLE_LIMIT_MIN: Duration = Duration::from_secs(60);
/// How late it is written down at most that a session is used.
pub const IDLE_TOUCH_MAX: Duration = Duration::from_secs(60);
/// How often a change of a record is tried that others are changing too.
pub const CHANGE_TRIES_MAX: usize = 8;
/// How long it is remembered that a provider has ended sessions, for sign-ins that are under way: twice as long as one
/// may take.
pub const ENDED_REMEMBERED: Duration = Duration::from_secs(2 * ATTEMPT_AGE_MAX.as_secs());
/// Bytes of a session and its tokens in a store.
pub const RECORD_BYTES_MAX: usize = 256 * 1_024;
/// How many records a store in memory holds, where nothing else is said.
pub const MEMORY_STORE_RECORDS_MAX: usize = 1_000_000;

/// The least time within which a guard may ask people to have signed in; nobody would be back in less.
pub const FRESH_TIME_MIN: Duration = Duration::from_secs(60);
/// How long a session lasts where nothing else is configured, however busy it is.
pub const SESSION_AGE_DEFAULT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Browsers keep no cookie longer than 400 days.
pub const SESSION_AGE_MAX: Duration = Duration::from_secs(400 * 24 * 60 * 60);

// nginx by default allows one header line 8 KB; all our cookies together must leave room for the application's.
const _: () = assert!(ATTEMPTS_BYTES_MAX + SESSION_AND_TOKENS_BYTES_MAX <= 8 * 1_024);
const _: () = assert!(ATTEMPT_BYTES_MAX < ATTEMPTS_BYTES_MAX);
const _: () = assert!(SESSION_BYTES_MAX <= 4_096 && SESSION_BYTES_MAX <= SESSION_AND_TOKENS_BYTES_MAX);
const _: () = assert!(RETURN_TARGET_BYTES_MAX < REQUEST_TARGET_BYTES_MAX);
const _: () = assert!(REMEMBERED_BYTES_MAX <= RETURN_TARGET_BYTES_MAX);
const _: () = assert!(CONVERSATION_TIME_MAX.as_secs() < REFRESH_TURN.as_secs());
const _: () = assert!(REFRESH_TURN.as_secs() < REFRESH_RETRY_INTERVAL.as_secs());
const _: () = assert!(PROVIDER_CALL_TIME_MAX.as_secs() < CONVERSATION_TIME_MAX.as_secs());
const _: () =
    assert!(LOGOUT_TOKEN_AGE_MAX.as_secs() + 2 * CLOCK_LEEWAY.as_secs() < LOGOUT_TOKEN_REMEMBERED.as_secs());
const _: () = assert!(ID_TOKEN_BYTES_MAX < PROVIDER_BODY_BYTES_MAX);
