//! Where words go: drawn for people on standard output, or one JSON object a line for programs.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::look::Look;
use crate::views::ErrorView;

/// Writes what commands have to say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// One object a line instead of drawings.
    pub(crate) json: bool,
    /// What the terminal can show.
    pub(crate) look: Look,
}

#[derive(Serialize)]
struct Tagged<'a, T> {
    kind: &'static str,
    #[serde(flatten)]
    value: &'a T,
}

impl Output {
    /// The output that the arguments and the terminal ask for.
    pub(crate) fn new(json: bool) -> Self {
        Self { json, look: Look::of_stdout() }
    }

    /// Whether someone is watching: a person at a terminal, without `--json`.
    pub(crate) fn is_watched(self) -> bool {
        !self.json && io::stdout().is_terminal()
    }

    /// Says one thing.
    pub(crate) fn say<T: Serialize>(
        self,
        kind: &'static str,
        view: &T,
        draw: impl FnOnce(&T, Look) -> String,
    ) -> io::Result<()> {
        let text = if self.json {
            let mut line = serde_json::to_string(&Tagged { kind, value: view })?;
            line.push('\n');
            line
        } else {
            draw(view, self.look)
        };
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        // A verdict that sits in a buffer is no verdict.
        out.flush()
    }

    /// Says words that only people need.
    pub(crate) fn tell(self, text: &str) -> io::Result<()> {
        if self.json {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// Says what went wrong: to standard error for people, among the other objects for programs.
    pub(crate) fn fail(self, view: &ErrorView) -> io::Result<()> {
        if self.json {
            self.say("error", view, |_, _| String::new())
        } else {
            io::stderr().lock().write_all(crate::render::error(view, self.look).as_bytes())
        }
    }
}
