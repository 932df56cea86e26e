//! One module a command: gather, do, say.

pub(crate) mod admit;
pub(crate) mod check;
pub(crate) mod conflicts;
pub(crate) mod enrol;
pub(crate) mod export;
pub(crate) mod find;
pub(crate) mod force;
pub(crate) mod scan;
pub(crate) mod scans;
pub(crate) mod status;
pub(crate) mod sync;
pub(crate) mod undo;
