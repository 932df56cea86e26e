//! Lists down: pages by cursor, each applied in a transaction of its own.

use std::time::Duration;

use super::call::Call;
use super::engine::SyncEngine;
use super::error::SyncError;
use super::progress::{Progress, SyncReport};
use super::transport::Transport;
use super::wire::{MAX_PAGE_ROWS, MAX_WAIT_SECONDS, ManifestPage};
use crate::ids::EventId;
use crate::resilience::AsyncSleeper;

/// What the server says to a cursor it never gave out: it was restored from a backup, or replaced.
const UNKNOWN_CURSOR: &str = "unknown_cursor";

impl<T: Transport, S: AsyncSleeper> SyncEngine<T, S> {
    /// Downloads what changed in one event's list since the last time; all of it the first time.
    ///
    /// # Errors
    /// Any [`SyncError`]; pages before it stay applied, and the next pull goes on after them.
    pub async fn pull(
        &self,
        event_id: EventId,
        progress: impl Fn(Progress) + Send + Sync,
    ) -> Result<SyncReport, SyncError> {
        let mut report = SyncReport::default();
        let done = self.pull_into(event_id, &mut report, &progress).await;
        self.notice_revocation(done)?;
        Ok(report)
    }

    /// Waits up to `seconds` (at most [`MAX_WAIT_SECONDS`]) for a change in one event's list and
    /// applies it. The report says what came; nothing is no error.
    ///
    /// # Errors
    /// As [`Self::pull`].
    pub async fn wait_for_changes(
        &self,
        event_id: EventId,
        seconds: u32,
        progress: impl Fn(Progress) + Send + Sync,
    ) -> Result<SyncReport, SyncError> {
        let mut report = SyncReport::default();
        let done = self.wait_into(event_id, seconds.min(MAX_WAIT_SECONDS), &mut report, &progress).await;
        self.notice_revocation(done)?;
        Ok(report)
    }

    async fn wait_into(
        &self,
        event_id: EventId,
        seconds: u32,
        report: &mut SyncReport,
        progress: &(impl Fn(Progress) + Send + Sync),
    ) -> Result<(), SyncError> {
        let more = match self.page(event_id, seconds, report, progress).await {
            // The pull starts over.
            Err(SyncError::Refused { code, .. }) if code == UNKNOWN_CURSOR => true,
            page => page?.has_more,
        };
        if more {
            self.pull_into(event_id, report, progress).await?;
        }
        self.ensure_keys(event_id, report, progress).await
    }

    pub(super) async fn pull_into(
        &self,
        event_id: EventId,
        report: &mut SyncReport,
        progress: &(impl Fn(Progress) + Send + Sync),
    ) -> Result<(), SyncError> {
        let mut total = None;
        let mut done = 0;
        let mut restarted = false;
        loop {
            let page = match self.page(event_id, 0, report, progress).await {
                Err(SyncError::Refused { code, .. }) if code == UNKNOWN_CURSOR && !restarted => {
                    tracing::warn!(%event_id, "the server does not know the cursor; sending and downloading everything again");
                    // What the server forgot it may have forgotten of the scans, too. First, so that an
                    // interruption before the next step leaves the cursor to find that out by again.
                    self.ledger().send_again()?;
                    // The list is kept until it is replaced: the network may go before that.
                    self.ledger().restart_manifest(event_id)?;
                    self.push_into(report, progress).await?;
                    (restarted, total, done) = (true, None, 0);
                    continue;
                }
                page => page?,
            };
            done += rows(&page);
            let pending = u64::try_from(page.pending_rows).unwrap_or(0);
            let total = *total.get_or_insert(pending);
            progress(Progress::Pulling { event_id, done, total: total.max(done) });
            if !page.has_more {
                return Ok(());
            }
        }
    }

    /// Fetches the next page, applies it, and tells what it brought from other doors.
    async fn page(
        &self,
        event_id: EventId,
        wait_seconds: u32,
        report: &mut SyncReport,
        progress: &(impl Fn(Progress) + Send + Sync),
    ) -> Result<ManifestPage, SyncError> {
        let (cursor, ledger_id, unsent) = {
            let mut ledger = self.ledger();
            (ledger.cursor(event_id)?, ledger.ledger_id(), ledger.unsent_summary()?.count)
        };
        let path = format!(
            "/v1/door/events/{event_id}/manifest\
             ?cursor={cursor}&limit={MAX_PAGE_ROWS}&wait={wait_seconds}&ledger={ledger_id}&unsent={unsent}"
        );
        let call = Call::get("manifest", path, Some(self.token()?))
            .waiting(Duration::from_secs(u64::from(wait_seconds.max(20))));
        let mut page: ManifestPage = self.counted(&call, report).await?;
        check(&page, event_id, cursor).map_err(|detail| call.protocol(detail))?;
        let applied = self.ledger().apply_page_after(cursor, &page)?;
        // Another sync changed the list meanwhile: there is more to ask for, from where it is now.
        page.has_more |= applied.outdated;
        report.pages += 1;
        report.tickets += page.tickets.len() as u64;
        report.passages += page.passages.len() as u64;
        if !applied.passages.is_empty() {
            progress(Progress::Merged { event_id, passages: applied.passages });
        }
        Ok(page)
    }
}

fn rows(page: &ManifestPage) -> u64 {
    (page.tickets.len() + page.passages.len()) as u64
}

/// What no honest server sends, and what would make the pull go round for ever.
fn check(page: &ManifestPage, event_id: EventId, cursor: i64) -> Result<(), &'static str> {
    if page.event_id != event_id || page.event.as_ref().is_some_and(|event| event.event_id != event_id) {
        return Err("a page of another event");
    }
    if page.next_cursor < cursor {
        return Err("the cursor goes backwards");
    }
    if page.has_more && page.next_cursor == cursor {
        return Err("the cursor stands still");
    }
    if rows(page) > u64::from(MAX_PAGE_ROWS) {
        return Err("more rows than a page may have");
    }
    Ok(())
}
