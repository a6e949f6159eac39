//! Access tokens: how many are asked for, what the endpoint may say, and what is kept on disk.

use std::time::Duration;

use serde_json::{Value, json};
use tecnico::drive::{Drive, Kind};
use tecnico::error::Exit;
use tempfile::tempdir;

use super::script::{Reply, Script, Seen};

fn about(_: &Seen, _: usize) -> Reply {
    Reply::json(&json!({"user": {"emailAddress": "robot@example.com"}}))
}

fn token(n: usize, life: u64) -> Reply {
    Reply::json(&json!({"access_token": format!("tok{n}"), "expires_in": life, "token_type": "Bearer"}))
}

#[tokio::test]
async fn ten_runs_in_a_row_ask_for_one_token() {
    let server = Script::start(about).await;
    let cache = tempdir().expect("a directory");
    for _ in 0..10 {
        server.drive(cache.path()).await.about().await.expect("about");
    }
    assert_eq!((server.tokens(), server.seen().len()), (1, 10));
}

#[tokio::test]
async fn twenty_calls_at_once_ask_for_one_token() {
    let server = Script::start(about).await;
    let cache = tempdir().expect("a directory");
    let drive = server.drive(cache.path()).await;
    let all = futures_util::future::join_all((0..20).map(|_| drive.about())).await;
    assert!(all.into_iter().all(|r| r.is_ok()));
    assert_eq!(server.tokens(), 1);
}

#[tokio::test]
async fn who_acts_for_another_gets_a_token_of_their_own() {
    let server = Script::start(about).await;
    let cache = tempdir().expect("a directory");
    let mut settings = server.settings();
    for subject in [None, Some("ana@example.com"), Some("bea@example.com"), None] {
        settings.subject = subject.map(str::to_owned);
        let drive = Drive::connect(&settings, cache.path()).await.expect("connected");
        assert_eq!(drive.account(), subject.unwrap_or("robot@project.iam.gserviceaccount.com"));
        drive.about().await.expect("about");
    }
    assert_eq!(server.tokens(), 3);
}

#[tokio::test]
async fn a_token_in_its_last_minute_is_not_used_again() {
    let server = Script::with_tokens(|_, n| token(n, 30), about).await;
    let cache = tempdir().expect("a directory");
    let drive = server.drive(cache.path()).await;
    drive.about().await.expect("about");
    drive.about().await.expect("about");
    assert_eq!(server.tokens(), 2);
}

#[tokio::test]
async fn a_damaged_cache_costs_a_token_and_nothing_else() {
    let server = Script::start(about).await;
    let cache = tempdir().expect("a directory");
    server.drive(cache.path()).await.about().await.expect("about");
    let kept: Vec<_> = std::fs::read_dir(cache.path().join("tokens")).expect("tokens").map(|f| f.expect("a file").path()).collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    std::fs::write(&kept[0], "{\"access_token\":").expect("damaged");
    server.drive(cache.path()).await.about().await.expect("about");
    server.drive(cache.path()).await.about().await.expect("about");
    assert_eq!(server.tokens(), 2);
}

#[tokio::test]
async fn a_cache_that_cannot_be_written_stops_nobody() {
    let server = Script::start(about).await;
    let cache = tempdir().expect("a directory");
    let file = cache.path().join("not-a-directory");
    std::fs::write(&file, "").expect("written");
    server.drive(&file).await.about().await.expect("about");
}

#[tokio::test]
async fn trouble_of_the_endpoint_is_asked_again() {
    for first in [
        Reply::Whole(503, "Content-Type: text/html\r\n".into(), b"<html>503</html>".to_vec()),
        Reply::status(500, &json!({"error": "internal_failure", "error_description": "Backend Error"})),
        Reply::Cut,
        Reply::CutBody(200, String::new(), b"{\"access".to_vec(), 100),
        Reply::empty(502),
    ] {
        let script = first.clone();
        let server = Script::with_tokens(move |_, n| if n == 0 { script.clone() } else { token(n, 3599) }, about).await;
        let cache = tempdir().expect("a directory");
        server.drive(cache.path()).await.about().await.expect("about in the end");
        assert_eq!(server.tokens(), 2, "{first:?}");
    }
}

#[tokio::test]
async fn a_silent_endpoint_ends_at_the_time_limit() {
    let server = Script::with_tokens(|_, n| if n == 0 { Reply::Hang } else { token(n, 3599) }, about).await;
    let cache = tempdir().expect("a directory");
    let mut settings = server.settings();
    settings.timeout = Duration::from_millis(200);
    Drive::connect(&settings, cache.path()).await.expect("connected").about().await.expect("about in the end");
    assert_eq!(server.tokens(), 2);
}

#[tokio::test]
async fn a_refusal_of_the_endpoint_is_told_with_the_way_out_and_sends_nothing_unsigned() {
    let said = |status: u16, code: &str, text: &str| Reply::status(status, &json!({"error": code, "error_description": text}));
    let skewed = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.";
    let cases: [(Reply, &str); 5] = [
        (said(400, "invalid_grant", "Invalid JWT Signature."), "credentials_revoked"),
        (said(400, "invalid_grant", skewed), "clock_wrong"),
        (said(401, "unauthorized_client", "Client is unauthorized to retrieve access tokens using this method."), "delegation_missing"),
        (Reply::json(&json!({"id_token": "x.y.z"})), "credentials_refused"),
        (Reply::status(429, &json!({"error": {"code": 429, "message": "x"}})), "credentials_refused"),
    ];
    for (reply, code) in cases {
        let server = Script::with_tokens(move |_, _| reply.clone(), about).await;
        let cache = tempdir().expect("a directory");
        let error = server.drive(cache.path()).await.about().await.expect_err("no token");
        assert_eq!((error.kind, server.tokens(), server.seen().len()), (Kind::Credentials, 1, 0), "{code}");
        let failure = error.into_failure("technician 42");
        assert_eq!((failure.exit(), failure.code()), (Exit::Refused, code), "{failure}");
        assert!(failure.hint_text().is_some());
    }
}

#[tokio::test]
async fn the_assertion_asks_for_the_one_scope() {
    use base64::Engine as _;
    let server = Script::with_tokens(
        |seen, n| {
            let form: std::collections::HashMap<String, String> = url::form_urlencoded::parse(&seen.body).into_owned().collect();
            let claims = form["assertion"].split('.').nth(1).expect("three parts").trim_end_matches('=').to_owned();
            let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).expect("base64");
            let claims: Value = serde_json::from_slice(&claims).expect("JSON");
            if claims["scope"] == "https://www.googleapis.com/auth/drive" && claims["sub"] == "ana@example.com" {
                token(n, 3599)
            } else {
                Reply::status(400, &json!({"error": "invalid_scope"}))
            }
        },
        about,
    )
    .await;
    let cache = tempdir().expect("a directory");
    let mut settings = server.settings();
    settings.subject = Some("ana@example.com".into());
    Drive::connect(&settings, cache.path()).await.expect("connected").about().await.expect("about");
}
