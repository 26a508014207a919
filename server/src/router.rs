//! Every route, and what lies around them.

use crate::{
    api,
    app::App,
    error::ApiError,
    ops::{self, ApiDoc},
    pages, requests,
};
use axum::{
    Router,
    http::{HeaderMap, StatusCode},
    middleware,
};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

/// The whole server as one service.
pub(crate) fn router(app: App) -> Router {
    let (api, document) =
        OpenApiRouter::with_openapi(ApiDoc::openapi()).merge(api::routes(&app)).split_for_parts();
    Router::new()
        .merge(api)
        .merge(ops::routes())
        .merge(ops::docs(document))
        .merge(pages::routes())
        .fallback(async |headers: HeaderMap| {
            pages::refused(&headers, ApiError::new(StatusCode::NOT_FOUND, "there is no such page"))
        })
        .method_not_allowed_fallback(async |headers: HeaderMap| {
            let refusal = "this page has no such method";
            pages::refused(&headers, ApiError::new(StatusCode::METHOD_NOT_ALLOWED, refusal))
        })
        .layer(middleware::from_fn_with_state(app.clone(), requests::attend))
        .with_state(app)
}
