//! A site in one process, made of the test kit, and a browser that says where it has been led.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

use std::ops::{Deref, DerefMut};

use axum::{
    Router,
    body::Body,
    http::{Request, request},
};
use vestibule::{
    Vestibule,
    config::Builder,
    driver::{AdmitAll, Driver},
    paths::Paths,
    seal::KeyRing,
};
pub(crate) use vestibule_axum::testing::MemoryHost as Memory;
use vestibule_axum::{
    Gate,
    testing::{self, Answer, MemoryProvider, Person, SignedInAs as _, host},
};

pub(crate) const ORIGIN: &str = "https://app.example";

/// A site at `prefix`, with one provider.
pub(crate) fn builder(prefix: &str) -> Builder {
    Vestibule::builder(format!("{ORIGIN}{prefix}/callback"))
        .paths(Paths::below(prefix).sign_out_alias("/logout"))
        .keys(KeyRing::new(["0123456789abcdef0123456789abcdef"]).unwrap())
        .provider(MemoryProvider::new("plain"))
}

pub(crate) fn gate_of(builder: Builder) -> Gate {
    gate_at(builder, &host())
}

pub(crate) fn gate_at(builder: Builder, host: &Memory) -> Gate {
    Gate::new(Driver::new(builder.build().unwrap(), host.clone(), AdmitAll))
}

pub(crate) fn gate() -> Gate {
    gate_of(builder("/oauth2"))
}

/// Where an answer leads.
pub(crate) trait LeadsTo {
    /// The path and query that a redirect leads to, on this site.
    fn leads_to(&self) -> &str;
}

impl LeadsTo for Answer {
    fn leads_to(&self) -> &str {
        assert_eq!(self.status, 303, "{self:?}");
        self.header("location").strip_prefix(ORIGIN).unwrap()
    }
}

/// The kit's browser, for requests that are still being built.
pub(crate) struct Browser(testing::Browser);

impl Deref for Browser {
    type Target = testing::Browser;

    fn deref(&self) -> &testing::Browser {
        &self.0
    }
}

impl DerefMut for Browser {
    fn deref_mut(&mut self) -> &mut testing::Browser {
        &mut self.0
    }
}

impl Browser {
    pub(crate) fn new(app: &Router) -> Self {
        Self(testing::Browser::new(app))
    }

    pub(crate) async fn send(&mut self, request: request::Builder) -> Answer {
        self.send_body(request, Body::empty()).await
    }

    pub(crate) async fn send_body(&mut self, request: request::Builder, body: Body) -> Answer {
        self.0.send(request.body(body).unwrap()).await
    }

    /// Begins at `sign_in`, comes back to `callback` as Ada, and says where that leads.
    pub(crate) async fn sign_in(&mut self, sign_in: &str, callback: &str) -> Answer {
        let back = self.go_and_come_back(sign_in, ada()).await;
        assert!(back.starts_with(&format!("{ORIGIN}{callback}?")), "{back}");
        self.visit(&back).await
    }
}

/// Everybody who signs in through a browser here.
fn ada() -> Person {
    Person::new(7).username("ada").group("staff").claim("role", "admin")
}

pub(crate) fn navigation(target: &str) -> request::Builder {
    Request::get(target).visiting()
}
