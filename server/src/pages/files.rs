//! What the pages load besides themselves; compiled in.

use axum::{
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::IntoResponse,
};

/// An hour: that long a browser may show a new version's pages in the old one's style.
const CACHED: &str = "public, max-age=3600";

pub(super) async fn style() -> impl IntoResponse {
    let headers = [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, CACHED)];
    (headers, include_str!("../../templates/style.css"))
}

pub(super) async fn icon() -> impl IntoResponse {
    let headers = [(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, CACHED)];
    (headers, include_str!("../../templates/icon.svg"))
}
