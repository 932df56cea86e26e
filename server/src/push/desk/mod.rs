//! What those who run the installation, and organisers, see of push messages, and do about them.

pub mod health;
pub mod list;
pub(super) mod routes;

pub use health::Count;
pub(crate) use health::health;
pub use list::MessageView;
pub(crate) use list::{Which, list, of_event};
