//! The `Retry-After` header (RFC 9110 §10.2.3).

use std::time::UNIX_EPOCH;

/// How many milliseconds a `Retry-After` header asks to wait: a number of seconds, or a date, which
/// is compared with `now_ms` (UTC milliseconds) and is 0 if it has passed. None if it is neither.
#[must_use]
pub fn parse_retry_after(value: &str, now_ms: i64) -> Option<u64> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(value.parse::<u64>().unwrap_or(u64::MAX).saturating_mul(1_000));
    }
    let date = httpdate::parse_http_date(value).ok()?.duration_since(UNIX_EPOCH).ok()?;
    let wait = i64::try_from(date.as_millis()).unwrap_or(i64::MAX).saturating_sub(now_ms);
    Some(u64::try_from(wait).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates() {
        assert_eq!(parse_retry_after("120", 0), Some(120_000));
        assert_eq!(parse_retry_after(" 0 ", 0), Some(0));
        assert_eq!(parse_retry_after("99999999999999999999999", 0), Some(u64::MAX));
        // All three forms of RFC 9110 §5.6.7.
        for date in
            ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
        {
            assert_eq!(parse_retry_after(date, 784_111_777_000 - 1_500), Some(1_500), "{date}");
            assert_eq!(parse_retry_after(date, 784_111_777_000 + 1), Some(0), "{date}");
        }
    }

    #[test]
    fn leap_years_count() {
        for (date, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Tue, 29 Feb 2000 00:00:00 GMT", 951_782_400),
            ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
            ("Fri, 31 Dec 2100 23:59:59 GMT", 4_133_980_799),
        ] {
            assert_eq!(parse_retry_after(date, 0), Some(seconds * 1_000), "{date}");
        }
    }

    #[test]
    fn nonsense_is_none() {
        for text in [
            "",
            "-1",
            "1.5",
            "soon",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 GMT x",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37:00 GMT",
            "Xxx, 06 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(parse_retry_after(text, 0), None, "{text}");
        }
    }
}
