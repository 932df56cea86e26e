//! What an organiser writes to the buyers of an event.

use serde_json::json;

use super::Kind;
use super::wording;
use crate::announcements;
use crate::app::AppState;
use crate::email::{Composed, Content, Email};
use crate::platform::ids::AnnouncementId;
use crate::platform::problem::ApiError;
use crate::platform::queue::Failure;

pub(super) async fn compose(app: &AppState, email: &Email) -> Result<Composed, Failure> {
    let id = wording::order_of(email)?;
    let named: Option<AnnouncementId> =
        email.payload["announcement_id"].as_str().and_then(|id| id.parse().ok());
    let named = named.ok_or_else(|| Failure::permanent("payload", "The mail names no announcement."))?;
    let address = email.to_address.clone();
    let read = app.db().read(move |conn| {
        Box::pin(async move {
            let about = wording::about(conn, Kind::News, id).await?;
            let organiser = about.order.organiser_id;
            let wants_none = announcements::wants_none(conn, organiser, &address).await?;
            Ok::<_, ApiError>((about, announcements::by_id(conn, named).await?, wants_none))
        })
    });
    let (about, announcement, wants_none) = read.await?;
    if wants_none {
        return Ok(Composed::Nothing("Whoever reads there wants no news from this organiser."));
    }
    let announcement =
        announcement.ok_or_else(|| Failure::permanent("payload", "The announcement is not there."))?;
    let unsubscribe = announcements::unsubscribe_link(app, email.email_id)?;
    let content = about.render(
        json!({ "subject": announcement.subject, "body": announcement.body, "unsubscribe": unsubscribe }),
        Vec::new(),
    )?;
    Ok(Content { unsubscribe: Some(unsubscribe), ..content }.into())
}
