//! Whose phones messages are for.

use liventix_core::ids::{EventId, PushDeviceId, TicketId, TicketTypeId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::params;
use crate::platform::auth::WalletId;
use crate::platform::coded::coded;
use crate::platform::db::{Conn, DbError, Row, Value, in_list};

/// A phone that messages can be sent to.
#[derive(Debug, Clone)]
pub(crate) struct Recipient {
    pub(crate) wallet_id: WalletId,
    pub(crate) device_id: PushDeviceId,
    /// The language of its app, as a BCP 47 tag.
    pub(crate) locale: Option<String>,
}

coded! {
    /// Who of an event's attendees.
    #[derive(Default)]
    Presence {
        /// Everybody.
        #[default]
        Everybody = "everybody",
        /// Those whose ticket has let somebody in.
        Entered = "entered",
        /// Those whose ticket has not.
        NotEntered = "not_entered",
    }
}

/// A part of an event's attendees: those who hold a good ticket on a phone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Segment {
    /// Holders of tickets of these types; none: of every type.
    pub ticket_type_ids: Vec<TicketTypeId>,
    /// Whether they have entered.
    pub presence: Presence,
}

fn read(row: &Row) -> Result<Recipient, DbError> {
    Ok(Recipient {
        wallet_id: WalletId::from_bytes(row.get(0)?),
        device_id: row.get(1)?,
        locale: row.get(2)?,
    })
}

/// Who holds a good ticket of an event that is in the segment: the tables, and what they have to fulfil.
fn attendees(event: EventId, segment: &Segment) -> (String, Vec<Value>) {
    let mut values = params![event].to_vec();
    let mut sql = "FROM tickets t JOIN claims c ON c.ticket_id = t.ticket_id \
                   JOIN push_devices d ON d.wallet_id = c.wallet_id \
                   WHERE t.event_id = $1 AND t.status = 'valid' AND d.inactive_at IS NULL"
        .to_owned();
    if !segment.ticket_type_ids.is_empty() {
        let list = in_list(values.len() + 1, segment.ticket_type_ids.len());
        sql.push_str(&format!(" AND t.ticket_type_id IN ({list})"));
        values.extend(segment.ticket_type_ids.iter().copied().map(Value::from));
    }
    let entered = "EXISTS (SELECT 1 FROM scans s WHERE s.ticket_id = t.ticket_id AND s.change_seq IS NOT NULL \
                   AND s.direction = 'entry' AND s.undoes IS NULL \
                   AND NOT EXISTS (SELECT 1 FROM scans u WHERE u.event_id = t.event_id AND u.undoes = s.scan_id))";
    match segment.presence {
        Presence::Everybody => {}
        Presence::Entered => sql.push_str(&format!(" AND {entered}")),
        Presence::NotEntered => sql.push_str(&format!(" AND NOT {entered}")),
    }
    (sql, values)
}

/// The next phones of an event's attendees, after that of the wallet `after`, by the wallets' ids.
pub(crate) async fn of_event(
    conn: &mut Conn,
    (event, segment): (EventId, &Segment),
    (after, limit): (Option<WalletId>, usize),
) -> Result<Vec<Recipient>, DbError> {
    let (from, mut values) = attendees(event, segment);
    values.push(after.map_or_else(Vec::new, |wallet| wallet.to_bytes().to_vec()).into());
    let sql = format!(
        "SELECT DISTINCT d.wallet_id, d.device_id, d.locale {from} AND d.wallet_id > ${} ORDER BY d.wallet_id LIMIT {limit}",
        values.len()
    );
    conn.query(&sql, &values).await?.iter().map(read).collect()
}

/// How many phones those are.
pub(crate) async fn count(conn: &mut Conn, event: EventId, segment: &Segment) -> Result<i64, DbError> {
    let (from, values) = attendees(event, segment);
    let row = conn.first(&format!("SELECT COUNT(DISTINCT d.wallet_id) {from}"), &values).await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// The phones that hold a ticket, good or not.
pub(crate) async fn of_ticket(conn: &mut Conn, ticket: TicketId) -> Result<Vec<Recipient>, DbError> {
    let sql = "SELECT d.wallet_id, d.device_id, d.locale FROM claims c JOIN push_devices d ON d.wallet_id = c.wallet_id \
               WHERE c.ticket_id = $1 AND d.inactive_at IS NULL";
    conn.query(sql, params![ticket]).await?.iter().map(read).collect()
}

/// The phone of a wallet.
pub(crate) async fn of_wallet(conn: &mut Conn, wallet: WalletId) -> Result<Option<Recipient>, DbError> {
    let sql =
        "SELECT wallet_id, device_id, locale FROM push_devices WHERE wallet_id = $1 AND inactive_at IS NULL";
    conn.first(sql, params![wallet.to_bytes()]).await?.as_ref().map(read).transpose()
}
