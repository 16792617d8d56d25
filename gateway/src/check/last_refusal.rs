//! What a sign-in came to grief over, told by the driver while it is rehearsed.

use std::sync::{Mutex, PoisonError};

use vestibule::{observe::Observer, refusal::Refusal, response::Event};

/// What was refused last, and what the operator should know about it.
#[derive(Debug, Default)]
pub(super) struct LastRefusal(Mutex<Option<(Refusal, Option<String>)>>);

impl LastRefusal {
    /// The refusal; where nothing was refused, nobody is signed in all the same.
    pub(super) fn refusal(&self) -> Refusal {
        self.get().map_or(Refusal::SignInRequired, |(refusal, _)| refusal)
    }

    /// What was wrong, as exactly as it is known.
    pub(super) fn fault(&self) -> String {
        match self.get() {
            Some((_, Some(detail))) => detail,
            Some((refusal, None)) => refusal.meaning().to_owned(),
            None => "no sign-in can begin".to_owned(),
        }
    }

    fn get(&self) -> Option<(Refusal, Option<String>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Observer for LastRefusal {
    fn event(&self, event: &Event) {
        if let Event::Refused { refusal, detail, .. } = event {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((*refusal, detail.clone()));
        }
    }
}
