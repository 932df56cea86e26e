//! What can be done with events, gates and ticket types.

use axum::http::StatusCode;
use liventix_core::ids::{EventId, GateId, TicketTypeId};
use liventix_core::rules::{EventInfo, EventPolicy, Gate, TicketType};
use liventix_core::ticket::keys::{KeyId, KeyState};
use liventix_core::wallet::wire::{ClaimPolicy, WalletPolicy};

use super::types::{
    CancelRequest, EventChange, EventSummary, EventView, GateName, NewEvent, TicketTypeRules,
};
use super::{snapshot, store};
use crate::app::AppState;
use crate::audit::{self, Deed, Entry, Target};
use crate::mails;
use crate::notices;
use crate::platform::authorize::{self, Who};
use crate::platform::db::DbError;
use crate::platform::idempotency::Attempt;
use crate::platform::page::{Key, Page, PageQuery};
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::platform::text;
use crate::scanning;

/// Gates and ticket types of one event, each.
const MAX_PARTS: usize = 200;

pub(super) async fn create(
    app: &AppState,
    who: Who,
    request: NewEvent,
    attempt: Attempt,
) -> ApiResult<EventView> {
    let now = app.now();
    let info = EventInfo {
        event_id: EventId::generate(now, app.entropy().as_ref()),
        name: text::line("name", &request.name, 160)?,
        starts_at: request.starts_at,
        ends_at: request.ends_at,
        time_zone: request.time_zone,
        policy: request.policy,
        gates: Vec::new(),
        ticket_types: Vec::new(),
        key_version: 1,
    };
    check(&info)?;
    check_gates(&info, request.gates_open_at)?;
    check_wallet(&request.wallet)?;
    request.anomaly.check(|gate| info.gate(gate).is_some())?;
    let view = EventView {
        info,
        venue: venue(request.venue.as_deref())?,
        gates_open_at: request.gates_open_at,
        locale: request.locale,
        cancelled_at: None,
        cancel_reason: None,
        algorithm: request.algorithm,
        wallet: request.wallet,
        anomaly: request.anomaly,
        created_at: now,
    };
    let (app_in, stored) = (app.clone(), view.clone());
    app.db()
        .write(move |tx| {
            Box::pin(async move {
                authorize::organiser(tx, &who).await?;
                store::insert(tx, who.organiser_id, &stored).await?;
                let key = KeyState { key_id: KeyId(0), algorithm: stored.algorithm, accept_until: None };
                store::insert_key(tx, stored.info.event_id, &key, now).await?;
                let entry = about(Deed::EventCreated, &stored.info).after(settings(&stored));
                audit::record(tx, &app_in, &who, entry).await?;
                attempt.finish_in(tx, StatusCode::CREATED, &stored).await
            })
        })
        .await?;
    Ok(view)
}

/// Not before 1970, and not once it is over.
fn check_gates(info: &EventInfo, open_at: Option<i64>) -> ApiResult<()> {
    if open_at.is_some_and(|at| at < 0 || at >= info.ends_at) {
        return Err(ApiError::field("gates_open_at", "must be before ends_at (both UTC milliseconds)"));
    }
    Ok(())
}

fn venue(text: Option<&str>) -> ApiResult<Option<String>> {
    text::optional_line("venue", text, 200)
}

/// An entry about the event itself.
fn about(deed: Deed, info: &EventInfo) -> Entry {
    Entry::of(deed).at(info.event_id).to(Target::Event, info.event_id.as_bytes()).named(&info.name)
}

/// What can be changed of an event, as the audit trail has it.
fn settings(view: &EventView) -> serde_json::Value {
    let EventInfo { name, starts_at, ends_at, time_zone, policy, .. } = &view.info;
    serde_json::json!({
        "name": name, "starts_at": starts_at, "ends_at": ends_at, "time_zone": time_zone,
        "policy": policy, "wallet": view.wallet, "anomaly": view.anomaly, "venue": view.venue, "locale": view.locale,
        "gates_open_at": view.gates_open_at,
    })
}

fn check(info: &EventInfo) -> ApiResult<()> {
    check_policy(&info.policy)?;
    if info.starts_at < 0 || info.ends_at <= info.starts_at {
        return Err(ApiError::field("ends_at", "must be after starts_at (both UTC milliseconds)"));
    }
    text::time_zone(&info.time_zone)
}

fn check_wallet(policy: &WalletPolicy) -> ApiResult<()> {
    match policy.claims {
        ClaimPolicy::Several { max_phones } if !(2..=10).contains(&max_phones) => {
            Err(ApiError::field("wallet.claims.max_phones", "must be between 2 and 10"))
        }
        _ => Ok(()),
    }
}

fn check_policy(policy: &EventPolicy) -> ApiResult<()> {
    policy.validate().map_err(|error| ApiError::field(&format!("policy.{}", error.field), error.to_string()))
}

pub(crate) async fn list(app: &AppState, who: Who, page: &PageQuery) -> ApiResult<Page<EventSummary>> {
    let (after, limit) = (page.after()?, page.limit()?);
    let rows: Vec<EventSummary> = app
        .db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                let granted = authorize::organiser(conn, &who).await?;
                Ok::<_, ApiError>(store::list(conn, &granted, after, limit + 1).await?)
            })
        })
        .await?;
    Ok(Page::of(rows, limit, |event| Key { at: 0, id: *event.event_id.as_bytes() }))
}

pub(crate) async fn get(app: &AppState, who: Who, event: EventId) -> ApiResult<EventView> {
    let app_in = app.clone();
    app.db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                let info = snapshot::of(&app_in, conn, &who, event).await?.info.clone();
                Ok(store::view(conn, info).await?)
            })
        })
        .await
}

pub(super) async fn update(
    app: &AppState,
    who: Who,
    event: EventId,
    change: EventChange,
) -> ApiResult<EventView> {
    let app_in = app.clone();
    let view = app
        .db_of(who.organiser_id)
        .write(move |tx| {
            Box::pin(async move {
                let mut info = snapshot::hold_for(&app_in, tx, &who, event).await?.info.clone();
                let old = store::view(tx, info.clone()).await?;
                if let Some(name) = change.name {
                    info.name = text::line("name", &name, 160)?;
                }
                info.starts_at = change.starts_at.unwrap_or(info.starts_at);
                info.ends_at = change.ends_at.unwrap_or(info.ends_at);
                info.time_zone = change.time_zone.unwrap_or(info.time_zone);
                info.policy = change.policy.unwrap_or(info.policy);
                check(&info)?;
                if let Some(wallet) = change.wallet {
                    check_wallet(&wallet)?;
                    store::set_wallet_policy(tx, event, &wallet).await?;
                }
                if let Some(settings) = change.anomaly {
                    settings.check(|gate| info.gate(gate).is_some())?;
                    store::set_anomaly_settings(tx, event, &settings).await?;
                }
                let place = match &change.venue {
                    Some(text) => venue(Some(text))?,
                    None => old.venue.clone(),
                };
                let open_at =
                    change.gates_open_at.map_or(old.gates_open_at, |at| Some(at).filter(|at| *at != 0));
                check_gates(&info, open_at)?;
                let locale = change.locale.unwrap_or(old.locale);
                store::set_place(tx, event, (place.as_deref(), open_at, locale)).await?;
                store::update(tx, &info).await?;
                store::forget_gates_told(tx, event, app_in.now()).await?;
                let view = store::view(tx, info).await?;
                let entry =
                    about(Deed::EventChanged, &view.info).before(settings(&old)).after(settings(&view));
                audit::record(tx, &app_in, &who, entry).await?;
                if change.tell_buyers {
                    mails::event_changed(tx, &app_in, who.organiser_id, (&old, &view)).await?;
                    notices::event_changed(tx, &app_in, who.organiser_id, (&old, &view)).await?;
                }
                Ok::<_, ApiError>(view)
            })
        })
        .await?;
    app.ring(event);
    mails::wake(app);
    notices::wake(app);
    Ok(view)
}

/// An event does not take place: nothing of it is sold any more. Doing it twice changes nothing more.
///
/// # Errors
/// `invalid_field`, `event_over`.
pub(crate) async fn cancel(
    app: &AppState,
    who: Who,
    event: EventId,
    request: CancelRequest,
) -> ApiResult<EventView> {
    let reason = text::block("reason", &request.reason, 500)?;
    let app_in = app.clone();
    let view = app
        .db_of(who.organiser_id)
        .write(move |tx| {
            Box::pin(async move {
                let info = snapshot::hold_for(&app_in, tx, &who, event).await?.info.clone();
                if info.ends_at <= app_in.now() {
                    let detail = "It has taken place. What is over cannot be called off.";
                    return Err(ApiError::new(Code::EventOver, detail));
                }
                if !store::cancel(tx, event, &reason, app_in.now()).await? {
                    return Ok(store::view(tx, info).await?);
                }
                let entry = about(Deed::EventCancelled, &info).after(serde_json::json!({ "reason": reason }));
                audit::record(tx, &app_in, &who, entry).await?;
                if request.tell_buyers {
                    mails::event_cancelled(tx, &app_in, who.organiser_id, event).await?;
                    notices::event_cancelled(tx, &app_in, who.organiser_id, event).await?;
                }
                Ok::<_, ApiError>(store::view(tx, info).await?)
            })
        })
        .await?;
    app.ring(event);
    mails::wake(app);
    notices::wake(app);
    Ok(view)
}

/// A name taken within the event is the only constraint that gates and types can break.
fn name_taken(error: DbError) -> ApiError {
    if error.is_constraint() {
        ApiError::new(Code::NameTaken, "The event has one with this name already. Choose another name.")
    } else {
        error.into()
    }
}

fn gate_not_found() -> ApiError {
    ApiError::new(Code::GateNotFound, "The event has no gate with this id.")
}

fn type_not_found() -> ApiError {
    ApiError::new(Code::TicketTypeNotFound, "The event has no ticket type with this id.")
}

fn room_for_one(count: usize) -> ApiResult<()> {
    if count < MAX_PARTS {
        return Ok(());
    }
    Err(ApiError::new(Code::TooMany, format!("An event has {MAX_PARTS} of these at most.")))
}

fn gate_entry(deed: Deed, event: EventId, gate: &Gate) -> Entry {
    Entry::of(deed).at(event).to(Target::Gate, gate.gate_id.as_bytes()).named(&gate.name)
}

fn type_entry(deed: Deed, event: EventId, kind: &TicketType) -> Entry {
    Entry::of(deed).at(event).to(Target::TicketType, kind.ticket_type_id.as_bytes()).named(&kind.name)
}

pub(super) async fn put_gate(
    app: &AppState,
    who: Who,
    event: EventId,
    existing: Option<GateId>,
    request: &GateName,
) -> ApiResult<Gate> {
    let name = text::line("name", &request.name, 80)?;
    let gate_id = existing.unwrap_or_else(|| GateId::generate(app.now(), app.entropy().as_ref()));
    let gate = Gate { gate_id, name };
    let (app_in, stored) = (app.clone(), gate.clone());
    app.db_of(who.organiser_id)
        .write(move |tx| {
            Box::pin(async move {
                let snapshot = snapshot::hold_for(&app_in, tx, &who, event).await?;
                let before =
                    existing.map(|id| snapshot.info.gate(id).ok_or_else(gate_not_found)).transpose()?;
                if before.is_none() {
                    room_for_one(snapshot.info.gates.len())?;
                }
                store::put_gate(tx, event, &stored).await.map_err(name_taken)?;
                let deed = if before.is_some() { Deed::GateRenamed } else { Deed::GateCreated };
                let entry = gate_entry(deed, event, &stored).before(before).after(&stored);
                audit::record(tx, &app_in, &who, entry).await
            })
        })
        .await?;
    app.ring(event);
    Ok(gate)
}

pub(super) async fn delete_gate(app: &AppState, who: Who, event: EventId, gate: GateId) -> ApiResult<()> {
    let app_in = app.clone();
    app.db_of(who.organiser_id)
        .write(move |tx| {
            Box::pin(async move {
                let snapshot = snapshot::hold_for(&app_in, tx, &who, event).await?;
                let gone = snapshot.info.gate(gate).ok_or_else(gate_not_found)?;
                let named = snapshot.info.ticket_types.iter().any(|kind| kind.gate_ids.contains(&gate));
                if named || store::gate_has_scans(tx, event, gate).await? {
                    let detail =
                        "Ticket types name this gate or tickets were scanned at it. Rename it instead.";
                    return Err(ApiError::new(Code::InUse, detail));
                }
                store::delete_gate(tx, event, gate).await?;
                let entry = gate_entry(Deed::GateDeleted, event, gone).before(gone);
                audit::record(tx, &app_in, &who, entry).await
            })
        })
        .await?;
    app.ring(event);
    Ok(())
}

fn checked_type(id: TicketTypeId, rules: TicketTypeRules) -> ApiResult<TicketType> {
    let TicketTypeRules { name, mut gate_ids, admits, entry, valid_from, valid_until } = rules;
    gate_ids.sort_unstable();
    gate_ids.dedup();
    if !(1..=1_000).contains(&admits) {
        return Err(ApiError::field("admits", "must be between 1 and 1 000"));
    }
    if entry.max_entries == Some(0) {
        return Err(ApiError::field("entry.max_entries", "must be at least 1, or null for unlimited"));
    }
    if let (Some(from), Some(until)) = (valid_from, valid_until)
        && until <= from
    {
        return Err(ApiError::field("valid_until", "must be after valid_from"));
    }
    let name = text::line("name", &name, 80)?;
    Ok(TicketType { ticket_type_id: id, name, gate_ids, admits, entry, valid_from, valid_until })
}

pub(super) async fn put_ticket_type(
    app: &AppState,
    who: Who,
    event: EventId,
    existing: Option<TicketTypeId>,
    rules: TicketTypeRules,
) -> ApiResult<TicketType> {
    let id = existing.unwrap_or_else(|| TicketTypeId::generate(app.now(), app.entropy().as_ref()));
    let kind = checked_type(id, rules)?;
    let (app_in, stored) = (app.clone(), kind.clone());
    app.db_of(who.organiser_id)
        .write(move |tx| {
            Box::pin(async move {
                let snapshot = snapshot::hold_for(&app_in, tx, &who, event).await?;
                let info = &snapshot.info;
                let before =
                    existing.map(|id| info.ticket_type(id).ok_or_else(type_not_found)).transpose()?;
                if before.is_none() {
                    room_for_one(info.ticket_types.len())?;
                }
                if stored.gate_ids.iter().any(|gate| info.gate(*gate).is_none()) {
                    return Err(ApiError::field("gate_ids", "names a gate that the event does not have"));
                }
                store::put_ticket_type(tx, event, &stored).await.map_err(name_taken)?;
                if before.is_some_and(|old| old.admits != stored.admits || old.entry != stored.entry) {
                    // What a ticket holds has changed, and so may who came in too many.
                    let info = store::info(tx, event).await?.ok_or_else(snapshot::not_found)?;
                    scanning::merge::refresh_type(tx, &info, id, app_in.now()).await?;
                }
                let deed = if before.is_some() { Deed::TicketTypeChanged } else { Deed::TicketTypeCreated };
                let entry = type_entry(deed, event, &stored).before(before).after(&stored);
                audit::record(tx, &app_in, &who, entry).await
            })
        })
        .await?;
    app.ring(event);
    Ok(kind)
}

/// Orders that wait for their payment have no tickets yet.
fn ordered(error: DbError) -> ApiError {
    if !error.is_constraint() {
        return error.into();
    }
    ApiError::new(
        Code::InUse,
        "Tickets of this type were ordered. Close its sale, and leave the type as it is.",
    )
}

pub(super) async fn delete_ticket_type(
    app: &AppState,
    who: Who,
    event: EventId,
    id: TicketTypeId,
) -> ApiResult<()> {
    let app_in = app.clone();
    app.db_of(who.organiser_id)
        .write(move |tx| {
            Box::pin(async move {
                let snapshot = snapshot::hold_for(&app_in, tx, &who, event).await?;
                let gone = snapshot.info.ticket_type(id).ok_or_else(type_not_found)?;
                if store::ticket_type_has_tickets(tx, id).await? {
                    let detail = "Tickets of this type exist. Cancel them, and leave the type as it is.";
                    return Err(ApiError::new(Code::InUse, detail));
                }
                store::delete_ticket_type(tx, event, id).await.map_err(ordered)?;
                let entry = type_entry(Deed::TicketTypeDeleted, event, gone).before(gone);
                audit::record(tx, &app_in, &who, entry).await
            })
        })
        .await?;
    app.ring(event);
    Ok(())
}
