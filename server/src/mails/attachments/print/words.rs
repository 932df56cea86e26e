//! The words of a page that are ours.

use crate::platform::locale::Locale;

/// In one language.
pub(super) struct Words {
    pub(super) ticket: &'static str,
    pub(super) name: &'static str,
    pub(super) order: &'static str,
    /// Above the manual code, beside a code.
    pub(super) unreadable: &'static str,
    /// Above the manual code, where there is no other.
    pub(super) say: &'static str,
    /// What whoever holds the page should know.
    pub(super) how: [&'static str; 2],
}

const EN: Words = Words {
    ticket: "Ticket",
    name: "Name",
    order: "Order",
    unreadable: "If the code cannot be read, say",
    say: "Say this code at the door",
    how: [
        "Show this page at the door, on paper or on a screen. Each page is one ticket.",
        "Whoever has the code has the ticket: pass on only what you mean to give away.",
    ],
};

const DE: Words = Words {
    ticket: "Ticket",
    name: "Name",
    order: "Bestellung",
    unreadable: "Falls der Code nicht lesbar ist, sagen Sie",
    say: "Sagen Sie diesen Code am Einlass",
    how: [
        "Zeigen Sie diese Seite am Einlass, auf Papier oder auf einem Bildschirm. Jede Seite ist ein Ticket.",
        "Wer den Code hat, hat das Ticket: Geben Sie nur weiter, was Sie weggeben möchten.",
    ],
};

impl Words {
    pub(super) const fn of(locale: Locale) -> &'static Self {
        match locale {
            Locale::En => &EN,
            Locale::De => &DE,
        }
    }
}

/// Which page of how many it is.
pub(super) fn number(locale: Locale, place: usize, count: usize) -> String {
    match locale {
        Locale::En => format!("Ticket {place} of {count}"),
        Locale::De => format!("Ticket {place} von {count}"),
    }
}

/// What the file is.
pub(super) fn title(locale: Locale, event: &str, reference: &str) -> String {
    match locale {
        Locale::En => format!("{event}: tickets of order {reference}"),
        Locale::De => format!("{event}: Tickets der Bestellung {reference}"),
    }
}
