//! Telling phones: in steps, each of which puts in the next, so that no transaction is long and nobody is left out or told twice.

use liventix_core::ids::{EventId, OrganiserId, PushMessageId, TicketId};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Notice, gates, words};
use crate::app::AppState;
use crate::events;
use crate::events::types::EventView;
use crate::params;
use crate::platform::auth::WalletId;
use crate::platform::db::{Conn, DbError, Tx};
use crate::platform::maintenance::worker_name;
use crate::platform::queue::{Claimed, Failure, Handlers, NewJob, Worker};
use crate::platform::text;
use crate::push::recipients::{self, Recipient, Segment};
use crate::push::{self, MAX_TITLE, NewMessage, STEPS, campaigns, outbox};

const STEP: &str = "spread.1";
/// Phones in one step.
const AT_ONCE: usize = 500;
/// What nobody has got by then is no news any more.
const LIFE_MS: i64 = 24 * 3_600_000;

/// A notice, and where the last step ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Spread {
    organiser_id: OrganiserId,
    #[serde(flatten)]
    notice: Notice,
    after: Option<[u8; 16]>,
}

/// Puts the first step in.
pub(super) async fn begin(
    tx: &mut Tx,
    app: &AppState,
    organiser_id: OrganiserId,
    notice: Notice,
) -> Result<(), DbError> {
    put(tx, app, &Spread { organiser_id, notice, after: None }).await
}

async fn put(tx: &mut Tx, app: &AppState, spread: &Spread) -> Result<(), DbError> {
    let job = NewJob {
        organiser: Some(spread.organiser_id),
        unique_key: Some(format!("{STEP} {} {:?}", spread.notice.cause(), spread.after)),
        ..NewJob::new(STEPS.name, STEP, json!(spread))
    };
    app.queue().enqueue(tx, &job).await.map(drop)
}

fn handlers(app: &AppState) -> Handlers {
    let (stepping, looking, campaigning) = (app.clone(), app.clone(), app.clone());
    Handlers::new()
        .on(STEP, move |job: Claimed| {
            let app = stepping.clone();
            async move { step(&app, &job).await }
        })
        .on(gates::LOOK, move |_: Claimed| {
            let app = looking.clone();
            async move { Ok(gates::look(&app).await?) }
        })
        .on(campaigns::STEP, move |job: Claimed| {
            let app = campaigning.clone();
            async move { campaigns::step(&app, &job).await }
        })
}

/// Works until the server begins to shut down.
pub(super) async fn run(app: AppState) {
    Worker::new(app.queue().clone(), STEPS, handlers(&app), worker_name()).run(app.closing()).await;
}

async fn step(app: &AppState, job: &Claimed) -> Result<(), Failure> {
    let spread: Spread = serde_json::from_value(job.payload.clone())
        .map_err(|error| Failure::retry("payload", format!("This version knows no such notice: {error}.")))?;
    let app_in = app.clone();
    let told: Result<(), DbError> =
        app.db().write(move |tx| Box::pin(async move { tell(tx, &app_in, spread).await })).await;
    told?;
    push::wake(app);
    Ok(())
}

/// Which event a notice is about, and which ticket.
async fn about(conn: &mut Conn, notice: &Notice) -> Result<Option<(EventId, Option<TicketId>)>, DbError> {
    let ticket = match notice {
        Notice::EventChanged { event_id, .. }
        | Notice::EventCancelled { event_id }
        | Notice::GatesOpen { event_id, .. } => return Ok(Some((*event_id, None))),
        Notice::TicketReady { ticket_id, .. }
        | Notice::TicketTransferred { ticket_id, .. }
        | Notice::TicketRefunded { ticket_id, .. } => *ticket_id,
    };
    let row = conn.first("SELECT event_id FROM tickets WHERE ticket_id = $1", params![ticket]).await?;
    row.map(|row| Ok((row.get(0)?, Some(ticket)))).transpose()
}

/// Whose phones are told next. A ticket has few holders, who are told in one step.
async fn phones(
    conn: &mut Conn,
    spread: &Spread,
    (event, ticket): (EventId, Option<TicketId>),
) -> Result<Vec<Recipient>, DbError> {
    if let Notice::TicketTransferred { wallets, .. } = &spread.notice {
        let mut phones = Vec::new();
        for wallet in wallets {
            phones.extend(recipients::of_wallet(conn, WalletId::from_bytes(*wallet)).await?);
        }
        return Ok(phones);
    }
    if let Some(ticket) = ticket {
        return recipients::of_ticket(conn, ticket).await;
    }
    let after = spread.after.map(WalletId::from_bytes);
    recipients::of_event(conn, (event, &Segment::default()), (after, AT_ONCE)).await
}

async fn tell(tx: &mut Tx, app: &AppState, spread: Spread) -> Result<(), DbError> {
    let Some((event, ticket)) = about(tx, &spread.notice).await? else { return Ok(()) };
    let Some(view) = events::view_of(tx, event).await? else { return Ok(()) };
    let type_name = match ticket {
        Some(ticket) => type_name(tx, &view, ticket).await?,
        None => String::new(),
    };
    let phones = phones(tx, &spread, (event, ticket)).await?;
    let now = app.now();
    let new = phones.iter().filter_map(|phone| {
        let locale = push::words::language(phone.locale.as_deref(), view.locale);
        let body = words::say(&spread.notice, (&view, &type_name), locale, now)?;
        let message = NewMessage {
            organiser_id: Some(spread.organiser_id),
            event_id: Some(event),
            ticket_id: ticket,
            campaign_id: None,
            wallet_id: phone.wallet_id,
            device_id: phone.device_id,
            kind: spread.notice.kind(),
            title: text::cut(&view.info.name, MAX_TITLE),
            body,
            dedupe_key: format!("{}:{}", spread.notice.cause(), phone.wallet_id.hex()),
            expires_at: now + LIFE_MS,
        };
        Some((PushMessageId::generate(now, app.entropy().as_ref()), message))
    });
    outbox::put(tx, app, new.collect()).await?;
    match phones.last() {
        Some(last) if ticket.is_none() && phones.len() == AT_ONCE => {
            let after = Some(last.wallet_id.to_bytes());
            put(tx, app, &Spread { after, ..spread }).await
        }
        _ => Ok(()),
    }
}

async fn type_name(conn: &mut Conn, event: &EventView, ticket: TicketId) -> Result<String, DbError> {
    let sql = "SELECT ticket_type_id FROM tickets WHERE ticket_id = $1";
    let Some(row) = conn.first(sql, params![ticket]).await? else { return Ok(String::new()) };
    let kind = event.info.ticket_type(row.get(0)?);
    Ok(kind.map_or_else(String::new, |kind| kind.name.clone()))
}
