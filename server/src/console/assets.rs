//! The style sheet, under a name that changes with its content: browsers keep it for ever.

use std::sync::LazyLock;

use axum::Router;
use axum::http::header;
use axum::routing::get;
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use crate::app::AppState;

const STYLE: &str = include_str!("style.css");

/// Where the style sheet is.
pub(super) static STYLE_PATH: LazyLock<String> = LazyLock::new(|| {
    let hash = HEXLOWER.encode(&Sha256::digest(STYLE)[..8]);
    format!("/console/style.{hash}.css")
});

pub(super) fn routes() -> Router<AppState> {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Router::new().route(&STYLE_PATH, get(async move || (headers, STYLE)))
}
