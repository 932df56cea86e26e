//! The scan-conformance suite: what a scan must come to, whoever makes it.
//!
//! The cases are `tests/vectors/scan/*.json`, written for implementations in any language; their README
//! says what each field means. Here are the types of that format ([`format`]), the machine that plays
//! the steps of a case on a [`play::Surface`] and compares, and the surfaces in Rust: the core's own
//! calls ([`door`]), with or without the real sync protocol in between.

pub mod all;
pub mod direct;
pub mod door;
pub mod files;
pub mod format;
pub mod play;
pub mod synced;

mod compare;

pub use files::{CaseFile, load_all};
pub use format::Case;
