//! Sync: wire types, client engine, transport.

pub mod wire;
