//! How many sign-ins may be under way in one process: a provider that hangs must not fill the memory.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use crate::limits::SIGN_INS_UNDER_WAY_MAX;

/// The places of a process, shared by its copies.
#[derive(Clone, Default)]
pub(crate) struct Places {
    taken: Arc<AtomicUsize>,
}

/// A place for one sign-in. Letting go of it frees it, however the sign-in ended.
pub(crate) struct Place {
    taken: Arc<AtomicUsize>,
}

impl Places {
    /// A place, where there is one.
    pub(crate) fn take(&self) -> Option<Place> {
        let one_more = |taken| (taken < SIGN_INS_UNDER_WAY_MAX).then_some(taken + 1);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        Some(Place { taken: Arc::clone(&self.taken) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nd_11_places_are_counted_and_come_back() {
        let places = Places::default();
        let mut taken: Vec<_> =
            std::iter::from_fn(|| places.take()).take(SIGN_INS_UNDER_WAY_MAX + 1).collect();
        assert_eq!(taken.len(), SIGN_INS_UNDER_WAY_MAX);
        taken.pop();
        let again = places.take();
        assert!(again.is_some() && places.take().is_none());
    }
}
