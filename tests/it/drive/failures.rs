//! Every kind of trouble: what is repeated, what is not, and what it is called in the end.

use std::error::Error as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tecnico::drive::{Drive, FileId, Grant, Kind, NewGrant};
use tecnico::error::Exit;
use tempfile::tempdir;

use super::script::{Reply, Script, settings};

fn id(text: &str) -> FileId {
    FileId::new(text).expect("an id")
}

fn good() -> Reply {
    Reply::json(&json!({"id": "f", "name": "f", "mimeType": "t"}))
}

/// Answers the first request with `first` and every other one well; gives back how many came.
async fn calls_after(first: Reply) -> usize {
    let server = Script::start(move |_, n| if n == 0 { first.clone() } else { good() }).await;
    let cache = tempdir().expect("a directory");
    server.drive(cache.path()).await.get(&id("f")).await.expect("read in the end").expect("there");
    server.seen().len()
}

#[tokio::test]
async fn passing_trouble_is_repeated() {
    let html = || Reply::Whole(502, "Content-Type: text/html\r\n".into(), b"<!DOCTYPE html><title>502</title>".to_vec());
    let late = Reply::Whole(429, "Retry-After: 1\r\n".into(), b"slow down".to_vec());
    for first in [
        Reply::refused(429, "rateLimitExceeded"),
        Reply::refused(403, "userRateLimitExceeded"),
        Reply::refused(500, "internalError"),
        Reply::refused(503, "backendError"),
        html(),
        Reply::empty(503),
        late,
        Reply::Cut,
        Reply::CutBody(200, "Content-Type: application/json\r\n".into(), b"{\"id\":".to_vec(), 500),
        Reply::CutBody(503, String::new(), b"<html>".to_vec(), 500),
        Reply::refused(401, "authError"),
    ] {
        assert_eq!(calls_after(first.clone()).await, 2, "{first:?}");
    }
}

#[tokio::test]
async fn retry_after_is_waited_for_and_a_long_one_ends_the_run_at_once() {
    let began = Instant::now();
    calls_after(Reply::Whole(429, "Retry-After: 1\r\n".into(), Vec::new())).await;
    assert!(began.elapsed() >= Duration::from_secs(1));
    let server = Script::start(|_, _| Reply::Whole(429, "Retry-After: 3600\r\n".into(), Vec::new())).await;
    let cache = tempdir().expect("a directory");
    let error = server.drive(cache.path()).await.get(&id("f")).await.expect_err("not now");
    assert_eq!((error.kind, error.retry_after, server.seen().len()), (Kind::RateLimited, Some(Duration::from_hours(1)), 1));
    assert_eq!(error.into_failure("x").exit(), Exit::Later);
}

#[tokio::test]
async fn lasting_trouble_is_asked_once_and_told_with_the_way_out() {
    for (status, reason, kind, exit, code) in [
        (403, "insufficientParentPermissions", Kind::Refused, Exit::Refused, "parent_not_writable"),
        (403, "storageQuotaExceeded", Kind::Quota, Exit::Refused, "service_account_has_no_storage"),
        (403, "shareOutNotPermitted", Kind::Refused, Exit::Refused, "sharing_forbidden_by_policy"),
        (403, "sharingRateLimitExceeded", Kind::SharingLimited, Exit::Later, "sharing_rate_limited"),
        (403, "dailyLimitExceeded", Kind::Quota, Exit::Later, "daily_limit"),
        (403, "accessNotConfigured", Kind::Refused, Exit::Refused, "drive_api_disabled"),
        (400, "badRequest", Kind::BadRequest, Exit::Bug, "drive_bad_request"),
    ] {
        let server = Script::start(move |_, _| Reply::refused(status, reason)).await;
        let cache = tempdir().expect("a directory");
        let error = server.drive(cache.path()).await.get(&id("f")).await.expect_err("refused");
        assert_eq!((error.kind, error.status, server.seen().len()), (kind, Some(status), 1), "{reason}");
        let failure = error.into_failure("technician 42");
        assert_eq!((failure.exit(), failure.code()), (exit, code), "{reason}");
        assert!(failure.to_string().contains(reason), "{failure}");
    }
    let server = Script::start(|_, _| Reply::refused(404, "notFound")).await;
    let cache = tempdir().expect("a directory");
    assert_eq!(server.drive(cache.path()).await.get(&id("f")).await.expect("no failure"), None);
}

#[tokio::test]
async fn a_token_that_stays_rejected_is_renewed_once() {
    let server = Script::start(|_, _| Reply::refused(401, "authError")).await;
    let cache = tempdir().expect("a directory");
    let error = server.drive(cache.path()).await.get(&id("f")).await.expect_err("rejected for ever");
    assert_eq!((error.kind, server.seen().len(), server.tokens()), (Kind::Credentials, 2, 2));
    assert_eq!(error.into_failure("x").exit(), Exit::Refused);
}

#[tokio::test]
async fn many_calls_rejected_together_cost_one_new_token() {
    let server =
        Script::start(|seen, _| if seen.headers["authorization"] == "Bearer tok0" { Reply::refused(401, "authError") } else { good() })
            .await;
    let cache = tempdir().expect("a directory");
    let drive = server.drive(cache.path()).await;
    let f = id("f");
    let all = futures_util::future::join_all((0..20).map(|_| drive.get(&f))).await;
    assert!(all.into_iter().all(|r| r.is_ok()));
    assert_eq!(server.tokens(), 2);
}

#[tokio::test]
async fn silence_ends_at_the_time_limit() {
    let server = Script::start(|_, _| Reply::Hang).await;
    let cache = tempdir().expect("a directory");
    let mut settings = server.settings();
    settings.timeout = Duration::from_millis(200);
    let drive = Drive::connect(&settings, cache.path()).await.expect("connected");
    let error = drive.get(&id("f")).await.expect_err("no answer");
    assert_eq!((error.kind, server.seen().len()), (Kind::Timeout, 4));
    assert_eq!(error.into_failure("x").code(), "drive_timeout");
}

#[tokio::test]
async fn nobody_listening_is_told_with_the_cause_beneath() {
    let cache = tempdir().expect("a directory");
    let server = Script::start(|_, _| good()).await;
    let mut settings = settings("http://127.0.0.1:9");
    settings.credentials = server.settings().credentials;
    let drive = Drive::connect(&settings, cache.path()).await.expect("connected");
    let error = drive.get(&id("f")).await.expect_err("nobody there");
    assert_eq!(error.kind, Kind::Network);
    let failure = error.into_failure("technician 42");
    assert_eq!((failure.exit(), failure.code()), (Exit::Unavailable, "drive_unreachable"));
    let mut cause = failure.source();
    let mut text = String::new();
    while let Some(error) = cause {
        text.push_str(&error.to_string());
        cause = error.source();
    }
    assert!(text.contains("Connection refused"), "{text}");
}

fn sharing(message: &str) -> Reply {
    Reply::status(
        400,
        &json!({"error": {"code": 400, "message": message, "errors": [{"reason": "invalidSharingRequest", "message": message}]}}),
    )
}

fn ana() -> NewGrant {
    NewGrant { email: "ana@example.com".into(), role: "writer".into(), notify: false }
}

fn permission() -> Value {
    json!({"id": "7", "type": "user", "role": "writer", "emailAddress": "Ana@example.com"})
}

async fn share(server: &Script) -> Result<Grant, tecnico::drive::DriveError> {
    let cache = tempdir().expect("a directory");
    server.drive(cache.path()).await.grant(&id("f"), &ana()).await
}

#[tokio::test]
async fn an_address_without_an_account_gets_no_mail_nobody_asked_for() {
    let text = "Bad Request. User message: \"You are trying to invite ana@example.com. Since there is no Google account associated with \
                this email address, you must check the \"Notify people\" box to invite this recipient.\"";
    let server = Script::start(
        move |seen, _| if seen.query["sendNotificationEmail"] == "true" { Reply::json(&permission()) } else { sharing(text) },
    )
    .await;
    assert_eq!(share(&server).await.expect_err("refused").advice().1, "invitation_needed");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_share_whose_mail_failed_is_confirmed_by_looking() {
    let text = "Bad Request. User message: \"The items were successfully shared but emails could not be sent to ana@example.com.\"";
    for there in [true, false] {
        let server = Script::start(move |seen, _| match seen.method.as_str() {
            "GET" => Reply::json(&json!({"permissions": if there { json!([permission()]) } else { json!([]) }})),
            _ => sharing(text),
        })
        .await;
        assert_eq!(share(&server).await.is_ok(), there);
        assert_eq!(server.seen().len(), 2);
    }
}

#[tokio::test]
async fn other_refused_shares_are_not_tried_again() {
    for (text, code) in [("ACL change not allowed", "sharing_forbidden_by_policy"), ("Bad Request.", "share_refused")] {
        let server = Script::start(move |_, _| sharing(text)).await;
        let error = share(&server).await.expect_err("refused");
        assert_eq!((server.seen().len(), error.into_failure("x").code()), (1, code));
    }
}

#[tokio::test]
async fn a_grant_that_is_not_there_is_taken_away_already() {
    let server = Script::start(|_, _| Reply::refused(404, "notFound")).await;
    let cache = tempdir().expect("a directory");
    let drive = server.drive(cache.path()).await;
    drive.revoke(&id("f"), "7").await.expect("fine");
    assert_eq!(drive.revoke(&id("f"), "../../about").await.expect_err("no id").kind, Kind::BadRequest);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn one_items_grants_are_changed_one_after_another() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    let server = Script::start(|_, _| {
        MOST.fetch_max(UNDER_WAY.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        // A blocked thread, so that requests that come side by side are counted as such.
        std::thread::sleep(Duration::from_millis(20));
        UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
        Reply::json(&permission())
    })
    .await;
    let cache = tempdir().expect("a directory");
    let drive = server.drive(cache.path()).await;
    let (f, ana) = (id("f"), ana());
    let all = futures_util::future::join_all((0..6).map(|_| drive.grant(&f, &ana))).await;
    assert!(all.into_iter().all(|r| r.is_ok()));
    assert_eq!(MOST.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn no_secret_in_any_text() {
    let server = Script::start(|_, _| Reply::refused(401, "authError")).await;
    let cache = tempdir().expect("a directory");
    let drive = server.drive(cache.path()).await;
    let error = drive.get(&id("f")).await.expect_err("rejected");
    let text = format!("{drive:?} {error} {error:?} {:?}", error.source());
    assert!(!text.contains("tok0") && !text.contains("tok1") && !text.contains("PRIVATE KEY"), "{text}");
}
