//! What can be done with organisers and API keys.

use std::sync::Arc;

use axum::http::StatusCode;
use liventix_core::clock::Clock;
use liventix_core::entropy::Entropy;
use liventix_core::ids::{DeviceId, EventId, OrganiserId};
use liventix_core::ticket::keys::MasterKey;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::store;
use crate::audit::{Deed, Entry, Pen, Target};
use crate::platform::auth::{ApiKeyId, Kind, Scope, Token};
use crate::platform::authorize::{self, By, EventList, Who};
use crate::platform::db::Db;
use crate::platform::idempotency::Attempt;
use crate::platform::page::{Key, Page, PageQuery};
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::platform::text;
use crate::platform::vault::Vault;

/// An organiser.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OrganiserView {
    /// Its id.
    pub organiser_id: OrganiserId,
    /// Its name, as doors show it.
    pub name: String,
    /// Since when (UTC milliseconds).
    pub created_at: i64,
    /// In whose days its figures are (IANA name).
    pub time_zone: String,
}

/// What is to change of an organiser; what is left out stays.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeOrganiser {
    /// Its name (1 to 120 characters).
    #[serde(default)]
    pub name: Option<String>,
    /// In whose days its figures are: an IANA name such as `Europe/Paris`.
    #[serde(default)]
    pub time_zone: Option<String>,
}

/// An API key, without its secret.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ApiKeyView {
    /// Its id.
    pub api_key_id: ApiKeyId,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The only events it may reach; missing if it may reach every one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_ids: Option<Vec<EventId>>,
    /// Since when (UTC milliseconds).
    pub created_at: i64,
    /// Since when it is revoked (UTC milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<i64>,
}

/// A new API key. The only time its token is ever shown.
#[derive(Serialize, ToSchema)]
pub struct NewApiKeyView {
    /// The key.
    #[serde(flatten)]
    pub key: ApiKeyView,
    /// The bearer token. Secret.
    pub token: String,
}

/// A new organiser with its first API key, which may do everything.
#[derive(Serialize, ToSchema)]
pub struct NewOrganiserView {
    /// The organiser.
    #[serde(flatten)]
    pub organiser: OrganiserView,
    /// Its first key.
    pub api_key: NewApiKeyView,
}

/// A request for an organiser.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrganiser {
    /// Its name (1 to 120 characters).
    pub name: String,
}

/// A request for an API key.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    /// What it is for (1 to 80 characters).
    pub name: String,
    /// What it may do (at least one).
    pub scopes: Vec<Scope>,
    /// The only events it may reach (200 at most); left out for every one.
    #[serde(default)]
    pub event_ids: Option<Vec<EventId>>,
}

/// What organisers stand on; the administrator's commands have it without a running server.
#[derive(Clone, Copy)]
pub struct Organisers<'a> {
    /// The database.
    pub db: &'a Db,
    /// Seals the master key.
    pub vault: &'a Vault,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Ids and secrets.
    pub entropy: &'a Arc<dyn Entropy>,
}

impl std::fmt::Debug for Organisers<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Organisers")
    }
}

/// Unless told.
const UTC: &str = "UTC";

/// What a sealed master key is sealed for.
pub(crate) fn master_key_context(organiser: OrganiserId) -> Vec<u8> {
    [b"organiser master key ".as_slice(), organiser.as_bytes()].concat()
}

impl Organisers<'_> {
    /// Makes an organiser, its master key and its first API key.
    ///
    /// # Errors
    /// `invalid_field` for an empty or overlong name.
    pub async fn create(&self, by: By, request: &NewOrganiser) -> ApiResult<NewOrganiserView> {
        let name = text::line("name", &request.name, 120)?;
        let now = self.clock.wall_ms();
        let organiser_id = OrganiserId::generate(now, self.entropy.as_ref());
        let time_zone = UTC.to_owned();
        let organiser = OrganiserView { organiser_id, name, created_at: now, time_zone };
        let master = MasterKey::generate(self.entropy.as_ref());
        let sealed = self
            .vault
            .seal(&master_key_context(organiser_id), master.expose().expose())
            .map_err(ApiError::internal)?;
        let (key, token) = self.new_key("First key".to_owned(), vec![Scope::Manage], None);
        let pen = self.pen();
        let view = NewOrganiserView {
            organiser: organiser.clone(),
            api_key: NewApiKeyView { key: key.clone(), token: token.text().expose_secret().to_owned() },
        };
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    store::insert_organiser(tx, &organiser, sealed).await?;
                    let id = organiser.organiser_id;
                    store::insert_api_key(tx, id, &key, &token).await?;
                    let entry = Entry::of(Deed::OrganiserCreated).to(Target::Organiser, id.as_bytes());
                    pen.write(tx, Some(id), &by, entry.named(&organiser.name)).await?;
                    pen.write(tx, Some(id), &by, key_entry(Deed::ApiKeyCreated, &key).after(&key)).await?;
                    Ok::<_, ApiError>(())
                })
            })
            .await?;
        Ok(view)
    }

    fn pen(&self) -> Pen {
        Pen { now: self.clock.wall_ms(), entropy: Arc::clone(self.entropy) }
    }

    fn new_key(
        &self,
        name: String,
        scopes: Vec<Scope>,
        event_ids: Option<Vec<EventId>>,
    ) -> (ApiKeyView, Token) {
        let (created_at, entropy) = (self.clock.wall_ms(), self.entropy.as_ref());
        let id = DeviceId::generate(created_at, entropy);
        let token = Token::generate(Kind::ApiKey, *id.as_bytes(), entropy);
        let api_key_id = ApiKeyId(id);
        (ApiKeyView { api_key_id, name, scopes, event_ids, created_at, revoked_at: None }, token)
    }

    /// Makes an API key.
    ///
    /// # Errors
    /// `invalid_field` for a bad name or no scope, `organiser_not_found`.
    pub async fn create_api_key(
        &self,
        who: Who,
        request: NewApiKey,
        attempt: Attempt,
    ) -> ApiResult<NewApiKeyView> {
        let name = text::line("name", &request.name, 80)?;
        if request.scopes.is_empty() {
            return Err(ApiError::field(
                "scopes",
                "must name at least one of manage, read, redeem, supervise, track",
            ));
        }
        let events = request.event_ids.map(EventList::new).transpose()?;
        let event_ids = events.as_ref().map(|events| events.as_slice().to_vec());
        let (key, token) = self.new_key(name, request.scopes, event_ids);
        let pen = self.pen();
        let view = NewApiKeyView { key: key.clone(), token: token.text().expose_secret().to_owned() };
        self.db
            .of(who.organiser_id)
            .write(move |tx| {
                Box::pin(async move {
                    let organiser = authorize::organiser(tx, &who).await?.organiser_id;
                    if let Some(events) = events {
                        events.check(tx, organiser).await?;
                    }
                    store::insert_api_key(tx, organiser, &key, &token).await?;
                    let entry = key_entry(Deed::ApiKeyCreated, &key).after(&key);
                    pen.write(tx, Some(organiser), &who.by, entry).await?;
                    attempt.finish_in(tx, StatusCode::CREATED, &view).await?;
                    Ok(view)
                })
            })
            .await
    }

    /// One organiser.
    ///
    /// # Errors
    /// `organiser_not_found`.
    pub async fn get(&self, who: Who) -> ApiResult<OrganiserView> {
        let found: Option<OrganiserView> = self
            .db
            .of(who.organiser_id)
            .read(move |conn| {
                Box::pin(async move {
                    let organiser = authorize::organiser(conn, &who).await?.organiser_id;
                    Ok::<_, ApiError>(store::organiser(conn, organiser).await?)
                })
            })
            .await?;
        found.ok_or_else(not_found)
    }

    /// Changes an organiser.
    ///
    /// # Errors
    /// `invalid_field` for a bad name or an unknown time zone, `organiser_not_found`.
    pub async fn change(&self, who: Who, change: ChangeOrganiser) -> ApiResult<OrganiserView> {
        let name = change.name.map(|name| text::line("name", &name, 120)).transpose()?;
        change.time_zone.as_deref().map(text::time_zone).transpose()?;
        let pen = self.pen();
        self.db
            .of(who.organiser_id)
            .write(move |tx| {
                Box::pin(async move {
                    let id = authorize::organiser(tx, &who).await?.organiser_id;
                    let before = store::organiser(tx, id).await?.ok_or_else(not_found)?;
                    let after = OrganiserView {
                        name: name.unwrap_or_else(|| before.name.clone()),
                        time_zone: change.time_zone.unwrap_or_else(|| before.time_zone.clone()),
                        ..before.clone()
                    };
                    store::update_organiser(tx, &after).await?;
                    let entry = Entry::of(Deed::OrganiserChanged).to(Target::Organiser, id.as_bytes());
                    let entry = entry.named(&after.name).before(&before).after(&after);
                    pen.write(tx, Some(id), &who.by, entry).await?;
                    Ok::<_, ApiError>(after)
                })
            })
            .await
    }

    /// The API keys of an organiser, oldest first, revoked ones included.
    ///
    /// # Errors
    /// `unknown_cursor`, `invalid_query`.
    pub async fn api_keys(&self, who: Who, page: &PageQuery) -> ApiResult<Page<ApiKeyView>> {
        let (after, limit) = (page.after()?, page.limit()?);
        let rows: Vec<ApiKeyView> = self
            .db
            .of(who.organiser_id)
            .read(move |conn| {
                Box::pin(async move {
                    let organiser = authorize::organiser(conn, &who).await?.organiser_id;
                    Ok::<_, ApiError>(store::api_keys(conn, organiser, after, limit + 1).await?)
                })
            })
            .await?;
        Ok(Page::of(rows, limit, |key| Key { at: 0, id: *key.api_key_id.0.as_bytes() }))
    }

    /// Revokes a key, from now on. Revoking it again changes nothing.
    ///
    /// # Errors
    /// `api_key_not_found`.
    pub async fn revoke_api_key(&self, who: Who, id: ApiKeyId) -> ApiResult<()> {
        let pen = self.pen();
        self.db
            .of(who.organiser_id)
            .write(move |tx| {
                Box::pin(async move {
                    let organiser = authorize::organiser(tx, &who).await?.organiser_id;
                    let key = store::api_key(tx, organiser, id).await?.ok_or_else(|| {
                        let detail = "No API key has this id. List them at /v1/api-keys.";
                        ApiError::new(Code::ApiKeyNotFound, detail)
                    })?;
                    if store::revoke_api_key(tx, organiser, id, pen.now).await? {
                        let entry = key_entry(Deed::ApiKeyRevoked, &key);
                        pen.write(tx, Some(organiser), &who.by, entry).await?;
                    }
                    Ok::<_, ApiError>(())
                })
            })
            .await
    }
}

fn not_found() -> ApiError {
    ApiError::new(Code::OrganiserNotFound, "No organiser has this id.")
}

fn key_entry(deed: Deed, key: &ApiKeyView) -> Entry {
    Entry::of(deed).to(Target::ApiKey, key.api_key_id.0.as_bytes()).named(&key.name)
}
