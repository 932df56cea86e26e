//! What becomes of messages, for their organisers' figures.

use std::collections::BTreeMap;

use liventix_core::ids::{EventId, OrganiserId};

use crate::app::AppState;
use crate::facts::{self, Fact, Measure};
use crate::platform::db::{DbError, Tx};

/// Whose messages, and about which event.
type Whose = (OrganiserId, Option<EventId>);

/// Adds up what became of messages of one transaction.
#[derive(Debug, Default)]
pub(super) struct Tally(BTreeMap<(Whose, Measure, i64), i64>);

impl Tally {
    /// One more, at that moment (UTC milliseconds). Those that are nobody's count for nobody.
    pub(super) fn add(
        &mut self,
        (organiser, event): (Option<OrganiserId>, Option<EventId>),
        measure: Measure,
        at: i64,
    ) {
        let Some(organiser) = organiser else { return };
        *self.0.entry(((organiser, event), measure, at)).or_default() += 1;
    }

    /// Writes it down, whose it is.
    pub(super) async fn write(self, tx: &mut Tx, app: &AppState) -> Result<(), DbError> {
        let mut by_organiser: BTreeMap<OrganiserId, Vec<Fact>> = BTreeMap::new();
        for (((organiser, event), measure, at), value) in self.0 {
            let fact = Fact::new(measure, at, value);
            let fact = match event {
                Some(event) => fact.of(event),
                None => fact,
            };
            by_organiser.entry(organiser).or_default().push(fact);
        }
        for (organiser, facts) in by_organiser {
            facts::append(tx, app, organiser, facts).await?;
        }
        Ok(())
    }
}
