//! The application on actix-web.

use actix_web::{
    App, HttpServer, Responder,
    web::{self, Data, ServiceConfig},
};
use anyhow::Result;
use tokio::net::TcpListener;
use vestibule::driver::Driver;
use vestibule_actix::{Gate, SignedIn};

use crate::{Login, page};

/// The application with `login` mounted into it: `App::new().configure(app(&login, &gate))`.
pub fn app(login: &Login, gate: &Gate) -> impl FnOnce(&mut ServiceConfig) + use<> {
    let (login, gate) = (login.clone(), gate.clone());
    move |config| {
        // What has not been found before is for signed-in people.
        let inside = web::scope("").wrap(gate.require()).route("/", web::get().to(hello));
        let inside = match login.landing() {
            "/" => inside,
            landing => inside.route(landing, web::get().to(hello)),
        };
        config
            .configure(gate.routes())
            .route(login.page(), web::get().to(link))
            .service(inside)
            .app_data(Data::new(login));
    }
}

async fn link(login: Data<Login>) -> impl Responder {
    html(page::login(&login))
}

async fn hello(login: Data<Login>, SignedIn(session): SignedIn) -> impl Responder {
    html(page::hello(&session, &login))
}

fn html(page: String) -> impl Responder {
    page::HEADERS.into_iter().fold(page.customize(), |page, header| page.insert_header(header))
}

/// Serves it.
///
/// # Errors
/// The listener fails.
pub async fn serve(listener: TcpListener, login: Login, driver: Driver) -> Result<()> {
    let gate = Gate::new(driver);
    let server = HttpServer::new(move || App::new().configure(app(&login, &gate)));
    Ok(server.listen(listener.into_std()?)?.run().await?)
}
