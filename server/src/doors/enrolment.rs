//! From a one-time code to a device.

use axum::http::StatusCode;
use data_encoding::{BASE32_NOPAD, BASE64};
use liventix_core::ids::{DeviceId, OrganiserId};
use liventix_core::qr::{QrOptions, render};
use liventix_core::sync::wire::{Assignment, EnrolRequest, EnrolResponse};
use secrecy::ExposeSecret as _;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::types::{EnrolmentView, NewEnrolment, ScopeEvent};
use crate::app::AppState;
use crate::audit::{self, Deed, Entry, Target};
use crate::events::snapshot;
use crate::params;
use crate::platform::auth::{Kind, Token};
use crate::platform::authorize::{Actor, By, Origin, Who};
use crate::platform::db::{Conn, DbError, Tx};
use crate::platform::idempotency::Attempt;
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::platform::text;

/// How long a code can be used.
const CODE_LIFE_MS: i64 = 15 * 60_000;
const MAX_EVENTS: usize = 20;
/// 120 random bits: 24 letters and digits, in six groups.
const CODE_BYTES: usize = 15;

pub(crate) async fn create(
    app: &AppState,
    who: Who,
    request: NewEnrolment,
    attempt: Attempt,
) -> ApiResult<EnrolmentView> {
    let events = request.events;
    if !(1..=MAX_EVENTS).contains(&events.len()) {
        return Err(ApiError::field("events", format!("must name 1 to {MAX_EVENTS} events")));
    }
    let mut random = [0_u8; CODE_BYTES];
    app.entropy().fill(&mut random);
    let code = grouped(&BASE32_NOPAD.encode(&random));
    let now = app.now();
    let expires_at = now + CODE_LIFE_MS;
    let (app_in, hash) = (app.clone(), code_hash(&code));
    let view = view(app, code, expires_at)?;
    app.db_of(who.organiser_id)
        .write(move |tx| {
            Box::pin(async move {
                check_scope(&app_in, tx, &who, &events).await?;
                let mut id = [0_u8; 16];
                app_in.entropy().fill(&mut id);
                let sql = "INSERT INTO enrolments (enrolment_id, organiser_id, code_hash, scope, created_at, expires_at) \
                           VALUES ($1, $2, $3, $4, $5, $6)";
                let scope = serde_json::to_string(&events).map_err(ApiError::internal)?;
                tx.execute(sql, params![id, who.organiser_id, hash, scope, now, expires_at]).await?;
                let entry = Entry::of(Deed::EnrolmentCreated).to(Target::Enrolment, &id);
                let entry = entry.after(json!({"events": events, "expires_at": expires_at}));
                audit::record(tx, &app_in, &who, entry).await?;
                attempt.finish_in(tx, StatusCode::CREATED, &view).await?;
                Ok(view)
            })
        })
        .await
}

fn view(app: &AppState, code: String, expires_at: i64) -> ApiResult<EnrolmentView> {
    let uri = format!("LIVENTIX-ENROL:{}#{code}", app.public_url());
    let qr = render(&uri, &QrOptions::default()).map_err(ApiError::internal)?;
    Ok(EnrolmentView {
        code,
        uri,
        qr_svg: qr.svg(),
        qr_png_base64: BASE64.encode(&qr.png().map_err(ApiError::internal)?),
        expires_at,
    })
}

async fn check_scope(app: &AppState, conn: &mut Conn, who: &Who, events: &[ScopeEvent]) -> ApiResult<()> {
    for (place, scope) in events.iter().enumerate() {
        if events.iter().take(place).any(|other| other.event_id == scope.event_id) {
            return Err(ApiError::field("events", "names an event twice"));
        }
        let event = snapshot::of(app, conn, who, scope.event_id).await?;
        if scope.gate_ids.iter().any(|gate| event.info.gate(*gate).is_none()) {
            return Err(ApiError::new(Code::GateNotFound, "The event has no gate with one of these ids."));
        }
    }
    Ok(())
}

fn grouped(code: &str) -> String {
    let letters: Vec<char> = code.chars().collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

/// The hash of a code, however it was typed.
fn code_hash(code: &str) -> [u8; 32] {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    Sha256::digest(plain.to_ascii_uppercase().as_bytes()).into()
}

pub(super) async fn enrol(app: &AppState, origin: Origin, request: EnrolRequest) -> ApiResult<EnrolResponse> {
    let name = text::line("device_name", &request.device_name, 80)?;
    if request.code.len() > 100 {
        return Err(ApiError::field("code", "is longer than any enrolment code"));
    }
    let now = app.now();
    let device_id = DeviceId::generate(now, app.entropy().as_ref());
    let token = Token::generate(Kind::Device, *device_id.as_bytes(), app.entropy().as_ref());
    let text = token.text().expose_secret().to_owned();
    let hash = code_hash(&request.code);
    let app_in = app.clone();
    let (organiser_name, assignments) = app
        .db()
        .write(move |tx| {
            Box::pin(async move {
                let (organiser, scope) = use_code(tx, hash, now).await?;
                let sql = "INSERT INTO devices (device_id, organiser_id, name, token_hash, created_at) \
                           VALUES ($1, $2, $3, $4, $5)";
                tx.execute(sql, params![device_id, organiser, &name, token.secret_hash(), now]).await?;
                for event in &scope {
                    let gates = serde_json::to_string(&event.gate_ids).map_err(ApiError::internal)?;
                    let sql = "INSERT INTO device_events (device_id, event_id, gate_ids, supervisor) \
                               VALUES ($1, $2, $3, $4)";
                    tx.execute(sql, params![device_id, event.event_id, gates, event.supervisor]).await?;
                }
                let by = By { actor: Actor::Device(device_id), name: name.clone(), origin };
                let entry = Entry::of(Deed::DeviceEnrolled).to(Target::Device, device_id.as_bytes());
                let entry = entry.named(name).after(json!({ "events": scope }));
                audit::pen(&app_in).write(tx, Some(organiser), &by, entry).await?;
                let sql = "SELECT name FROM organisers WHERE organiser_id = $1";
                let row = tx.first(sql, params![organiser]).await?;
                let organiser_name = row.map_or(Ok(String::new()), |row| row.get(0))?;
                Ok::<_, ApiError>((organiser_name, assignments(tx, device_id).await?))
            })
        })
        .await?;
    Ok(EnrolResponse { device_id, token: text, organiser_name, assignments })
}

/// Uses a code up; it works once.
async fn use_code(tx: &mut Tx, hash: [u8; 32], now: i64) -> ApiResult<(OrganiserId, Vec<ScopeEvent>)> {
    let sql = "SELECT organiser_id, scope, expires_at, used_at FROM enrolments WHERE code_hash = $1";
    let row = tx.first(sql, params![hash]).await?.ok_or_else(|| {
        ApiError::new(Code::EnrolmentCodeUnknown, "Check the code, or ask the organiser for a new one.")
    })?;
    if row.get::<Option<i64>>(3)?.is_some() {
        let detail = "A code enrols one device. Ask the organiser for a new one.";
        return Err(ApiError::new(Code::EnrolmentCodeUsed, detail));
    }
    if row.get::<i64>(2)? <= now {
        let detail = "Codes last 15 minutes. Ask the organiser for a new one.";
        return Err(ApiError::new(Code::EnrolmentCodeExpired, detail));
    }
    // The condition decides between two devices that come at once.
    let sql = "UPDATE enrolments SET used_at = $2 WHERE code_hash = $1 AND used_at IS NULL";
    if tx.execute(sql, params![hash, now]).await? == 0 {
        let detail = "A code enrols one device. Ask the organiser for a new one.";
        return Err(ApiError::new(Code::EnrolmentCodeUsed, detail));
    }
    Ok((row.get(0)?, row.json(1)?))
}

/// What a device may scan.
pub(super) async fn assignments(conn: &mut Conn, device: DeviceId) -> Result<Vec<Assignment>, DbError> {
    let sql = "SELECT e.event_id, e.name, d.gate_ids, d.supervisor FROM device_events d \
               JOIN events e ON e.event_id = d.event_id \
               WHERE d.device_id = $1 ORDER BY e.event_id";
    let rows = conn.query(sql, params![device]).await?;
    rows.iter()
        .map(|row| {
            Ok(Assignment {
                event_id: row.get(0)?,
                event_name: row.get(1)?,
                gate_ids: row.json(2)?,
                supervisor: row.get(3)?,
            })
        })
        .collect()
}
