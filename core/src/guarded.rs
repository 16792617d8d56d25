//! Routes of an application that are for some people only: what is asked of them, what the others get, and what is said
//! to caches about the answers.

mod admit;
mod condition;
mod fresh;

pub use self::condition::Condition;
pub(crate) use self::fresh::{Freshness, was_within};

/// Headers that an adapter's guard adds to the answer of a route behind it.
///
/// An answer that says nothing about caches is for its person only: `Cache-Control: private`, and `Vary: Cookie` so
/// that not even the person's own cache shows it once somebody else has signed in there. Where the application has
/// said something (`said`: the answer has a `Cache-Control`), that holds. `vary` are the values of `Vary` that the
/// answer has already; what is added goes beside them.
pub fn added<'h>(
    said: bool,
    vary: impl IntoIterator<Item = &'h [u8]>,
) -> [Option<(&'static str, &'static str)>; 2] {
    if said {
        return [None, None];
    }
    let names_it = |name: &[u8]| {
        let name = name.trim_ascii();
        name == b"*" || name.eq_ignore_ascii_case(b"cookie")
    };
    let varies = vary.into_iter().any(|value| value.split(|byte| *byte == b',').any(names_it));
    [Some(("cache-control", "private")), (!varies).then_some(("vary", "Cookie"))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ck_20_an_answer_behind_the_guard_is_for_its_person_unless_the_application_says_otherwise() {
        let private = Some(("cache-control", "private"));
        let by_cookie = Some(("vary", "Cookie"));
        for (said, vary, expected) in [
            (false, &[][..], [private, by_cookie]),
            (false, &["accept, accept-encoding"], [private, by_cookie]),
            (false, &["cookies", "x-cookie"], [private, by_cookie]),
            (false, &["accept", "Accept-Language,\tCOOKIE"], [private, None]),
            (false, &["*"], [private, None]),
            (true, &[], [None, None]),
            (true, &["accept"], [None, None]),
        ] {
            let vary_values = vary.iter().map(|value| value.as_bytes());
            assert_eq!(added(said, vary_values), expected, "{said} {vary:?}");
        }
    }
}
