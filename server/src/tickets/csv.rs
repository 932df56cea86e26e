//! Reading a table of tickets. Forgiving about what spreadsheets do (byte order marks, separators, case
//! and spaces in the header), strict about everything that could issue a wrong ticket.

use csv::{ReaderBuilder, StringRecord};

use crate::platform::problem::{ApiError, Code, Issue};

/// The most rows in one table, without the header.
pub(super) const MAX_ROWS: usize = 100_000;
/// The most complaints in one answer.
const MAX_ISSUES: usize = 100;

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    TicketType,
    AttendeeName,
    Reference,
    Email,
    Status,
    Admits,
    ValidFrom,
    ValidUntil,
    CodeExpiresAt,
    LegacyCode,
}

/// Every name a column may have; the first is the one messages use.
const COLUMNS: [(&str, Column); 12] = [
    ("ticket_type", Column::TicketType),
    ("attendee_name", Column::AttendeeName),
    ("reference", Column::Reference),
    ("order_ref", Column::Reference),
    ("order", Column::Reference),
    ("email", Column::Email),
    ("status", Column::Status),
    ("admits", Column::Admits),
    ("valid_from", Column::ValidFrom),
    ("valid_until", Column::ValidUntil),
    ("code_expires_at", Column::CodeExpiresAt),
    ("legacy_code", Column::LegacyCode),
];

impl Column {
    pub(super) fn name(self) -> &'static str {
        COLUMNS.iter().find(|(_, column)| *column == self).map_or("", |(name, _)| name)
    }
}

/// What is wrong with a table, collected until there is too much of it.
#[derive(Debug, Default)]
pub(super) struct Issues {
    list: Vec<Issue>,
    count: usize,
}

impl Issues {
    pub(super) fn add(&mut self, row: u64, field: Option<&str>, message: impl Into<String>) {
        self.count += 1;
        if self.list.len() < MAX_ISSUES {
            let field = field.map(str::to_owned);
            self.list.push(Issue { row: Some(row), field, message: message.into() });
        }
    }

    pub(super) fn into_result(self) -> Result<(), ApiError> {
        if self.count == 0 {
            return Ok(());
        }
        let detail = format!("Nothing was imported: {} thing(s) to mend, see issues.", self.count);
        Err(ApiError::new(Code::InvalidCsv, detail).with_issues(self.list))
    }
}

fn refuse(row: u64, message: impl Into<String>) -> ApiError {
    let mut issues = Issues::default();
    issues.add(row, None, message);
    issues.into_result().err().unwrap_or_else(|| ApiError::new(Code::InvalidCsv, ""))
}

/// A table with a known header.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<Column>,
    pub(super) rows: Vec<TableRow>,
}

/// One row, with its place in the file (the header is row 1).
#[derive(Debug)]
pub(super) struct TableRow {
    pub(super) number: u64,
    record: StringRecord,
}

impl Table {
    /// The trimmed value of a column; none if the column or the value is missing.
    pub(super) fn value<'a>(&self, row: &'a TableRow, column: Column) -> Option<&'a str> {
        let place = self.columns.iter().position(|known| *known == column)?;
        row.record.get(place).map(str::trim).filter(|value| !value.is_empty())
    }

    /// Reads the bytes of a table.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, ApiError> {
        let text = decode(bytes)?;
        let mut reader =
            ReaderBuilder::new().delimiter(separator(text)).flexible(true).from_reader(text.as_bytes());
        let header = reader.headers().map_err(|error| refuse(1, error.to_string()))?.clone();
        let columns = read_header(&header)?;
        let mut issues = Issues::default();
        let mut rows = Vec::new();
        for (place, record) in reader.records().enumerate() {
            // The row as a spreadsheet counts it; a value with line breaks is still one row.
            let number = u64::try_from(place).unwrap_or(u64::MAX).saturating_add(2);
            if rows.len() == MAX_ROWS {
                issues.add(number, None, format!("more than {MAX_ROWS} rows: split the table"));
                break;
            }
            let record = record.map_err(|error| refuse(number, error.to_string()))?;
            if record.iter().all(|value| value.trim().is_empty()) {
                continue;
            }
            if record.len() != columns.len() {
                let message = format!("has {} values, but the header has {}", record.len(), columns.len());
                issues.add(number, None, message);
            }
            rows.push(TableRow { number, record });
        }
        issues.into_result()?;
        if rows.is_empty() {
            return Err(refuse(1, "the table has no rows below its header"));
        }
        Ok(Self { columns, rows })
    }
}

fn decode(bytes: &[u8]) -> Result<&str, ApiError> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(refuse(1, "the file is UTF-16: save it as \"CSV UTF-8\""));
    }
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let lines = before.iter().filter(|byte| **byte == b'\n').count();
        let row = u64::try_from(lines).unwrap_or(u64::MAX).saturating_add(1);
        refuse(row, "the file is not UTF-8 from this row on: save it as \"CSV UTF-8\"")
    })?;
    if text.contains('\0') {
        return Err(refuse(1, "the file holds zero bytes: it is not a text file in UTF-8"));
    }
    Ok(text)
}

/// Whichever of tab, semicolon and comma the header has most of.
fn separator(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    let count = |separator: u8| header.bytes().filter(|byte| *byte == separator).count();
    [b',', b';', b'\t'].into_iter().rev().max_by_key(|separator| count(*separator)).unwrap_or(b',')
}

fn read_header(header: &StringRecord) -> Result<Vec<Column>, ApiError> {
    let mut issues = Issues::default();
    let mut columns = Vec::new();
    for name in header {
        let plain = name.trim().to_lowercase().replace([' ', '-'], "_");
        match COLUMNS.iter().find(|(known, _)| *known == plain) {
            Some((_, column)) if columns.contains(column) => {
                issues.add(1, Some(&plain), "this column is there twice");
            }
            Some((_, column)) => columns.push(*column),
            None => {
                let known: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
                let shown: String = plain.chars().take(40).collect();
                issues.add(1, Some(&shown), format!("unknown column; known are {}", known.join(", ")));
            }
        }
    }
    if !columns.contains(&Column::TicketType) {
        issues.add(1, Some("ticket_type"), "this column is missing");
    }
    issues.into_result()?;
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &[u8]) -> Result<(String, String), ApiError> {
        let table = Table::read(text)?;
        let row = &table.rows[0];
        let value = |column| table.value(row, column).unwrap_or_default().to_owned();
        Ok((value(Column::TicketType), value(Column::AttendeeName)))
    }

    #[test]
    fn separators_marks_and_header_spelling_are_forgiven() {
        for text in [
            "ticket_type,attendee_name\nDay,Zoë\n",
            "\u{feff}Ticket Type;Attendee-Name\r\nDay;Zoë\r\n",
            "attendee_name\tticket_type\nZoë\tDay",
            "ticket_type,attendee_name\n\"Day\",\"Zoë\"\n\n,\n",
        ] {
            assert_eq!(first(text.as_bytes()).unwrap(), ("Day".into(), "Zoë".into()), "{text:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let latin1 = b"ticket_type,attendee_name\nDay,Zo\xeb\n";
        let utf16 = b"\xff\xfet\0i\0";
        let bad: [&[u8]; 7] = [
            latin1,
            utf16,
            b"",
            b"name\nx\n",
            b"ticket_type\n",
            b"ticket_type,ticket_type\na,b\n",
            b"ticket_type,reference\nDay\n",
        ];
        for bytes in bad {
            assert_eq!(first(bytes).unwrap_err().code(), Code::InvalidCsv, "{bytes:?}");
        }
    }
}
