//! `/v1/wallet/push`: what phones say about messages to them.

use axum::extract::State;
use axum::http::StatusCode;
use liventix_core::push::wire::{PushDevice, PushPreferences, Receipts, RegisterPush, TestSent};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::service;
use crate::app::AppState;
use crate::platform::auth::Wallet;
use crate::platform::body::Json;
use crate::platform::problem::ApiResult;

pub(in crate::push) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(device, register, withdraw))
        .routes(routes!(prefer))
        .routes(routes!(test))
        .routes(routes!(receive))
}

/// Register the phone's push token
///
/// Push messages for this wallet go there from now on, and to no other. A token that another wallet told before belongs
/// to this one now: the app was installed anew. Told again, it is only dated.
#[utoipa::path(
    put, path = "/v1/wallet/push", tag = "wallet", security(("wallet" = [])), request_body = RegisterPush,
    responses(
        (status = 200, body = PushDevice),
        (status = 422, description = "`push_token_invalid`, `invalid_field`, `invalid_body`"),
        (status = 503, description = "`push_off`: the server is not set up for this service")
    )
)]
async fn register(
    wallet: Wallet,
    State(app): State<AppState>,
    Json(wish): Json<RegisterPush>,
) -> ApiResult<axum::Json<PushDevice>> {
    Ok(axum::Json(service::register(&app, wallet.wallet_id, &wish).await?))
}

/// Where push messages for this wallet go
#[utoipa::path(
    get, path = "/v1/wallet/push", tag = "wallet", security(("wallet" = [])),
    responses((status = 200, body = PushDevice), (status = 404, description = "`push_device_not_found`"))
)]
async fn device(wallet: Wallet, State(app): State<AppState>) -> ApiResult<axum::Json<PushDevice>> {
    Ok(axum::Json(service::get(&app, wallet.wallet_id).await?))
}

/// Forget the phone's push token
///
/// Somebody signed out, or takes the permission back. Doing it twice changes nothing more. Preferences are kept.
#[utoipa::path(
    delete, path = "/v1/wallet/push", tag = "wallet", security(("wallet" = [])), responses((status = 204))
)]
async fn withdraw(wallet: Wallet, State(app): State<AppState>) -> ApiResult<StatusCode> {
    service::withdraw(&app, wallet.wallet_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Say which messages are wanted, and when
///
/// All of it at once. Messages of quiet hours come when these are over, similar ones as one.
#[utoipa::path(
    put, path = "/v1/wallet/push/preferences", tag = "wallet", security(("wallet" = [])), request_body = PushPreferences,
    responses(
        (status = 200, body = PushDevice), (status = 404, description = "`push_device_not_found`"),
        (status = 422, description = "`invalid_field`, `invalid_body`")
    )
)]
async fn prefer(
    wallet: Wallet,
    State(app): State<AppState>,
    Json(preferences): Json<PushPreferences>,
) -> ApiResult<axum::Json<PushDevice>> {
    Ok(axum::Json(service::prefer(&app, wallet.wallet_id, preferences).await?))
}

/// Send this phone a message that says that messages arrive
#[utoipa::path(
    post, path = "/v1/wallet/push/test", tag = "wallet", security(("wallet" = [])),
    responses((status = 202, body = TestSent), (status = 404, description = "`push_device_not_found`"))
)]
async fn test(wallet: Wallet, State(app): State<AppState>) -> ApiResult<(StatusCode, axum::Json<TestSent>)> {
    let message_id = service::test(&app, wallet.wallet_id).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(TestSent { message_id })))
}

/// Say that messages arrived, or were opened
///
/// What was told before changes nothing, nor does what is not this wallet's.
#[utoipa::path(
    post, path = "/v1/wallet/push/receipts", tag = "wallet", security(("wallet" = [])), request_body = Receipts,
    responses((status = 204), (status = 422, description = "`invalid_field`, `invalid_body`"))
)]
async fn receive(
    wallet: Wallet,
    State(app): State<AppState>,
    Json(receipts): Json<Receipts>,
) -> ApiResult<StatusCode> {
    service::receive(&app, wallet.wallet_id, receipts).await?;
    Ok(StatusCode::NO_CONTENT)
}
