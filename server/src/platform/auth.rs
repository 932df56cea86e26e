//! Who calls: API keys of organisers, tokens of devices and wallets, the administrator's token.
//!
//! A handler gets its tenant from one of the extractors here and from nowhere else.

mod callers;
mod scope;
mod store;
mod token;

pub(crate) use callers::count_guess;
pub use callers::{Admin, AnyDevice, Caller, Client, Device, NewWallet, Scanner, Wallet};
pub use scope::{CanManage, CanRead, CanRedeem, Needs, Scope, ScopeSet};
pub use token::{ApiKeyId, Kind, Token, WalletId};
