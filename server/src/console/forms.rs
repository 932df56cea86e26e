//! Forms: read, checked, and shown again with what is wrong.

use std::collections::BTreeMap;
use std::str::FromStr;

use axum::extract::{FromRequest, Request};
use chrono::NaiveDateTime;
use chrono_tz::Tz;
use secrecy::SecretString;
use serde::Serialize;

use super::cookies::{self, Cookie};
use super::csrf;
use super::failure::Failure;
use crate::app::AppState;
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::pricing::{Currency, Money};

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

    /// An amount of money; none if the field is empty.
    ///
    /// # Errors
    /// When it is no amount of this currency.
    pub(super) fn amount(&self, name: &str, currency: Currency) -> ApiResult<Option<i64>> {
        let text = self.text(name).trim();
        let typed = (!text.is_empty()).then(|| Money::typed(text, currency));
        typed.transpose().map_err(|error| ApiError::field(name, error.to_string()))
    }

    /// A rate in hundredths of a per cent, typed in per cent: `19`, `7.7`. None if the field is empty.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn rate(&self, name: &str) -> ApiResult<Option<u32>> {
        let text = self.text(name).trim();
        if text.is_empty() {
            return Ok(None);
        }
        let text = text.trim_end_matches('%').trim_end();
        let (whole, rest) = text.split_once(['.', ',']).unwrap_or((text, ""));
        let digits = format!("{whole}{rest:0<2}");
        let is_rate =
            !whole.is_empty() && rest.len() <= 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        let wrong = || ApiError::field(name, "must be per cent, such as 19 or 7.7");
        digits.parse().ok().filter(|_| is_rate).map(Some).ok_or_else(wrong)
    }

    /// A moment that clocks in a time zone (IANA name) show, in UTC milliseconds; none if the field is empty. Of two
    /// that show the same, when clocks are set back, the first.
    ///
    /// # Errors
    /// When it is none, or clocks never show it.
    pub(super) fn moment(&self, name: &str, time_zone: &str) -> ApiResult<Option<i64>> {
        let text = self.text(name).trim();
        if text.is_empty() {
            return Ok(None);
        }
        let zone: Tz = time_zone.parse().unwrap_or(Tz::UTC);
        let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M")
            .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S"))
            .map_err(|_| ApiError::field(name, "must be a day and a time, such as 2027-05-01T18:30"))?;
        let at = local.and_local_timezone(zone).earliest();
        let at = at.ok_or_else(|| ApiError::field(name, "is skipped by the clocks of that day"))?;
        Ok(Some(at.timestamp_millis()))
    }

    /// A whole number; none if the field is empty.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn number<T: FromStr>(&self, name: &str) -> ApiResult<Option<T>> {
        let text = self.text(name).trim();
        let typed = (!text.is_empty()).then(|| text.parse());
        typed.transpose().map_err(|_| ApiError::field(name, "must be a whole number"))
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
            Code::IdempotencyKeyReused => {
                let detail = "This form was sent before, with something else in it. See below what became of that, \
                              and send it again if it is still wanted.";
                wrong.alert = Some(detail.to_owned());
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
            | Code::PayoutTooMuch
            | Code::NothingToPayOut
            | Code::PayoutsNotSetUp
            | Code::PaymentsOff
            | Code::MailsOff
            | Code::PushOff
            | Code::CampaignEnded
            | Code::SalesNotSetUp
            | Code::InUse
            | Code::CapacityTaken
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

#[cfg(test)]
mod tests {
    use super::Form;

    fn form(text: &str) -> Form {
        Form(vec![("it".to_owned(), text.to_owned())])
    }

    #[test]
    fn rates_are_read_in_per_cent() {
        for (text, rate) in
            [("19", Some(1_900)), ("7.7 %", Some(770)), ("0,25", Some(25)), ("", None), ("100", Some(10_000))]
        {
            assert_eq!(form(text).rate("it").unwrap(), rate, "{text}");
        }
        for text in ["-1", "1.234", ".5", "19 per cent", "%", "1e2"] {
            assert!(form(text).rate("it").is_err(), "{text}");
        }
    }

    #[test]
    fn moments_are_those_of_the_events_clocks() {
        let at = |text: &str| form(text).moment("it", "Europe/Berlin");
        assert_eq!(at("1970-01-01T01:00").unwrap(), Some(0));
        assert_eq!(at("").unwrap(), None);
        // Clocks were set back at 03:00 that day: 02:30 came twice, and forward at 02:00: 02:30 never came.
        assert_eq!(at("2026-10-25T02:30").unwrap(), Some(1_792_888_200_000));
        assert!(at("2026-03-29T02:30").is_err());
        assert!(at("tomorrow").is_err());
    }
}
