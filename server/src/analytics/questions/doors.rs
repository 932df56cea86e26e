//! What happened at the doors.

use std::collections::BTreeMap;

use liventix_core::ids::GateId;
use serde::Serialize;
use utoipa::ToSchema;

use super::ask::{Asked, Question};
use super::sums::{self, OfBucket};
use crate::analytics::calendar::{Slot, Step};
use crate::analytics::metric::{Metric, WhyNone};
use crate::analytics::rollups::BY_MINUTE;
use crate::analytics::series::{self, Window};
use crate::facts::Measure;
use crate::platform::db::{Conn, DbError, StoreFuture, Value, in_list, padded};
use crate::platform::ids::SubjectId;
use crate::platform::problem::ApiError;

/// What happened at each gate.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Doors {
    /// The gates that something was scanned at, by name.
    pub gates: Vec<GateFigures>,
}

/// What happened at a gate.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct GateFigures {
    /// The gate.
    pub gate_id: GateId,
    /// Its name; its id, where it is there no more.
    pub name: String,
    /// Scans, whatever came of them.
    pub scans: i64,
    /// Those that were refused.
    pub refusals: i64,
    /// Their share.
    pub refused: Metric,
    /// People who went in.
    pub people_in: i64,
    /// People who went out.
    pub people_out: i64,
    /// The minute in which most people went in; none: nobody did.
    pub busiest: Option<BusiestMinute>,
}

/// The busiest minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct BusiestMinute {
    /// When it began (UTC milliseconds).
    pub starts_at: i64,
    /// How many people went in.
    pub people: i64,
}

/// Asks for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AskDoors;

const MEASURES: [Measure; 4] = [Measure::Scans, Measure::Refusals, Measure::PeopleIn, Measure::PeopleOut];

impl Question for AskDoors {
    type Figures = Doors;
    const NAME: &'static str = "doors";

    fn figures<'a>(&'a self, conn: &'a mut Conn, of: &'a Asked) -> StoreFuture<'a, Doors, ApiError> {
        Box::pin(async move {
            let totals = sums::totals_by_subject(conn, &of.scope, &MEASURES).await?;
            let busiest = sums::fullest(conn, &of.scope, BY_MINUTE).await?;
            let subjects = totals.subjects();
            let names = names(conn, &subjects).await?;
            let gate = |subject: SubjectId| {
                let gate_id = GateId::from_bytes(*subject.as_bytes());
                let count = |measure| totals.count_of(measure, subject);
                let (scans, refusals) = (count(Measure::Scans), count(Measure::Refusals));
                GateFigures {
                    gate_id,
                    name: names.get(&gate_id).cloned().unwrap_or_else(|| gate_id.to_string()),
                    scans,
                    refusals,
                    refused: Metric::share(refusals, scans, WhyNone::NoScans),
                    people_in: count(Measure::PeopleIn),
                    people_out: count(Measure::PeopleOut),
                    busiest: busiest
                        .get(&subject)
                        .map(|(starts_at, people)| BusiestMinute { starts_at: *starts_at, people: *people }),
                }
            };
            let mut gates: Vec<GateFigures> = subjects.into_iter().map(gate).collect();
            gates.sort_by(|a, b| (&a.name, a.gate_id).cmp(&(&b.name, b.gate_id)));
            Ok(Doors { gates })
        })
    }
}

async fn names(conn: &mut Conn, gates: &[SubjectId]) -> Result<BTreeMap<GateId, String>, DbError> {
    let mut names = BTreeMap::new();
    for chunk in gates.chunks(200) {
        let ids = padded(chunk.iter().map(|id| Value::from(*id)).collect());
        let sql = format!("SELECT gate_id, name FROM gates WHERE gate_id IN ({})", in_list(1, ids.len()));
        for row in conn.query(&sql, &ids).await? {
            names.insert(row.get(0)?, row.get(1)?);
        }
    }
    Ok(names)
}

/// People at the doors over time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Entries {
    /// One after the other, without a gap.
    pub slots: Vec<EntriesSlot>,
    /// Where the next page begins; none: this was the last one.
    pub next_cursor: Option<String>,
}

/// People at the doors in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct EntriesSlot {
    /// From (UTC milliseconds).
    pub starts_at: i64,
    /// Before (UTC milliseconds).
    pub ends_at: i64,
    /// Scans, whatever came of them.
    pub scans: i64,
    /// Those that were refused.
    pub refusals: i64,
    /// People who went in.
    pub people_in: i64,
    /// People who went out.
    pub people_out: i64,
}

/// Asks for them.
#[derive(Debug, Clone)]
pub(crate) struct AskEntries {
    pub(crate) step: Step,
    pub(crate) window: Window,
}

impl Question for AskEntries {
    type Figures = Entries;
    const NAME: &'static str = "entries";

    fn details(&self) -> String {
        format!("{} {:?}", self.step.code(), self.window)
    }

    fn figures<'a>(&'a self, conn: &'a mut Conn, of: &'a Asked) -> StoreFuture<'a, Entries, ApiError> {
        Box::pin(async move {
            let slots = of.days.slots(self.step);
            let sums = sums::by_bucket(conn, &of.scope, &MEASURES, &slots).await?;
            let by_slot = series::by_slot(&slots, sums, |sum| sum.bucket);
            let (page, next_cursor) = self.window.cut(&slots)?;
            let none = Vec::new();
            let slot = |at: &Slot| entries(*at, by_slot.get(&at.starts_at).unwrap_or(&none));
            Ok(Entries { slots: page.iter().map(slot).collect(), next_cursor })
        })
    }
}

fn entries(at: Slot, sums: &[OfBucket]) -> EntriesSlot {
    let of =
        |measure: Measure| sums.iter().filter(|sum| sum.measure == measure.code()).map(|sum| sum.value).sum();
    EntriesSlot {
        starts_at: at.starts_at,
        ends_at: at.ends_at,
        scans: of(Measure::Scans),
        refusals: of(Measure::Refusals),
        people_in: of(Measure::PeopleIn),
        people_out: of(Measure::PeopleOut),
    }
}
