//! Who may pass which gate when: functions of facts, with no clock, disk or network of their own.
//!
//! [`policy`] is what the organiser decided, [`history`] folds a ticket's past, [`decide`] puts both
//! together, and [`outcome`] is what comes out. Doors and server call the same [`decide()`].

pub mod decide;
pub mod history;
pub mod outcome;
pub mod policy;

pub use decide::{Presented, Request, TicketFacts, TicketStatus, decide};
pub use history::{Allowance, Conflict, Passage, Standing};
pub use outcome::{Confidence, Decision, Direction, Evidence, Flag, Outcome, Reason};
pub use policy::{
    EntryPolicy, EventInfo, EventPolicy, Gate, LegacyStage, PolicyError, PrintedPolicy, Reentry, TicketType,
    TtlEffect, UnlistedPolicy,
};
