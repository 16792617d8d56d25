//! A whole run as a value: what came in, what was asked, what was answered, what went out.
//!
//! Printed, it shows the course of the run and no secret. Replayed from its inputs, it must come out the same to the
//! last byte: that is what "the core does no I/O" means.

use std::{fmt, sync::Arc};

use crate::{
    config::Vestibule,
    entropy::Seed,
    flow::{Answer, Effect, Outcome, Step},
    request::{PlainHead, RequestHead as _},
    response::redacted,
    time::Timestamp,
};

/// What a run was given at its beginning.
#[derive(Clone)]
pub struct Inputs {
    /// The request's head.
    pub head: PlainHead,
    /// The request's body.
    pub body: Vec<u8>,
    /// When it came.
    pub now: Timestamp,
    /// The randomness for it.
    pub seed: Seed,
}

impl fmt::Debug for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inputs").field("now", &self.now).finish_non_exhaustive()
    }
}

/// A run from the browser's request to the answer.
#[derive(Debug)]
#[non_exhaustive]
pub struct Transcript {
    /// What the run was given at its beginning.
    pub inputs: Inputs,
    /// What it asked for, what it got, and when.
    pub exchanges: Vec<(Effect, Answer, Timestamp)>,
    /// What came of it.
    pub outcome: Outcome,
}

impl Transcript {
    /// Runs a request to its answer; `perform` plays the outside, and the clock.
    pub fn record(
        vestibule: &Arc<Vestibule>,
        inputs: Inputs,
        mut perform: impl FnMut(&Effect) -> (Answer, Timestamp),
    ) -> Self {
        let mut exchanges = Vec::new();
        let mut step = vestibule.handle(&inputs.head, &inputs.body, inputs.now, inputs.seed);
        loop {
            match step {
                Step::Done(outcome) => return Self { inputs, exchanges, outcome },
                Step::Needs(effect, machine) => {
                    let (answer, now) = perform(&effect);
                    step = machine.step(answer.clone(), now);
                    exchanges.push((effect, answer, now));
                }
            }
        }
    }

    /// Runs it again from its inputs and the answers that it got, and says where it came out otherwise.
    ///
    /// # Errors
    /// The number of the first effect that differs, or of the answer where only that does.
    pub fn replay(&self, vestibule: &Arc<Vestibule>) -> Result<(), usize> {
        let mut answers = self.exchanges.iter();
        let again = Self::record(vestibule, self.inputs.clone(), |_| match answers.next() {
            Some((_, answer, now)) => (answer.clone(), *now),
            None => (Answer::Decide(None), self.inputs.now),
        });
        let same = |(one, other): (&(Effect, Answer, Timestamp), &(Effect, Answer, Timestamp))| {
            is_same(&one.0, &other.0)
        };
        let agree = self.exchanges.iter().zip(&again.exchanges).take_while(|pair| same(*pair)).count();
        let whole = agree == self.exchanges.len() && agree == again.exchanges.len();
        if whole && self.outcome.response == again.outcome.response { Ok(()) } else { Err(agree) }
    }
}

/// Whether two effects ask for the same, byte for byte.
fn is_same(one: &Effect, other: &Effect) -> bool {
    match (one, other) {
        (Effect::Http { request: one, .. }, Effect::Http { request: other, .. }) => {
            (one.method(), one.uri(), one.headers(), one.body())
                == (other.method(), other.uri(), other.headers(), other.body())
        }
        (
            Effect::CachedGet { url: one, freshness: a, .. },
            Effect::CachedGet { url: other, freshness: b, .. },
        ) => one == other && a == b,
        (Effect::Claim { attempt: one, .. }, Effect::Claim { attempt: other, .. }) => one == other,
        (Effect::Decide(one), Effect::Decide(other)) => {
            one.identity == other.identity && one.tokens == other.tokens && one.provider == other.provider
        }
        _ => false,
    }
}

/// The course of the run, without a secret: values of cookies, parameters and bodies are left out.
impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inputs { head, body, now, .. } = &self.inputs;
        let target = head.target();
        let names: Vec<_> = url::form_urlencoded::parse(crate::request::query(target).as_bytes())
            .map(|(name, _)| format!("{name}=[..]"))
            .collect();
        let query = if names.is_empty() { String::new() } else { format!("?{}", names.join("&")) };
        writeln!(
            f,
            "{:>10}  > {} {}{query}, {} bytes",
            now.unix(),
            head.method(),
            crate::request::path(target),
            body.len()
        )?;
        for (effect, answer, now) in &self.exchanges {
            writeln!(f, "{:>10}  ? {effect:?}", "")?;
            writeln!(f, "{:>10}  ! {answer:?}", now.unix())?;
        }
        let response = &self.outcome.response;
        writeln!(f, "{:>10}  < {}", "", response.status)?;
        for (name, value) in &response.headers {
            writeln!(f, "{:>10}    {name}: {}", "", redacted(name, value))?;
        }
        Ok(())
    }
}
