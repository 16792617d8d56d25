//! Routes, and what happens around each of them: a request is noted down, then answered or misanswered.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    endpoints,
    journal::Received,
    lie::{Endpoint, perform},
    shared::Shared,
    wire::{Door, Tap},
};

/// How much of a request's body is read.
const BODY_MAX: usize = 256 * 1024;

/// The listening part of a provider, which can be closed and opened again.
#[derive(Default)]
pub(crate) struct Server(Mutex<Option<(watch::Sender<bool>, JoinHandle<()>)>>);

impl Server {
    pub(crate) fn open(&self, shared: Arc<Shared>, listener: TcpListener) {
        let (stop, stopped) = watch::channel(false);
        let app = router(shared).into_make_service_with_connect_info::<Tap>();
        let mut told = stopped.clone();
        let task = tokio::spawn(async move {
            let serve = axum::serve(Door::new(listener, stopped), app);
            // Its error type says that it can fail, its documentation that it does not.
            drop(serve.with_graceful_shutdown(async move { drop(told.wait_for(|stop| *stop).await) }).await);
        });
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((stop, task));
    }

    pub(crate) async fn close(&self) {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((stop, task)) = running {
            stop.send_replace(true);
            // It only fails if the task panicked, and then it is over too.
            drop(task.await);
        }
    }
}

fn router(shared: Arc<Shared>) -> Router {
    let routes = endpoints::routes();
    let routes = if shared.prefix.is_empty() { routes } else { Router::new().nest(&shared.prefix, routes) };
    routes.layer(middleware::from_fn_with_state(Arc::clone(&shared), around)).with_state(shared)
}

async fn around(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(tap): ConnectInfo<Tap>,
    request: Request,
    next: Next,
) -> Response {
    let (mut head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let received = Arc::new(Received::new(&head, &body));
    let endpoint = head.uri.path().strip_prefix(shared.prefix.as_str()).and_then(Endpoint::at);
    let behaviours = {
        let mut state = shared.state();
        state.journal.receive(Arc::clone(&received));
        endpoint.map(|endpoint| state.told.behaviours(endpoint)).unwrap_or_default()
    };
    shared.arrived.notify_waiters();
    head.extensions.insert(received);
    perform(behaviours, &tap, next.run(Request::from_parts(head, Body::empty()))).await
}
