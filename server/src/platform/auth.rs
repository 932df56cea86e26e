//! Who calls: API keys of organisers, tokens of devices, the administrator's token.
//!
//! A handler gets its tenant from one of the extractors here and from nowhere else.

mod callers;
mod scope;
mod store;
mod token;

pub use callers::{Admin, AnyDevice, Caller, Client, Device, Scanner};
pub use scope::{CanManage, CanRead, CanRedeem, Needs, Scope, ScopeSet};
pub use token::{ApiKeyId, Kind, Token};
