//! For those who run the server: health, metrics, and the API's own description.

use crate::{app::App, error::ApiError};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use std::sync::atomic::Ordering;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_swagger_ui::{Config, SwaggerUi};

#[derive(OpenApi)]
#[openapi(
    info(title = "MiniTwit simulator API", description = "What a simulator trace speaks."),
    modifiers(&Simulator),
)]
pub(crate) struct ApiDoc;

struct Simulator;

impl Modify for Simulator {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let basic = HttpBuilder::new().scheme(HttpAuthScheme::Basic).build();
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("simulator", SecurityScheme::Http(basic));
    }
}

/// `/healthz`, `/readyz` and `/metrics`.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
}

/// `/docs`, a page to browse the document with, which is served beside it.
pub(crate) fn docs(document: utoipa::openapi::OpenApi) -> SwaggerUi {
    SwaggerUi::new("/docs")
        .url("/api-doc/openapi.json", document)
        // Swagger's validator is somebody else's server.
        .config(Config::default().validator_url("none"))
}

async fn alive() -> &'static str {
    "alive\n"
}

async fn ready(State(app): State<App>) -> Result<&'static str, ApiError> {
    let unready = |why| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, why);
    if app.draining.load(Ordering::Relaxed) {
        return Err(unready("the server is shutting down"));
    }
    app.store.latest().await.map_err(|error| {
        tracing::warn!(%error, "not ready");
        unready("the database does not answer")
    })?;
    Ok("ready\n")
}

async fn metrics(State(app): State<App>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], app.metrics.render())
}
