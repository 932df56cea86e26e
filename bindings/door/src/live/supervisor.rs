//! What a person does besides scanning: take back, overrule, find by name.

use liventix_core::scan::undo;

use super::{Last, Session};
use crate::error::DoorError;
use crate::render;
use crate::scanning::Shown;
use crate::views::{FoundView, UndoneView};

/// As many as fit on a screen.
const SHOWN: usize = 9;

impl Session {
    /// Takes back the last scan of this session.
    pub(super) fn undo(&mut self, why: &str) -> Result<(), DoorError> {
        let passed = self.last.as_ref().and_then(|last| last.passed);
        let Some(scan_id) = passed else {
            return self.fail("usage", "the last scan let nobody pass: there is nothing to take back");
        };
        let undone = undo(&mut self.door.ledger(), scan_id, why);
        let undone = match undone {
            Ok(undone) => undone,
            Err(error) => return self.fail(error.code(), &error.to_string()),
        };
        self.engine.scanned();
        self.last = None;
        self.door.output.say("undone", &UndoneView::from(undone), render::undone)?;
        self.show_standing()
    }

    /// Lets the guest pass whom the last scan refused.
    pub(super) fn force(&mut self, why: &str) -> Result<(), DoorError> {
        match &self.last {
            Some(Last { shown, passing, passed: None }) => {
                let (shown, passing) = (shown.clone(), *passing);
                self.pass(shown, passing, Some(why))
            }
            _ => self.fail("usage", "the last scan was not refused: scan the code first"),
        }
    }

    /// Shows tickets by name.
    pub(super) fn find(&mut self, name: &str) -> Result<(), DoorError> {
        let found = self.door.ledger().search(self.place.event.event_id, name, SHOWN)?;
        let found = FoundView::all(found);
        self.found = found.iter().map(|view| view.ticket_id).collect();
        if found.is_empty() {
            self.door.output.tell("Nobody of that name is on the list.\n")?;
        }
        let now = self.door.now();
        for view in &found {
            self.door
                .output
                .say("found", view, |view, look| render::found(view, look, now, &chrono::Local))?;
        }
        Ok(())
    }

    /// Lets in one of those found.
    pub(super) fn admit(&mut self, number: Option<usize>) -> Result<(), DoorError> {
        let place = number.and_then(|number| number.checked_sub(1));
        match place.and_then(|place| self.found.get(place)) {
            Some(ticket_id) => self.pass(Shown::Listed(*ticket_id), self.passing, None),
            None => self.fail("usage", "say which of those found: :find NAME, then :admit 1"),
        }
    }
}
