//! Services that Liventix calls, for tests: they behave as their documentation says, and misbehave on command.
//!
//! Each is checked with its vendor's own library (`tests/stripe/check.py`, `tests/resend/check.py`, `tests/push/check.py`), so that we do not test against our own
//! misunderstanding.

pub mod push;
pub mod resend;
pub mod stripe;
