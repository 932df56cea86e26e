//! What an organiser and other doors would have done, written into a server's database.

use liventix_core::entropy::OsEntropy;
use liventix_core::ids::{EventId, OrganiserId};
use liventix_core::ledger::record::{Medium, WireCode};
use liventix_core::rules::{Confidence, EventInfo, Outcome, Reason};
use liventix_core::sync::wire::{Assignment, ForeignPassage, TicketEntry};
use liventix_core::ticket::{Algorithm, EventKey, EventKeys};
use liventix_server::AppState;
use liventix_server::params;
use liventix_server::platform::auth::{Kind, Token};
use liventix_server::platform::db::{DbError, Tx};
use liventix_tests::conformance::format::{Case, Device, Facts, News};
use secrecy::ExposeSecret;

/// What a case put into a database, and the token of its device.
pub(crate) struct Seed {
    organiser_id: OrganiserId,
    event_id: EventId,
    device: Device,
    token: Token,
}

impl Seed {
    /// Writes the facts of a case.
    pub(crate) async fn plant(app: &AppState, case: &Case) -> Self {
        let Facts { event, keys, tickets, passages, device, .. } = case.facts.clone();
        let token = Token::generate(Kind::Device, *device.device_id.as_bytes(), &OsEntropy);
        let seed = Self {
            organiser_id: OrganiserId::from_bytes([1; 16]),
            event_id: event.event_id,
            device: device.clone(),
            token,
        };
        seed.plant_organiser(app, &case.facts).await;
        let news = News {
            event: Some(event),
            keys: Some(keys),
            assignments: Some(device.assignments),
            tickets,
            passages,
            own_passages: Vec::new(),
        };
        seed.water(app, &news).await;
        seed
    }

    /// The bearer token of the case's device.
    pub(crate) fn token(&self) -> String {
        self.token.text().expose_secret().to_owned()
    }

    async fn plant_organiser(&self, app: &AppState, facts: &Facts) {
        let organiser_id = self.organiser_id;
        // As the server itself seals it.
        let context = [b"organiser master key ".as_slice(), organiser_id.as_bytes()].concat();
        let master = data_encoding::HEXLOWER.decode(facts.master_key.as_bytes()).expect("a master key");
        let sealed = app.vault().seal(&context, &master).expect("a sealed key");
        let name = facts.device.organiser_name.clone();
        let device = facts.device.clone();
        let token_hash = self.token.secret_hash();
        let work = app.db().write(move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO organisers (organiser_id, name, sealed_master_key, created_at) \
                           VALUES ($1, $2, $3, 0)";
                tx.execute(sql, params![organiser_id, name, sealed]).await?;
                let sql = "INSERT INTO devices (device_id, organiser_id, name, token_hash, created_at) \
                           VALUES ($1, $2, $3, $4, 0)";
                let values = params![device.device_id, organiser_id, device.device_name, token_hash];
                tx.execute(sql, values).await?;
                Ok::<_, DbError>(())
            })
        });
        work.await.expect("a written organiser");
    }

    /// Writes news.
    pub(crate) async fn water(&self, app: &AppState, news: &News) {
        let (organiser_id, event_id, device) = (self.organiser_id, self.event_id, self.device.clone());
        let news = news.clone();
        let work = app.db().write(move |tx| {
            Box::pin(async move {
                if let Some(event) = &news.event {
                    write_event(tx, organiser_id, event).await?;
                }
                if let Some(keys) = &news.keys {
                    write_keys(tx, keys).await?;
                }
                if let Some(assignments) = &news.assignments {
                    write_assignments(tx, &device, assignments).await?;
                }
                for ticket in &news.tickets {
                    write_ticket(tx, event_id, ticket).await?;
                }
                for passage in &news.passages {
                    write_passage(tx, organiser_id, event_id, passage).await?;
                }
                Ok::<_, DbError>(())
            })
        });
        work.await.expect("written news");
    }
}

fn text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("plain values")
}

async fn write_event(tx: &mut Tx, organiser: OrganiserId, event: &EventInfo) -> Result<(), DbError> {
    let sql = "INSERT INTO events (event_id, organiser_id, name, starts_at, ends_at, time_zone, algorithm, \
               policy, key_version, change_seq, config_seq, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6, 'hmac_sha256', $7, $8, 1, 1, 0) \
               ON CONFLICT (event_id) DO UPDATE SET policy = excluded.policy, \
               key_version = excluded.key_version, change_seq = events.change_seq + 1, \
               config_seq = events.change_seq + 1";
    let values = params![
        event.event_id,
        organiser,
        &event.name,
        event.starts_at,
        event.ends_at,
        &event.time_zone,
        text(&event.policy),
        event.key_version,
    ];
    tx.execute(sql, values).await?;
    for gate in &event.gates {
        let sql = "INSERT INTO gates (gate_id, event_id, name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        tx.execute(sql, params![gate.gate_id, event.event_id, &gate.name]).await?;
    }
    for kind in &event.ticket_types {
        let sql = "INSERT INTO ticket_types (ticket_type_id, event_id, name, gate_ids, admits, entry, \
                   valid_from, valid_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
                   ON CONFLICT (ticket_type_id) DO UPDATE SET gate_ids = excluded.gate_ids, \
                   admits = excluded.admits, entry = excluded.entry, valid_from = excluded.valid_from, \
                   valid_until = excluded.valid_until";
        let values = params![
            kind.ticket_type_id,
            event.event_id,
            &kind.name,
            text(&kind.gate_ids),
            kind.admits,
            text(&kind.entry),
            kind.valid_from,
            kind.valid_until,
        ];
        tx.execute(sql, values).await?;
    }
    Ok(())
}

async fn write_keys(tx: &mut Tx, keys: &EventKeys) -> Result<(), DbError> {
    for EventKey { key_id, algorithm, accept_until, .. } in &keys.keys {
        let sql = "INSERT INTO event_keys (event_id, key_id, algorithm, created_at, accept_until) \
                   VALUES ($1, $2, $3, 0, $4) \
                   ON CONFLICT (event_id, key_id) DO UPDATE SET accept_until = excluded.accept_until";
        let algorithm = match algorithm {
            Algorithm::HmacSha256 => "hmac_sha256",
            Algorithm::Ed25519 => "ed25519",
        };
        tx.execute(sql, params![keys.event_id, key_id.0, algorithm, *accept_until]).await?;
    }
    Ok(())
}

async fn write_assignments(tx: &mut Tx, device: &Device, assignments: &[Assignment]) -> Result<(), DbError> {
    tx.execute("DELETE FROM device_events WHERE device_id = $1", params![device.device_id]).await?;
    for Assignment { event_id, gate_ids, supervisor, .. } in assignments {
        let sql =
            "INSERT INTO device_events (device_id, event_id, gate_ids, supervisor) VALUES ($1, $2, $3, $4)";
        tx.execute(sql, params![device.device_id, *event_id, text(gate_ids), *supervisor]).await?;
    }
    Ok(())
}

async fn write_ticket(tx: &mut Tx, event: EventId, ticket: &TicketEntry) -> Result<(), DbError> {
    let sql = "INSERT INTO tickets (ticket_id, event_id, ticket_type_id, status, paid, code_issued_at, \
               code_key_id, live_activated, valid_from, valid_until, admits, attendee_name, attendee_search, \
               sealed_manual_code, manual_tag, legacy_tag, created_at, change_seq) \
               VALUES ($1, $2, $3, $4, 1, $5, 1, $6, $7, $8, $9, $10, '', $11, $12, $13, 0, 0) \
               ON CONFLICT (ticket_id) DO UPDATE SET status = excluded.status, \
               code_issued_at = excluded.code_issued_at, live_activated = excluded.live_activated, \
               valid_from = excluded.valid_from, valid_until = excluded.valid_until, \
               admits = excluded.admits, legacy_tag = excluded.legacy_tag";
    let values = params![
        ticket.ticket_id,
        event,
        ticket.ticket_type_id,
        ticket.status.wire_code(),
        ticket.code_issued_at,
        ticket.live_activated,
        ticket.valid_from,
        ticket.valid_until,
        ticket.admits,
        ticket.attendee_name.clone(),
        Vec::new(),
        ticket.manual_tag.0,
        ticket.legacy_tag.map(|tag| tag.0),
    ];
    tx.execute(sql, values).await.map(drop)
}

async fn write_passage(
    tx: &mut Tx,
    organiser: OrganiserId,
    event: EventId,
    foreign: &ForeignPassage,
) -> Result<(), DbError> {
    let passage = foreign.passage;
    let reason = match (passage.undoes, passage.forced) {
        (Some(_), _) => Reason::Undone,
        (None, true) => Reason::Forced,
        (None, false) => Reason::Entered,
    };
    let sql = "INSERT INTO scans (scan_id, organiser_id, event_id, gate_id, device_id, ticket_id, direction, \
               people, medium, fingerprint, outcome, reason, confidence, flags, wall_ms, mono_ms, offset_ms, \
               error_ms, hash, at, received_at, change_seq, undoes, overruled) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, '[]', $14, 0, 0, 20, $15, \
               $14, $14, 1, $16, $17) ON CONFLICT DO NOTHING";
    let values = params![
        passage.scan_id,
        organiser,
        event,
        passage.gate_id,
        passage.device_id,
        foreign.ticket_id,
        passage.direction.wire_code(),
        passage.people,
        Medium::Printed.wire_code(),
        [0_u8; 16],
        Outcome::Admit.wire_code(),
        reason.wire_code(),
        Confidence::Green.wire_code(),
        passage.at,
        [0_u8; 32],
        passage.undoes,
        passage.forced.then_some(Reason::AlreadyUsed.wire_code()),
    ];
    tx.execute(sql, values).await.map(drop)
}
