//! Forms: read, checked, and shown again with what is wrong.

use std::collections::BTreeMap;

use axum::extract::{FromRequest, Request};
use secrecy::SecretString;
use serde::Serialize;

use super::cookies::{self, Cookie};
use super::csrf;
use super::failure::Failure;
use crate::app::AppState;
use crate::platform::problem::{ApiError, Code};

/// What a form of ours sent. That it is one of ours has been checked.
pub(super) struct Form(Vec<(String, String)>);

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // There may be a password in it.
        f.write_str("Form")
    }
}

impl Form {
    /// A field's text; empty if it is not there.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.as_str())
    }

    /// Every value of a field that can be there more than once.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// Whether a box was ticked.
    pub(super) fn ticked(&self, name: &str) -> bool {
        !self.text(name).is_empty()
    }

    /// A password.
    pub(super) fn secret(&self, name: &str) -> SecretString {
        self.text(name).to_owned().into()
    }
}

impl FromRequest<AppState> for Form {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &AppState) -> Result<Self, Failure> {
        let headers = request.headers();
        if !csrf::is_same_origin(headers, app.public_url()) {
            return Err(Failure::NotOurForm);
        }
        let cookie = cookies::read(app, headers, Cookie::Session)
            .or_else(|| cookies::read(app, headers, Cookie::Form));
        let axum::Form(fields) = axum::Form::<Vec<(String, String)>>::from_request(request, app)
            .await
            .map_err(|rejection| ApiError::new(Code::InvalidBody, rejection.body_text()))?;
        let form = Self(fields);
        match cookie {
            Some(cookie) if csrf::fits(form.text("csrf"), &cookie) => Ok(form),
            _ => Err(Failure::NotOurForm),
        }
    }
}

/// What is wrong with a form, as its template shows it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Wrong {
    /// Of the form as a whole.
    pub(super) alert: Option<String>,
    /// By field.
    pub(super) fields: BTreeMap<String, String>,
    /// Which of a page's forms is meant, where there are several alike.
    pub(super) form: String,
}

impl Wrong {
    /// What a service found wrong with what was typed; anything else is no matter of the form.
    ///
    /// # Errors
    /// The error itself, if typing something else cannot mend it.
    pub(super) fn of(error: ApiError) -> Result<(Self, ApiError), Failure> {
        let mut wrong = Self::default();
        match error.code() {
            Code::InvalidField => {
                for issue in error.issues() {
                    if let Some(field) = &issue.field {
                        wrong.fields.insert(field.clone(), sentence(&issue.message));
                    }
                }
                wrong.alert = Some("Please look at what is marked below.".to_owned());
            }
            Code::SignInFailed
            | Code::RateLimited
            | Code::AlreadyMember
            | Code::LastOwner
            | Code::AccountExists
            | Code::InvitedElse
            | Code::AlreadyResolved
            | Code::JobSuperseded
            | Code::StatusConflict
            | Code::OrderOver
            | Code::PaymentTimeout
            | Code::RefundTooMuch
            | Code::NothingToRefund
            | Code::TooMany => {
                wrong.alert = Some(format!("{}. {}", error.code().title(), error.detail()));
            }
            _ => return Err(error.into()),
        }
        Ok((wrong, error))
    }
}

/// `must have 1 character` → `Must have 1 character.`
fn sentence(message: &str) -> String {
    format!("{}.", capital(message))
}

/// With a capital at its beginning.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let start = letters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{start}{}", letters.as_str())
}
