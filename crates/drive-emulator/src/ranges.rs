//! `Range` of downloads and `Content-Range` of upload chunks (`drive-v3-behaviour` 1.29-1.38, 2.4).

use crate::error::{ApiError, ApiResult};

/// What a download sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Download {
    /// Everything, status 200.
    Whole,
    /// From `first` to `last`, both included, status 206.
    Part {
        /// First byte sent.
        first: u64,
        /// Last byte sent.
        last: u64,
    },
}

impl Download {
    /// What a `Range` header asks for of `size` bytes. What is no single byte range is ignored, as
    /// HTTP allows.
    ///
    /// # Errors
    /// 416 where the range starts at or after the end (2.4).
    pub fn parse(header: Option<&str>, size: u64) -> ApiResult<Self> {
        let Some((from, to)) = header.and_then(|value| value.trim().strip_prefix("bytes=")?.split_once('-')) else {
            return Ok(Self::Whole);
        };
        let (first, last) = match (number(from), number(to)) {
            (Some(first), _) if to.trim().is_empty() => (first, u64::MAX),
            (Some(first), Some(last)) if first <= last => (first, last),
            (None, Some(count)) if from.trim().is_empty() => (size.saturating_sub(count), u64::MAX),
            _ => return Ok(Self::Whole),
        };
        // `bytes=-0` asks for the last nothing.
        let nothing = from.trim().is_empty() && number(to) == Some(0);
        if first >= size || nothing {
            return Err(ApiError::range_not_satisfiable(size));
        }
        Ok(Self::Part { first, last: last.min(size - 1) })
    }

    /// The `Content-Range` of a 206.
    pub fn content_range(self, size: u64) -> Option<String> {
        match self {
            Self::Whole => None,
            Self::Part { first, last } => Some(format!("bytes {first}-{last}/{size}")),
        }
    }

    /// Where to start and how many bytes to send.
    pub fn span(self, size: u64) -> (u64, u64) {
        match self {
            Self::Whole => (0, size),
            Self::Part { first, last } => (first, last - first + 1),
        }
    }
}

/// The largest file, in bytes (1.24).
pub const LARGEST: u64 = 5_497_558_138_880;

/// What an upload request says about its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunk {
    /// No `Content-Range`: the body is all there is (1.35, 1.38).
    All,
    /// `bytes */total`: only asks how far the upload got (1.33).
    Probe {
        /// Size of the whole, if named.
        total: Option<u64>,
    },
    /// `bytes first-last/total`.
    Bytes {
        /// Offset of the first byte of the body.
        first: u64,
        /// Offset of the last byte of the body.
        last: u64,
        /// Size of the whole, once known (1.29).
        total: Option<u64>,
    },
}

impl Chunk {
    /// Reads a `Content-Range`.
    ///
    /// # Errors
    /// 400 in plain text for whatever makes no sense (1.37).
    pub fn parse(header: Option<&str>) -> ApiResult<Self> {
        match header {
            None => Ok(Self::All),
            Some(value) => Self::read(value).ok_or_else(ApiError::malformed_content_range),
        }
    }

    fn read(value: &str) -> Option<Self> {
        let (span, total) = value.trim().strip_prefix("bytes ")?.trim().split_once('/')?;
        let total = match total.trim() {
            "*" => None,
            total => Some(number(total)?),
        };
        if span.trim() == "*" {
            return Some(Self::Probe { total });
        }
        let (first, last) = span.split_once('-')?;
        let (first, last) = (number(first)?, number(last)?);
        let in_order = first <= last && total.is_none_or(|total| last < total);
        (in_order && last < LARGEST).then_some(Self::Bytes { first, last, total })
    }
}

/// The `Range` of a 308 after `stored` bytes; none when nothing is stored (1.31).
pub fn stored_range(stored: u64) -> Option<String> {
    let last = stored.checked_sub(1)?;
    Some(format!("bytes=0-{last}"))
}

/// Digits only: `parse` alone would take a sign.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(header: &str, size: u64) -> Option<(u64, u64)> {
        match Download::parse(Some(header), size).expect("the range is satisfiable") {
            Download::Part { first, last } => Some((first, last)),
            Download::Whole => None,
        }
    }

    #[test]
    fn b2_4_ranges_of_a_download() {
        assert_eq!(part("bytes=0-0", 10), Some((0, 0)));
        assert_eq!(part("bytes=3-5", 10), Some((3, 5)));
        assert_eq!(part("bytes=3-99", 10), Some((3, 9)));
        assert_eq!(part("bytes=3-", 10), Some((3, 9)));
        assert_eq!(part("bytes=-4", 10), Some((6, 9)));
        assert_eq!(part("bytes=-40", 10), Some((0, 9)));
        let range = Download::Part { first: 3, last: 5 };
        assert_eq!(range.content_range(10).as_deref(), Some("bytes 3-5/10"));
        assert_eq!(range.span(10), (3, 3));
        assert_eq!(Download::Whole.span(10), (0, 10));
    }

    #[test]
    fn a_range_that_is_none_is_ignored() {
        for header in ["bytes=", "bytes=-", "bytes=5-3", "lines=1-2", "bytes=1-2,4-5", "bytes=a-b", "bytes=+1-2"] {
            assert_eq!(part(header, 10), None, "{header}");
        }
        assert_eq!(Download::parse(None, 0).expect("no range"), Download::Whole);
    }

    #[test]
    fn b2_4_a_start_past_the_end_is_416() {
        for (header, size) in [("bytes=10-", 10), ("bytes=10-12", 10), ("bytes=0-", 0), ("bytes=-0", 10), ("bytes=-5", 0)] {
            let error = Download::parse(Some(header), size).expect_err(header);
            assert_eq!(error.code().as_u16(), 416, "{header} of {size}");
        }
    }

    #[test]
    fn b1_29_chunks_and_b1_33_probes() {
        let read = |value| Chunk::parse(Some(value)).expect("the header is right");
        assert_eq!(read("bytes 0-9/10"), Chunk::Bytes { first: 0, last: 9, total: Some(10) });
        assert_eq!(read("bytes 262144-524287/*"), Chunk::Bytes { first: 262_144, last: 524_287, total: None });
        assert_eq!(read("bytes */10"), Chunk::Probe { total: Some(10) });
        assert_eq!(read("bytes */*"), Chunk::Probe { total: None });
        assert_eq!(Chunk::parse(None).expect("none is right"), Chunk::All);
    }

    #[test]
    fn b1_37_a_malformed_content_range_is_400() {
        for value in [
            "",
            "bytes",
            "bytes 0-9",
            "bytes 9-0/10",
            "bytes 0-10/10",
            "0-9/10",
            "bytes a-b/c",
            "bytes 1000-999/1000",
            "bytes -5/10",
            "bytes 0-18446744073709551615/*",
        ] {
            let error = Chunk::parse(Some(value)).expect_err(value);
            assert_eq!(error.code().as_u16(), 400, "{value}");
        }
    }

    #[test]
    fn b1_31_the_range_of_a_308_names_the_last_stored_byte() {
        assert_eq!(stored_range(0), None);
        assert_eq!(stored_range(1).as_deref(), Some("bytes=0-0"));
        assert_eq!(stored_range(262_144).as_deref(), Some("bytes=0-262143"));
    }
}
