//! Is the server alive, is it ready, what time is it.

pub mod routes;
