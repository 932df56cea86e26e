//! What is an anomaly: functions of scans and settings, without I/O and without a clock.

pub mod clock;
pub mod forged;
pub mod travel;
