//! What a phone says about messages to it.

use liventix_core::ids::{PushDeviceId, PushMessageId};
use liventix_core::push::PushToken;
use liventix_core::push::wire::{MAX_RECEIPTS, PushDevice, PushPreferences, Receipt, Receipts, RegisterPush};

use super::store::{self, Device, Told};
use crate::app::AppState;
use crate::facts::Measure;
use crate::platform::auth::WalletId;
use crate::platform::db::DbError;
use crate::platform::locale::Locale;
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::platform::text;
use crate::push::counted::Tally;
use crate::push::{Kind, NewMessage, messages, outbox, words};

/// The longest language tag taken (BCP 47), in characters.
const MAX_LOCALE: usize = 35;
/// How long a test message is tried to be sent.
const TEST_LIFE_MS: i64 = 3_600_000;

fn unknown() -> ApiError {
    let detail = "Register the phone's push token first.";
    ApiError::new(Code::PushDeviceNotFound, detail)
}

/// Messages for the wallet go to this token from now on.
pub(super) async fn register(app: &AppState, wallet: WalletId, wish: &RegisterPush) -> ApiResult<PushDevice> {
    let token = PushToken::parse(wish.service, &wish.token)
        .map_err(|error| ApiError::new(Code::PushTokenInvalid, error.to_string()))?;
    app.push().require(wish.service)?;
    let sealed_token = app
        .vault()
        .seal(&store::context(token.fingerprint().as_bytes()), token.as_str().as_bytes())
        .map_err(ApiError::internal)?;
    let told = Told {
        token,
        sealed_token,
        locale: text::optional_line("locale", wish.locale.as_deref(), MAX_LOCALE)?,
        time_zone: zone(wish.time_zone.as_deref()),
    };
    let device = PushDeviceId::generate(app.now(), app.entropy().as_ref());
    let now = app.now();
    let registered = app.db().write(move |tx| {
        Box::pin(async move {
            store::register(tx, (device, wallet), &told, now).await?;
            let device = store::of_wallet(tx, wallet).await?;
            Ok::<_, DbError>((device, store::preferences(tx, wallet).await?))
        })
    });
    let (device, preferences) = registered.await?;
    Ok(view(&device.ok_or_else(unknown)?, preferences))
}

/// A zone that this server knows. A phone may know more of them, and can do nothing about it.
fn zone(name: Option<&str>) -> Option<String> {
    name.filter(|name| name.parse::<chrono_tz::Tz>().is_ok()).map(str::to_owned)
}

fn view(device: &Device, preferences: PushPreferences) -> PushDevice {
    let Device { device_id, service, is_active, .. } = *device;
    PushDevice { device_id, service, is_active, preferences }
}

/// Where messages for the wallet go.
pub(super) async fn get(app: &AppState, wallet: WalletId) -> ApiResult<PushDevice> {
    let found = app.db().read(move |conn| {
        Box::pin(async move {
            let device = store::of_wallet(conn, wallet).await?;
            Ok::<_, DbError>((device, store::preferences(conn, wallet).await?))
        })
    });
    let (device, preferences) = found.await?;
    Ok(view(&device.ok_or_else(unknown)?, preferences))
}

/// They go nowhere any more. Doing it twice changes nothing more.
pub(super) async fn withdraw(app: &AppState, wallet: WalletId) -> ApiResult<()> {
    let gone = app.db().write(move |tx| Box::pin(async move { store::forget(tx, wallet).await }));
    let gone: Result<(), DbError> = gone.await;
    Ok(gone?)
}

/// What somebody wants of them, all of it.
pub(super) async fn prefer(
    app: &AppState,
    wallet: WalletId,
    preferences: PushPreferences,
) -> ApiResult<PushDevice> {
    if let Some(category) = preferences.impossible() {
        let field = format!("{}.quiet_hours", category.code());
        return Err(ApiError::field(&field, "must begin and end at two different minutes of a day"));
    }
    let kept = app.db().write(move |tx| {
        Box::pin(async move {
            let Some(device) = store::of_wallet(tx, wallet).await? else { return Ok(None) };
            store::put_preferences(tx, wallet, &preferences).await?;
            Ok::<_, DbError>(Some(device))
        })
    });
    Ok(view(&kept.await?.ok_or_else(unknown)?, preferences))
}

/// A message that says that messages arrive.
pub(super) async fn test(app: &AppState, wallet: WalletId) -> ApiResult<PushMessageId> {
    let app_in = app.clone();
    let put = app.db().write(move |tx| {
        Box::pin(async move {
            let Some(device) = store::of_wallet(tx, wallet).await? else { return Ok(None) };
            let id = PushMessageId::generate(app_in.now(), app_in.entropy().as_ref());
            let (title, body) = words::test(words::language(device.locale.as_deref(), Locale::default()));
            let message = NewMessage {
                organiser_id: None,
                event_id: None,
                ticket_id: None,
                campaign_id: None,
                wallet_id: wallet,
                device_id: device.device_id,
                kind: Kind::Test,
                title: title.to_owned(),
                body: body.to_owned(),
                dedupe_key: format!("test:{id}"),
                expires_at: app_in.now() + TEST_LIFE_MS,
            };
            outbox::put(tx, &app_in, vec![(id, message)]).await?;
            Ok::<_, DbError>(Some(id))
        })
    });
    let id = put.await?.ok_or_else(unknown)?;
    outbox::wake(app);
    Ok(id)
}

/// What became of messages on the phone. What is known already, or is not this wallet's, changes nothing.
pub(super) async fn receive(app: &AppState, wallet: WalletId, receipts: Receipts) -> ApiResult<()> {
    let mut receipts = receipts.receipts;
    if receipts.is_empty() || receipts.len() > MAX_RECEIPTS {
        let detail = format!("must hold 1 to {MAX_RECEIPTS} of them");
        return Err(ApiError::field("receipts", detail));
    }
    // In one order everywhere, so that nobody waits for each other.
    receipts.sort_by_key(|receipt| (receipt.message_id, receipt.kind));
    let (app_in, now) = (app.clone(), app.now());
    let told = app.db().write(move |tx| {
        Box::pin(async move {
            let mut tally = Tally::default();
            for Receipt { message_id, kind, age_ms } in receipts {
                let at = now.saturating_sub(i64::try_from(age_ms).unwrap_or(i64::MAX));
                let told = messages::received(tx, (message_id, wallet), kind, at).await?;
                if told.is_delivered {
                    tally.add(told.whose, Measure::PushesDelivered, at);
                }
                if told.is_opened {
                    tally.add(told.whose, Measure::PushesOpened, at);
                }
            }
            tally.write(tx, &app_in).await
        })
    });
    let told: Result<(), DbError> = told.await;
    Ok(told?)
}
