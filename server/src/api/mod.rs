//! The simulator API, one file per resource.
//!
//! `command` records `latest` before anything else is looked at; `query`, `body` and `simulator`
//! read what every resource reads the same way.

mod body;
mod command;
mod follows;
mod latest;
mod messages;
mod query;
mod register;
mod simulator;

use crate::app::App;
use axum::middleware;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Every route of the API. `GET /latest` alone takes no command id: it asks for the last one.
pub(crate) fn routes(app: &App) -> OpenApiRouter<App> {
    let commands = OpenApiRouter::new()
        .routes(routes!(register::register))
        .routes(routes!(messages::everybodys))
        .routes(routes!(messages::of_user, messages::post))
        .routes(routes!(follows::of_user, follows::change))
        .route_layer(middleware::from_fn_with_state(app.clone(), command::record));
    OpenApiRouter::new().routes(routes!(latest::latest)).merge(commands)
}
