//! Where push messages reach people: one row for each token, which belongs to the wallet that told it last.
//!
//! **Invariant:** a wallet has one phone, and a token one wallet. What a wallet was still to be told never goes to a token
//! that is another's by now.

pub(super) mod routes;
mod service;
pub(super) mod store;
