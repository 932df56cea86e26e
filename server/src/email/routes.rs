//! `/v1/admin/emails`, with the admin token.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::types::{EmailStatus, EmailView, NewEmail, TestRequest};
use super::{QUEUE, outbox, store};
use crate::app::AppState;
use crate::platform::auth::Admin;
use crate::platform::body::{Json, Query};
use crate::platform::ids::EmailId;
use crate::platform::page::{Key, Page, PageQuery};
use crate::platform::problem::{ApiError, ApiResult, Code};

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(test))
}

/// Which mails, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
struct EmailQuery {
    /// Those that stand so.
    status: Option<EmailStatus>,
    /// Where the last page ended.
    cursor: Option<String>,
    /// How many (1 to 200, otherwise 50).
    limit: Option<u32>,
}

/// List mails, newest first
#[utoipa::path(
    get, path = "/v1/admin/emails", tag = "operator", security(("admin" = [])), params(EmailQuery),
    responses((status = 200, body = Page<EmailView>), (status = 403, description = "`admin_disabled`"))
)]
async fn list(
    _admin: Admin,
    State(app): State<AppState>,
    Query(query): Query<EmailQuery>,
) -> ApiResult<axum::Json<Page<EmailView>>> {
    let page = PageQuery { cursor: query.cursor, limit: query.limit };
    let (before, limit) = (page.before()?, page.limit()?);
    let read = app
        .db()
        .read(move |conn| Box::pin(async move { store::list(conn, query.status, before, limit + 1).await }));
    let rows = read.await?.into_iter().map(EmailView::from).collect();
    let key = |email: &EmailView| Key { at: email.created_at, id: *email.email_id.as_bytes() };
    Ok(axum::Json(Page::of(rows, limit, key)))
}

/// Send a mail that says that mails work
#[utoipa::path(
    post, path = "/v1/admin/emails/test", tag = "operator", security(("admin" = [])), request_body = TestRequest,
    responses(
        (status = 202, description = "It is on its way: see the list"), (status = 403, description = "`admin_disabled`"),
        (status = 422, description = "`invalid_field`, `invalid_body`"), (status = 503, description = "`mails_off`")
    )
)]
async fn test(
    _admin: Admin,
    State(app): State<AppState>,
    Json(TestRequest { to }): Json<TestRequest>,
) -> ApiResult<StatusCode> {
    if to.parse::<lettre::Address>().is_err() {
        return Err(ApiError::field("to", "must be an e-mail address"));
    }
    if !app.emails().are_on() {
        let detail = "No mail is sent here yet: set mail_from, and resend_api_key, smtp_url or mail_folder.";
        return Err(ApiError::new(Code::MailsOff, detail));
    }
    let app_in = app.clone();
    let put = app.db().write(move |tx| {
        Box::pin(async move {
            let id = EmailId::generate(app_in.now(), app_in.entropy().as_ref());
            let email = NewEmail {
                organiser_id: None,
                kind: "test",
                payload: json!({}),
                dedupe_key: format!("test:{id}"),
                to_name: String::new(),
                to_address: to,
            };
            outbox::put(tx, &app_in, &email).await.map(drop)
        })
    });
    let put: Result<(), crate::platform::db::DbError> = put.await;
    put?;
    app.queue().wake(QUEUE.name);
    Ok(StatusCode::ACCEPTED)
}
