//! Browsers that leave: what they began goes on.
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

mod support;

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::atomic::Ordering,
    task::{Context, Waker},
    time::Duration,
};

use actix_web::{App, HttpServer, rt, web};
use support::{Browser, Memory, builder, gate_at, navigation, site};

/// Waits until something has happened elsewhere.
async fn until(happened: impl Fn() -> bool) {
    let wait = async {
        while !happened() {
            rt::time::sleep(Duration::from_millis(1)).await;
        }
    };
    rt::time::timeout(Duration::from_secs(10), wait).await.expect("it happens");
}

#[actix_web::test]
async fn a_browser_that_leaves_in_the_middle_of_the_token_call_loses_nothing() {
    let host = Memory::new();
    let gate = gate_at(builder("/oauth2"), &host);
    let server = {
        let gate = gate.clone();
        HttpServer::new(move || App::new().configure(gate.routes()))
            .workers(1)
            .bind(("127.0.0.1", 0))
            .unwrap()
    };
    let address = server.addrs()[0];
    let server = server.disable_signals().run();
    let handle = server.handle();
    rt::spawn(server);

    // It begins in this process, and comes back over the network: keys and gate are the same.
    let mut browser = Browser::new(&site(App::new().configure(gate.routes())).await);
    let target = browser.go_and_come_back("/oauth2/sign_in", "/oauth2/callback").await;
    let request = format!(
        "GET {target} HTTP/1.1\r\nhost: app.example\r\nsec-fetch-mode: navigate\r\ncookie: {}\r\n\
         connection: close\r\n\r\n",
        browser.cookies.header().unwrap()
    );

    host.closed.store(true, Ordering::SeqCst);
    let abandoned = send(address, &request).await;
    until(|| host.asked() == 1).await;
    drop(abandoned);
    let seeds = host.seeds();
    let mut reloading = send(address, &request).await;
    until(|| host.seeds() > seeds).await;
    // The worker is in the middle of taking the second copy; it lets nothing else run before it has.
    host.closed.store(false, Ordering::SeqCst);
    let answer = web::block(move || {
        let mut answer = String::new();
        reloading.read_to_string(&mut answer).map(|_| answer)
    });
    let answer = answer.await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
    assert!(answer.contains("set-cookie: __Host-vestibule="), "{answer}");
    assert_eq!(host.asked(), 2, "one token call, one profile call");
    handle.stop(true).await;
}

async fn send(address: SocketAddr, request: &str) -> TcpStream {
    let request = request.to_owned();
    let sent = web::block(move || {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(request.as_bytes()).map(|()| stream)
    });
    sent.await.unwrap().unwrap()
}

#[actix_web::test]
async fn a_handler_that_is_dropped_in_the_middle_of_the_token_call_loses_nothing() {
    let host = Memory::new();
    let app = site(App::new().configure(gate_at(builder("/oauth2"), &host).routes())).await;
    let mut browser = Browser::new(&app);
    let target = browser.go_and_come_back("/oauth2/sign_in", "/oauth2/callback").await;
    host.closed.store(true, Ordering::SeqCst);
    let mut abandoned = app(browser.request(navigation(&target)));
    assert!(abandoned.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(abandoned);
    until(|| host.asked() == 1).await;
    let mut reloading = app(browser.request(navigation(&target)));
    assert!(reloading.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    host.closed.store(false, Ordering::SeqCst);
    let answer = reloading.await.unwrap();
    assert_eq!(answer.status(), 303);
    assert_eq!(host.asked(), 2, "one token call, one profile call");
}
