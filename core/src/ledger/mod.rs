//! The scan ledger: the manifest and every scan in one SQLite file.

pub mod record;
