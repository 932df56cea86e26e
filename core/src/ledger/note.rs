//! Why somebody overruled or took back a scan, in their own words.

/// The longest note, in characters.
pub const MAX_NOTE_CHARS: usize = 200;

/// A reason that a person gave: one line of 1 to [`MAX_NOTE_CHARS`] characters, without spaces around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note(String);

/// A text is no [`Note`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("say why in one line of 1 to {MAX_NOTE_CHARS} characters")]
pub struct NoteError;

impl NoteError {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        "note_invalid"
    }
}

impl Note {
    /// Reads what a person typed; spaces around it are left out.
    ///
    /// # Errors
    /// [`NoteError`] if nothing remains, if it is too long, or if it is more than one line.
    pub fn new(text: &str) -> Result<Self, NoteError> {
        let text = text.trim();
        // Phones break lines at these two as well, though they are no control characters.
        let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        if text.is_empty() || text.chars().nth(MAX_NOTE_CHARS).is_some() || text.chars().any(breaks) {
            return Err(NoteError);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text itself.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_of_some_characters() {
        assert_eq!(Note::new("  paid at the desk \n").unwrap().as_str(), "paid at the desk");
        assert_eq!(Note::new(&"é".repeat(MAX_NOTE_CHARS)).unwrap().as_str().chars().count(), MAX_NOTE_CHARS);
        for bad in ["", "  ", "two\nlines", "two\u{2028}lines", "a\u{7}b", &"x".repeat(MAX_NOTE_CHARS + 1)] {
            assert_eq!(Note::new(bad), Err(NoteError), "{bad:?}");
        }
    }
}
