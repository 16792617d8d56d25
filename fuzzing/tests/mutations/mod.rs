//! Mutations as a fuzzer makes them, without its knowledge of what they reach: cheap, and the same in every run.

/// Makes inputs from a corpus. All that it does is a function of the corpus and of how often it was asked.
pub(crate) struct Mutations<'c> {
    corpus: &'c [&'c [u8]],
    state: u64,
}

/// Pieces of which attacks have been made, and words that inputs know.
const WORDS: [&[u8]; 46] = [
    b"<session>",
    b"<cookie>",
    b"<state>",
    b"<other state>",
    b"<value>",
    b"<header>",
    b"<payload>",
    b"<signature>",
    b"__Host-vestibule=",
    b"__Host-vestibule_try_",
    b"__Host-vestibule_to=",
    b"; ",
    b"=",
    b"\"",
    b"\\",
    b"\n",
    b"\r\n",
    b"\0",
    b"\xff",
    b"\xc0\xaf",
    b"\xe3\x80\x82",
    b"%2f",
    b"%5c",
    b"%00",
    b"%0d%0a",
    b"%",
    b"&",
    b"+",
    b"//",
    b"/\\",
    b"/../",
    b"@",
    b"https://evil.example",
    b"https://one.apps.example",
    b"null",
    b"true",
    b"\"true\"",
    b"[]",
    b"{}",
    b"1e300",
    b"-1",
    b"18446744073709551616",
    b"none",
    b"/oauth2/",
    b"_",
    b"HEAD",
];

impl<'c> Mutations<'c> {
    pub(crate) fn new(corpus: &'c [&'c [u8]]) -> Self {
        Self { corpus, state: 0x5eed }
    }

    /// One input with one to four changes.
    pub(crate) fn mutate(&mut self, input: &[u8]) -> Vec<u8> {
        let mut mutated = input.to_vec();
        for _ in 0..=self.below(4) {
            self.change(&mut mutated);
        }
        mutated
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        let length = self.below(input.len() - at + 1).min(16);
        match self.below(8) {
            0 if at < input.len() => input[at] ^= 1 << self.below(8),
            1 if at < input.len() => input[at] = self.next() as u8,
            2 => input.insert(at, self.next() as u8),
            3 => drop(input.drain(at..at + length)),
            4 => {
                let copied = input[at..at + length].to_vec();
                let to = self.below(input.len() + 1);
                input.splice(to..to, copied);
            }
            5 => {
                let other = self.corpus[self.below(self.corpus.len())];
                let from = self.below(other.len() + 1);
                input.splice(at.., other[from..].iter().copied());
            }
            6 => input.truncate(at),
            _ => {
                let word = WORDS[self.below(WORDS.len())];
                input.splice(at..at + if self.below(2) == 0 { length } else { 0 }, word.iter().copied());
            }
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
