//! Where lines pass on their way out.

use std::io::{self, Write};

use super::redact;

/// Writes what it is given without its secrets. The formatter hands over a whole line at a time, so that no
/// secret can stand across two writes.
pub(super) struct Redacting<W>(pub(super) W);

impl<W: Write> Write for Redacting<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match std::str::from_utf8(line) {
            Ok(text) => self.0.write_all(redact::redact(text).as_bytes())?,
            Err(_) => self.0.write_all(redact::redact(&String::from_utf8_lossy(line)).as_bytes())?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_out_once_and_without_its_secrets() {
        let mut out = Redacting(Vec::new());
        out.write_all(b"mail to ann@example.org\n").unwrap();
        out.write_all(b"\xff bob@example.org\n").unwrap();
        assert_eq!(String::from_utf8(out.0).unwrap(), "mail to [e-mail]\n\u{fffd} [e-mail]\n");
    }
}
