//! Questions, and their answers from the sums.
//!
//! A question is answered within a time that the engine keeps. One that fails for the moment is asked again; where it
//! fails all the same, the last good answer stands in for it, which says so.

mod advertising;
mod ask;
mod doors;
mod funnel;
mod memory;
mod overview;
mod sales;
mod sums;
mod ticket_types;

use liventix_core::ids::EventId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

pub use super::state::Freshness;
pub(crate) use advertising::{AskAdCampaigns, AskCreatives};
pub(crate) use ask::ask;
pub(crate) use doors::{AskDoors, AskEntries};
pub(crate) use funnel::AskFunnel;
pub(crate) use overview::AskOverview;
pub(crate) use sales::AskSales;
pub(crate) use ticket_types::AskTicketTypes;

pub use advertising::{AdCampaignFigures, AdCampaigns, AdFigures, AdMoney, CreativeFigures, Creatives};
pub use doors::{BusiestMinute, Doors, Entries, EntriesSlot, GateFigures};
pub use funnel::{Funnel, FunnelStep, Stage};
pub use memory::Memory;
pub use overview::{DoorFigures, EmailFigures, MoneyFigures, NoShows, Overview, PushFigures, SalesFigures};
pub use sales::{Sales, SalesSlot, SlotMoney};
pub use ticket_types::{TicketTypeFigures, TicketTypes};

/// What is asked about.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct About {
    /// The first day (`2026-08-01`); left out: as many days before the last one as make 30.
    pub from: Option<String>,
    /// The last day, included; left out: today. 90 days at most.
    pub to: Option<String>,
    /// One event, in its time zone; left out: every event that you may see, in the organiser's.
    pub event_id: Option<EventId>,
}

/// Figures, of which days they are, and how fresh they are.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Answer<T> {
    /// The first day.
    pub from: String,
    /// The last day, included.
    pub to: String,
    /// In whose days (IANA name).
    pub time_zone: String,
    /// When it was answered (UTC milliseconds).
    pub answered_at: i64,
    /// How fresh the figures are.
    pub freshness: Freshness,
    /// Whether this is the last good answer, because there was none just now.
    pub degraded: bool,
    /// The figures.
    pub figures: T,
}
