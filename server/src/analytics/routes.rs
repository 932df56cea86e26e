//! `/v1/analytics`: figures; `/v1/admin/analytics`: whether they are counted.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::calendar::Step;
use super::csv::{self, Report};
use super::health::{self, Health};
use super::questions::{
    About, AdCampaigns, Answer, AskAdCampaigns, AskCreatives, AskDoors, AskEntries, AskFunnel, AskOverview,
    AskSales, AskTicketTypes, Creatives, Doors, Entries, Freshness, Funnel, Overview, Sales, TicketTypes,
    ask,
};
use super::series::Window;
use super::work;
use crate::app::AppState;
use crate::platform::auth::{Admin, Caller};
use crate::platform::authorize::may;
use crate::platform::body::Query;
use crate::platform::page::PageQuery;
use crate::platform::problem::ApiResult;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(overview))
        .routes(routes!(sales))
        .routes(routes!(entries))
        .routes(routes!(doors))
        .routes(routes!(ticket_types))
        .routes(routes!(funnel))
        .routes(routes!(creatives))
        .routes(routes!(ad_campaigns))
        .routes(routes!(export))
        .routes(routes!(refresh))
        .routes(routes!(admin_health))
        .routes(routes!(rebuild))
}

/// How long the parts of a time series are.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Parts {
    /// `day` unless told.
    #[serde(default = "day")]
    #[param(inline)]
    step: Step,
}

const fn day() -> Step {
    Step::Day
}

/// Everything at a glance
///
/// What was sold and what that brought, what happened at the doors, what became of mails and push messages. A figure that
/// is not defined (a share of nothing) is null, and says why.
#[utoipa::path(
    get, path = "/v1/analytics/overview", tag = "analytics", security(("session" = []), ("api_key" = [])), params(About),
    responses(
        (status = 200, body = Answer<Overview>), (status = 400, description = "`invalid_query`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`event_not_found`"),
        (status = 422, description = "`invalid_field`"), (status = 503, description = "`figures_unavailable`")
    )
)]
async fn overview(
    caller: Caller<may::SeeFigures>,
    State(app): State<AppState>,
    Query(about): Query<About>,
) -> ApiResult<axum::Json<Answer<Overview>>> {
    Ok(axum::Json(ask(&app, caller.who, about, AskOverview).await?))
}

/// Sales over time
///
/// Days are those of the event's or the organiser's time zone, 23 or 25 hours long where clocks are set. Days on which
/// nothing was sold are there as well. A cursor stays good while more is sold.
#[utoipa::path(
    get, path = "/v1/analytics/sales", tag = "analytics", security(("session" = []), ("api_key" = [])),
    params(About, Parts, PageQuery),
    responses(
        (status = 200, body = Answer<Sales>), (status = 400, description = "`invalid_query`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`event_not_found`"),
        (status = 422, description = "`invalid_field`, `unknown_cursor`"), (status = 503, description = "`figures_unavailable`")
    )
)]
async fn sales(
    caller: Caller<may::SeeFigures>,
    State(app): State<AppState>,
    Query(about): Query<About>,
    Query(parts): Query<Parts>,
    Query(page): Query<PageQuery>,
) -> ApiResult<axum::Json<Answer<Sales>>> {
    let question = AskSales { step: parts.step, window: Window::of(&page)? };
    Ok(axum::Json(ask(&app, caller.who, about, question).await?))
}

/// People at the doors over time
#[utoipa::path(
    get, path = "/v1/analytics/entries", tag = "analytics", security(("session" = []), ("api_key" = [])),
    params(About, Parts, PageQuery),
    responses(
        (status = 200, body = Answer<Entries>), (status = 400, description = "`invalid_query`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`event_not_found`"),
        (status = 422, description = "`invalid_field`, `unknown_cursor`"), (status = 503, description = "`figures_unavailable`")
    )
)]
async fn entries(
    caller: Caller<may::SeeFigures>,
    State(app): State<AppState>,
    Query(about): Query<About>,
    Query(parts): Query<Parts>,
    Query(page): Query<PageQuery>,
) -> ApiResult<axum::Json<Answer<Entries>>> {
    let question = AskEntries { step: parts.step, window: Window::of(&page)? };
    Ok(axum::Json(ask(&app, caller.who, about, question).await?))
}

/// What happened at each gate, with its busiest minute
#[utoipa::path(
    get, path = "/v1/analytics/doors", tag = "analytics", security(("session" = []), ("api_key" = [])), params(About),
    responses(
        (status = 200, body = Answer<Doors>), (status = 400, description = "`invalid_query`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`event_not_found`"),
        (status = 422, description = "`invalid_field`"), (status = 503, description = "`figures_unavailable`")
    )
)]
async fn doors(
    caller: Caller<may::SeeFigures>,
    State(app): State<AppState>,
    Query(about): Query<About>,
) -> ApiResult<axum::Json<Answer<Doors>>> {
    Ok(axum::Json(ask(&app, caller.who, about, AskDoors).await?))
}

/// Which ticket types sell, the best first
#[utoipa::path(
    get, path = "/v1/analytics/ticket-types", tag = "analytics", security(("session" = []), ("api_key" = [])), params(About),
    responses(
        (status = 200, body = Answer<TicketTypes>), (status = 400, description = "`invalid_query`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`event_not_found`"),
        (status = 422, description = "`invalid_field`"), (status = 503, description = "`figures_unavailable`")
    )
)]
async fn ticket_types(
    caller: Caller<may::SeeFigures>,
    State(app): State<AppState>,
    Query(about): Query<About>,
) -> ApiResult<axum::Json<Answer<TicketTypes>>> {
    Ok(axum::Json(ask(&app, caller.who, about, AskTicketTypes).await?))
}

/// From seeing to coming: how many are left at each stage
#[utoipa::path(
    get, path = "/v1/analytics/funnel", tag = "analytics", security(("session" = []), ("api_key" = [])), params(About),
    responses(
        (status = 200, body = Answer<Funnel>), (status = 400, description = "`invalid_query`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`event_not_found`"),
        (status = 422, description = "`invalid_field`"), (status = 503, description = "`figures_unavailable`")
    )
)]
async fn funnel(
    caller: Caller<may::SeeFigures>,
    State(app): State<AppState>,
    Query(about): Query<About>,
) -> ApiResult<axum::Json<Answer<Funnel>>> {
    Ok(axum::Json(ask(&app, caller.who, about, AskFunnel).await?))
}

/// What advertising brings, by creative
///
/// A cursor stays good while creatives are added.
#[utoipa::path(
    get, path = "/v1/analytics/creatives", tag = "analytics", security(("session" = []), ("api_key" = [])),
    params(About, PageQuery),
    responses(
        (status = 200, body = Answer<Creatives>), (status = 400, description = "`invalid_query`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`event_not_found`"),
        (status = 422, description = "`invalid_field`, `unknown_cursor`"), (status = 503, description = "`figures_unavailable`")
    )
)]
async fn creatives(
    caller: Caller<may::SeeFigures>,
    State(app): State<AppState>,
    Query(about): Query<About>,
    Query(page): Query<PageQuery>,
) -> ApiResult<axum::Json<Answer<Creatives>>> {
    let question = AskCreatives { after: page.after()?, limit: page.limit()? };
    Ok(axum::Json(ask(&app, caller.who, about, question).await?))
}

/// What advertising brings, by campaign
#[utoipa::path(
    get, path = "/v1/analytics/ad-campaigns", tag = "analytics", security(("session" = []), ("api_key" = [])),
    params(About, PageQuery),
    responses(
        (status = 200, body = Answer<AdCampaigns>), (status = 400, description = "`invalid_query`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`event_not_found`"),
        (status = 422, description = "`invalid_field`, `unknown_cursor`"), (status = 503, description = "`figures_unavailable`")
    )
)]
async fn ad_campaigns(
    caller: Caller<may::SeeFigures>,
    State(app): State<AppState>,
    Query(about): Query<About>,
    Query(page): Query<PageQuery>,
) -> ApiResult<axum::Json<Answer<AdCampaigns>>> {
    let question = AskAdCampaigns { after: page.after()?, limit: page.limit()? };
    Ok(axum::Json(ask(&app, caller.who, about, question).await?))
}

/// Which figures a file is of.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct File {
    /// Which.
    #[param(inline)]
    report: Report,
}

/// Figures as a file for spreadsheets (CSV)
#[utoipa::path(
    get, path = "/v1/analytics/export", tag = "analytics", security(("session" = []), ("api_key" = [])),
    params(File, About, Parts),
    responses(
        (status = 200, body = String, content_type = "text/csv"), (status = 400, description = "`invalid_query`"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 404, description = "`event_not_found`"),
        (status = 422, description = "`invalid_field`"), (status = 503, description = "`figures_unavailable`")
    )
)]
async fn export(
    caller: Caller<may::SeeFigures>,
    State(app): State<AppState>,
    Query(file): Query<File>,
    Query(about): Query<About>,
    Query(parts): Query<Parts>,
) -> ApiResult<Response> {
    let (name, text) = csv::file(&app, caller.who, about, (file.report, parts.step)).await?;
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, text).into_response())
}

/// Have what happened since counted now
///
/// Figures are counted every five minutes by themselves. The answer says how fresh they are, after a moment's wait.
#[utoipa::path(
    post, path = "/v1/analytics/refresh", tag = "analytics", security(("session" = []), ("api_key" = [])),
    responses(
        (status = 200, body = Freshness), (status = 202, body = Freshness, description = "It is under way"),
        (status = 403, description = "`scope_missing`, `role_missing`"), (status = 429, description = "`rate_limited`")
    )
)]
async fn refresh(caller: Caller<may::SeeFigures>, State(app): State<AppState>) -> ApiResult<Response> {
    let (freshness, is_done) = work::refresh_now(&app, caller.who).await?;
    let status = if is_done { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, axum::Json(freshness)).into_response())
}

/// Whether figures are counted
///
/// How far counting is, the last rounds of it, and questions that had no answer.
#[utoipa::path(
    get, path = "/v1/admin/analytics", tag = "operator", security(("admin" = [])),
    responses((status = 200, body = Health), (status = 403, description = "`admin_disabled`"))
)]
async fn admin_health(_admin: Admin, State(app): State<AppState>) -> ApiResult<axum::Json<Health>> {
    Ok(axum::Json(health::health(&app).await?))
}

/// Count everything anew
///
/// What is shown stays until that is done. It comes to the same, unless somebody changed the sums by hand.
#[utoipa::path(
    post, path = "/v1/admin/analytics/rebuild", tag = "operator", security(("admin" = [])),
    responses((status = 202), (status = 403, description = "`admin_disabled`"))
)]
async fn rebuild(_admin: Admin, State(app): State<AppState>) -> ApiResult<StatusCode> {
    work::rebuild_soon(&app).await?;
    Ok(StatusCode::ACCEPTED)
}
