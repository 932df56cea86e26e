//! The `Retry-After` header (RFC 9110 §10.2.3).

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// How many milliseconds a `Retry-After` header asks to wait: a number of seconds, or a date, which
/// is compared with `now_ms` (UTC milliseconds) and is 0 if it has passed. None if it is neither.
///
/// Of the three date forms only IMF-fixdate is read; the other two must not be sent since 1997.
#[must_use]
pub fn parse_retry_after(value: &str, now_ms: i64) -> Option<u64> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(value.parse::<u64>().unwrap_or(u64::MAX).saturating_mul(1_000));
    }
    let wait = fixdate_seconds(value)?.saturating_mul(1_000).saturating_sub(now_ms);
    Some(u64::try_from(wait).unwrap_or(0))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` as seconds since 1970.
fn fixdate_seconds(text: &str) -> Option<i64> {
    let (day_name, rest) = text.split_once(", ")?;
    let mut parts = rest.split(' ');
    let day = number(parts.next()?, 2, 1, 31)?;
    let month_name = parts.next()?;
    let month = MONTHS.iter().position(|name| *name == month_name)?;
    let year = number(parts.next()?, 4, 1_970, 9_999)?;
    let mut time = parts.next()?.split(':');
    let hour = number(time.next()?, 2, 0, 23)?;
    let minute = number(time.next()?, 2, 0, 59)?;
    // A leap second counts as the next one.
    let second = number(time.next()?, 2, 0, 60)?;
    let complete = DAYS.contains(&day_name) && parts.next() == Some("GMT");
    (complete && parts.next().is_none() && time.next().is_none())
        .then(|| days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second)
}

fn number(text: &str, digits: usize, least: i64, most: i64) -> Option<i64> {
    let well_formed = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    let value = well_formed.then(|| text.parse().ok()).flatten()?;
    (least..=most).contains(&value).then_some(value)
}

/// `month` from 0.
fn days_since_1970(year: i64, month: usize, day: i64) -> i64 {
    const BEFORE_MONTH: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let leap_years = |year: i64| year / 4 - year / 100 + year / 400;
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let leap_day = i64::from(is_leap && month > 1);
    let before_year = (year - 1_970) * 365 + leap_years(year - 1) - leap_years(1_969);
    before_year + BEFORE_MONTH.get(month).copied().unwrap_or(0) + leap_day + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates() {
        assert_eq!(parse_retry_after("120", 0), Some(120_000));
        assert_eq!(parse_retry_after(" 0 ", 0), Some(0));
        assert_eq!(parse_retry_after("99999999999999999999999", 0), Some(u64::MAX));
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(parse_retry_after(date, 784_111_777_000 - 1_500), Some(1_500));
        assert_eq!(parse_retry_after(date, 784_111_777_000 + 1), Some(0));
    }

    #[test]
    fn leap_years_count() {
        assert_eq!(fixdate_seconds("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(fixdate_seconds("Tue, 29 Feb 2000 00:00:00 GMT"), Some(951_782_400));
        assert_eq!(fixdate_seconds("Wed, 01 Mar 2000 00:00:00 GMT"), Some(951_868_800));
        assert_eq!(fixdate_seconds("Fri, 31 Dec 2100 23:59:59 GMT"), Some(4_133_980_799));
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
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Xxx, 06 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(parse_retry_after(text, 0), None, "{text}");
        }
    }
}
