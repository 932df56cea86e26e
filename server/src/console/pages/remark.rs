//! What people say about conflicts and anomalies, on the pages of both.

use serde::Serialize;

use super::super::forms::Form;
use super::super::layout::Moment;
use crate::platform::remark::{Note, Remark};

/// What somebody said.
#[derive(Debug, Serialize)]
pub(super) struct Said {
    by: String,
    at: Moment,
    note: String,
}

impl Said {
    pub(super) fn new(remark: Remark, zone: &str) -> Self {
        Self { by: remark.by.name, at: Moment::local(remark.at, zone), note: remark.note }
    }
}

/// What a form says.
pub(super) fn note(form: &Form) -> Note {
    Note { note: form.text("note").to_owned() }
}
