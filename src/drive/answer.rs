//! Reading a refusal: Google's JSON in all its shapes, and the HTML and plain text its front ends send instead.

use std::time::Duration;

use serde_json::Value;

use super::error::{DriveError, Kind};

/// The longest piece of a body that is shown.
const SHOWN: usize = 200;

/// What an HTTP answer other than 2xx means. `retry_after` is the header's text.
pub(super) fn refusal(status: u16, retry_after: Option<&str>, body: &[u8]) -> DriveError {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let error = json.as_ref().map(|v| &v["error"]);
    let first = error.map(|e| &e["errors"][0]);
    let text = |v: Option<&Value>, key: &str| v.and_then(|v| v[key].as_str()).map(str::to_owned);
    // The order of 6.2: the classic place, then the front end's, then the bare status word.
    let detail = error.and_then(|e| e["details"].as_array()).and_then(|d| d.iter().find_map(|d| d["reason"].as_str())).map(str::to_owned);
    let reason = text(first, "reason").or(detail).or_else(|| text(error, "status"));
    let message = text(error, "message").or_else(|| text(first, "message")).unwrap_or_else(|| summary(body));
    let kind = kind(status, reason.as_deref(), &message);
    DriveError::new(kind, one_line(&message)).with(|f| {
        f.status = Some(status);
        f.reason = reason;
        f.location = text(first, "location");
        f.retry_after = retry_after.and_then(|t| wait(t, jiff::Timestamp::now()));
    })
}

/// The catalogue of 6b.
fn kind(status: u16, reason: Option<&str>, message: &str) -> Kind {
    match (status, reason) {
        (403 | 429, Some("sharingRateLimitExceeded")) => Kind::SharingLimited,
        (403 | 429, Some("rateLimitExceeded" | "userRateLimitExceeded" | "RATE_LIMIT_EXCEEDED" | "RESOURCE_EXHAUSTED")) => {
            Kind::RateLimited
        }
        (
            403 | 429,
            Some(
                "dailyLimitExceeded"
                | "quotaExceeded"
                | "downloadQuotaExceeded"
                | "storageQuotaExceeded"
                | "teamDriveFileLimitExceeded"
                | "numChildrenInNonRootLimitExceeded"
                | "myDriveHierarchyDepthLimitExceeded"
                | "teamDriveHierarchyTooDeep"
                | "activeItemCreationLimitExceeded",
            ),
        ) => Kind::Quota,
        (429, _) => Kind::RateLimited,
        // The front end says it in plain text (6.3).
        (403, None) if message.contains("rate higher") || message.contains("Quota exceeded for quota metric") => Kind::RateLimited,
        (401, _) => Kind::Credentials,
        (404 | 410, _) => Kind::Gone,
        (409, _) => Kind::Conflict,
        (408, _) => Kind::Timeout,
        (500..=599, _) | (403, Some("backendError" | "internalError" | "transientError")) => Kind::Server,
        (400, _) => Kind::BadRequest,
        (402..=499, _) => Kind::Refused,
        // A redirect is no answer of Drive's: somebody stands between.
        _ => Kind::Unreadable,
    }
}

/// `Retry-After`: seconds, or a date.
fn wait(text: &str, now: jiff::Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
}

/// A body that is not Google's JSON, in a few words.
fn summary(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(64 * 1024)]);
    let text = text.trim();
    if text.is_empty() {
        return "the answer was empty".into();
    }
    let lower = text.to_ascii_lowercase();
    if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
        let title = lower.find("<title>").and_then(|a| lower[a..].find("</title>").map(|b| &text[a + 7..a + b]));
        return match title.map(str::trim).filter(|t| !t.is_empty()) {
            Some(title) => format!("an HTML page came instead of an answer: {}", one_line(title)),
            None => "an HTML page came instead of an answer".into(),
        };
    }
    one_line(text)
}

/// One short line without control characters: a body is data from outside.
pub(super) fn one_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() > SHOWN {
        words = words.chars().take(SHOWN).chain(['…']).collect();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn google(code: u16, reason: &str) -> Vec<u8> {
        serde_json::json!({"error": {"code": code, "message": "M.", "errors": [{"domain": "global", "reason": reason, "message": "m"}]}})
            .to_string()
            .into_bytes()
    }

    #[test]
    fn every_class_of_the_catalogue() {
        for (status, reason, kind) in [
            (403, "userRateLimitExceeded", Kind::RateLimited),
            (403, "rateLimitExceeded", Kind::RateLimited),
            (429, "rateLimitExceeded", Kind::RateLimited),
            (403, "sharingRateLimitExceeded", Kind::SharingLimited),
            (403, "storageQuotaExceeded", Kind::Quota),
            (403, "dailyLimitExceeded", Kind::Quota),
            (403, "insufficientParentPermissions", Kind::Refused),
            (403, "backendError", Kind::Server),
            (401, "authError", Kind::Credentials),
            (404, "notFound", Kind::Gone),
            (409, "fileIdInUse", Kind::Conflict),
            (409, "duplicate", Kind::Conflict),
            (400, "invalidSharingRequest", Kind::BadRequest),
            (500, "internalError", Kind::Server),
            (503, "backendError", Kind::Server),
            (412, "conditionNotMet", Kind::Refused),
            (302, "x", Kind::Unreadable),
        ] {
            let error = refusal(status, None, &google(status, reason));
            assert_eq!(error.kind, kind, "{status} {reason}");
            assert_eq!((error.status, error.reason.as_deref(), error.message.as_str()), (Some(status), Some(reason), "M."));
        }
    }

    #[test]
    fn the_front_ends_own_shapes() {
        let e = refusal(
            403,
            None,
            br#"{"error":{"code":403,"message":"off","status":"PERMISSION_DENIED","details":[{"reason":"SERVICE_DISABLED"}]}}"#,
        );
        assert_eq!(e.reason.as_deref(), Some("SERVICE_DISABLED"));
        assert_eq!(refusal(403, None, b"Request rate higher than configured").kind, Kind::RateLimited);
        let e = refusal(502, None, b"<!DOCTYPE html><html><title>Error 502 (Server Error)!!1</title><body>x</body>");
        assert_eq!(e.kind, Kind::Server);
        assert_eq!(e.message, "an HTML page came instead of an answer: Error 502 (Server Error)!!1");
        assert_eq!(refusal(500, None, b"").message, "the answer was empty");
        assert_eq!(refusal(429, None, br#"["odd"]"#).kind, Kind::RateLimited);
    }

    #[test]
    fn a_body_cannot_paint_the_terminal_or_fill_the_screen() {
        let e = refusal(500, None, format!("\u{1b}[31mred\r\n{}", "x".repeat(10_000)).as_bytes());
        assert!(!e.message.contains('\u{1b}') && e.message.chars().count() <= SHOWN + 1);
        // Lower-casing must not shift the title: İ grows when lower-cased by Unicode rules.
        assert!(refusal(502, None, "<html>İİ<title>T</title>".as_bytes()).message.ends_with(": T"));
    }

    #[test]
    fn retry_after_in_seconds_and_as_a_date() {
        let now: jiff::Timestamp = "2026-11-23T10:00:00Z".parse().expect("a time");
        assert_eq!(wait(" 7 ", now), Some(Duration::from_secs(7)));
        assert_eq!(wait("Mon, 23 Nov 2026 10:00:30 GMT", now), Some(Duration::from_secs(30)));
        assert_eq!(wait("Mon, 23 Nov 2026 09:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(wait("soon", now), None);
    }
}
