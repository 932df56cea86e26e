//! Who may pass which gate when: functions of facts, with no clock, disk or network of their own.
//!
//! [`policy`] is what the organiser decided, [`history`] folds a ticket's past, [`decide`] puts both
//! together, and [`outcome`] is what comes out; [`undo`] says what may be taken back. Doors and server
//! call the same [`decide()`].

pub mod decide;
mod doubts;
pub mod history;
pub mod outcome;
pub mod policy;
pub mod undo;

pub use decide::{Presented, Request, TicketFacts, TicketStatus, decide, force};
pub use history::{Allowance, Conflict, Passage, Standing, standing_passages};
pub use outcome::{Confidence, Decision, Direction, Evidence, Flag, Outcome, Reason};
pub use policy::{
    EntryPolicy, EventInfo, EventPolicy, Gate, LegacyStage, PolicyError, PrintedPolicy, Reentry, TicketType,
    TtlEffect, UnlistedPolicy,
};
pub use undo::{UndoRefusal, may_undo};
