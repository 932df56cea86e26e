//! What messages of our own say, in a few words.

use crate::platform::locale::Locale;

/// The language of a phone, as far as we speak it; otherwise that of its event.
pub(crate) fn language(phone: Option<&str>, event: Locale) -> Locale {
    let tag = phone.and_then(|tag| tag.split(['-', '_']).next()).map(str::to_ascii_lowercase);
    tag.and_then(|tag| Locale::from_code(&tag)).unwrap_or(event)
}

/// Title and text of a test.
pub(super) fn test(locale: Locale) -> (&'static str, &'static str) {
    match locale {
        Locale::En => ("It works", "This phone gets messages about your tickets."),
        Locale::De => ("Es klappt", "Dieses Telefon bekommt Nachrichten zu deinen Tickets."),
    }
}
