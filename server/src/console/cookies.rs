//! The two cookies: a session's token, and before there is one, something random that forms are bound to.

use axum::http::HeaderValue;
use axum::http::header::{COOKIE, HeaderMap};
use secrecy::{ExposeSecret as _, SecretString};

use crate::app::AppState;

/// Which cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cookie {
    /// The session's token.
    Session,
    /// For forms of visitors who are not signed in.
    Form,
}

/// Browsers take a `__Host-` cookie from this very host only, over TLS only.
fn name(app: &AppState, cookie: Cookie) -> &'static str {
    match (cookie, is_secure(app)) {
        (Cookie::Session, true) => "__Host-liventix",
        (Cookie::Session, false) => "liventix",
        (Cookie::Form, true) => "__Host-liventix-form",
        (Cookie::Form, false) => "liventix-form",
    }
}

fn is_secure(app: &AppState) -> bool {
    app.public_url().starts_with("https://")
}

/// What the browser sent.
pub(super) fn read(app: &AppState, headers: &HeaderMap, cookie: Cookie) -> Option<SecretString> {
    let name = name(app, cookie);
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, value)| *key == name && !value.is_empty() && value.len() <= 200)
        .map(|(_, value)| value.to_owned().into())
}

/// A `Set-Cookie`; without a life it lasts until the browser closes.
pub(super) fn set(
    app: &AppState,
    cookie: Cookie,
    value: &SecretString,
    life_seconds: Option<i64>,
) -> HeaderValue {
    let secure = if is_secure(app) { "; Secure" } else { "" };
    let life = life_seconds.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    let name = name(app, cookie);
    let value = value.expose_secret();
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{life}");
    // Our own tokens are base64url and hex: they always fit a header.
    let mut header = HeaderValue::from_str(&text)
        .unwrap_or_else(|_| HeaderValue::from_static("liventix-form=; Max-Age=0"));
    header.set_sensitive(true);
    header
}

/// Makes the browser forget it.
pub(super) fn clear(app: &AppState, cookie: Cookie) -> HeaderValue {
    set(app, cookie, &String::new().into(), Some(0))
}
