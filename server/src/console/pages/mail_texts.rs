//! An organiser's own texts of mails: seen, tried, saved, taken back.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use data_encoding::BASE64;
use liventix_core::ids::OrganiserId;
use liventix_core::qr::{self, QrOptions};
use serde::{Deserialize, Serialize};

use super::super::failure::Failure;
use super::super::flash::Flash;
use super::super::forms::{Form, Wrong};
use super::super::layout::{self, Frame, Moment};
use super::super::visitor::Office;
use super::Done;
use crate::app::AppState;
use crate::mails::Kind;
use crate::mails::texts::{self, MailText, NewMailText, Preview, Variable, VersionView};
use crate::platform::authorize::may;
use crate::platform::body::{Path, Query};
use crate::platform::locale::Locale;
use crate::platform::problem::{ApiError, ApiResult};

/// What a mail may be, shown to whoever writes it: styles and pictures of its own, and nothing else.
const PREVIEW_POLICY: &str =
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'";

pub(super) fn routes() -> Router<AppState> {
    let all = "/console/organisers/{organiser_id}/mail-texts";
    let at = |rest: &str| format!("{all}/{{kind}}/{{locale}}{rest}");
    Router::new()
        .route(all, get(list))
        .route(&at(""), get(show).post(save))
        .route(&at("/reset"), post(reset))
        .route(&at("/preview"), get(preview_of_saved).post(preview))
}

/// The organiser, the mail and the language of an address.
type Address = Path<(OrganiserId, Kind, Locale)>;

const fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::OrderPaid => "Tickets, once they are paid",
        Kind::OrderRefunded => "Money that goes back",
        Kind::EventChanged => "Something has changed about an event",
        Kind::EventCancelled => "An event is called off",
        Kind::News => "What you write to all buyers",
        Kind::Invitation | Kind::SignInLink | Kind::Alert | Kind::Test => "Other",
    }
}

const fn language(locale: Locale) -> &'static str {
    match locale {
        Locale::En => "English",
        Locale::De => "German",
    }
}

#[derive(Debug, Serialize)]
struct Row {
    path: String,
    words: &'static str,
    language: &'static str,
    version: Option<i64>,
    saved_by: Option<String>,
    saved_at: Option<Moment>,
}

#[derive(Debug, Serialize)]
struct ListContent {
    texts: Vec<Row>,
}

async fn list(
    office: Office<may::EditMails>,
    State(app): State<AppState>,
    Query(Done { done }): Query<Done>,
) -> Result<Response, Failure> {
    let found = texts::list(&app, office.who.clone()).await?;
    let row = |it: MailText| Row {
        path: office.place.path(&app, &format!("/mail-texts/{}/{}", it.kind.code(), it.locale.code())),
        words: words(it.kind),
        language: language(it.locale),
        version: it.version,
        saved_by: it.saved_by,
        saved_at: it.saved_at.map(Moment::new),
    };
    let content = ListContent { texts: found.into_iter().map(row).collect() };
    let frame = Frame::at(&office, "Mail texts", "mail-texts").after(done.as_deref());
    Ok(layout::render(&app, "mail_texts.html", &frame, &content)?)
}

#[derive(Debug, Serialize)]
struct Version {
    version: i64,
    is_built_in: bool,
    by: String,
    at: Moment,
}

#[derive(Debug, Serialize)]
struct Content {
    all: String,
    here: String,
    words: &'static str,
    language: &'static str,
    is_own: bool,
    text: String,
    html: String,
    /// Where what is shown can be looked at as a mail; nowhere, where it was refused.
    preview: Option<String>,
    variables: Vec<Variable>,
    versions: Vec<Version>,
    wrong: Wrong,
}

fn version(view: VersionView) -> Version {
    let VersionView { version, is_built_in, saved_by, saved_at } = view;
    Version { version, is_built_in, by: saved_by, at: Moment::new(saved_at) }
}

/// The page, with what is typed or what stands.
async fn content(
    app: &AppState,
    office: &Office<may::EditMails>,
    (kind, locale): (Kind, Locale),
    asked: Option<i64>,
    typed: Option<(NewMailText, Wrong)>,
) -> ApiResult<Content> {
    let view = texts::get(app, office.who.clone(), (kind, locale), asked).await?;
    let all = office.place.path(app, "/mail-texts");
    let here = format!("{all}/{}/{}", kind.code(), locale.code());
    let of = asked.map(|version| format!("?version={version}")).unwrap_or_default();
    let preview = typed.is_none().then(|| format!("{here}/preview{of}"));
    let (new, wrong) = typed.unwrap_or_else(|| {
        (NewMailText { text: view.text.clone(), html: view.html.clone() }, Wrong::default())
    });
    Ok(Content {
        here,
        all,
        words: words(kind),
        language: language(locale),
        is_own: view.which.version.is_some(),
        text: new.text,
        html: new.html,
        preview,
        variables: view.variables,
        versions: view.versions.into_iter().map(version).collect(),
        wrong,
    })
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    version: Option<i64>,
    done: Option<String>,
}

async fn show(
    office: Office<may::EditMails>,
    State(app): State<AppState>,
    Path((_, kind, locale)): Address,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let content = content(&app, &office, (kind, locale), asked.version, None).await?;
    let frame = Frame::at(&office, "Mail texts", "mail-texts").after(asked.done.as_deref());
    Ok(layout::render(&app, "mail_text.html", &frame, &content)?)
}

fn typed(form: &Form) -> NewMailText {
    // As browsers end lines in forms.
    let lines = |name: &str| form.text(name).replace("\r\n", "\n");
    NewMailText { text: lines("text"), html: lines("html") }
}

async fn save(
    office: Office<may::EditMails>,
    State(app): State<AppState>,
    Path((_, kind, locale)): Address,
    form: Form,
) -> Result<Response, Failure> {
    let new = typed(&form);
    let saved = texts::save(&app, office.who.clone(), (kind, locale), new.clone()).await;
    let error = match saved {
        Ok(_) => {
            let path = format!("/mail-texts/{}/{}", kind.code(), locale.code());
            return Ok(layout::done(&office.place.path(&app, &path), Flash::MailTextSaved));
        }
        Err(error) => error,
    };
    let (wrong, error) = Wrong::of(error)?;
    let content = content(&app, &office, (kind, locale), None, Some((new, wrong))).await?;
    let frame = Frame::at(&office, "Mail texts", "mail-texts");
    Ok(layout::refused(layout::render(&app, "mail_text.html", &frame, &content)?, error))
}

async fn reset(
    office: Office<may::EditMails>,
    State(app): State<AppState>,
    Path((_, kind, locale)): Address,
    _form: Form,
) -> Result<Response, Failure> {
    texts::reset(&app, office.who.clone(), (kind, locale)).await?;
    Ok(layout::done(&office.place.path(&app, "/mail-texts"), Flash::MailTextReset))
}

/// What is in the frame below the form, before anything was changed.
async fn preview_of_saved(
    office: Office<may::EditMails>,
    State(app): State<AppState>,
    Path((_, kind, locale)): Address,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let view = texts::get(&app, office.who.clone(), (kind, locale), asked.version).await?;
    let saved = NewMailText { text: view.text, html: view.html };
    framed(texts::preview(&app, office.who.clone(), (kind, locale), &saved).await)
}

/// What is in the frame below the form, once something was typed.
async fn preview(
    office: Office<may::EditMails>,
    State(app): State<AppState>,
    Path((_, kind, locale)): Address,
    form: Form,
) -> Result<Response, Failure> {
    framed(texts::preview(&app, office.who.clone(), (kind, locale), &typed(&form)).await)
}

/// The mail, or what is wrong with it.
fn framed(preview: ApiResult<Preview>) -> Result<Response, Failure> {
    let page = match preview {
        Ok(preview) => shown(&preview)?,
        Err(error) if error.is_the_callers() => {
            let detail = minijinja::HtmlEscape(error.detail()).to_string();
            format!(
                "<!doctype html><meta charset=\"utf-8\"><p style=\"font:16px/1.5 system-ui;color:#b3261e\">{detail}</p>"
            )
        }
        Err(error) => return Err(error.into()),
    };
    let mut response = layout::as_html(page.into_response());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PREVIEW_POLICY));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    Ok(response)
}

/// The HTML with pictures of a code that opens nothing, and the text below it.
fn shown(preview: &Preview) -> ApiResult<String> {
    let code = qr::render("THIS IS NOT A TICKET", &QrOptions::default()).and_then(|code| code.png());
    let picture = format!("data:image/png;base64,{}", BASE64.encode(&code.map_err(ApiError::internal)?));
    let mut html = preview.html.clone();
    for number in 1..=2 {
        html = html.replace(&format!("cid:ticket-{number}"), &picture);
    }
    let escaped = |text: &str| minijinja::HtmlEscape(text).to_string();
    Ok(format!(
        "{html}<section style=\"max-width:560px;margin:24px auto;font:16px/1.5 system-ui\">\
         <p style=\"color:#55507a\">Subject: <strong>{}</strong>. For those who read text:</p>\
         <pre style=\"white-space:pre-wrap;overflow-wrap:anywhere\">{}</pre></section>",
        escaped(&preview.subject),
        escaped(&preview.text)
    ))
}
