//! What of a batch may go now, and what has to wait, goes with another, or does not go at all.

use std::collections::HashMap;

use chrono::{DateTime, Duration, NaiveTime, TimeZone as _, Timelike as _, Utc};
use chrono_tz::Tz;
use liventix_core::ids::{PushDeviceId, PushMessageId};
use liventix_core::push::PushService;
use liventix_core::push::wire::{PushPreferences, QuietHours};

use super::devices::store::{self as devices, Device};
use super::types::{CampaignState, MAX_BODY, Message, PushStatus, Reason};
use super::{messages, outbox};
use crate::app::AppState;
use crate::platform::auth::WalletId;
use crate::platform::breaker::{self, Permit};
use crate::platform::db::{DbError, Tx};
use crate::platform::rate_limit::{Check, Counters, Key};
use crate::platform::text;

/// How long a message waits for somebody to set up its service.
const OFF_MS: i64 = 600_000;
/// After this, a worker that was given up on has ended.
const TAKEN_MS: i64 = 30_000;

/// A message whose turn it is. Its try is on record.
#[derive(Debug)]
pub(super) struct Ready {
    /// As it was before this try.
    pub(super) message: Message,
    pub(super) device: Device,
    pub(super) had_failures: bool,
}

impl Ready {
    /// Which try it is.
    pub(super) const fn attempt(&self) -> i64 {
        self.message.tries + 1
    }
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    pub(super) ready: Vec<Ready>,
    /// Those that wait, and until when.
    pub(super) held: Vec<(PushMessageId, Reason, i64)>,
}

/// Whether each service is worth calling.
pub(super) type Permits = HashMap<PushService, Permit>;

/// Asks the breaker of each service that is set up.
pub(super) async fn permits(app: &AppState) -> Result<Permits, DbError> {
    let mut permits = Permits::new();
    for service in PushService::ALL.into_iter().filter(|service| app.push().carries(*service)) {
        permits.insert(service, breaker::ask(app.db(), super::breaker_of(service), app.now()).await?);
    }
    Ok(permits)
}

/// Sorts a batch. What waits gets a job of its own, unless it is alone: then its job waits.
pub(super) async fn prepare(
    tx: &mut Tx,
    app: &AppState,
    ids: &[PushMessageId],
    permits: &Permits,
) -> Result<Prepared, DbError> {
    let open = messages::open(tx, ids).await?;
    let checks: Vec<Vec<Check>> = open.iter().map(|message| checks(app, message)).collect();
    // Limits before anything else is locked.
    let mut counters = app.limiter().open(tx, checks.iter().flatten()).await?;
    let device_ids: Vec<PushDeviceId> = open.iter().map(|message| message.device_id).collect();
    let known: HashMap<_, _> =
        devices::by_ids(tx, &device_ids).await?.into_iter().map(|it| (it.device_id, it)).collect();
    let wallets: Vec<WalletId> = open.iter().map(|message| message.wallet_id).collect();
    let preferences = devices::preferences_of(tx, &wallets).await?;
    let mut prepared = Prepared::default();
    for (message, checks) in open.into_iter().zip(checks) {
        let preferences = preferences.get(&message.wallet_id).copied().unwrap_or_default();
        let device = known.get(&message.device_id);
        let verdict = judge(&message, (device, preferences), permits, app.now())
            .and_then(|permitted| within(&mut counters, &checks, permitted));
        match verdict {
            Ok((device, had_failures)) => {
                let message = gather(tx, message, app.now()).await?;
                if messages::take(tx, &message, device.service, app.now()).await? {
                    prepared.ready.push(Ready { message, device, had_failures });
                } else {
                    // A worker that was given up on is at it still.
                    prepared.held.push((message.message_id, Reason::Unanswered, app.now() + TAKEN_MS));
                }
            }
            Err(Held::Ended(reason)) => {
                let how = (PushStatus::Withheld, reason);
                messages::end(tx, message.message_id, how, None, app.now()).await?;
            }
            Err(Held::Until(reason, at)) => {
                messages::hold(tx, message.message_id, (reason, None), at).await?;
                prepared.held.push((message.message_id, reason, at));
            }
            // It goes on when its campaign does.
            Err(Held::Paused) => {
                messages::hold(tx, message.message_id, (Reason::Paused, None), app.now()).await?;
            }
        }
    }
    counters.save(tx).await?;
    if ids.len() > 1 {
        for (id, _, at) in &prepared.held {
            outbox::enqueue(tx, app, None, (&[*id], *at)).await?;
        }
    }
    Ok(prepared)
}

/// What limits it: its person's, and its campaign's. What was counted before is not counted again.
fn checks(app: &AppState, message: &Message) -> Vec<Check> {
    if message.tries > 0 {
        return Vec::new();
    }
    let limits = &app.config().limits;
    let person = Key::new("push_person", &message.wallet_id.to_bytes());
    let campaign = message.campaign_id.map(|id| Key::new("push_campaign", id.as_bytes()));
    let campaign = campaign.map(|key| Check::count(key, limits.push_campaign));
    [Check::count(person, limits.push_person)].into_iter().chain(campaign).collect()
}

/// Why a message does not go now.
enum Held {
    Ended(Reason),
    Until(Reason, i64),
    Paused,
}

/// Whether it may go, but for its person's limit.
fn judge(
    message: &Message,
    (device, preferences): (Option<&Device>, PushPreferences),
    permits: &Permits,
    now: i64,
) -> Result<(Device, bool), Held> {
    let ended = |reason| Err(Held::Ended(reason));
    match message.campaign {
        CampaignState::GoesOn => {}
        CampaignState::Paused => return Err(Held::Paused),
        CampaignState::Cancelled => return ended(Reason::Cancelled),
    }
    if message.expires_at <= now {
        return ended(Reason::Expired);
    }
    let Some(device) = device.filter(|device| device.is_active && device.wallet_id == message.wallet_id)
    else {
        return ended(Reason::NoDevice);
    };
    if let Some(category) = message.kind.category() {
        let preference = preferences.of(category);
        if !preference.is_on {
            return ended(Reason::Unwanted);
        }
        let zone = device.time_zone.as_ref().or(message.event_zone.as_ref());
        let quiet =
            preference.quiet_hours.and_then(|hours| quiet_until(hours, zone.map(String::as_str), now));
        // What was begun before is not left half told.
        if let Some(until) = quiet.filter(|_| message.tries == 0) {
            return Err(Held::Until(Reason::QuietHours, until));
        }
    }
    match permits.get(&device.service) {
        None => Err(Held::Until(Reason::PushOff, now + OFF_MS)),
        Some(Permit::NotBefore(at)) => Err(Held::Until(Reason::ProviderDown, *at)),
        Some(Permit::Call { had_failures }) => Ok((device.clone(), *had_failures)),
    }
}

/// Counts it, if its limits have room.
fn within(
    counters: &mut Counters,
    checks: &[Check],
    permitted: (Device, bool),
) -> Result<(Device, bool), Held> {
    let checked = counters.check(checks);
    let reasons = [Reason::Limited, Reason::CampaignLimited];
    let full = checked.rates().zip(reasons).filter(|(rate, _)| !rate.allowed);
    match full.max_by_key(|(rate, _)| rate.reset_at) {
        Some((rate, reason)) => Err(Held::Until(reason, rate.reset_at)),
        None => Ok(permitted),
    }
}

/// The same, telling also what was held back of its kind.
async fn gather(tx: &mut Tx, mut message: Message, now: i64) -> Result<Message, DbError> {
    if message.tries > 0 {
        return Ok(message);
    }
    let mut told = Vec::new();
    for other in messages::held_back_with(tx, &message, now).await? {
        if messages::group(tx, other.message_id, message.message_id, now).await? {
            told.push(other);
        }
    }
    if !told.is_empty() {
        told.push(message.clone());
        told.sort_by_key(|it| std::cmp::Reverse((it.created_at, it.message_id)));
        message.body = summary(&told);
    }
    Ok(message)
}

/// A line for each, the newest first, as much of it as there is room for.
fn summary(told: &[Message]) -> String {
    let is_one_title = told.windows(2).all(|pair| pair[0].title == pair[1].title);
    let line = |it: &Message| {
        let body = it.body.split_whitespace().collect::<Vec<_>>().join(" ");
        if is_one_title { format!("• {body}") } else { format!("• {}: {body}", it.title) }
    };
    let lines = told.iter().map(line).collect::<Vec<_>>().join("\n");
    text::cut(&lines, MAX_BODY)
}

/// When it is no longer quiet (UTC milliseconds); none if it is not quiet at `now`. On the days when clocks are set, by what
/// they show.
fn quiet_until(hours: QuietHours, zone: Option<&str>, now: i64) -> Option<i64> {
    let zone: Tz = zone.and_then(|name| name.parse().ok()).unwrap_or(Tz::UTC);
    let here: DateTime<Tz> = DateTime::<Utc>::from_timestamp_millis(now)?.with_timezone(&zone);
    let minute = u16::try_from(here.hour() * 60 + here.minute()).ok()?;
    if hours.minutes_left(minute) == 0 {
        return None;
    }
    let end = NaiveTime::from_num_seconds_from_midnight_opt(u32::from(hours.until_minute) * 60, 0)?;
    let today = here.date_naive();
    let day = if hours.until_minute > minute { today } else { today.succ_opt()? };
    let at = day.and_time(end);
    // An hour that is left out that day ends at once.
    let until = zone
        .from_local_datetime(&at)
        .earliest()
        .or_else(|| zone.from_local_datetime(&(at + Duration::hours(1))).earliest());
    until.map(|until| until.timestamp_millis()).filter(|until| *until > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As clocks in Paris show it.
    fn paris(day: u32, month: u32, hour: u32, minute: u32) -> i64 {
        let zone = chrono_tz::Europe::Paris;
        zone.with_ymd_and_hms(2026, month, day, hour, minute, 0).earliest().unwrap().timestamp_millis()
    }

    fn until(now: i64) -> Option<i64> {
        quiet_until(QuietHours::NIGHT, Some("Europe/Paris"), now)
    }

    #[test]
    fn the_night_ends_in_the_morning() {
        assert_eq!(until(paris(31, 7, 21, 59)), None);
        assert_eq!(until(paris(31, 7, 22, 0)), Some(paris(1, 8, 8, 0)));
        assert_eq!(until(paris(1, 8, 7, 59)), Some(paris(1, 8, 8, 0)));
        assert_eq!(until(paris(1, 8, 8, 0)), None);
        // Without a zone that is known, by UTC.
        assert_eq!(
            quiet_until(QuietHours::NIGHT, Some("nowhere"), paris(1, 8, 8, 0)),
            Some(paris(1, 8, 10, 0))
        );
    }

    #[test]
    fn it_ends_by_the_clock_also_when_clocks_are_set() {
        // Nights of nine and of eleven hours.
        assert_eq!(until(paris(28, 3, 23, 0)), Some(paris(29, 3, 8, 0)));
        assert_eq!(paris(29, 3, 8, 0) - paris(28, 3, 22, 0), 9 * 3_600_000);
        assert_eq!(until(paris(24, 10, 23, 0)), Some(paris(25, 10, 8, 0)));
        assert_eq!(paris(25, 10, 8, 0) - paris(24, 10, 22, 0), 11 * 3_600_000);
        // An end that the clocks leave out.
        let hours = QuietHours { from_minute: 60, until_minute: 150 };
        let end = quiet_until(hours, Some("Europe/Paris"), paris(29, 3, 1, 30)).unwrap();
        assert_eq!(end, paris(29, 3, 3, 30));
    }
}
