//! The attendee's pocket.

pub mod wire;
