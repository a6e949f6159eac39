//! Times as Drive writes and reads them (0.5): RFC 3339, UTC, milliseconds.

use jiff::Timestamp;

/// The machine's clock, ms since 1970.
pub(crate) fn machine_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// `2021-03-04T07:13:02.100Z`.
pub(crate) fn format(ms: i64) -> String {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, as headers have it.
pub(crate) fn http_date(ms: i64) -> String {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Reads RFC 3339 with 0 to 9 fractional digits; precision is cut to 1 ms.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let ms = text.parse::<Timestamp>().ok()?.as_millisecond();
    // The last second there is holds thousandths that cannot be written again.
    Timestamp::from_millisecond(ms).is_ok().then_some(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b0_5_times_have_three_digits_and_read_zero_to_nine() {
        let ms = parse("2021-03-04T07:13:02.100999999Z").expect("nine digits are read");
        assert_eq!(format(ms), "2021-03-04T07:13:02.100Z");
        assert_eq!(parse("2021-03-04T07:13:02Z"), Some(ms - 100));
        assert_eq!(parse("2021-03-04T08:13:02.1+01:00"), Some(ms));
        assert_eq!(format(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(parse("yesterday"), None);
        assert_eq!(parse("9999-12-30T22:00:00.999999999Z"), None);
    }
}
