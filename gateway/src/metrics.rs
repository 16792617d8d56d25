//! What is counted, for Prometheus. Labels are few and known beforehand: nothing that a client sends becomes one.

use std::{
    fmt,
    sync::{Arc, atomic::AtomicI64},
    time::Instant,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use vestibule::{
    exchange::HttpFailure,
    observe::{Asked, Observer, OnAnswered},
    response::Event,
};

/// What a proxy was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The request may pass.
    Allowed,
    /// Somebody has to sign in first.
    SignInRequired,
    /// Somebody is signed in and may not enter.
    Forbidden,
    /// There is no answer.
    Failed,
}

impl Verdict {
    /// What a status says, in every flavour.
    pub(crate) fn of(status: u16) -> Self {
        match status {
            200..=299 => Self::Allowed,
            300..=399 | 401 => Self::SignInRequired,
            403 => Self::Forbidden,
            _ => Self::Failed,
        }
    }

    const ALL: [Self; 4] = [Self::Allowed, Self::SignInRequired, Self::Forbidden, Self::Failed];

    fn label(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::SignInRequired => "sign_in_required",
            Self::Forbidden => "forbidden",
            Self::Failed => "failed",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByVerdict {
    verdict: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByStatus {
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BySignIn {
    outcome: String,
    provider: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByExchange {
    host: String,
    purpose: String,
    outcome: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByHost {
    host: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByOutcome {
    outcome: &'static str,
}

/// Every count, and the page that shows them. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Metrics {
    registry: Arc<Registry>,
    /// In the order of [`Verdict::ALL`], so that the hot path looks nothing up.
    checks: [Counter; 4],
    requests: Family<ByStatus, Counter>,
    in_flight: Gauge<i64, AtomicI64>,
    sign_ins: Family<BySignIn, Counter>,
    exchanges: Family<ByExchange, Counter>,
    latency: Family<ByHost, Histogram>,
    reloads: Family<ByOutcome, Counter>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("vestibule");
        let checks = Family::<ByVerdict, Counter>::default();
        let requests = Family::default();
        let in_flight = Gauge::default();
        let sign_ins = Family::default();
        let exchanges = Family::default();
        let latency = Family::new_with_constructor(latencies as fn() -> Histogram);
        let reloads = Family::default();
        registry.register("checks", "Questions of proxies, by verdict", checks.clone());
        registry.register("requests", "Requests, by status", Family::clone(&requests));
        registry.register("requests_in_flight", "Requests under way", Gauge::clone(&in_flight));
        registry.register("sign_ins", "Sign-ins, by outcome and provider", Family::clone(&sign_ins));
        registry.register(
            "provider_requests",
            "Requests to providers, token refreshes among them, by host, purpose and outcome",
            Family::clone(&exchanges),
        );
        registry.register(
            "provider_request_duration_seconds",
            "How long providers take to answer, by host",
            Family::clone(&latency),
        );
        registry.register("reloads", "Configurations read again, by outcome", Family::clone(&reloads));
        let checks =
            Verdict::ALL.map(|verdict| checks.get_or_create_owned(&ByVerdict { verdict: verdict.label() }));
        for outcome in ["applied", "refused"] {
            reloads.get_or_create_owned(&ByOutcome { outcome });
        }
        Self {
            registry: Arc::new(registry),
            checks,
            requests,
            in_flight,
            sign_ins,
            exchanges,
            latency,
            reloads,
        }
    }

    /// The page, as OpenMetrics text.
    pub(crate) fn page(&self) -> Result<String, fmt::Error> {
        let mut page = String::new();
        encode(&mut page, &self.registry)?;
        Ok(page)
    }

    pub(crate) fn checked(&self, verdict: Verdict) {
        self.checks[verdict as usize].inc();
    }

    pub(crate) fn answered(&self, status: u16) {
        self.requests.get_or_create(&ByStatus { status }).inc();
    }

    pub(crate) fn reloaded(&self, outcome: &'static str) {
        self.reloads.get_or_create(&ByOutcome { outcome }).inc();
    }

    /// Counts a request as under way for as long as what this returns lives.
    pub(crate) fn under_way(&self) -> UnderWay<'_> {
        self.in_flight.inc();
        UnderWay(&self.in_flight)
    }

    fn signed_in(&self, outcome: &str, provider: &str) {
        let labels = BySignIn { outcome: outcome.to_owned(), provider: provider.to_owned() };
        self.sign_ins.get_or_create(&labels).inc();
    }
}

/// From 5 ms to 20 s: a conversation with a provider may take 15.
fn latencies() -> Histogram {
    Histogram::new(exponential_buckets(0.005, 2.0, 13))
}

/// A request under way.
#[derive(Debug)]
pub(crate) struct UnderWay<'m>(&'m Gauge<i64, AtomicI64>);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Observer for Metrics {
    fn event(&self, event: &Event) {
        match event {
            Event::Began { provider } => self.signed_in("began", provider),
            Event::SignedIn { provider, .. } => self.signed_in("signed_in", provider),
            // Refusals without a provider are no part of a sign-in: a check, a page that does not exist.
            Event::Refused { refusal, provider: Some(provider), .. } => {
                self.signed_in(refusal.code(), provider);
            }
            _ => {}
        }
    }

    fn asks(&self, asked: Asked<'_>) -> Option<OnAnswered> {
        let (metrics, host, purpose) = (self.clone(), asked.host.to_owned(), asked.purpose.label());
        let began = Instant::now();
        Some(Box::new(move |result: Result<u16, HttpFailure>| {
            let outcome = match result {
                Ok(status) => status.to_string(),
                Err(HttpFailure::TimedOut) => "timed_out".to_owned(),
                Err(_) => "no_answer".to_owned(),
            };
            metrics
                .latency
                .get_or_create(&ByHost { host: host.clone() })
                .observe(began.elapsed().as_secs_f64());
            metrics.exchanges.get_or_create(&ByExchange { host, purpose: purpose.to_owned(), outcome }).inc();
        }))
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").field("in_flight", &self.in_flight.get()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_counts_what_happened() {
        let metrics = Metrics::new();
        for status in [200, 202, 303, 401, 403, 403, 403, 500] {
            metrics.checked(Verdict::of(status));
        }
        metrics.event(&Event::Began { provider: "corp".to_owned() });
        let flying = metrics.under_way();
        let page = metrics.page().unwrap();
        for line in [
            r#"vestibule_checks_total{verdict="allowed"} 2"#,
            r#"vestibule_checks_total{verdict="sign_in_required"} 2"#,
            r#"vestibule_checks_total{verdict="forbidden"} 3"#,
            r#"vestibule_checks_total{verdict="failed"} 1"#,
            r#"vestibule_sign_ins_total{outcome="began",provider="corp"} 1"#,
            "vestibule_requests_in_flight 1",
        ] {
            assert!(page.lines().any(|own| own == line), "{line} in {page}");
        }
        drop(flying);
        assert!(metrics.page().unwrap().contains("vestibule_requests_in_flight 0"));
    }
}
