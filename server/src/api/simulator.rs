//! Who may use the API: the simulator, by its one well-known password.

use crate::error::ApiError;
use axum::{
    extract::FromRequestParts,
    http::{StatusCode, header::AUTHORIZATION, request::Parts},
};

/// `simulator:super_safe!`, as every simulator sends it.
const SIMULATOR: &[u8] = b"Basic c2ltdWxhdG9yOnN1cGVyX3NhZmUh";

/// Proof that the request comes from the simulator; 403 otherwise.
pub(super) struct Simulator;

impl<S: Sync> FromRequestParts<S> for Simulator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        match parts.headers.get(AUTHORIZATION) {
            Some(value) if value.as_bytes() == SIMULATOR => Ok(Self),
            _ => Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "You are not authorized to use this resource!",
            )),
        }
    }
}
