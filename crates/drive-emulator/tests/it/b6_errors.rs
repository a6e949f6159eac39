//! Every refusal in every body it may come in.

use drive_emulator::control::{BodyShape, Effect, Fault, Quota, Status, When};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Rig, send, text};

const ANA: &str = "ana@example.com";

/// Holds that a fault can answer each of these reasons, in Google's body, on a page and in plain text.
async fn all(rig: &Rig, code: u16, reasons: &[&str]) {
    for reason in reasons {
        for shape in [BodyShape::Json, BodyShape::Html, BodyShape::Text] {
            rig.control.clear_faults();
            let status = Status { body: shape, message: Some("Said so.".to_owned()), ..Status::new(code, reason) };
            rig.control.fault(Fault::new(Effect::Status(status)).when(When::Next { next: 1 })).expect("a rule that can strike");
            let response = rig.request(&rig.ana, Method::GET, "about?fields=kind").send().await.expect("it answers");
            assert_eq!(response.status(), code);
            let kind = response.headers()["content-type"].to_str().expect("text").to_owned();
            let body = response.text().await.expect("a body");
            match shape {
                BodyShape::Json => {
                    let body: Value = serde_json::from_str(&body).expect("JSON");
                    assert_eq!((&body["error"]["code"], &body["error"]["message"]), (&json!(code), &json!("Said so.")));
                    assert_eq!(body["error"]["errors"][0]["reason"], *reason);
                }
                BodyShape::Html => assert!(kind.starts_with("text/html") && body.contains('<'), "{kind} {body}"),
                BodyShape::Text => assert!(kind.starts_with("text/plain") && body.contains("Said so."), "{kind} {body}"),
            }
            rig.get(&rig.ana, "about?fields=kind").await.ok();
        }
    }
}

#[tokio::test]
async fn b6_8_to_b6_17_every_reason_can_be_answered_in_every_body() {
    // b12_6: every reason, in every body.
    let rig = Rig::start().await;
    all(&rig, 400, &["badRequest", "invalid", "invalidParameter", "required", "invalidSharingRequest", "parseError", "invalidQuery"]).await;
    // b6_9: a 401 has two reasons.
    all(&rig, 401, &["authError", "required"]).await;
    // b6_10: rates.
    all(&rig, 403, &["userRateLimitExceeded", "rateLimitExceeded", "sharingRateLimitExceeded", "backendError"]).await;
    // b6_11: quotas.
    all(&rig, 403, &["dailyLimitExceeded", "downloadQuotaExceeded", "quotaExceeded"]).await;
    // b6_12: what stays refused.
    let stay = ["storageQuotaExceeded", "teamDriveFileLimitExceeded", "activeItemCreationLimitExceeded", "insufficientFilePermissions"];
    all(&rig, 403, &stay).await;
    all(&rig, 403, &["appNotAuthorizedToFile", "teamDriveMembershipRequired", "exportSizeLimitExceeded", "domainPolicy"]).await;
    // b6_13, b6_14, b6_15, b6_16: what is missing, taken, over, changed.
    all(&rig, 404, &["notFound"]).await;
    all(&rig, 409, &["fileIdInUse", "teamDriveAlreadyExists"]).await;
    all(&rig, 410, &["gone"]).await;
    all(&rig, 412, &["conditionNotMet"]).await;
    all(&rig, 413, &["uploadTooLarge"]).await;
    all(&rig, 429, &["rateLimitExceeded"]).await;
    // b6_17: trouble of theirs.
    all(&rig, 500, &["internalError", "backendError"]).await;
    for code in [502, 503, 504] {
        all(&rig, code, &["backendError", "transientError"]).await;
    }
}

#[tokio::test]
async fn b6_2_some_refusals_have_a_status_word_and_others_not() {
    let rig = Rig::start().await;
    let plain = rig.get(&rig.ana, "files/nowhere").await.refused(404, "notFound");
    assert!(plain["error"].get("status").is_none(), "{plain}");
    let typed = rig.get(&rig.ana, "files?pageSize=x").await.refused(400, "invalid");
    assert_eq!(typed["error"]["status"], "INVALID_ARGUMENT");
    assert!(typed["error"]["details"].is_array());
    let nobody = send(rig.http.get(format!("{}/drive/v3/about", rig.emulator.url()))).await.refused(403, "forbidden");
    assert_eq!(nobody["error"]["status"], "PERMISSION_DENIED");
}

#[tokio::test]
async fn b6_3_a_refusal_reaches_a_caller_who_is_still_sending() {
    let rig = Rig::start().await;
    rig.control
        .fault(Fault::new(Effect::Status(Status::new(503, "backendError"))).op("files.create").when(When::Next { next: 1 }))
        .expect("a rule that can strike");
    let mut stream = TcpStream::connect(rig.emulator.url().trim_start_matches("http://")).await.expect("it listens");
    let body = vec![b'x'; 12 << 20];
    let token = &rig.ana.token;
    let head = |line: &str, length: usize| {
        format!("{line} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n")
    };
    stream.write_all(head("POST /upload/drive/v3/files?uploadType=media", body.len()).as_bytes()).await.expect("sent");
    stream.write_all(&body).await.expect("the whole body is taken");
    stream.write_all(head("GET /drive/v3/about?fields=kind", 0).as_bytes()).await.expect("the connection lives on");
    let mut said = String::new();
    while !said.contains("drive#about") {
        let mut piece = vec![0; 4096];
        let count = stream.read(&mut piece).await.expect("it answers");
        assert!(count > 0, "closed after: {said}");
        said.push_str(&String::from_utf8_lossy(&piece[..count]));
    }
    assert!(said.starts_with("HTTP/1.1 503"), "{said}");
}

#[tokio::test]
async fn b6_6_too_small_a_scope_says_which_and_b6_7_an_api_switched_off_says_where() {
    let rig = Rig::start().await;
    rig.control.set_switches(|switches| switches.api_disabled = true).expect("set");
    let off = rig.get(&rig.ana, "files").await.refused(403, "accessNotConfigured");
    assert_eq!(off["error"]["errors"][0]["domain"], "usageLimits");
    assert!(off["error"]["errors"][0]["extendedHelp"].is_string() && off.to_string().contains("SERVICE_DISABLED"), "{off}");
}

#[tokio::test]
async fn b6_9_401_once_or_for_ever() {
    // b12_6: 401 once and all is well, 401 for ever.
    let rig = Rig::start().await;
    rig.control.fault(Fault::new(Effect::Unauthorized).when(When::Next { next: 1 })).expect("a rule that can strike");
    rig.get(&rig.ana, "about?fields=kind").await.refused(401, "authError");
    rig.get(&rig.ana, "about?fields=kind").await.ok();
    rig.control.fault(Fault::new(Effect::Unauthorized)).expect("a rule that can strike");
    for _ in 0..3 {
        rig.get(&rig.ana, "about?fields=kind").await.refused(401, "authError");
    }
}

#[tokio::test]
async fn b6_14_a_shared_drive_is_made_once_for_each_request() {
    let rig = Rig::start().await;
    rig.post(&rig.ana, "drives?requestId=once", json!({"name": "Field"})).await.ok();
    rig.post(&rig.ana, "drives?requestId=once", json!({"name": "Field"})).await.refused(409, "teamDriveAlreadyExists");
    rig.post(&rig.ana, "drives?requestId=twice", json!({"name": "Field"})).await.ok();
}

#[tokio::test]
async fn b6_18_rate_limits_come_as_403_and_429_and_b6_19_with_or_without_retry_after() {
    let rig = Rig::start().await;
    for (too_many_requests, status, reason) in [(false, 403, "userRateLimitExceeded"), (true, 429, "rateLimitExceeded")] {
        for retry_after in [None, Some(7)] {
            // b11_15: Retry-After is sent where it is asked for.
            rig.control.set_quota(Quota { calls_per_minute: Some(0), too_many_requests, retry_after, ..Quota::default() });
            let response = rig.request(&rig.ana, Method::GET, "about?fields=kind").send().await.expect("it answers");
            let header = response.headers().get("retry-after").map(|value| value.to_str().expect("text").to_owned());
            assert_eq!((response.status().as_u16(), header), (status, retry_after.map(|seconds| seconds.to_string())));
            let body: Value = response.json().await.expect("JSON");
            assert_eq!(body["error"]["errors"][0]["reason"], reason);
            assert_eq!(body["error"]["errors"][0]["domain"], "usageLimits");
        }
    }
}

#[tokio::test]
async fn b6_23_calls_a_minute_and_b6_25_writes_a_second() {
    let rig = Rig::start().await;
    // b11_17: the older quota is one of calls.
    rig.control.set_quota(Quota { calls_per_minute: Some(3), writes_per_second: Some(1), ..Quota::default() });
    rig.post(&rig.ana, "files", json!({})).await.ok();
    rig.post(&rig.ana, "files", json!({})).await.refused(403, "userRateLimitExceeded");
    for _ in 0..2 {
        rig.get(&rig.ana, "about?fields=kind").await.ok();
    }
    rig.get(&rig.ana, "about?fields=kind").await.refused(403, "userRateLimitExceeded");
    rig.get(&rig.bea, "about?fields=kind").await.ok();
    rig.control.clock_advance(std::time::Duration::from_secs(61)).expect("time passes");
    rig.get(&rig.ana, "about?fields=kind").await.ok();
}

#[tokio::test]
async fn b6_29_folders_are_full_and_too_deep_and_b6_30_trash_counts() {
    let rig = Rig::start().await;
    rig.control
        .set_switches(|switches| {
            switches.max_children = 2;
            switches.max_depth = 3;
        })
        .expect("set");
    let folder = rig.control.mkdir(ANA, "root", "novos").expect("made");
    let first = rig.control.mkdir(ANA, &folder, "a").expect("made");
    let second = rig.control.mkdir(ANA, &folder, "b").expect("made");
    rig.control.trash(ANA, &second).expect("trashed");
    rig.post(&rig.ana, "files", json!({"parents": [folder]})).await.refused(403, "numChildrenInNonRootLimitExceeded");
    let deeper = |parent: &str| json!({"parents": [parent], "mimeType": "application/vnd.google-apps.folder"});
    let made = rig.post(&rig.ana, "files", deeper(&first)).await.ok();
    rig.post(&rig.ana, "files", deeper(text(&made, "id"))).await.refused(403, "myDriveHierarchyDepthLimitExceeded");
    rig.post(&rig.ana, "files", json!({"parents": [text(&made, "id")]})).await.ok();
}

#[tokio::test]
async fn b6_29_a_shared_drive_has_its_own_words_for_too_deep() {
    let rig = Rig::start().await;
    rig.control.set_switches(|switches| switches.max_depth = 2).expect("set");
    let drive = rig.control.shared_drive("Field", ANA).expect("made");
    let deeper = async |parent: &str| {
        let body = json!({"parents": [parent], "mimeType": "application/vnd.google-apps.folder"});
        rig.post(&rig.ana, "files?supportsAllDrives=true", body).await
    };
    let one = deeper(&drive).await.ok();
    let two = deeper(text(&one, "id")).await.ok();
    deeper(text(&two, "id")).await.refused(403, "teamDriveHierarchyTooDeep");
    rig.post(&rig.ana, "files?supportsAllDrives=true", json!({"parents": [text(&two, "id")]})).await.ok();
}
