//! `/v1/balance`, `/v1/payouts` and `/v1/organisers/{organiser_id}/payout-terms`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use liventix_core::ids::OrganiserId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::desk;
use super::terms;
use super::types::{PayoutRequest, PayoutTerms, PayoutView, TermsView};
use super::{BalanceView, OrganiserBalance};
use crate::app::AppState;
use crate::operations;
use crate::platform::auth::{Admin, Caller, Client};
use crate::platform::authorize::{By, may};
use crate::platform::body::{Json, Path, Query};
use crate::platform::idempotency::{Idempotent, Operation as _};
use crate::platform::page::{Page, PageQuery};
use crate::platform::problem::ApiResult;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(balance))
        .routes(routes!(own_terms))
        .routes(routes!(list, pay_out))
        .routes(routes!(balances))
        .routes(routes!(get_terms, put_terms, end_terms))
}

operations! {
    PayOut = "payout", required;
}

/// What is yours, by currency
#[utoipa::path(
    get, path = "/v1/balance", tag = "money", security(("session" = []), ("api_key" = [])),
    responses((status = 200, body = Vec<BalanceView>), (status = 403, description = "`scope_missing`, `role_missing`"))
)]
async fn balance(
    caller: Caller<may::SeeMoney>,
    State(app): State<AppState>,
) -> ApiResult<axum::Json<Vec<BalanceView>>> {
    Ok(axum::Json(desk::balances(&app, caller.who).await?.0))
}

/// How you are paid out
///
/// Whoever runs the server sets it.
#[utoipa::path(
    get, path = "/v1/payout-terms", tag = "money", security(("session" = []), ("api_key" = [])),
    responses(
        (status = 200, body = TermsView), (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`payouts_not_set_up`")
    )
)]
async fn own_terms(
    caller: Caller<may::SeeMoney>,
    State(app): State<AppState>,
) -> ApiResult<axum::Json<TermsView>> {
    let (_, terms) = desk::balances(&app, caller.who).await?;
    Ok(axum::Json(terms.ok_or_else(terms::not_set)?))
}

/// Your payouts, newest first
#[utoipa::path(
    get, path = "/v1/payouts", tag = "money", security(("session" = []), ("api_key" = [])), params(PageQuery),
    responses(
        (status = 200, body = Page<PayoutView>), (status = 400, description = "`invalid_query`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 422, description = "`unknown_cursor`")
    )
)]
async fn list(
    caller: Caller<may::SeeMoney>,
    State(app): State<AppState>,
    Query(page): Query<PageQuery>,
) -> ApiResult<axum::Json<Page<PayoutView>>> {
    Ok(axum::Json(desk::list(&app, caller.who, page).await?))
}

/// Have money paid out
///
/// All that is available, or an amount of it, to the account that whoever runs the server has set. Never more than is
/// available, however many ask at once. Needs an `Idempotency-Key` `payout:<id>:<uuid>`. The answer says where the payout
/// stands: `refused` and `unknown` are answers as well, and what is unknown is found out.
#[utoipa::path(
    post, path = "/v1/payouts", tag = "money", security(("session" = []), ("api_key" = [])),
    request_body = PayoutRequest, extensions(("x-idempotent" = json!(PayOut::document()))),
    responses(
        (status = 201, body = PayoutView), (status = 400, description = "`invalid_json`"),
        (status = 403, description = "`scope_missing`, `role_missing`"),
        (status = 404, description = "`payouts_not_set_up`"),
        (status = 409, description = "`payout_too_much`, `nothing_to_pay_out`"),
        (status = 422, description = "`invalid_field`, `invalid_body`"),
        (status = 429, description = "`rate_limited`: 3 an hour"), (status = 503, description = "`payments_off`")
    )
)]
async fn pay_out(
    caller: Caller<may::PayOut>,
    State(app): State<AppState>,
    call: Idempotent<PayOut, Json<PayoutRequest>>,
) -> ApiResult<Response> {
    let who = caller.who;
    call.run(&app, who.organiser_id, async |Json(request), attempt| {
        Ok((StatusCode::CREATED, axum::Json(desk::pay_out(&app, who, request, attempt).await?)))
    })
    .await
}

/// What is whose, of every organiser
///
/// Those whose balance is not nothing.
#[utoipa::path(
    get, path = "/v1/balances", tag = "money", security(("admin" = [])),
    responses((status = 200, body = Vec<OrganiserBalance>), (status = 403, description = "`admin_disabled`"))
)]
async fn balances(
    _admin: Admin,
    State(app): State<AppState>,
) -> ApiResult<axum::Json<Vec<OrganiserBalance>>> {
    Ok(axum::Json(desk::all_balances(&app).await?))
}

/// How an organiser is paid out
#[utoipa::path(
    get, path = "/v1/organisers/{organiser_id}/payout-terms", tag = "money", security(("admin" = [])),
    params(("organiser_id" = OrganiserId, Path, description = "The organiser")),
    responses(
        (status = 200, body = TermsView), (status = 400, description = "`invalid_path`"),
        (status = 403, description = "`admin_disabled`"), (status = 404, description = "`payouts_not_set_up`")
    )
)]
async fn get_terms(
    _admin: Admin,
    State(app): State<AppState>,
    Path(organiser): Path<OrganiserId>,
) -> ApiResult<axum::Json<TermsView>> {
    Ok(axum::Json(terms::of(&app, organiser).await?))
}

/// Say how an organiser is paid out
///
/// To which account, and how long their money is held before. Payouts that are on their way go where they went.
#[utoipa::path(
    put, path = "/v1/organisers/{organiser_id}/payout-terms", tag = "money", security(("admin" = [])),
    request_body = PayoutTerms, params(("organiser_id" = OrganiserId, Path, description = "The organiser")),
    responses(
        (status = 200, body = TermsView), (status = 400, description = "`invalid_path`, `invalid_json`"),
        (status = 403, description = "`admin_disabled`"), (status = 404, description = "`organiser_not_found`"),
        (status = 422, description = "`invalid_field`, `invalid_body`")
    )
)]
async fn put_terms(
    _admin: Admin,
    client: Client,
    State(app): State<AppState>,
    Path(organiser): Path<OrganiserId>,
    Json(wanted): Json<PayoutTerms>,
) -> ApiResult<axum::Json<TermsView>> {
    let by = By::admin_token(client.origin());
    Ok(axum::Json(terms::put(&app, by, organiser, wanted).await?))
}

/// Stop an organiser's payouts
///
/// Until there are terms again. What is theirs stays theirs.
#[utoipa::path(
    delete, path = "/v1/organisers/{organiser_id}/payout-terms", tag = "money", security(("admin" = [])),
    params(("organiser_id" = OrganiserId, Path, description = "The organiser")),
    responses(
        (status = 204), (status = 400, description = "`invalid_path`"), (status = 403, description = "`admin_disabled`"),
        (status = 404, description = "`payouts_not_set_up`")
    )
)]
async fn end_terms(
    _admin: Admin,
    client: Client,
    State(app): State<AppState>,
    Path(organiser): Path<OrganiserId>,
) -> ApiResult<StatusCode> {
    terms::end(&app, By::admin_token(client.origin()), organiser).await?;
    Ok(StatusCode::NO_CONTENT)
}
