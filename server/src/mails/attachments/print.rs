//! Tickets to be printed: a PDF with a page for each, whose code is drawn as shapes, and whose words can be searched.
//!
//! The same tickets make the same file, byte for byte.

mod fonts;
mod page;
#[cfg(test)]
mod tests;
mod text;
mod words;

use chrono::{DateTime, Datelike as _, TimeZone as _, Timelike as _, Utc};
use krilla::Document;
use krilla::metadata::{self, Metadata};
use krilla::page::PageSettings;

use crate::email::Part;
use crate::platform::locale::Locale;
use fonts::Fonts;
use page::{HEIGHT, Heading, WIDTH};

/// An order's tickets, as they are printed.
#[derive(Debug, Clone)]
pub(crate) struct PrintedOrder {
    pub(crate) locale: Locale,
    pub(crate) event: String,
    /// As clocks at the event show it.
    pub(crate) starts: String,
    pub(crate) time_zone: String,
    pub(crate) venue: Option<String>,
    pub(crate) organiser: String,
    pub(crate) reference: String,
    /// When the file was made (UTC milliseconds).
    pub(crate) made_at: i64,
    pub(crate) tickets: Vec<PrintedTicket>,
}

/// A page.
#[derive(Clone)]
pub(crate) struct PrintedTicket {
    pub(crate) type_name: String,
    pub(crate) attendee_name: Option<String>,
    /// What its QR code says.
    pub(crate) code: String,
    pub(crate) manual_code: String,
}

impl std::fmt::Debug for PrintedTicket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrintedTicket(…)")
    }
}

/// Why there is no file.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum PrintError {
    #[error("the font {0} cannot be read")]
    Font(&'static str),
    #[error("the PDF cannot be written: {0}")]
    Pdf(String),
}

/// The file.
///
/// # Errors
/// When a font or the PDF cannot be made, which they have no reason for.
pub(crate) fn printable(order: &PrintedOrder) -> Result<Part, PrintError> {
    let fonts = Fonts::get()?;
    let heading = Heading::of(fonts, order);
    let mut document = Document::new();
    document.set_metadata(metadata(fonts, order));
    for (place, ticket) in order.tickets.iter().enumerate() {
        let size = PageSettings::from_wh(WIDTH, HEIGHT);
        let mut sheet = document.start_page_with(size.ok_or_else(|| PrintError::Pdf("no size".to_owned()))?);
        let mut surface = sheet.surface();
        let number = words::number(order.locale, place + 1, order.tickets.len());
        page::draw(fonts, &mut surface, &heading, ticket, &number);
        surface.finish();
        sheet.finish();
    }
    // What the error says may hold a text of the page.
    let bytes = document.finish().map_err(|error| PrintError::Pdf(kind(&error).to_owned()))?;
    Ok(Part { name: "tickets.pdf".to_owned(), kind: "application/pdf".to_owned(), bytes, cid: None })
}

fn metadata(fonts: &'static Fonts, order: &PrintedOrder) -> Metadata {
    let title = words::title(order.locale, &text::clean(fonts, &order.event), &order.reference);
    let at: DateTime<Utc> = Utc.timestamp_millis_opt(order.made_at).single().unwrap_or(DateTime::UNIX_EPOCH);
    let small = |number: u32| u8::try_from(number).unwrap_or_default();
    let made = metadata::DateTime::new(u16::try_from(at.year()).unwrap_or_default())
        .month(small(at.month()))
        .day(small(at.day()))
        .hour(small(at.hour()))
        .minute(small(at.minute()))
        .second(small(at.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0);
    Metadata::new()
        .title(title)
        .language(order.locale.code().to_owned())
        .creator("Liventix".to_owned())
        .authors(vec![order.organiser.clone()])
        .creation_date(made)
}

fn kind(error: &krilla::error::KrillaError) -> &'static str {
    use krilla::error::KrillaError;
    match error {
        KrillaError::Font(..) => "a font cannot be embedded",
        KrillaError::Limit(_) => "it is too large",
        _ => "it is not valid",
    }
}
