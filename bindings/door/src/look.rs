//! What the terminal can show, and the few words and colours everything is drawn with.

use console::{Color, Style};
use liventix_core::rules::{Confidence, Outcome};

/// What the terminal can show. Rendering depends on nothing else, so tests set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    /// Columns.
    pub(crate) width: usize,
    /// Colours are wanted: a terminal, and no `NO_COLOR`.
    pub(crate) colour: bool,
    /// More than ASCII is understood.
    pub(crate) unicode: bool,
}

impl Look {
    /// What standard output can show.
    pub(crate) fn of_stdout() -> Self {
        let terminal = console::Term::stdout();
        let width = terminal.size_checked().map_or(80, |(_, columns)| usize::from(columns));
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            width: width.clamp(40, 120),
            colour: !no_colour && (terminal.features().colors_supported() || console::colors_enabled()),
            unicode: ["LC_ALL", "LC_CTYPE", "LANG"]
                .iter()
                .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
                .is_none_or(|value| value.to_ascii_uppercase().replace('-', "").contains("UTF8")),
        }
    }

    /// `text` in a style, if colours are wanted.
    pub(crate) fn paint(self, style: Style, text: &str) -> String {
        style.force_styling(self.colour).apply_to(text).to_string()
    }

    /// `text` in a faint style.
    pub(crate) fn dim(self, text: &str) -> String {
        self.paint(Style::new().dim(), text)
    }

    /// `text` in bold.
    pub(crate) fn bold(self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }

    /// One of two spellings.
    pub(crate) const fn pick(self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.unicode { unicode } else { ascii }
    }

    /// Between the parts of a line.
    pub(crate) const fn dot(self) -> &'static str {
        self.pick(" · ", " - ")
    }
}

/// How a verdict looks: each of word, symbol and colour says it alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signal {
    /// The word, in capitals.
    pub(crate) word: &'static str,
    /// The symbol.
    pub(crate) symbol: &'static str,
    /// The symbol in ASCII.
    pub(crate) ascii: &'static str,
    /// Behind the words.
    pub(crate) colour: Color,
    /// The words themselves.
    pub(crate) ink: Color,
}

impl Signal {
    /// The signal for a verdict.
    pub(crate) const fn of(outcome: Outcome, confidence: Confidence) -> Self {
        // Fixed colours of the 256 palette: themes repaint the basic eight, and amber is not in them.
        let (colour, ink) = match confidence {
            Confidence::Green => (Color::Color256(28), Color::Color256(231)),
            Confidence::Amber => (Color::Color256(214), Color::Color256(16)),
            Confidence::Red => (Color::Color256(160), Color::Color256(231)),
        };
        let (word, symbol, ascii) = match outcome {
            Outcome::Admit => ("ADMIT", "✔", "OK"),
            Outcome::Refuse => ("STOP", "✖", "X"),
            Outcome::Ask => ("ASK", "?", "?"),
        };
        Self { word, symbol, ascii, colour, ink }
    }

    /// The style of the block.
    pub(crate) fn style(self) -> Style {
        Style::new().bg(self.colour).fg(self.ink).bold()
    }
}
