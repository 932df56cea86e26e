//! Where secrets stand in a line. Each finder looks for one form.

use liventix_core::ticket::ManualCode;

use super::Mark;

/// Random text this long is a secret of some kind.
const OPAQUE: usize = 32;
/// Shorter words after `Bearer` are prose.
const SCHEME_VALUE: usize = 8;
/// Symbols of a ticket code before it counts as one.
const TICKET_CODE: usize = 8;

/// What stands where something was taken out.
const INSTEAD: [&str; 8] = [
    "[secret]",
    "[token]",
    "[link]",
    "[login]",
    "[e-mail]",
    "[ticket code]",
    "[manual code]",
    "[enrolment code]",
];

/// Values under these names are secret, to the end of their line or string.
const HEADERS: [&str; 4] = ["authorization", "cookie", "x-api-key", "webhook-signature"];
/// Values under names that end so are secret: after `=`, or as strings.
const NAMES: [&str; 7] = ["password", "passwd", "passphrase", "secret", "token", "api_key", "private_key"];

/// Every secret of the line, in no order, perhaps overlapping.
pub(super) fn all(line: &[u8], marks: &mut Vec<Mark>) {
    let mut opaque = Run::default();
    for (at, &byte) in line.iter().enumerate() {
        if is_url_safe(byte) {
            opaque.add(at, byte);
        } else {
            opaque.end(at, marks);
        }
        match byte {
            b'@' => address(line, at, 1, marks),
            b'%' if starts(line, at, "%40") => address(line, at, 3, marks),
            b'l' | b'L' => {
                token(line, at, marks);
                ticket_code(line, at, marks);
                after_prefix(line, at, "liventix-enrol:", 0, "[enrolment code]", marks);
            }
            b'/' => {
                after_prefix(line, at, "/t/", 3, "[link]", marks);
                after_prefix(line, at, "/console/invitation/", 20, "[link]", marks);
                after_prefix(line, at, "/console/sign-in/link/", 22, "[link]", marks);
                login(line, at, marks);
            }
            b'b' | b'B' => scheme(line, at, marks),
            b'=' | b':' => named(line, at, marks),
            _ => {}
        }
        if byte.is_ascii_alphanumeric() && (at == 0 || !is_word(line[at - 1])) {
            manual_code(line, at, marks);
        }
    }
    opaque.end(line.len(), marks);
}

fn is_url_safe(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// What ends any value: it would end the string in JSON.
fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | b'\n' | b'\r')
}

fn starts(line: &[u8], at: usize, with: &str) -> bool {
    line.get(at..at + with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with.as_bytes()))
}

/// The end of the bytes from `at` on that are all `such`.
fn while_such(line: &[u8], at: usize, such: impl Fn(u8) -> bool) -> usize {
    line[at..].iter().position(|&byte| !such(byte)).map_or(line.len(), |length| at + length)
}

/// Base64url as keys and tokens are written: long, in capitals, small letters and digits.
#[derive(Default)]
struct Run {
    start: Option<usize>,
    capital: bool,
    small: bool,
    digit: bool,
}

impl Run {
    fn add(&mut self, at: usize, byte: u8) {
        self.start.get_or_insert(at);
        self.capital |= byte.is_ascii_uppercase();
        self.small |= byte.is_ascii_lowercase();
        self.digit |= byte.is_ascii_digit();
    }

    fn end(&mut self, end: usize, marks: &mut Vec<Mark>) {
        let run = std::mem::take(self);
        if let Some(start) = run.start
            && end - start >= OPAQUE
            && run.capital
            && run.small
            && run.digit
        {
            marks.push(Mark { start, end, instead: "[secret]" });
        }
    }
}

/// `lx_…`, `lxd_…` and the like: see [`auth::token`](crate::platform::auth).
fn token(line: &[u8], at: usize, marks: &mut Vec<Mark>) {
    if !starts(line, at, "lx") {
        return;
    }
    // Two letters at most say what it is for.
    let near = &line[..line.len().min(at + 5)];
    let letters = while_such(near, at + 2, |byte| byte.is_ascii_alphabetic());
    if letters > at + 4 || line.get(letters) != Some(&b'_') {
        return;
    }
    let end = while_such(line, letters, is_url_safe);
    if end - letters > SCHEME_VALUE {
        marks.push(Mark { start: at, end, instead: "[token]" });
    }
}

/// `LX1:` and Base45, which has spaces.
fn ticket_code(line: &[u8], at: usize, marks: &mut Vec<Mark>) {
    if !starts(line, at, "lx1:") {
        return;
    }
    let is_base45 = |byte: u8| byte.is_ascii_alphanumeric() || b" $%*+-./:".contains(&byte);
    let end = while_such(line, at + 4, is_base45);
    if end - at > 4 + TICKET_CODE {
        marks.push(Mark { start: at, end, instead: "[ticket code]" });
    }
}

/// What follows a prefix, from `keep` bytes after its start, as far as a text goes without a blank.
fn after_prefix(
    line: &[u8],
    at: usize,
    prefix: &str,
    keep: usize,
    instead: &'static str,
    marks: &mut Vec<Mark>,
) {
    if !starts(line, at, prefix) {
        return;
    }
    let from = at + prefix.len();
    let end = while_such(line, from, |byte| !is_quote(byte) && byte != b' ');
    // A route's template tells nothing.
    if end > from && line[from] != b'{' && !is_instead(line, from) {
        marks.push(Mark { start: at + keep, end, instead });
    }
}

/// The user and password of an address, `//user:password@host`.
fn login(line: &[u8], at: usize, marks: &mut Vec<Mark>) {
    if !starts(line, at, "//") {
        return;
    }
    let from = at + 2;
    let end = while_such(line, from, |byte| !is_quote(byte) && !b" /@<>".contains(&byte));
    if line.get(end) == Some(&b'@') && line[from..end].contains(&b':') {
        marks.push(Mark { start: from, end, instead: "[login]" });
    }
}

/// `Bearer …` and `Basic …`, wherever they stand.
fn scheme(line: &[u8], at: usize, marks: &mut Vec<Mark>) {
    let Some(scheme) = ["bearer ", "basic "].into_iter().find(|scheme| starts(line, at, scheme)) else {
        return;
    };
    let from = at + scheme.len();
    let end = while_such(line, from, |byte| !is_quote(byte) && !b" ,;)}]'".contains(&byte));
    if end - from >= SCHEME_VALUE && !is_instead(line, from) {
        marks.push(Mark { start: from, end, instead: "[secret]" });
    }
}

/// The value after a name that says it is secret; `at` is the `=` or `:` between them.
fn named(line: &[u8], at: usize, marks: &mut Vec<Mark>) {
    let mut name_end = at;
    while name_end > 0 && b" '\"\\".contains(&line[name_end - 1]) {
        name_end -= 1;
    }
    let ends_with = |name: &&str| {
        name_end >= name.len() && line[name_end - name.len()..name_end].eq_ignore_ascii_case(name.as_bytes())
    };
    let is_header = HEADERS.iter().any(ends_with);
    if !is_header && !NAMES.iter().any(ends_with) {
        return;
    }
    let from = while_such(line, at + 1, |byte| byte == b' ');
    let escapes = while_such(line, from, |byte| byte == b'\\') - from;
    let quoted = line.get(from + escapes) == Some(&b'"');
    // A name in JSON itself with a number behind it.
    let bare_in_json = escapes == 0 && !quoted && name_end < at && line[name_end] == b'"';
    let plain = is_header || line[at] == b'=';
    if bare_in_json || (!quoted && (!plain || escapes > 0)) {
        return;
    }
    let (start, end) = if quoted {
        let start = from + escapes + 1;
        (start, closing(line, start, escapes))
    } else if is_header {
        (from, closing(line, from, 0))
    } else {
        (from, while_such(line, from, |byte| !is_quote(byte) && !b" ,;&)}]'".contains(&byte)))
    };
    if end > start && !is_instead(line, start) {
        marks.push(Mark { start, end, instead: "[secret]" });
    }
}

/// Whether something was taken out here already.
fn is_instead(line: &[u8], at: usize) -> bool {
    INSTEAD.iter().any(|instead| starts(line, at, instead))
}

/// Where a string ends whose opening quote had so many backslashes before it. A quote ends the string of the
/// depth that its backslashes tell, and with it all that are deeper.
fn closing(line: &[u8], start: usize, escapes: usize) -> usize {
    let depth = escapes.trailing_ones();
    let mut at = start;
    while at < line.len() && !matches!(line[at], b'\n' | b'\r') {
        let quote = while_such(line, at, |byte| byte == b'\\');
        let ends = (quote - at).trailing_ones();
        if line.get(quote) == Some(&b'"') && ends <= depth {
            return quote - ((1 << ends) - 1);
        }
        at = if quote > at { (quote + 1).min(line.len()) } else { at + 1 };
    }
    at
}

/// An e-mail address around its `@`, which takes `width` bytes.
fn address(line: &[u8], at: usize, width: usize, marks: &mut Vec<Mark>) {
    let is_local =
        |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_|~-".contains(&byte) || byte >= 0x80;
    let before = line[..at].iter().rposition(|&byte| !is_local(byte)).map_or(0, |place| place + 1);
    let from = at + width;
    let end = while_such(line, from, |byte| {
        byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.' || byte >= 0x80
    });
    if before < at && end > from {
        marks.push(Mark { start: before, end, instead: "[e-mail]" });
    }
}

/// `ABCD-EFGH-JKMN`, also as people type it, and the longer one-time codes of enrolments.
fn manual_code(line: &[u8], at: usize, marks: &mut Vec<Mark>) {
    if at > 0 && line[at - 1] == b'-' {
        return;
    }
    let end = while_such(line, at, |byte| byte.is_ascii_alphanumeric());
    let end = match (end - at, line.get(end)) {
        (12, _) if is_checked(&line[at..end]) => end,
        (4, Some(&separator @ (b'-' | b' '))) => grouped(line, at, separator),
        _ => return,
    };
    if end > at && line.get(end).is_none_or(|byte| !is_word(*byte)) {
        marks.push(Mark { start: at, end, instead: "[manual code]" });
    }
}

/// Twelve symbols with a check symbol that fits, and not a word or a number.
fn is_checked(text: &[u8]) -> bool {
    let mixed = text.iter().any(u8::is_ascii_digit) && text.iter().any(u8::is_ascii_alphabetic);
    mixed && std::str::from_utf8(text).is_ok_and(|text| text.parse::<ManualCode>().is_ok())
}

/// The end of three or more groups of four symbols; `at` if there are fewer. Blanks stand between short words as
/// well, so those need a digit or capitals.
fn grouped(line: &[u8], at: usize, separator: u8) -> usize {
    let is_group = |from: usize| {
        let end = while_such(line, from.min(line.len()), |byte| byte.is_ascii_alphanumeric());
        end == from + 4
    };
    let mut end = at;
    while is_group(if end == at { at } else { end + 1 }) {
        end += if end == at { 4 } else { 5 };
        if line.get(end) != Some(&separator) {
            break;
        }
    }
    let text = &line[at..end];
    let marked = text.iter().any(u8::is_ascii_digit) || !text.iter().any(u8::is_ascii_lowercase);
    let letters = text.iter().any(u8::is_ascii_alphabetic);
    if end >= at + 14 && letters && (separator == b'-' || marked) { end } else { at }
}
