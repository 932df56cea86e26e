//! `sync`: scans up; tickets, keys and what other doors saw down.

use std::sync::Mutex;
use std::sync::PoisonError;

use indicatif::{ProgressBar, ProgressStyle};
use liventix_core::ids::EventId;
use liventix_core::sync::Progress;

use crate::door::Door;
use crate::error::DoorError;
use crate::render;
use crate::views::SyncedView;

/// Runs the command.
pub(crate) async fn run(door: &Door) -> Result<u8, DoorError> {
    let device = door.device()?;
    let engine = door.engine(&device.server_url)?;
    let bar = Bar::new(door.output.is_watched());
    let done = engine.sync(|progress| bar.show(progress)).await;
    bar.clear();
    let report = done?;
    // A statement each: a lock guard lives as long as the statement it is taken in.
    let unsent = door.ledger().unsent_summary()?.count;
    let conflicts = conflicts(door)?;
    let view = SyncedView { report, unsent, conflicts };
    door.output.say("synced", &view, render::synced)?;
    Ok(0)
}

fn conflicts(door: &Door) -> Result<u64, DoorError> {
    let ledger = door.ledger();
    let mut sum = 0;
    for event in ledger.events()? {
        sum += ledger.counts(event.event_id)?.conflicts;
    }
    Ok(sum)
}

/// A progress bar that starts over with each event's list.
pub(crate) struct Bar {
    bar: ProgressBar,
    event: Mutex<Option<EventId>>,
}

impl Bar {
    /// A bar, or nothing at all unless someone is watching.
    pub(crate) fn new(watched: bool) -> Self {
        let bar = if watched { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        Self { bar, event: Mutex::new(None) }
    }

    /// Shows how far the sync is.
    pub(crate) fn show(&self, progress: Progress) {
        match progress {
            Progress::Clock => self.bar.set_message("comparing clocks"),
            Progress::Keys { .. } => self.bar.set_message("fetching keys"),
            Progress::Pushing { sent, remaining } => {
                self.bar.set_message(format!("uploading scans: {sent} sent, {remaining} to go"));
            }
            Progress::Pulling { event_id, done, total } => self.pulling(event_id, done, total),
            Progress::Merged { .. } => {}
        }
        self.bar.tick();
    }

    fn pulling(&self, event_id: EventId, done: u64, total: u64) {
        let mut event = self.event.lock().unwrap_or_else(PoisonError::into_inner);
        if *event != Some(event_id) {
            *event = Some(event_id);
            let template = "downloading tickets {wide_bar} {human_pos} of {human_len} {eta:>4}";
            if let Ok(style) = ProgressStyle::with_template(template) {
                self.bar.set_style(style.progress_chars("█▌░"));
            }
            self.bar.reset();
        }
        self.bar.set_length(total);
        self.bar.set_position(done);
    }

    /// Leaves nothing of it on the screen.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
