//! Is the server alive, is it ready, what time is it; and the numbers of it all.

pub(crate) mod metrics;
pub mod routes;
