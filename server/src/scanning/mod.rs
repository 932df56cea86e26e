//! Scans: redeemed online, taken in from devices, merged, and shown.

mod counted;
mod desk;
mod feed;
pub(crate) mod ingest;
mod known;
mod limits;
pub(crate) mod live;
pub(crate) mod merge;
mod present;
mod redeem;
pub(crate) mod resolve;
pub mod routes;
pub(crate) mod seen;
mod store;
pub mod types;
mod undo;
pub(crate) mod views;

pub use desk::Desks;
pub(crate) use feed::{count_passages_after, passages_after, passages_of};
pub use live::LiveBoards;
pub(crate) use store::ScanRow;
