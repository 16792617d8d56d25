//! From reqwest's errors to what the core can tell apart. Nothing of an error's text goes on.

use std::{error::Error, io};

use vestibule::exchange::HttpFailure;

pub(crate) fn of(error: &reqwest::Error) -> HttpFailure {
    if causes(error).any(is_untrusted_certificate) {
        HttpFailure::Certificate
    } else if error.is_connect() {
        // Also where the time for connecting was over: either way the provider has not seen the request.
        HttpFailure::Connect
    } else if error.is_timeout() {
        HttpFailure::TimedOut
    } else if error.is_builder() {
        HttpFailure::AddressRefused
    } else {
        HttpFailure::Broken
    }
}

/// An error and everything that it was caused by. `io::Error` shows the error that it wraps to none but those who ask
/// for it in particular.
fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| cause(*error))
}

fn cause<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>() {
        Some(io) => io.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    }
}

fn is_untrusted_certificate(error: &(dyn Error + 'static)) -> bool {
    use rustls::Error::{InvalidCertRevocationList, InvalidCertificate, NoCertificatesPresented};
    matches!(
        error.downcast_ref::<rustls::Error>(),
        Some(InvalidCertificate(_) | InvalidCertRevocationList(_) | NoCertificatesPresented)
    )
}
