//! What every page has: the frame, the headers, times and names as people read them.

use std::sync::LazyLock;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, context};
use serde::Serialize;

use super::assets::STYLE_PATH;
use super::flash::Flash;
use super::hall::{EventPlace, Hall, Operator};
use super::visitor::{Office, Place, Visitor};
use crate::app::AppState;
use crate::platform::authorize::Role;
use crate::platform::problem::{ApiError, ApiResult};

macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        // The names end as they must for escaping.
        static PAGES: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
            let mut pages = Environment::new();
            // A value that is not there is a mistake of ours, not an empty place on a page.
            pages.set_undefined_behavior(minijinja::UndefinedBehavior::SemiStrict);
            $(pages.add_template($name, include_str!(concat!("templates/", $name)))?;)*
            Ok(pages)
        });
    };
}

templates!(
    "layout.html",
    "fields.html",
    "account.html",
    "analytics.html",
    "figures.html",
    "operator_analytics.html",
    "alerts.html",
    "audit.html",
    "invitation.html",
    "invited.html",
    "members.html",
    "notice.html",
    "anomalies.html",
    "anomaly.html",
    "board.html",
    "campaigns.html",
    "operator_push.html",
    "push_parts.html",
    "conflicts.html",
    "dead_letter.html",
    "dead_letters.html",
    "devices.html",
    "disputes.html",
    "failures.html",
    "doors.html",
    "enrolment.html",
    "events.html",
    "keys.html",
    "objectives.html",
    "mail_parts.html",
    "mail_text.html",
    "mail_texts.html",
    "mails.html",
    "operator_addresses.html",
    "operator_mail.html",
    "operator_money.html",
    "operator_organiser.html",
    "order.html",
    "money_tabs.html",
    "orders.html",
    "organisers.html",
    "payouts.html",
    "queues.html",
    "refunds.html",
    "sales.html",
    "sign_in.html",
    "sign_in_by_link.html",
    "sign_in_link.html",
    "ticket.html",
    "tickets.html",
);

/// Nothing from anywhere else, no script and no style but ours, in nobody's frame.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
                              img-src 'self' data:; form-action 'self'; frame-src 'self'; base-uri 'none'; \
                              frame-ancestors 'none'";
const HTML: &str = "text/html; charset=utf-8";
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// What a page shows around its content.
#[derive(Debug, Default)]
pub(super) struct Frame<'a> {
    /// What it is, for the browser's tab and its first heading.
    pub(super) title: &'a str,
    /// Who looks at it.
    pub(super) visitor: Option<&'a Visitor>,
    /// The organiser it is about.
    pub(super) place: Option<&'a Place>,
    /// The event of theirs it is about.
    pub(super) event: Option<&'a EventPlace>,
    /// Whether it is one of the operator's.
    pub(super) operator: bool,
    /// Its name in the navigation.
    pub(super) here: &'a str,
    /// What was just done.
    pub(super) done: Option<&'a str>,
    /// The token for its forms, where nobody is signed in.
    pub(super) csrf: Option<String>,
}

impl<'a> Frame<'a> {
    /// Of a page about an organiser.
    pub(super) fn at<A>(office: &'a Office<A>, title: &'a str, here: &'a str) -> Self {
        let (visitor, place) = (Some(&office.visitor), Some(&office.place));
        Self { title, visitor, place, here, ..Self::default() }
    }

    /// Of a page about an event.
    pub(super) fn within<A>(hall: &'a Hall<A>, title: &'a str, here: &'a str) -> Self {
        let (visitor, place, event) = (Some(&hall.visitor), Some(&hall.place), Some(&hall.event));
        Self { title, visitor, place, event, here, ..Self::default() }
    }

    /// Of one of the operator's pages.
    pub(super) fn of_operator(operator: &'a Operator, title: &'a str, here: &'a str) -> Self {
        Self { title, visitor: Some(&operator.visitor), operator: true, here, ..Self::default() }
    }

    /// With what was done before it.
    pub(super) const fn after(mut self, done: Option<&'a str>) -> Self {
        self.done = done;
        self
    }
}

/// The page.
///
/// # Errors
/// When its template is wrong.
pub(super) fn render(
    app: &AppState,
    template: &str,
    frame: &Frame<'_>,
    content: impl Serialize,
) -> ApiResult<Response> {
    let csrf = frame.csrf.clone().or_else(|| frame.visitor.map(|visitor| visitor.csrf(app)));
    let values = context! {
        base => base(app),
        style => STYLE_PATH.as_str(),
        title => frame.title,
        here => frame.here,
        visitor => frame.visitor.map(|visitor| visitor.person.signed_in.name.as_str()),
        is_operator => frame.visitor.is_some_and(|visitor| visitor.person.signed_in.is_operator),
        place => frame.place.map(Serde),
        event => frame.event.map(Serde),
        operator => frame.operator,
        done => frame.done.and_then(Flash::named).map(Flash::text),
        csrf => csrf,
        page => Serde(content),
    };
    Ok(as_html(fill(template, values)?.into_response()))
}

/// A part of a page, sent by itself.
///
/// # Errors
/// When its template is wrong.
pub(super) fn fragment(app: &AppState, template: &str, content: impl Serialize) -> ApiResult<String> {
    fill(template, context! { base => base(app), page => Serde(content) })
}

fn fill(template: &str, values: Value) -> ApiResult<String> {
    let pages = PAGES.as_ref().map_err(|error| ApiError::internal(error.to_string()))?;
    let template = pages.get_template(template).map_err(ApiError::internal)?;
    template.render(values).map_err(ApiError::internal)
}

/// A page that says why there is none. It knows nothing of the visitor.
pub(super) fn notice(notice: &impl Serialize) -> ApiResult<String> {
    let values = context! {
        base => "", style => STYLE_PATH.as_str(), title => "Liventix", here => "",
        visitor => Value::from(()), is_operator => false, place => Value::from(()), event => Value::from(()),
        operator => false, done => Value::from(()),
        csrf => Value::from(()), page => Serde(notice),
    };
    fill("notice.html", values)
}

/// The page of a form that was refused, with the status of the refusal.
pub(super) fn refused(mut response: Response, error: ApiError) -> Response {
    let refusal = error.into_response();
    *response.status_mut() = refusal.status();
    if let Some(seconds) = refusal.headers().get(header::RETRY_AFTER) {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.clone());
    }
    response
}

pub(super) fn as_html(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(HTML));
    response
}

/// Puts the headers on that keep a page to itself.
pub(super) async fn protect(response: Response) -> Response {
    // An address or a query of the wrong form was refused before any page was asked.
    let is_problem = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind != HTML);
    let mut response = if is_problem && response.status().is_client_error() {
        super::failure::unreadable(response)
    } else {
        response
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Our own forms have to say where they come from; nobody else learns of our addresses.
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("same-origin"));
    // The preview of a mail has those of its own: it stands in a frame.
    let policy = HeaderValue::from_static(CONTENT_POLICY);
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    headers.entry(header::X_FRAME_OPTIONS).or_insert(HeaderValue::from_static("DENY"));
    headers.insert(ROBOTS, HeaderValue::from_static("noindex, nofollow, noarchive"));
    response
}

/// Of a page whose address is a secret: it stands in no `Referer`, which proxies log, not even in one of a request to
/// us. `no-referrer` would be too much: browsers then say of the page's form that it comes from nowhere.
pub(super) fn with_secret_address(mut response: Response) -> Response {
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("strict-origin"));
    response
}

/// The path below which a proxy serves us; mostly none.
pub(super) fn base(app: &AppState) -> &str {
    app.base_path()
}

/// Sends the browser to another page of ours.
pub(super) fn see_other(location: &str) -> Response {
    match HeaderValue::from_str(location) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(error) => ApiError::internal(error).into_response(),
    }
}

/// Sends it there to read what was done.
pub(super) fn done(location: &str, flash: Flash) -> Response {
    see_other(&format!("{location}?done={}", flash.code()))
}

/// Where to sign in, and where to go afterwards.
pub(super) fn sign_in_path(app: &AppState, next: Option<&str>) -> String {
    let path = format!("{}/console/sign-in", base(app));
    match next.filter(|next| is_ours(next)) {
        Some(next) => format!("{path}?next={next}"),
        None => path,
    }
}

/// Whether an address is of a page here, and made of nothing that could lead elsewhere.
pub(super) fn is_ours(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
    path.starts_with("/console/") && !path.contains("//") && !path.contains("..") && path.bytes().all(plain)
}

/// A role, as people say it.
pub(super) const fn role_words(role: Role) -> &'static str {
    match role {
        Role::Owner => "Owner",
        Role::EventManager => "Event manager",
        Role::EventScanner => "Event scanner",
        Role::Finance => "Finance",
        Role::Support => "Support",
    }
}

/// Something that can be chosen or done: what a form says, and what people read.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Choice {
    pub(super) code: &'static str,
    pub(super) words: &'static str,
}

/// A moment, for people and for machines.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Moment {
    machine: String,
    text: String,
}

impl Moment {
    /// UTC milliseconds.
    pub(super) fn new(ms: i64) -> Self {
        let at: DateTime<Utc> = Utc.timestamp_millis_opt(ms).single().unwrap_or(DateTime::UNIX_EPOCH);
        Self { machine: at.to_rfc3339(), text: at.format("%-d %b %Y, %H:%M UTC").to_string() }
    }

    /// UTC milliseconds, as clocks in a time zone (IANA name) show them.
    pub(super) fn local(ms: i64, time_zone: &str) -> Self {
        let Ok(zone) = time_zone.parse::<Tz>() else { return Self::new(ms) };
        let at: DateTime<Utc> = Utc.timestamp_millis_opt(ms).single().unwrap_or(DateTime::UNIX_EPOCH);
        let text = at.with_timezone(&zone).format("%-d %b %Y, %H:%M").to_string();
        Self { machine: at.to_rfc3339(), text }
    }

    /// To the second, on those clocks.
    pub(super) fn exact(ms: i64, time_zone: &str) -> Self {
        let zone = time_zone.parse().unwrap_or(Tz::UTC);
        let at: DateTime<Utc> = Utc.timestamp_millis_opt(ms).single().unwrap_or(DateTime::UNIX_EPOCH);
        Self {
            machine: at.to_rfc3339(),
            text: at.with_timezone(&zone).format("%-d %b, %H:%M:%S").to_string(),
        }
    }

    /// As a form's field has it, on those clocks.
    pub(super) fn typed(ms: i64, time_zone: &str) -> String {
        let zone = time_zone.parse().unwrap_or(Tz::UTC);
        let at: DateTime<Utc> = Utc.timestamp_millis_opt(ms).single().unwrap_or(DateTime::UNIX_EPOCH);
        at.with_timezone(&zone).format("%Y-%m-%dT%H:%M").to_string()
    }

    /// The day alone, on the clocks there: `31 Jul`.
    pub(super) fn local_day(ms: i64, time_zone: &str) -> String {
        let zone = time_zone.parse().unwrap_or(Tz::UTC);
        let at: DateTime<Utc> = Utc.timestamp_millis_opt(ms).single().unwrap_or(DateTime::UNIX_EPOCH);
        at.with_timezone(&zone).format("%-d %b").to_string()
    }

    /// The day and the minute, on the clocks there: `31 Jul, 20:00`.
    pub(super) fn local_hour(ms: i64, time_zone: &str) -> String {
        let zone = time_zone.parse().unwrap_or(Tz::UTC);
        let at: DateTime<Utc> = Utc.timestamp_millis_opt(ms).single().unwrap_or(DateTime::UNIX_EPOCH);
        at.with_timezone(&zone).format("%-d %b, %H:%M").to_string()
    }

    /// The day alone, in UTC.
    pub(super) fn day(ms: i64) -> Self {
        let at: DateTime<Utc> = Utc.timestamp_millis_opt(ms).single().unwrap_or(DateTime::UNIX_EPOCH);
        Self { machine: at.format("%Y-%m-%d").to_string(), text: at.format("%-d %b").to_string() }
    }

    /// The day with its year, in UTC.
    pub(super) fn day_and_year(ms: i64) -> Self {
        let at: DateTime<Utc> = Utc.timestamp_millis_opt(ms).single().unwrap_or(DateTime::UNIX_EPOCH);
        Self { machine: at.format("%Y-%m-%d").to_string(), text: at.format("%-d %b %Y").to_string() }
    }

    /// The time of day alone, to the second.
    pub(super) fn clock(ms: i64, time_zone: &str) -> Self {
        let zone = time_zone.parse().unwrap_or(Tz::UTC);
        let at: DateTime<Utc> = Utc.timestamp_millis_opt(ms).single().unwrap_or(DateTime::UNIX_EPOCH);
        Self { machine: at.to_rfc3339(), text: at.with_timezone(&zone).format("%H:%M:%S").to_string() }
    }
}

/// A number with its thousands set apart: `12,345`.
pub(super) fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{count, is_ours};

    #[test]
    fn thousands_are_set_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (-1_234_567, "-1,234,567")] {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn only_pages_of_ours_are_gone_back_to() {
        assert!(is_ours("/console/organisers/01930f2e-7c1a-7b3c-9d4e-5f60718293a4/members"));
        for bad in [
            "",
            "//evil.example",
            "/console//evil",
            "https://evil.example/console/",
            "/console/../x",
            "/console/\\x",
            "/console/x?y",
        ] {
            assert!(!is_ours(bad), "{bad}");
        }
    }

    #[test]
    fn every_template_can_be_read() {
        super::PAGES.as_ref().unwrap();
    }
}
