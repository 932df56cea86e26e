//! Figures as files for spreadsheets: comma-separated values with a header (RFC 4180), amounts in decimal units.

use chrono::DateTime;
use chrono_tz::Tz;

use super::calendar::Step;
use super::questions::{About, AskDoors, AskEntries, AskSales, AskTicketTypes, ask};
use super::series::Window;
use crate::app::AppState;
use crate::platform::authorize::Who;
use crate::platform::coded::coded;
use crate::platform::problem::{ApiError, ApiResult};
use crate::pricing::{Currency, Money};

coded! {
    /// What a file is of.
    Report {
        /// Sales over time.
        Sales = "sales",
        /// People at the doors over time.
        Entries = "entries",
        /// What happened at each gate.
        Gates = "gates",
        /// Which ticket types sell.
        TicketTypes = "ticket_types",
    }
}

type Rows = Vec<Vec<String>>;

/// A file's name and text.
pub(crate) async fn file(
    app: &AppState,
    who: Who,
    about: About,
    (report, step): (Report, Step),
) -> ApiResult<(String, String)> {
    let window = Window::whole();
    let (from, to, rows) = match report {
        Report::Sales => {
            let answer = ask(app, who, about, AskSales { step, window }).await?;
            let zone = answer.time_zone;
            let mut rows: Rows = vec![words(&[
                "from",
                "to",
                "orders_paid",
                "tickets_sold",
                "tickets_refunded",
                "currency",
                "gross",
                "refunds",
                "net",
            ])];
            for slot in answer.figures.slots {
                let counts = [slot.orders_paid, slot.tickets_sold, slot.tickets_refunded];
                let mut first = vec![local(slot.starts_at, &zone), local(slot.ends_at, &zone)];
                first.extend(counts.iter().map(i64::to_string));
                if slot.money.is_empty() {
                    rows.push([first.clone(), words(&["", "", "", ""])].concat());
                }
                for money in slot.money {
                    let sums =
                        [money.gross, money.refunds, money.net].map(|sum| decimal(sum, money.currency));
                    rows.push(
                        [first.clone(), vec![money.currency.code().to_owned()], sums.to_vec()].concat(),
                    );
                    // Counts are of all currencies together: adding a column up must not count them twice.
                    first.truncate(2);
                    first.extend(words(&["", "", ""]));
                }
            }
            (answer.from, answer.to, rows)
        }
        Report::Entries => {
            let answer = ask(app, who, about, AskEntries { step, window }).await?;
            let zone = answer.time_zone;
            let mut rows: Rows = vec![words(&["from", "to", "scans", "refusals", "people_in", "people_out"])];
            rows.extend(answer.figures.slots.iter().map(|slot| {
                let counts =
                    [slot.scans, slot.refusals, slot.people_in, slot.people_out].map(|it| it.to_string());
                [vec![local(slot.starts_at, &zone), local(slot.ends_at, &zone)], counts.to_vec()].concat()
            }));
            (answer.from, answer.to, rows)
        }
        Report::Gates => {
            let answer = ask(app, who, about, AskDoors).await?;
            let zone = answer.time_zone;
            let mut rows: Rows = vec![words(&[
                "gate_id",
                "gate",
                "scans",
                "refusals",
                "people_in",
                "people_out",
                "busiest_minute",
                "people_in_it",
            ])];
            rows.extend(answer.figures.gates.into_iter().map(|gate| {
                let busiest = gate.busiest;
                vec![
                    gate.gate_id.to_string(),
                    gate.name,
                    gate.scans.to_string(),
                    gate.refusals.to_string(),
                    gate.people_in.to_string(),
                    gate.people_out.to_string(),
                    busiest.map(|it| local(it.starts_at, &zone)).unwrap_or_default(),
                    busiest.map(|it| it.people.to_string()).unwrap_or_default(),
                ]
            }));
            (answer.from, answer.to, rows)
        }
        Report::TicketTypes => {
            let answer = ask(app, who, about, AskTicketTypes).await?;
            let mut rows: Rows = vec![words(&[
                "ticket_type_id",
                "ticket_type",
                "tickets_sold",
                "tickets_refunded",
                "arrivals",
                "currency",
                "gross",
            ])];
            for kind in answer.figures.ticket_types {
                let mut first = vec![kind.ticket_type_id.to_string(), kind.name];
                let counts = [kind.tickets_sold, kind.tickets_refunded, kind.arrivals];
                first.extend(counts.iter().map(i64::to_string));
                if kind.gross.is_empty() {
                    rows.push([first.clone(), words(&["", ""])].concat());
                }
                for money in kind.gross {
                    let sum = vec![money.currency.code().to_owned(), decimal(money.amount, money.currency)];
                    rows.push([first.clone(), sum].concat());
                    first.truncate(2);
                    first.extend(words(&["", "", ""]));
                }
            }
            (answer.from, answer.to, rows)
        }
    };
    Ok((format!("{}-{from}-{to}.csv", report.code()), text(&rows)?))
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// As clocks there show it, with what they are away from UTC: the hour that comes twice can be told apart.
fn local(ms: i64, zone: &str) -> String {
    let zone: Tz = zone.parse().unwrap_or(Tz::UTC);
    DateTime::from_timestamp_millis(ms).unwrap_or_default().with_timezone(&zone).to_rfc3339()
}

/// In decimal units, without the currency.
fn decimal(amount: i64, currency: Currency) -> String {
    let text = Money { amount, currency }.to_string();
    text.split_once(' ').map_or(text.clone(), |(number, _)| number.to_owned())
}

fn text(rows: &Rows) -> ApiResult<String> {
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row.iter().map(|cell| harmless(cell))).map_err(ApiError::internal)?;
    }
    let bytes = writer.into_inner().map_err(|error| ApiError::internal(error.into_error()))?;
    String::from_utf8(bytes).map_err(ApiError::internal)
}

/// Spreadsheets take what begins so for a formula, and run it. Names are typed by people.
/// <https://owasp.org/www-community/attacks/CSV_Injection>
fn harmless(cell: &str) -> String {
    let is_number = cell.parse::<f64>().is_ok();
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_formulas_and_numbers_stay_numbers() {
        let rows = vec![words(&["=1+1", "-5", "a,b", "say \"hi\"", "-x"])];
        assert_eq!(text(&rows).unwrap(), "'=1+1,-5,\"a,b\",\"say \"\"hi\"\"\",'-x\r\n");
    }

    #[test]
    fn the_hour_that_comes_twice_can_be_told_apart() {
        let first = 1_792_886_400_000; // 2026-10-25T00:00:00Z
        let hour = |hours: i64| local(first + hours * 3_600_000, "Europe/Berlin");
        assert_eq!([hour(0), hour(1)], ["2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"]);
        assert_eq!(decimal(-1_250, Currency::from_code("EUR").unwrap()), "-12.50");
    }
}
