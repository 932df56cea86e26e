//! What callers send and get.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::mails::Kind;
use crate::platform::locale::Locale;

/// A text of a mail, of an organiser's own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMailText {
    /// The template of the text part (up to 64 KiB); its first line is the subject.
    pub text: String,
    /// The template of the HTML part (up to 64 KiB); it may begin with `{% extends "frame.html" %}`.
    pub html: String,
}

/// A text of a mail in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MailText {
    /// Of which mail.
    pub kind: Kind,
    /// In which language.
    pub locale: Locale,
    /// The newest version of the organiser's own; none: it is ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// Who saved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saved_by: Option<String>,
    /// When (UTC milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saved_at: Option<i64>,
}

/// Something that a text may name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// An example of it.
    pub example: String,
    /// Whether it has to be told.
    pub is_needed: bool,
}

/// An earlier version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct VersionView {
    /// Its number.
    pub version: i64,
    /// Whether it went back to our text.
    pub is_built_in: bool,
    /// Who saved it.
    pub saved_by: String,
    /// When (UTC milliseconds).
    pub saved_at: i64,
}

/// A text of a mail, as it is used now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MailTextView {
    /// Which one.
    #[serde(flatten)]
    pub which: MailText,
    /// The template of the text part.
    pub text: String,
    /// The template of the HTML part.
    pub html: String,
    /// What it may name.
    pub variables: Vec<Variable>,
    /// Every version, newest first.
    pub versions: Vec<VersionView>,
}

/// What a mail would look like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Preview {
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub text: String,
    /// Its HTML.
    pub html: String,
}
