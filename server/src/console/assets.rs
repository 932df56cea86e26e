//! The style sheet and the script, under names that change with their content: browsers keep them for ever.

use std::sync::LazyLock;

use axum::Router;
use axum::http::header;
use axum::routing::get;
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use crate::app::AppState;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("live.js");
const FIGURES: &str = include_str!("figures.js");

/// Where the style sheet is.
pub(super) static STYLE_PATH: LazyLock<String> = LazyLock::new(|| path("style", STYLE, "css"));
/// Where the script of the live view is.
pub(super) static SCRIPT_PATH: LazyLock<String> = LazyLock::new(|| path("live", SCRIPT, "js"));
/// Where the script of the figures is.
pub(super) static FIGURES_PATH: LazyLock<String> = LazyLock::new(|| path("figures", FIGURES, "js"));

fn path(name: &str, content: &str, kind: &str) -> String {
    let hash = HEXLOWER.encode(&Sha256::digest(content)[..8]);
    format!("/console/{name}.{hash}.{kind}")
}

pub(super) fn routes() -> Router<AppState> {
    let script = "text/javascript; charset=utf-8";
    Router::new()
        .merge(asset(&STYLE_PATH, "text/css; charset=utf-8", STYLE))
        .merge(asset(&SCRIPT_PATH, script, SCRIPT))
        .merge(asset(&FIGURES_PATH, script, FIGURES))
}

fn asset(path: &str, kind: &'static str, content: &'static str) -> Router<AppState> {
    let headers =
        [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Router::new().route(path, get(async move || (headers, content)))
}
