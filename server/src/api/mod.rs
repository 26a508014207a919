//! The simulator API, one file per resource.
//!
//! `command` records `latest` before anything else is looked at; `query`, `body` and `simulator`
//! read what every resource reads the same way.

pub(crate) mod body;
pub(crate) mod command;
mod follows;
mod latest;
pub(crate) mod messages;
mod query;
pub(crate) mod register;
mod simulator;

use crate::{app::App, pages};
use axum::middleware;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Every route of the API. `GET /latest` alone takes no command id: it asks for the last one.
/// `POST /register` is both the simulator's, with JSON, and that of the web page's form.
pub(crate) fn routes(app: &App) -> OpenApiRouter<App> {
    let register = OpenApiRouter::new()
        .routes(routes!(register::register))
        .route_layer(middleware::from_fn_with_state(app.clone(), pages::register_by_form));
    let commands = register
        .routes(routes!(messages::everybodys))
        .routes(routes!(messages::of_user, messages::post))
        .routes(routes!(follows::of_user, follows::change))
        .route_layer(middleware::from_fn_with_state(app.clone(), command::record));
    OpenApiRouter::new().routes(routes!(latest::latest)).merge(commands)
}
