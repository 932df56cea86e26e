//! Rotating an event's signing keys.

use liventix_core::ids::EventId;
use liventix_core::ticket::keys::{KeyId, KeyState};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{snapshot, store};
use crate::app::AppState;
use crate::audit::{self, Deed, Entry, Target};
use crate::platform::authorize::Who;
use crate::platform::problem::{ApiError, ApiResult, Code};

/// What happens to the codes signed so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RotateMode {
    /// They stay good, until `accept_until` if given. New codes get the new key.
    Overlap,
    /// They are refused from now on: the key has leaked. Reissue the tickets.
    Withdraw,
}

/// A request for a new signing key.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateRequest {
    /// What happens to the codes signed so far.
    pub mode: RotateMode,
    /// With `overlap`: until when they stay good (UTC milliseconds, in the future).
    #[serde(default)]
    pub accept_until: Option<i64>,
}

/// What a rotation did.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RotateResponse {
    /// The key that signs from now on.
    pub key_id: KeyId,
    /// The event's key version; devices fetch the keys when they see it grow.
    pub key_version: i64,
    /// Valid and unpaid tickets whose current code is, or will be, refused. Nothing is reissued by itself.
    pub killed_codes: i64,
}

/// A key in the list of an event's keys. No secret.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct KeyView {
    /// The key.
    #[serde(flatten)]
    pub state: KeyState,
    /// Whether it signs new codes.
    pub signs: bool,
    /// Valid and unpaid tickets whose current code it signed.
    pub codes: i64,
}

pub(crate) async fn list(app: &AppState, who: Who, event: EventId) -> ApiResult<Vec<KeyView>> {
    let app_in = app.clone();
    app.db_of(who.organiser_id)
        .read(move |conn| {
            Box::pin(async move {
                snapshot::of(&app_in, conn, &who, event).await?;
                let states = store::keys(conn, event).await?;
                let newest = states.iter().map(|state| state.key_id).max();
                let mut keys = Vec::with_capacity(states.len());
                for state in states {
                    let codes = store::codes_under(conn, event, &[state]).await?;
                    keys.push(KeyView { signs: Some(state.key_id) == newest, codes, state });
                }
                Ok::<_, ApiError>(keys)
            })
        })
        .await
}

pub(crate) async fn rotate(
    app: &AppState,
    who: Who,
    event: EventId,
    request: &RotateRequest,
) -> ApiResult<RotateResponse> {
    let (now, mode) = (app.now(), request.mode);
    let until = match (request.mode, request.accept_until) {
        (RotateMode::Withdraw, None) => Some(now),
        (RotateMode::Withdraw, Some(_)) => {
            return Err(ApiError::field(
                "accept_until",
                "goes with overlap only: withdraw ends the old keys now",
            ));
        }
        (RotateMode::Overlap, Some(until)) if until <= now => {
            return Err(ApiError::field(
                "accept_until",
                "must be in the future; to end the old keys now, use withdraw",
            ));
        }
        (RotateMode::Overlap, until) => until,
    };
    let app_in = app.clone();
    let response = app
        .db_of(who.organiser_id)
        .write(move |tx| {
            Box::pin(async move {
                let snapshot = snapshot::hold_for(&app_in, tx, &who, event).await?;
                let current = snapshot.current_key()?;
                let next = current.key_id.0.checked_add(1).ok_or_else(|| {
                    ApiError::new(
                        Code::TooMany,
                        "An event has 256 keys at most, and this one has used them all.",
                    )
                })?;
                let old = store::keys(tx, event).await?;
                let mut killed_codes = 0;
                if let Some(until) = until {
                    store::end_keys(tx, event, until).await?;
                    killed_codes = store::codes_under(tx, event, &old).await?;
                }
                let state =
                    KeyState { key_id: KeyId(next), algorithm: current.algorithm, accept_until: None };
                store::insert_key(tx, event, &state, now).await?;
                let key_version = store::next_key_version(tx, event).await?;
                let response = RotateResponse { key_id: state.key_id, key_version, killed_codes };
                let entry = Entry::of(Deed::KeysRotated)
                    .at(event)
                    .to(Target::Event, event.as_bytes())
                    .named(&snapshot.info.name)
                    .before(&old)
                    .after(json!({"mode": mode, "accept_until": until, "key_id": next, "killed_codes": killed_codes}));
                audit::record(tx, &app_in, &who, entry).await?;
                Ok::<_, ApiError>(response)
            })
        })
        .await?;
    app.ring(event);
    Ok(response)
}
