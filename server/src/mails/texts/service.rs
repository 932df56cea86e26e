//! What organisers do about the texts of their mails.

use serde_json::json;

use super::types::{MailText, MailTextView, NewMailText, Preview};
use super::{OWN, check, store};
use crate::app::AppState;
use crate::audit::{self, Deed, Entry, Target};
use crate::mails::{Kind, render};
use crate::platform::authorize::{self, Who};
use crate::platform::locale::Locale;
use crate::platform::problem::{ApiError, ApiResult, Code};

/// Versions that are shown.
const VERSIONS: u32 = 50;

fn listed(kind: Kind, locale: Locale, newest: Option<&store::Version>) -> MailText {
    let own = newest.filter(|version| version.templates.is_some());
    MailText {
        kind,
        locale,
        version: own.map(|version| version.version),
        saved_by: own.map(|version| version.saved_by.clone()),
        saved_at: own.map(|version| version.saved_at),
    }
}

/// Only the mails of events can be told in an organiser's words.
fn require(kind: Kind) -> ApiResult<()> {
    if OWN.contains(&kind) {
        return Ok(());
    }
    Err(ApiError::new(
        Code::NotFound,
        "This mail has no text of your own. List those that may at /v1/mail-texts.",
    ))
}

/// Every text, and whose it is.
///
/// # Errors
/// What [`authorize::organiser`] refuses.
pub(crate) async fn list(app: &AppState, who: Who) -> ApiResult<Vec<MailText>> {
    app.db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                authorize::organiser(conn, &who).await?;
                let mut all = Vec::new();
                for &kind in OWN {
                    for &locale in Locale::ALL {
                        let newest = store::newest(conn, (who.organiser_id, kind, locale)).await?;
                        all.push(listed(kind, locale, newest.as_ref()));
                    }
                }
                Ok::<_, ApiError>(all)
            })
        })
        .await
}

/// One of them, as it is used now, or one of its versions.
///
/// # Errors
/// `not_found`, and what [`authorize::organiser`] refuses.
pub(crate) async fn get(
    app: &AppState,
    who: Who,
    (kind, locale): (Kind, Locale),
    version: Option<i64>,
) -> ApiResult<MailTextView> {
    require(kind)?;
    let versions = app
        .db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                authorize::organiser(conn, &who).await?;
                Ok::<_, ApiError>(store::versions(conn, (who.organiser_id, kind, locale), VERSIONS).await?)
            })
        })
        .await?;
    let shown = match version {
        None => versions.first(),
        Some(wanted) => Some(
            versions
                .iter()
                .find(|it| it.version == wanted)
                .ok_or_else(|| ApiError::new(Code::NotFound, "There is no such version."))?,
        ),
    };
    let templates = shown.and_then(|version| version.templates.clone());
    let (text, html) = templates.unwrap_or_else(|| {
        let (text, html) = render::source(kind, locale);
        (text.to_owned(), html.to_owned())
    });
    Ok(MailTextView {
        which: listed(kind, locale, versions.first()),
        text,
        html,
        variables: check::variables(kind, locale),
        versions: versions.iter().map(Into::into).collect(),
    })
}

/// A text of the organiser's own, from now on.
///
/// # Errors
/// `mail_text_invalid`, `not_found`, and what [`authorize::organiser`] refuses.
pub(crate) async fn save(
    app: &AppState,
    who: Who,
    (kind, locale): (Kind, Locale),
    new: NewMailText,
) -> ApiResult<MailTextView> {
    require(kind)?;
    check::check(kind, locale, &new)?;
    put(app, who.clone(), (kind, locale), Some(new)).await?;
    get(app, who, (kind, locale), None).await
}

/// Our text again, from now on.
///
/// # Errors
/// `not_found`, and what [`authorize::organiser`] refuses.
pub(crate) async fn reset(app: &AppState, who: Who, (kind, locale): (Kind, Locale)) -> ApiResult<()> {
    require(kind)?;
    put(app, who, (kind, locale), None).await
}

async fn put(
    app: &AppState,
    who: Who,
    (kind, locale): (Kind, Locale),
    new: Option<NewMailText>,
) -> ApiResult<()> {
    let app_in = app.clone();
    app.db_of(who.organiser_id)
        .write(move |tx| {
            Box::pin(async move {
                authorize::organiser(tx, &who).await?;
                let which = (who.organiser_id, kind, locale);
                let newest = store::newest(tx, which).await?;
                let stands = newest.and_then(|version| version.templates);
                let wanted = new.map(|new| (new.text, new.html));
                if stands == wanted {
                    return Ok(());
                }
                let templates = wanted.as_ref().map(|(text, html)| (text.as_str(), html.as_str()));
                let version = store::save(tx, which, templates, (&who.by.name, app_in.now())).await?;
                let deed = if wanted.is_some() { Deed::MailTextSaved } else { Deed::MailTextReset };
                let entry = Entry::of(deed).to(Target::Organiser, who.organiser_id.as_bytes());
                let entry = entry.named(format!("{}/{}", kind.code(), locale.code()));
                audit::record(tx, &app_in, &who, entry.after(json!({ "version": version }))).await
            })
        })
        .await
}

/// What a mail with these templates would look like, with a sample.
///
/// # Errors
/// `mail_text_invalid`, `not_found`, and what [`authorize::organiser`] refuses.
pub(crate) async fn preview(
    app: &AppState,
    who: Who,
    (kind, locale): (Kind, Locale),
    new: &NewMailText,
) -> ApiResult<Preview> {
    require(kind)?;
    app.db_of(who.organiser_id)
        .read(move |conn| Box::pin(async move { authorize::organiser(conn, &who).await.map(drop) }))
        .await?;
    check::check(kind, locale, new)
}
