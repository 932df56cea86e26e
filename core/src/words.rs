//! Numbers and lengths of time as people read them.

/// A length of time in its largest sensible unit, e.g. `12 min`. Less than nothing counts as nothing.
#[must_use]
pub fn duration(ms: i64) -> String {
    match ms.max(0) {
        ms @ ..1_000 => format!("{ms} ms"),
        ms @ ..120_000 => format!("{} s", ms / 1_000),
        ms @ ..7_200_000 => format!("{} min", ms / 60_000),
        ms @ ..172_800_000 => format!("{} h", ms / 3_600_000),
        ms => format!("{} days", ms / 86_400_000),
    }
}

/// How far a clock is from the server's, e.g. `3 s behind`: adding `offset_ms` to it makes it right,
/// give or take `error_ms`.
#[must_use]
pub fn clock_offset(offset_ms: i64, error_ms: i64) -> String {
    match offset_ms {
        offset if offset.saturating_abs() <= error_ms => "right".to_owned(),
        offset if offset > 0 => format!("{} behind", duration(offset)),
        offset => format!("{} ahead", duration(offset.saturating_neg())),
    }
}

/// `1 ticket`, `2 tickets`, `12 345 tickets`, with narrow spaces that do not break.
#[must_use]
pub fn count(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", grouped(number))
}

/// A number with its thousands apart, by narrow spaces that do not break.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_read_well() {
        assert_eq!(count(1, "ticket"), "1 ticket");
        assert_eq!(count(1_234_567, "ticket"), "1\u{202f}234\u{202f}567 tickets");
        for (ms, text) in [(-5, "0 ms"), (999, "999 ms"), (119_000, "119 s"), (3_600_000, "60 min")] {
            assert_eq!(duration(ms), text);
        }
        assert_eq!(duration(86_400_000 * 3), "3 days");
        assert_eq!(clock_offset(-40, 50), "right");
        assert_eq!(clock_offset(-4_000, 50), "4 s ahead");
        assert_eq!(clock_offset(4_000, 50), "4 s behind");
    }
}
