//! What texts are tried with: everything that a mail can name, and as little as it ever has.

use serde_json::{Value, json};

use crate::mails::Kind;
use crate::platform::locale::Locale;

/// A sample, and what of it has to be found in the text and in the HTML.
pub(super) struct Sample {
    pub(super) values: Value,
    /// What it is called, and what stands for it.
    pub(super) needed: Vec<(&'static str, String)>,
    /// The same for the HTML alone.
    pub(super) needed_in_html: Vec<(&'static str, String)>,
}

/// With everything, and with as little as there ever is.
pub(super) fn of(kind: Kind, locale: Locale) -> [Sample; 2] {
    [sample(kind, locale, true), sample(kind, locale, false)]
}

fn sample(kind: Kind, locale: Locale, has_all: bool) -> Sample {
    let some = |text: &str| if has_all { json!(text) } else { Value::Null };
    let mut values = json!({
        "lang": locale.code(), "name": "Ida Berg", "reference": "K7MN-2QXP", "event": "Harbour Lights",
        "organiser": "Harbour", "starts": locale.moment(1_785_519_000_000, "Europe/Berlin"),
        "time_zone": "Europe/Berlin", "venue": some("Pier 7, Hamburg"),
    });
    let (mut needed, mut needed_in_html) = (Vec::new(), Vec::new());
    let money = match locale {
        Locale::En => "83.00 EUR",
        Locale::De => "83,00 EUR",
    };
    match kind {
        Kind::OrderPaid => {
            let count = if has_all { 2 } else { 1 };
            let tickets: Vec<Value> = (1..=count).map(|number| ticket(number, has_all)).collect();
            for ticket in &tickets {
                for (what, key) in [("ticket.link", "link"), ("ticket.manual_code", "manual_code")] {
                    needed.push((what, ticket[key].as_str().unwrap_or_default().to_owned()));
                }
                if let Some(cid) = ticket["cid"].as_str() {
                    needed_in_html
                        .push(("ticket.cid, as in src=\"cid:{{ ticket.cid }}\"", format!("cid:{cid}")));
                }
            }
            values["tickets"] = json!(tickets);
            values["total"] = some(money);
        }
        Kind::OrderRefunded => {
            values["amount"] = json!(money);
            values["tickets"] = if has_all {
                json!([{"type": "Day", "name": "Ida Berg"}, {"type": "Day", "name": null}])
            } else {
                json!([])
            };
            needed.push(("amount", money.to_owned()));
        }
        Kind::EventChanged => {
            values["changes"] = json!([
                {"what": "Where", "before": some("Pier 6"), "now": "Pier 77"},
            ]);
            needed.push(("change.now", "Pier 77".to_owned()));
        }
        Kind::EventCancelled => {
            values["reason"] = json!("A storm closes the pier.");
            needed.push(("reason", "A storm closes the pier.".to_owned()));
        }
        Kind::News => {
            let (body, link) = ("Gates open at six.", "https://tickets.example.org/shop/unsubscribe/x");
            values["subject"] = json!("See you tomorrow");
            values["body"] = json!(body);
            values["unsubscribe"] = json!(link);
            needed.push(("body", body.to_owned()));
            needed.push(("unsubscribe", link.to_owned()));
        }
        Kind::Invitation | Kind::SignInLink | Kind::Alert | Kind::Test => {}
    }
    Sample { values, needed, needed_in_html }
}

fn ticket(number: u32, has_all: bool) -> Value {
    json!({
        "number": number, "type": "Day ticket", "name": has_all.then_some("Ida Berg"),
        "manual_code": format!("4F7K-9QX{number}-M2PD"), "link": format!("https://tickets.example.org/t/{number}"),
        "cid": has_all.then(|| format!("ticket-{number}")),
    })
}
