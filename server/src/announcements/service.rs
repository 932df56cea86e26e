//! Writing to the buyers of an event.

use axum::http::StatusCode;
use liventix_core::ids::EventId;
use serde_json::json;

use super::store;
use super::types::{Announcement, AnnouncementView, NewAnnouncement};
use crate::app::AppState;
use crate::audit::{self, Deed, Entry, Target};
use crate::email;
use crate::mails;
use crate::platform::authorize::{self, Who};
use crate::platform::idempotency::Attempt;
use crate::platform::ids::AnnouncementId;
use crate::platform::page::{Key, Page, PageQuery};
use crate::platform::problem::{ApiError, ApiResult};
use crate::platform::text;

/// Writes to all buyers of an event who have tickets, once each.
///
/// # Errors
/// `invalid_field`, `mails_off`, and what [`authorize::event`] refuses.
pub(crate) async fn write(
    app: &AppState,
    who: Who,
    event: EventId,
    new: NewAnnouncement,
    attempt: Attempt,
) -> ApiResult<AnnouncementView> {
    let announcement = Announcement {
        announcement_id: AnnouncementId::generate(app.now(), app.entropy().as_ref()),
        organiser_id: who.organiser_id,
        event_id: event,
        subject: text::line("subject", &new.subject, 150)?,
        body: text::block("body", &new.body, 10_000)?,
        written_by: who.by.name.clone(),
        created_at: app.now(),
    };
    let (db, app_in) = (app.db_of(who.organiser_id), app.clone());
    let view = db.write(move |tx| {
        Box::pin(async move {
            authorize::event(tx, &who, event).await?;
            email::desk::require(&app_in)?;
            store::insert(tx, &announcement).await?;
            mails::announce(tx, &app_in, &announcement).await?;
            let entry = Entry::of(Deed::BuyersWritten).at(event).to(Target::Event, event.as_bytes());
            let entry = entry.named(&announcement.subject).after(json!({ "body": announcement.body }));
            audit::record(tx, &app_in, &who, entry).await?;
            let view = AnnouncementView {
                announcement_id: announcement.announcement_id,
                subject: announcement.subject,
                body: announcement.body,
                written_by: announcement.written_by,
                created_at: announcement.created_at,
                waiting: 0,
                sent: 0,
                failed: 0,
                withheld: 0,
            };
            attempt.finish_in(tx, StatusCode::CREATED, &view).await?;
            Ok::<_, ApiError>(view)
        })
    });
    let view = view.await?;
    mails::wake(app);
    Ok(view)
}

/// What was written to them, newest first.
///
/// # Errors
/// `invalid_query`, `unknown_cursor`, and what [`authorize::event`] refuses.
pub(crate) async fn list(
    app: &AppState,
    who: Who,
    event: EventId,
    page: &PageQuery,
) -> ApiResult<Page<AnnouncementView>> {
    let (before, limit) = (page.before()?, page.limit()?);
    let db = app.db_of(who.organiser_id);
    let rows = db.read(move |conn| {
        Box::pin(async move {
            authorize::event(conn, &who, event).await?;
            Ok::<_, ApiError>(store::list(conn, event, before, limit + 1).await?)
        })
    });
    let key = |it: &AnnouncementView| Key { at: it.created_at, id: *it.announcement_id.as_bytes() };
    Ok(Page::of(rows.await?, limit, key))
}
