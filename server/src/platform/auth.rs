//! Who calls: people by their sessions, API keys of organisers, tokens of devices and wallets, the
//! administrator's token.
//!
//! A handler gets its tenant from one of the extractors here and from nowhere else.

mod asking;
mod callers;
mod scope;
mod session;
mod store;
mod token;

pub use callers::{Admin, AnyDevice, Caller, Client, Device, NewWallet, Person, Scanner, Wallet};
pub(crate) use callers::{bearer, count_guess};
pub use scope::{Scope, ScopeSet};
pub use session::{SessionLife, SignedIn, signed_in};
pub use token::{ApiKeyId, Kind, Token, WalletId};
