//! Whatever is done to a sound token: what is accepted is, byte for byte, what the issuer signed.

use std::sync::OnceLock;

use proptest::prelude::*;

use crate::{
    mint::{Mint, keyring},
    op::{Op, builder},
};

fn sound() -> &'static str {
    static SOUND: OnceLock<String> = OnceLock::new();
    SOUND.get_or_init(|| Mint::sound().sign())
}

fn another() -> &'static str {
    static ANOTHER: OnceLock<String> = OnceLock::new();
    ANOTHER.get_or_init(|| Mint::sound().claim("sub", "victim").sign_with(&keyring().other_rsa))
}

#[derive(Clone, Debug)]
enum Mutation {
    Replace(usize, char),
    Insert(usize, String),
    Remove(usize, usize),
    Double(usize, usize),
    /// A stretch of a token that somebody else signed, at the same place.
    Graft(usize, usize),
    Swap(usize, usize),
}

fn place() -> impl Strategy<Value = usize> {
    0..sound().len()
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let alphabet =
        prop::char::ranges(vec!['A'..='Z', 'a'..='z', '0'..='9', '-'..='.', '_'..='_', '='..='='].into());
    prop_oneof![
        (place(), alphabet).prop_map(|(at, with)| Mutation::Replace(at, with)),
        (place(), "[A-Za-z0-9._=+/ \n-]{1,8}").prop_map(|(at, what)| Mutation::Insert(at, what)),
        (place(), 1_usize..40).prop_map(|(at, length)| Mutation::Remove(at, length)),
        (place(), 1_usize..40).prop_map(|(at, length)| Mutation::Double(at, length)),
        (place(), 1_usize..200).prop_map(|(at, length)| Mutation::Graft(at, length)),
        (place(), place()).prop_map(|(one, other)| Mutation::Swap(one, other)),
    ]
}

fn mutate(text: &mut Vec<char>, mutation: &Mutation) {
    let length = text.len();
    let end = |at: usize, count: usize| (at + count).min(length);
    match mutation {
        _ if length == 0 => {}
        Mutation::Replace(at, with) => text[*at % length] = *with,
        Mutation::Insert(at, what) => {
            let at = *at % length;
            text.splice(at..at, what.chars());
        }
        Mutation::Remove(at, count) => {
            let at = *at % length;
            text.drain(at..end(at, *count));
        }
        Mutation::Double(at, count) => {
            let at = *at % length;
            let again = text[at..end(at, *count)].to_vec();
            text.splice(at..at, again);
        }
        Mutation::Graft(at, count) => {
            let other: Vec<_> = another().chars().collect();
            let (at, end) = ((*at).min(length), end(*at, *count).min(other.len()));
            if at < end {
                text[at..end].copy_from_slice(&other[at..end]);
            }
        }
        Mutation::Swap(one, other) => text.swap(*one % length, *other % length),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn jt_41_what_is_accepted_is_what_was_signed(mutations in prop::collection::vec(mutation(), 1..4)) {
        let mut text: Vec<_> = sound().chars().collect();
        mutations.iter().for_each(|mutation| mutate(&mut text, mutation));
        let text: String = text.into_iter().collect();
        let accepted = Op::honest().id_token(text.clone()).sign_in().is_ok();
        prop_assert_eq!(accepted, text == sound());
        let proven = Op::honest().prove(builder().build_bearer().unwrap(), &text);
        prop_assert_eq!(proven.is_ok_and(|identity| identity.is_some()), text == sound());
    }
}
