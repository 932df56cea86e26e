//! The languages that people are written to in, and how times are written in them.

use chrono::{DateTime, Locale as Calendar, TimeZone as _, Utc};
use chrono_tz::Tz;

use super::coded::coded;

coded! {
    /// A language (BCP 47).
    #[derive(Default)]
    Locale {
        /// English.
        #[default]
        En = "en",
        /// German.
        De = "de",
    }
}

impl Locale {
    /// A moment (UTC milliseconds) as clocks in a time zone (IANA name) show it, with the day of the week.
    #[must_use]
    pub fn moment(self, ms: i64, time_zone: &str) -> String {
        let (format, calendar) = match self {
            Self::En => ("%A %-d %B %Y, %H:%M", Calendar::en_GB),
            Self::De => ("%A, %-d. %B %Y, %H:%M Uhr", Calendar::de_DE),
        };
        local(ms, time_zone).format_localized(format, calendar).to_string()
    }
}

fn local(ms: i64, time_zone: &str) -> DateTime<Tz> {
    let zone: Tz = time_zone.parse().unwrap_or(Tz::UTC);
    let at: DateTime<Utc> = Utc.timestamp_millis_opt(ms).single().unwrap_or(DateTime::UNIX_EPOCH);
    at.with_timezone(&zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_people_there_write_them() {
        // 19:30 in Paris, in summer and on the day after clocks went back.
        let (summer, winter) = (1_785_519_000_000, 1_793_039_400_000);
        assert_eq!(Locale::En.moment(summer, "Europe/Paris"), "Friday 31 July 2026, 19:30");
        assert_eq!(Locale::De.moment(summer, "Europe/Paris"), "Freitag, 31. Juli 2026, 19:30 Uhr");
        assert_eq!(Locale::De.moment(winter, "Europe/Paris"), "Montag, 26. Oktober 2026, 19:30 Uhr");
        assert_eq!(Locale::En.moment(summer, "nowhere"), "Friday 31 July 2026, 17:30");
    }
}
