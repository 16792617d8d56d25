//! What a provider logs while it is tested.

use std::{
    fmt::{self, Write as _},
    sync::{Arc, Mutex, PoisonError},
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// Runs `run`, and returns what was logged on the way at any level.
pub(super) fn during<T>(run: impl FnOnce() -> T) -> (T, String) {
    let heard = Arc::new(Mutex::new(String::new()));
    let result = tracing::subscriber::with_default(Ear(Arc::clone(&heard)), run);
    let text = heard.lock().unwrap_or_else(PoisonError::into_inner).clone();
    (result, text)
}

struct Ear(Arc<Mutex<String>>);

/// Writes fields down.
struct Pen<'e>(&'e mut String);

impl Visit for Pen<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a text cannot fail.
        let _ = writeln!(self.0, "{field}={value:?}");
    }
}

impl Ear {
    fn write(&self, record: impl FnOnce(&mut Pen<'_>)) {
        record(&mut Pen(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner)));
    }
}

impl Subscriber for Ear {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        self.write(|pen| attributes.record(pen));
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        self.write(|pen| values.record(pen));
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        self.write(|pen| event.record(pen));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
