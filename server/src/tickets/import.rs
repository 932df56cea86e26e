//! Importing a table of tickets: all of it or nothing.

use std::collections::HashMap;

use liventix_core::ids::{EventId, TicketTypeId};
use liventix_core::rules::{EventInfo, TicketStatus};
use liventix_core::ticket::LookupTag;

use super::csv::{Column, Issues, Table, TableRow};
use super::issue::{Draft, Issuer};
use super::store;
use super::types::{ImportReport, NewTicket, TypeCount};
use crate::app::AppState;
use crate::audit::{Deed, Entry, Target};
use crate::events::snapshot;
use crate::platform::authorize::Who;
use crate::platform::idempotency::Attempt;
use crate::platform::problem::{ApiError, ApiResult};

pub(super) async fn import(
    app: &AppState,
    who: Who,
    event: EventId,
    bytes: Vec<u8>,
    dry_run: bool,
    attempt: Attempt,
) -> ApiResult<ImportReport> {
    // Reading a hundred thousand rows takes long enough to hold up other requests.
    let table =
        tokio::task::spawn_blocking(move || Table::read(&bytes)).await.map_err(ApiError::internal)??;
    let app_in = app.clone();
    let work = move |app: AppState, info: EventInfo| drafts(&table, &info, app.now());
    let (snapshot, known) = {
        let (app_in, who) = (app.clone(), who.clone());
        app.db()
            .read(move |conn| {
                Box::pin(async move {
                    let snapshot = snapshot::of(&app_in, conn, &who, event).await?;
                    let (rows, drafts) = work(app_in.clone(), snapshot.info.clone())?;
                    let lookup = snapshot.lookup_key();
                    let tags: Vec<Option<LookupTag>> = drafts
                        .iter()
                        .map(|draft| draft.legacy_code.as_deref().map(|code| lookup.legacy_tag(code)))
                        .collect();
                    let taken: Vec<LookupTag> = tags.iter().flatten().copied().collect();
                    let known = store::known_legacy_tags(conn, event, &taken).await?;
                    refuse_taken(&rows, &tags, &known)?;
                    Ok::<_, ApiError>((snapshot, drafts))
                })
            })
            .await?
    };
    let report = report(&snapshot.info, &known, dry_run);
    if dry_run {
        return Ok(report);
    }
    let rows = {
        let snapshot = std::sync::Arc::clone(&snapshot);
        tokio::task::spawn_blocking(move || {
            let issuer = Issuer::new(&snapshot, app_in.vault(), app_in.entropy().as_ref(), app_in.now());
            known.into_iter().map(|draft| issuer.row(draft)).collect::<ApiResult<Vec<_>>>()
        })
        .await
        .map_err(ApiError::internal)??
    };
    let entry = Entry::of(Deed::TicketsImported).at(event).to(Target::Event, event.as_bytes());
    let entry = entry.named(&snapshot.info.name).after(&report);
    super::service::insert(app, who, &snapshot, rows, (entry, attempt, report)).await
}

/// Every row as a draft, or every complaint.
fn drafts(table: &Table, info: &EventInfo, now: i64) -> ApiResult<(Vec<u64>, Vec<Draft>)> {
    let types = types_by_name(info);
    let mut issues = Issues::default();
    let mut rows = Vec::with_capacity(table.rows.len());
    let mut drafts = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        if let Some(draft) = draft(table, row, &types, now, &mut issues) {
            rows.push(row.number);
            drafts.push(draft);
        }
    }
    issues.into_result()?;
    Ok((rows, drafts))
}

/// Types by lower-case name and by id.
fn types_by_name(info: &EventInfo) -> HashMap<String, TicketTypeId> {
    let by_id = info.ticket_types.iter().map(|kind| (kind.ticket_type_id.to_string(), kind.ticket_type_id));
    let by_name = info.ticket_types.iter().map(|kind| (kind.name.to_lowercase(), kind.ticket_type_id));
    by_id.chain(by_name).collect()
}

fn draft(
    table: &Table,
    row: &TableRow,
    types: &HashMap<String, TicketTypeId>,
    now: i64,
    issues: &mut Issues,
) -> Option<Draft> {
    let mut cells = Cells { table, row, issues, good: true };
    let kind = cells.value(Column::TicketType).map(|name| types.get(&name.to_lowercase()).copied());
    let ticket_type_id = match kind {
        Some(Some(id)) => Some(id),
        Some(None) => cells.wrong(Column::TicketType, "the event has no ticket type with this name or id"),
        None => cells.wrong(Column::TicketType, "is empty"),
    };
    let status = cells.status();
    let admits = cells.parsed(Column::Admits, "must be a number from 1 to 1000", |text| {
        text.parse().ok().filter(|admits| (1..=1_000).contains(admits))
    });
    let time = "must be a time such as 2026-07-31T18:00:00Z, or UTC milliseconds";
    let valid_from = cells.parsed(Column::ValidFrom, time, moment);
    let valid_until = cells.parsed(Column::ValidUntil, time, moment);
    let code_expires_at = cells.parsed(Column::CodeExpiresAt, time, moment);
    let text = |column| table.value(row, column).map(str::to_owned);
    let good = cells.good;
    let new = NewTicket {
        ticket_type_id: ticket_type_id?,
        attendee_name: text(Column::AttendeeName),
        email: text(Column::Email),
        reference: text(Column::Reference),
        status,
        valid_from,
        valid_until,
        admits,
        code_expires_at,
        legacy_code: text(Column::LegacyCode),
    };
    match Draft::check(new, now) {
        Ok(draft) => good.then_some(draft),
        Err(error) => {
            for issue in error.issues() {
                issues.add(row.number, issue.field.as_deref(), issue.message.clone());
            }
            None
        }
    }
}

/// The years 2001 to 2286, as UTC milliseconds: no year, day or second written as a plain number is
/// among them, so that `2026` or `1785520800` is refused instead of ending a ticket in 1970.
const MILLISECONDS: std::ops::Range<i64> = 1_000_000_000_000..10_000_000_000_000;

/// UTC milliseconds, or RFC 3339.
fn moment(text: &str) -> Option<i64> {
    let rfc_3339 = || chrono::DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.timestamp_millis());
    text.parse().ok().or_else(rfc_3339).filter(|ms| MILLISECONDS.contains(ms))
}

/// One row's cells, with a place for complaints.
struct Cells<'a> {
    table: &'a Table,
    row: &'a TableRow,
    issues: &'a mut Issues,
    good: bool,
}

impl<'a> Cells<'a> {
    fn value(&self, column: Column) -> Option<&'a str> {
        self.table.value(self.row, column)
    }

    fn wrong<T>(&mut self, column: Column, message: &str) -> Option<T> {
        self.good = false;
        self.issues.add(self.row.number, Some(column.name()), message);
        None
    }

    fn parsed<T>(&mut self, column: Column, message: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.value(column)?;
        parse(text).or_else(|| self.wrong(column, message))
    }

    fn status(&mut self) -> TicketStatus {
        let parse = |text: &str| match text.to_lowercase().as_str() {
            "valid" | "paid" => Some(TicketStatus::Valid),
            "unpaid" => Some(TicketStatus::Unpaid),
            "cancelled" | "canceled" => Some(TicketStatus::Cancelled),
            "revoked" => Some(TicketStatus::Revoked),
            _ => None,
        };
        self.parsed(Column::Status, "must be valid, unpaid, cancelled or revoked", parse).unwrap_or_default()
    }
}

/// An old code stands for one ticket: twice in the table or once in the event is too many.
fn refuse_taken(rows: &[u64], tags: &[Option<LookupTag>], known: &[LookupTag]) -> ApiResult<()> {
    let mut first_seen: HashMap<LookupTag, u64> = HashMap::new();
    let known: std::collections::HashSet<&LookupTag> = known.iter().collect();
    let mut issues = Issues::default();
    for (row, tag) in rows.iter().zip(tags) {
        let Some(tag) = tag else { continue };
        if known.contains(tag) {
            issues.add(*row, Some("legacy_code"), "another ticket of the event has this code");
        } else if let Some(first) = first_seen.insert(*tag, *row) {
            issues.add(*row, Some("legacy_code"), format!("row {first} has the same code"));
        }
    }
    issues.into_result()
}

fn report(info: &EventInfo, drafts: &[Draft], dry_run: bool) -> ImportReport {
    let count = |drafts: &[Draft], id| {
        let tickets = drafts.iter().filter(|draft| draft.ticket_type_id == id).count();
        u64::try_from(tickets).unwrap_or(u64::MAX)
    };
    let by_type = info.ticket_types.iter().map(|kind| TypeCount {
        ticket_type_id: kind.ticket_type_id,
        name: kind.name.clone(),
        tickets: count(drafts, kind.ticket_type_id),
    });
    ImportReport {
        dry_run,
        tickets: u64::try_from(drafts.len()).unwrap_or(u64::MAX),
        by_type: by_type.filter(|count| count.tickets > 0).collect(),
    }
}
