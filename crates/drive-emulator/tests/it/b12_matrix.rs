//! The test matrix of the specification (12) where no other test holds it.

use std::collections::BTreeSet;
use std::time::Duration;

use drive_emulator::control::{Effect, Fault, Status, When};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Rig, names, send, text};

const ANA: &str = "ana@example.com";

/// The reasons themselves are held where each is given, and in every body by `b6_8_to_b6_17_…`.
#[tokio::test]
async fn b12_6_a_refusal_with_and_without_status_and_retry_after() {
    let rig = Rig::start().await;
    let answered = async |status: Status| {
        rig.control.clear_faults();
        rig.control.fault(Fault::new(Effect::Status(status))).expect("a rule that can strike");
        rig.request(&rig.ana, Method::GET, "about?fields=kind").send().await.expect("it answers")
    };
    for (code, reason) in
        [(400, "invalid"), (401, "authError"), (403, "userRateLimitExceeded"), (429, "rateLimitExceeded"), (503, "backendError")]
    {
        for (word, retry_after) in [(None, None), (Some("ABORTED".to_owned()), None), (None, Some(3))] {
            let response = answered(Status { status: word.clone(), retry_after, ..Status::new(code, reason) }).await;
            let header = response.headers().get("retry-after").map(|value| value.to_str().expect("text").to_owned());
            assert_eq!((response.status().as_u16(), header), (code, retry_after.map(|seconds| seconds.to_string())));
            let body: Value = response.json().await.expect("JSON");
            let error = &body["error"];
            assert_eq!((&error["code"], &error["errors"][0]["reason"]), (&json!(code), &json!(reason)), "{body}");
            assert_eq!(error.get("status"), word.as_ref().map(|word| json!(word)).as_ref(), "{body}");
            assert_eq!(error["details"][0].get("reason").is_some(), word.is_some(), "{body}");
        }
    }
}

#[tokio::test]
async fn b12_6_a_media_get_without_a_credential_misses_its_key() {
    let rig = Rig::start().await;
    let file = rig.control.put(ANA, "root", "a.pdf", b"x", "application/pdf").expect("put");
    let path = format!("{}/drive/v3/files/{file}", rig.emulator.url());
    // b6_4: by method, and by what is asked for.
    let media = send(rig.http.get(format!("{path}?alt=media"))).await.refused(403, "forbidden");
    assert_eq!((text(&media["error"], "message"), media["error"].get("status")), ("The request is missing a valid API key.", None));
    let plain = send(rig.http.get(&path)).await.refused(403, "forbidden");
    assert!(text(&plain["error"], "message").starts_with("Method doesn't allow unregistered callers"), "{plain}");
    assert_eq!(plain["error"]["status"], "PERMISSION_DENIED");
    let posted = send(rig.http.post(format!("{}/drive/v3/files", rig.emulator.url()))).await.refused(401, "required");
    let item = &posted["error"]["errors"][0];
    assert_eq!(
        (text(&posted["error"], "status"), text(item, "location"), text(item, "locationType")),
        ("UNAUTHENTICATED", "Authorization", "header")
    );
}

#[tokio::test]
async fn b12_3_names_twice_a_token_refused_on_the_way_and_an_item_that_is_late() {
    let rig = Rig::start().await;
    for _ in 0..3 {
        rig.control.mkdir(ANA, "root", "same").expect("made");
    }
    let page =
        async |token: &str| rig.get(&rig.ana, &format!("files?pageSize=2&pageToken={token}&fields=nextPageToken,files(id,name)")).await;
    let first = page("").await.ok();
    let token = text(&first, "nextPageToken").to_owned();
    let refuse = Effect::Status(Status::new(400, "invalid"));
    rig.control.fault(Fault::new(refuse).op("files.list").when(When::Next { next: 1 })).expect("a rule that can strike");
    page(&token).await.refused(400, "invalid");
    // From the start again: nothing is lost and nothing comes twice.
    let mut found = Vec::new();
    let mut next = String::new();
    loop {
        let page = page(&next).await.ok();
        found.extend(page["files"].as_array().cloned().expect("files"));
        match page["nextPageToken"].as_str() {
            Some(token) => token.clone_into(&mut next),
            None => break,
        }
    }
    let ids: BTreeSet<&str> = found.iter().map(|file| text(file, "id")).collect();
    assert_eq!((names(&found), ids.len()), (vec!["same".to_owned(); 3], 3));
    rig.control.set_switches(|switches| switches.list_lag_ms = 5_000).expect("turned");
    rig.control.mkdir(ANA, "root", "late").expect("made");
    assert!(rig.list(&rig.ana, "name = 'late'").await.is_empty());
    rig.control.clock_advance(Duration::from_secs(6)).expect("time passes");
    assert_eq!(rig.list(&rig.ana, "name = 'late'").await.len(), 1);
}

#[tokio::test]
async fn b12_4_trash_is_no_removal_a_purge_is_and_a_drives_token_is_no_users() {
    let rig = Rig::start().await;
    let file = rig.control.put(ANA, "root", "a.pdf", b"x", "application/pdf").expect("put");
    let now = async || text(&rig.get(&rig.ana, "changes/startPageToken").await.ok(), "startPageToken").to_owned();
    let since = async |token: &str| {
        rig.get(&rig.ana, &format!("changes?pageToken={token}&fields=changes(removed,fileId,file(trashed))")).await.ok()
    };
    let before = now().await;
    rig.control.trash(ANA, &file).expect("trashed");
    assert_eq!(since(&before).await["changes"], json!([{"removed": false, "fileId": file, "file": {"trashed": true}}]));
    let later = now().await;
    rig.delete(&rig.ana, "files/trash").await.ok();
    // b4_13: one entry, as it is now.
    for token in [&later, &before] {
        assert_eq!(since(token).await["changes"], json!([{"removed": true, "fileId": file}]));
    }
    // What is purged without having been in the trash is removed just so.
    let purged = rig.control.put(ANA, "root", "b.pdf", b"x", "application/pdf").expect("put");
    let later = now().await;
    rig.delete(&rig.ana, &format!("files/{purged}")).await.ok();
    assert_eq!(since(&later).await["changes"], json!([{"removed": true, "fileId": purged}]));
    // b4_2: what happens in a shared drive is in its log, by its token, and not in that of a user without the flags.
    let drive = rig.control.shared_drive("Field", ANA).expect("made");
    let flags = format!("driveId={drive}&supportsAllDrives=true&includeItemsFromAllDrives=true");
    let drives = rig.get(&rig.ana, &format!("changes/startPageToken?driveId={drive}&supportsAllDrives=true")).await.ok();
    let (drives, users) = (text(&drives, "startPageToken").to_owned(), now().await);
    let inside = rig.control.mkdir(ANA, &drive, "inside").expect("made");
    let entries = rig.get(&rig.ana, &format!("changes?pageToken={drives}&{flags}&fields=changes(fileId)")).await.ok();
    assert_eq!(entries["changes"], json!([{"fileId": inside}]));
    assert_eq!(since(&users).await["changes"], json!([]));
}

#[tokio::test]
async fn b12_8_without_the_flag_a_shared_drive_is_not_there() {
    let rig = Rig::start().await;
    rig.control.service_account("robot").expect("made");
    let robot = rig.control.user("robot@project.iam.gserviceaccount.com").expect("the account");
    let drive = rig.control.shared_drive("Field", ANA).expect("made");
    rig.control.drive_member(&drive, &robot.email, "organizer").expect("a member");
    for path in ["/drive/v3/files", "/upload/drive/v3/files?uploadType=multipart"] {
        let body = format!("--b\n\n{{\"parents\":[\"{drive}\"]}}\n--b\nContent-Type: text/plain\n\nx\n--b--");
        let request = rig.request(&robot, Method::POST, path);
        let request = if path.contains("multipart") {
            request.header("Content-Type", "multipart/related; boundary=b").body(body)
        } else {
            request.json(&json!({"parents": [drive]}))
        };
        send(request).await.refused(404, "notFound");
    }
    // In its own space: the quota.
    let refused = rig.post(&robot, "files", json!({"name": "a"})).await.refused(403, "storageQuotaExceeded");
    let wanted = "Service Accounts do not have storage quota. Leverage shared drives \
                  (https://developers.google.com/workspace/drive/api/guides/about-shareddrives), or use OAuth delegation \
                  (http://support.google.com/a/answer/7281227) instead.";
    assert_eq!(text(&refused["error"], "message"), wanted);
}
