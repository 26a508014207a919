//! The command id that a request carries, and the promise that it is recorded whatever comes of
//! the request.
//!
//! A write takes the id along into its own transaction. Where the request is refused before it
//! writes (403, 400, 404, 415 ...) nobody takes it, and it is committed alone before the answer
//! goes out. A read commits it first. A method that the route does not have (405) never reaches a
//! handler and records nothing, as on the original server.

use super::query;
use crate::{app::App, error::ApiError, store::Entry};
use axum::{
    extract::{FromRequestParts, Request, State},
    http::request::Parts,
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};

/// The id that still waits to be recorded; taken at most once.
#[derive(Debug, Clone, Default)]
pub(crate) struct CommandId(Arc<Mutex<Option<i64>>>);

impl CommandId {
    fn new(id: i64) -> Self {
        Self(Arc::new(Mutex::new(Some(id))))
    }

    /// The id; whoever takes it commits it.
    pub(super) fn take(&self) -> Option<i64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<S: Sync> FromRequestParts<S> for CommandId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

/// The middleware that keeps the promise.
pub(super) async fn record(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let Some(id) = query::command_id(request.uri().query()) else {
        return next.run(request).await;
    };
    if request.method().is_safe() {
        return match record_alone(&app, id).await {
            Ok(()) => next.run(request).await,
            Err(error) => error.into_response(),
        };
    }
    let command = CommandId::new(id);
    request.extensions_mut().insert(command.clone());
    let response = next.run(request).await;
    match command.take() {
        None => response,
        Some(id) => match record_alone(&app, id).await {
            Ok(()) => response,
            Err(error) => error.into_response(),
        },
    }
}

async fn record_alone(app: &App, id: i64) -> Result<(), ApiError> {
    app.commits.submit(Entry { latest: Some(id), write: None }).await?;
    Ok(())
}
