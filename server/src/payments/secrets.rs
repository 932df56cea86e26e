//! What lets a browser make a payment, sealed.

use secrecy::{ExposeSecret as _, SecretString};

use crate::app::AppState;
use crate::platform::ids::PaymentId;
use crate::platform::problem::{ApiError, ApiResult};

fn context(payment: PaymentId) -> Vec<u8> {
    [b"payment secret ".as_slice(), payment.as_bytes()].concat()
}

pub(super) fn seal(app: &AppState, payment: PaymentId, secret: &SecretString) -> ApiResult<Vec<u8>> {
    app.vault().seal(&context(payment), secret.expose_secret().as_bytes()).map_err(ApiError::internal)
}

pub(super) fn open(app: &AppState, payment: PaymentId, sealed: &[u8]) -> ApiResult<SecretString> {
    let opened = app.vault().unseal(&context(payment), sealed).map_err(ApiError::internal)?;
    String::from_utf8(opened.expose_secret().clone()).map(Into::into).map_err(ApiError::internal)
}
