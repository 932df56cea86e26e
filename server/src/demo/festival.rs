//! The event, its gates and its tickets.

use std::collections::BTreeMap;

use anyhow::Context as _;
use liventix_core::ids::EventId;
use serde_json::{Value, json};

use super::api::{Api, text};

const GUESTS: &str = include_str!("../../demo/harbour-lights-2026.csv");
const HOUR: i64 = 3_600_000;

/// What was set up before the doors open.
pub(super) struct Festival {
    pub(super) event_id: EventId,
    pub(super) imported: u64,
    /// The key that signs its codes.
    pub(super) key_id: u8,
    /// A guest who comes with last year's ticket.
    pub(super) old_hand: OldHand,
    types: BTreeMap<String, Value>,
    now: i64,
    /// Tickets made to be refused.
    pub(super) expired: Sample,
    pub(super) revoked: Sample,
    pub(super) replaced: Sample,
    pub(super) elsewhere: Sample,
}

/// One ticket that the programme needs, with the code to show.
pub(super) struct Sample {
    pub(super) ticket_id: String,
    pub(super) code: String,
    key_id: u8,
}

/// Somebody on the guest list whose code of last year's system still counts.
pub(super) struct OldHand {
    pub(super) attendee_name: String,
    pub(super) legacy_code: String,
}

/// What was sold after the doors' last sync.
pub(super) struct Late {
    pub(super) ticket: Sample,
}

impl Festival {
    /// Makes two events, gates, ticket types, and imports the guest list.
    pub(super) async fn set_up(api: &Api, now: i64) -> anyhow::Result<Self> {
        let event_id = new_event(api, "Harbour Lights 2026", now).await?;
        let north = gate(api, event_id, "North gate").await?;
        gate(api, event_id, "Harbour gate").await?;
        let kinds = [
            json!({ "name": "Weekend pass", "entry": { "max_entries": 1, "reentry": "after_exit" } }),
            json!({ "name": "Friday" }),
            json!({ "name": "Saturday", "valid_from": now + 18 * HOUR }),
            json!({ "name": "Family (4 people)", "admits": 4 }),
            json!({ "name": "Backstage", "gate_ids": [north] }),
            json!({ "name": super::shop::ONLINE }),
            json!({ "name": "Crew", "entry": { "max_entries": null, "reentry": "never" } }),
        ];
        let mut types = BTreeMap::new();
        for kind in &kinds {
            let made: Value = api.post(&format!("/v1/events/{event_id}/ticket-types"), kind).await?;
            types.insert(text(&made, "name")?, made["ticket_type_id"].clone());
        }
        let path = format!("/v1/events/{event_id}/tickets/import");
        let report: Value = api.post_csv(&path, GUESTS).await?;
        let imported = report["tickets"].as_u64().context("the import does not say how many")?;

        let other_event = new_event(api, "Winter Warmer", now).await?;
        let other_type: Value =
            api.post(&format!("/v1/events/{other_event}/ticket-types"), &json!({ "name": "Entry" })).await?;
        let elsewhere =
            issue(api, other_event, &json!({ "ticket_type_id": other_type["ticket_type_id"] })).await?;

        let friday = types["Friday"].clone();
        let expired = json!({ "ticket_type_id": friday, "attendee_name": "Otto Gestern", "code_expires_at": now + HOUR / 2 });
        let blocked = json!({ "ticket_type_id": friday, "attendee_name": "Rita Refund" });
        let reissued = json!({ "ticket_type_id": friday, "attendee_name": "Lotte Verloren" });
        let expired = issue(api, event_id, &expired).await?;
        let festival = Self {
            event_id,
            imported,
            key_id: expired.key_id,
            old_hand: old_hand()?,
            types,
            now,
            expired,
            revoked: issue(api, event_id, &blocked).await?,
            replaced: issue(api, event_id, &reissued).await?,
            elsewhere,
        };
        festival.act(api, &festival.revoked, "revoke").await?;
        festival.act(api, &festival.replaced, "reissue").await?;
        Ok(festival)
    }

    async fn act(&self, api: &Api, sample: &Sample, action: &str) -> anyhow::Result<Value> {
        let path = format!("/v1/events/{}/tickets/{}/{action}", self.event_id, sample.ticket_id);
        api.post(&path, &json!({})).await
    }

    /// A ticket sold at the box office while the doors have no network.
    pub(super) async fn sell_late(&self, api: &Api) -> anyhow::Result<Late> {
        let body = json!({ "ticket_type_id": self.types["Friday"], "attendee_name": "Wanda Walk-in" });
        Ok(Late { ticket: issue(api, self.event_id, &body).await? })
    }

    /// The id of a ticket type.
    pub(super) fn type_id(&self, name: &str) -> anyhow::Result<&str> {
        self.types.get(name).and_then(Value::as_str).with_context(|| format!("no ticket type {name}"))
    }

    /// When the demo began (UTC milliseconds).
    pub(super) const fn opened_at(&self) -> i64 {
        self.now
    }
}

async fn new_event(api: &Api, name: &str, now: i64) -> anyhow::Result<EventId> {
    let body = json!({
        "name": name,
        "starts_at": now,
        "ends_at": now + 60 * HOUR,
        "time_zone": "Europe/Berlin",
        "policy": { "legacy": "flag", "unlisted": "admit_and_flag" },
    });
    let event: Value = api.post("/v1/events", &body).await?;
    Ok(text(&event, "event_id")?.parse()?)
}

async fn gate(api: &Api, event: EventId, name: &str) -> anyhow::Result<Value> {
    let gate: Value = api.post(&format!("/v1/events/{event}/gates"), &json!({ "name": name })).await?;
    Ok(gate["gate_id"].clone())
}

async fn issue(api: &Api, event: EventId, body: &Value) -> anyhow::Result<Sample> {
    let ticket: Value = api.post(&format!("/v1/events/{event}/tickets"), body).await?;
    Ok(Sample {
        ticket_id: text(&ticket, "ticket_id")?,
        code: text(&ticket, "code")?,
        key_id: u8::try_from(ticket["code_key_id"].as_u64().unwrap_or_default())?,
    })
}

/// The last Friday guest on the list who still carries a ticket of the old system.
fn old_hand() -> anyhow::Result<OldHand> {
    let mut found = None;
    for row in csv::Reader::from_reader(GUESTS.as_bytes()).records() {
        let row = row?;
        let column = |place: usize| row.get(place).unwrap_or_default();
        if column(3) == "Friday" && column(4) == "valid" && !column(5).is_empty() {
            found = Some(OldHand { attendee_name: column(1).to_owned(), legacy_code: column(5).to_owned() });
        }
    }
    found.context("no guest carries an old ticket")
}
