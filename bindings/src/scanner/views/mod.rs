//! What a scanner hands out.

mod device;
mod history;
mod sync;
mod verdict;

pub use device::{Assignment, Device, Event, Gate, OpenReport};
pub use history::{Conflict, Counts, FoundTicket, OtherDoorScan, QuarantinedScan, ScanRow, Side};
pub use sync::{LinkState, SyncProgress, SyncReport, Unsent};
pub use verdict::{FirstAdmission, TicketView, Undone, Verdict};
