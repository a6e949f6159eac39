//! How Drive compares names, text and times (2.49, 2.50).

use std::fmt::Write as _;

use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, tz::TimeZone};

/// `name =`: equal where only the case of ASCII letters differs (2.49).
pub fn equals(have: &str, wanted: &str) -> bool {
    have.eq_ignore_ascii_case(wanted)
}

/// `name contains`: every word of `wanted` begins some word of `have`; never a part from the
/// middle of a word (2.49). Nothing to look for is always there.
pub fn contains_prefixes(have: &str, wanted: &str) -> bool {
    let have = words(have);
    words(wanted).iter().all(|wanted| have.iter().any(|word| word.starts_with(wanted.as_str())))
}

/// `name contains` as a part from anywhere, for the switch of 11.3.
pub fn contains_part(have: &str, wanted: &str) -> bool {
    have.to_lowercase().contains(&wanted.to_lowercase())
}

/// `fullText contains`: every word is there whole, or, in double quotes, all of them in a row.
pub fn contains_words(have: &str, wanted: &str) -> bool {
    let phrase = wanted.len() > 1 && wanted.starts_with('"') && wanted.ends_with('"');
    let (have, wanted) = (words(have), words(wanted));
    if wanted.is_empty() {
        return true;
    }
    if phrase {
        return have.windows(wanted.len()).any(|window| window == wanted.as_slice());
    }
    wanted.iter().all(|word| have.contains(word))
}

/// The words of a text: runs of letters and digits, in lower case.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// A time of a query as ms since 1970: RFC 3339, UTC where no zone is named, or a date (2.50).
pub fn time_ms(text: &str) -> Option<i64> {
    let zoned = text.parse::<Timestamp>().ok();
    let time = zoned.or_else(|| {
        let civil = text.parse::<DateTime>().or_else(|_| text.parse::<Date>().map(Into::into));
        TimeZone::UTC.to_timestamp(civil.ok()?).ok()
    })?;
    let ms = time.as_millisecond();
    Timestamp::from_millisecond(ms).is_ok().then_some(ms)
}

/// Orders names as people do: digits by their number, letters without case (`name_natural`).
pub fn natural(left: &str, right: &str) -> std::cmp::Ordering {
    natural_key(left).cmp(&natural_key(right)).then_with(|| left.cmp(right))
}

/// A text whose plain order is the natural order of `name`: runs of digits carry their length, so
/// that `2` stands before `10`.
pub fn natural_key(name: &str) -> String {
    let mut key = String::with_capacity(name.len() + 8);
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        if digits == 0 {
            key.extend(first.to_lowercase());
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let number = rest[..digits].trim_start_matches('0');
        // A digit first, so that numbers keep their place before letters.
        // Writing to a string cannot fail.
        let _ = write!(key, "0{:08}", number.len());
        key.push_str(number);
        rest = &rest[digits..];
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b2_49_name_is_folds_ascii_only() {
        assert!(equals("Novos", "nOVOS"));
        assert!(!equals("AÇÃO", "ação"));
        assert!(!equals("novos", "novos "));
    }

    #[test]
    fn b2_49_name_contains_wants_beginnings_of_words() {
        assert!(contains_prefixes("HelloWorld", "hello"));
        assert!(!contains_prefixes("HelloWorld", "World"));
        assert!(contains_prefixes("Ana Maria - ordem_16517189.pdf", "165 mar"));
        assert!(!contains_prefixes("16517189.pdf", "517"));
        assert!(contains_prefixes("anything", ""));
        assert!(contains_part("16517189.pdf", "517"));
    }

    #[test]
    fn full_text_wants_whole_words_and_quotes_want_them_in_a_row() {
        assert!(contains_words("Hello there world", "world hello"));
        assert!(!contains_words("HelloWorld", "hello"));
        assert!(contains_words("Hello_there world", "\"hello there\""));
        assert!(!contains_words("Hello there world", "\"hello world\""));
    }

    #[test]
    fn b2_50_times_without_a_zone_are_utc() {
        let noon = time_ms("2012-06-04T12:00:00Z");
        assert!(noon.is_some());
        assert_eq!(time_ms("2012-06-04T12:00:00"), noon);
        assert_eq!(time_ms("2012-06-04T09:00:00.000-03:00"), noon);
        assert_eq!(time_ms("2012-06-04").map(|ms| ms + 12 * 3_600_000), noon);
        for bad in ["", "yesterday", "2012-13-04T12:00:00Z", "1338811200"] {
            assert_eq!(time_ms(bad), None, "{bad}");
        }
    }

    #[test]
    fn natural_order_counts() {
        let mut names = ["a10", "A2", "a1", "b", "a02b", "10", "9"];
        names.sort_by(|left, right| natural(left, right));
        assert_eq!(names, ["9", "10", "a1", "A2", "a02b", "a10", "b"]);
    }
}
