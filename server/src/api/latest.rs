//! `GET /latest`: the last command that was processed.

use crate::{
    app::App,
    error::{ApiError, Failure},
};
use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub(super) struct LatestBody {
    /// The command's id; -1 before any command.
    #[schema(example = 25_921)]
    latest: i64,
}

/// The id of the last command that was processed, -1 before any.
///
/// Needs no authorization, and takes no command id of its own.
#[utoipa::path(
    get,
    path = "/latest",
    tag = "simulator",
    responses((status = OK, body = LatestBody), Failure),
)]
pub(super) async fn latest(State(app): State<App>) -> Result<Json<LatestBody>, ApiError> {
    Ok(Json(LatestBody { latest: app.latest.read(app.store.as_ref()).await? }))
}
