//! Lines of standard input, read on a thread of their own: a terminal cannot be read asynchronously.

use std::io::{self, BufRead, Read};

use tokio::sync::mpsc;

/// No code is longer, and whatever is, is not worth the memory.
const MAX_LINE: u64 = 8 * 1024;
/// Lines read ahead: enough for a scanner that is faster than a disk, little enough that Ctrl-C
/// does not leave a queue behind.
const AHEAD: usize = 64;

/// The lines, until the input ends. Bytes that are no text become replacement characters, so that
/// they are refused like any other code that is no ticket.
pub(super) fn read_in_background() -> mpsc::Receiver<String> {
    let (lines, receiver) = mpsc::channel(AHEAD);
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        while let Ok(Some(line)) = next_line(&mut input) {
            if lines.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// The next line without its end. A line that is too long is cut, and the rest of it skipped.
fn next_line(input: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let read = input.by_ref().take(MAX_LINE).read_until(b'\n', &mut bytes)?;
    if read == 0 {
        return Ok(None);
    }
    if bytes.last() != Some(&b'\n') && bytes.len() as u64 == MAX_LINE {
        input.skip_until(b'\n')?;
    }
    Ok(Some(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lines_of_every_kind() {
        let long = "x".repeat(20_000);
        let text = format!("one\r\n\n{long}\n\u{fffd}two");
        let mut input = text.as_bytes();
        let mut lines = Vec::new();
        while let Some(line) = next_line(&mut input).unwrap() {
            lines.push(line);
        }
        assert_eq!(lines[0], "one");
        assert_eq!(lines[1], "");
        assert_eq!(lines[2].len() as u64, MAX_LINE);
        assert_eq!(lines[3], "\u{fffd}two");
        assert_eq!(lines.len(), 4);
    }
}
