// Every test that runs on both engines; a part of `on_sqlite.rs` and of `on_postgres.rs`.

mod accounts;
mod anomalies;
mod anomaly_alerts;
mod anomaly_order;
mod audit;
mod authorization;
mod authorization_matrix;
mod bad_input;
mod cli;
mod console;
mod database;
mod events;
mod idempotency;
mod manifest;
mod measure;
mod rate_limit;
mod redeem;
mod server;
mod sessions;
mod supervisor;
mod support;
mod tickets;
mod upload;
mod wallet;
mod wallet_page;
mod wallet_transfer;
