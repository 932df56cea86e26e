//! Building the sums anew, from all facts: beside those that are shown, which stay as they are until it is done.

use super::rollups::Sums;
use super::state::State;
use super::{fold, rollups};
use crate::app::AppState;
use crate::platform::db::{DbError, Tx};

/// Facts in one transaction: on SQLite nobody else writes meanwhile.
const TOGETHER: u32 = 500;

/// Builds them, or goes on where somebody stopped. Returns how many facts are in them.
///
/// # Errors
/// When the database fails: what was built stays, and the next one goes on.
pub(super) async fn rebuild(app: &AppState) -> Result<i64, DbError> {
    let mut facts = 0;
    loop {
        let step = app.db().write(|tx| Box::pin(async move { step(tx).await })).await?;
        facts += step.facts;
        if step.is_all {
            return Ok(facts);
        }
    }
}

/// Some more of them; at the end, they are the ones that are shown.
async fn step(tx: &mut Tx) -> Result<fold::Progress, DbError> {
    // Nobody counts meanwhile, so the last fact is the last one.
    let mut state = State::hold(tx).await?;
    let building = state.building.unwrap_or(state.generation + 1);
    let facts = fold::counted_after(tx, state.built_to, TOGETHER).await?;
    let mut sums = Sums::default();
    facts.iter().for_each(|(_, fact)| sums.add(fact));
    sums.write(tx, building).await?;
    let built_to = facts.last().map_or(state.built_to, |(seq, _)| *seq);
    let is_all = built_to == state.counted_to;
    if is_all {
        state = State { generation: building, building: None, built_to: 0, ..state };
    } else {
        state = State { building: Some(building), built_to, ..state };
    }
    state.save(tx).await?;
    Ok(fold::Progress { facts: i64::try_from(facts.len()).unwrap_or(i64::MAX), is_all })
}

/// Throws away sums that are shown no more. Says whether there may be others.
///
/// # Errors
/// When the database fails.
pub(super) async fn forget(app: &AppState) -> Result<bool, DbError> {
    let forget = app.db().write(|tx| {
        Box::pin(async move {
            let state = State::hold(tx).await?;
            rollups::forget_before(tx, state.generation).await
        })
    });
    forget.await
}
