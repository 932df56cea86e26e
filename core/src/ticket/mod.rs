//! Ticket codes: made, read and checked. `docs/ticket-code.md` describes every byte.

pub mod manual;
