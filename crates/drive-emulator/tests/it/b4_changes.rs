//! The changes feed.

use std::time::Duration;

use drive_emulator::{DescendantChanges, User};
use serde_json::Value;

use crate::support::{Rig, text};

async fn now(rig: &Rig, user: &User) -> String {
    text(&rig.get(user, "changes/startPageToken").await.ok(), "startPageToken").to_owned()
}

/// All entries from a token on: (fileId, removed), and the token to go on from.
async fn read(rig: &Rig, user: &User, token: &str, more: &str) -> (Vec<(String, bool)>, String) {
    let mut token = token.to_owned();
    let mut found = Vec::new();
    loop {
        let page = rig.get(user, &format!("changes?pageToken={token}{more}")).await.ok();
        let has = |key: &str| page.get(key).is_some();
        assert!(has("nextPageToken") != has("newStartPageToken"), "b4_6: {page}");
        for change in page["changes"].as_array().expect("changes") {
            let id = change.get("fileId").unwrap_or(&change["driveId"]);
            found.push((id.as_str().expect("an id").to_owned(), change["removed"] == true));
            assert_eq!(change.get("file").is_some() || change.get("drive").is_some(), change["removed"] == false, "b4_10: {change}");
        }
        if let Some(next) = page["newStartPageToken"].as_str() {
            return (found, next.to_owned());
        }
        text(&page, "nextPageToken").clone_into(&mut token);
    }
}

#[tokio::test]
async fn b4_7_b4_8_entries_are_in_order_and_compacted() {
    // b12_4: compaction, own writes.
    let rig = Rig::start().await;
    let ana = &rig.ana.email;
    let start = now(&rig, &rig.ana).await;
    let a = rig.control.mkdir(ana, "root", "a").expect("made");
    let b = rig.control.mkdir(ana, "root", "b").expect("made");
    rig.control.rename(ana, &a, "c").expect("renamed");
    let (entries, next) = read(&rig, &rig.ana, &start, "").await;
    assert_eq!(entries, [(b.clone(), false), (a.clone(), false)], "b4_22: own writes are there");
    let (entries, again) = read(&rig, &rig.ana, &next, "").await;
    assert_eq!((entries.len(), &again), (0, &next));
    let (paged, _) = read(&rig, &rig.ana, &start, "&pageSize=1").await;
    assert_eq!(paged, [(b, false), (a, false)]);
    let default = rig.get(&rig.ana, &format!("changes?pageToken={start}")).await.ok();
    let keys: Vec<&String> = default["changes"][0]["file"].as_object().expect("a file").keys().collect();
    assert_eq!(keys, ["kind", "id", "name", "mimeType"]);
}

#[tokio::test]
async fn b4_4_tokens_that_are_none() {
    // b12_4: 400 for a token.
    let rig = Rig::start().await;
    rig.get(&rig.ana, "changes").await.refused(400, "required");
    for bad in ["x", "0", "-1", "999999"] {
        let body = rig.get(&rig.ana, &format!("changes?pageToken={bad}")).await.refused(400, "invalid");
        assert_eq!(text(&body["error"]["errors"][0], "location"), "pageToken");
    }
    let old = now(&rig, &rig.ana).await;
    rig.control.reject_old_tokens().expect("rejected");
    rig.get(&rig.ana, &format!("changes?pageToken={old}")).await.refused(400, "invalid");
    let new = now(&rig, &rig.ana).await;
    let folder = rig.control.mkdir(&rig.ana.email, "root", "a").expect("made");
    assert_eq!(read(&rig, &rig.ana, &new, "").await.0, [(folder, false)], "nothing after the new token is missed");
}

#[tokio::test]
async fn b4_9_b4_12_b4_13_tombstones_and_trash() {
    // b12_4: a tombstone for an id nobody saw.
    let rig = Rig::start().await;
    let ana = &rig.ana.email;
    let start = now(&rig, &rig.ana).await;
    let short_lived = rig.control.mkdir(ana, "root", "a").expect("made");
    rig.control.delete(ana, &short_lived).expect("deleted");
    let trashed = rig.control.mkdir(ana, "root", "b").expect("made");
    rig.control.trash(ana, &trashed).expect("trashed");
    let (entries, _) = read(&rig, &rig.ana, &start, "").await;
    assert_eq!(entries, [(short_lived, true), (trashed.clone(), false)]);
    let (entries, _) = read(&rig, &rig.ana, &start, "&includeRemoved=false").await;
    assert_eq!(entries, [(trashed, false)], "b4_11");
}

#[tokio::test]
async fn b4_2_b4_21_each_user_has_a_log() {
    // b12_4: a folder above is unshared.
    let rig = Rig::start().await;
    let ana = &rig.ana.email;
    let (folder, file) = {
        let folder = rig.control.mkdir(ana, "root", "novos").expect("made");
        let file = rig.control.put(ana, &folder, "a.pdf", b"a", "application/pdf").expect("put");
        (folder, file)
    };
    let start = now(&rig, &rig.bea).await;
    assert!(read(&rig, &rig.bea, &start, "").await.0.is_empty());
    rig.control.share(ana, &folder, &rig.bea.email, "writer").expect("shared");
    let (entries, next) = read(&rig, &rig.bea, &start, "").await;
    assert_eq!(entries, [(folder.clone(), false)]);
    rig.control.rename(ana, &file, "b.pdf").expect("renamed");
    let (entries, next) = read(&rig, &rig.bea, &next, "").await;
    assert_eq!(entries, [(file.clone(), false)], "a change below a shared folder");
    rig.control.unshare(ana, &folder, &rig.bea.email).expect("unshared");
    let (entries, next) = read(&rig, &rig.bea, &next, "").await;
    assert_eq!(entries, [(folder.clone(), true)], "11.11: no descendants");
    rig.control.set_switches(|switches| switches.descendant_changes = DescendantChanges::All).expect("turned");
    rig.control.share(ana, &folder, &rig.bea.email, "writer").expect("shared");
    rig.control.unshare(ana, &folder, &rig.bea.email).expect("unshared");
    let (mut entries, _) = read(&rig, &rig.bea, &next, "").await;
    entries.sort();
    let mut both = [(file, true), (folder, true)];
    both.sort();
    assert_eq!(entries, both, "11.11: with descendants");
}

#[tokio::test]
async fn b4_12_a_move_out_of_sight_is_a_removal() {
    let rig = Rig::start().await;
    let ana = &rig.ana.email;
    let novos = rig.control.mkdir(ana, "root", "novos").expect("made");
    let done = rig.control.mkdir(ana, "root", "processados").expect("made");
    rig.control.share(ana, &novos, &rig.bea.email, "writer").expect("shared");
    let file = rig.control.put(ana, &novos, "a.pdf", b"a", "application/pdf").expect("put");
    let (anas, beas) = (now(&rig, &rig.ana).await, now(&rig, &rig.bea).await);
    rig.control.move_to(ana, &file, &done).expect("moved");
    assert_eq!(read(&rig, &rig.ana, &anas, "").await.0, [(file.clone(), false)]);
    assert_eq!(read(&rig, &rig.bea, &beas, "").await.0, [(file, true)]);
}

#[tokio::test]
async fn b4_15_restrict_to_my_drive_hides_what_was_shared() {
    let rig = Rig::start().await;
    let start = now(&rig, &rig.bea).await;
    let folder = rig.control.mkdir(&rig.ana.email, "root", "novos").expect("made");
    rig.control.share(&rig.ana.email, &folder, &rig.bea.email, "writer").expect("shared");
    assert_eq!(read(&rig, &rig.bea, &start, "").await.0.len(), 1);
    assert_eq!(read(&rig, &rig.bea, &start, "&restrictToMyDrive=true").await.0.len(), 0);
}

#[tokio::test]
async fn b4_17_b4_18_shared_drives_have_logs_of_their_own() {
    let rig = Rig::start().await;
    let ana = &rig.ana.email;
    let users_log = now(&rig, &rig.bea).await;
    let drive = rig.control.shared_drive("Equipe", ana).expect("made");
    let path = format!("changes/startPageToken?supportsAllDrives=true&driveId={drive}");
    let start = text(&rig.get(&rig.ana, &path).await.ok(), "startPageToken").to_owned();
    let folder = rig.control.mkdir(ana, &drive, "novos").expect("made");
    let flags = "&supportsAllDrives=true&includeItemsFromAllDrives=true";
    let (entries, _) = read(&rig, &rig.ana, &start, &format!("&driveId={drive}{flags}")).await;
    assert_eq!(entries, [(folder, false)]);
    rig.control.drive_member(&drive, &rig.bea.email, "writer").expect("a member");
    assert_eq!(read(&rig, &rig.bea, &users_log, flags).await.0, [(drive, false)], "one entry for the drive");
    assert!(read(&rig, &rig.bea, &users_log, "").await.0.is_empty());
}

#[tokio::test]
async fn b4_23_noise_is_there() {
    // b12_4: views, stars and comments.
    let rig = Rig::start().await;
    let id = rig.control.put(&rig.ana.email, "root", "a.pdf", b"a", "application/pdf").expect("put");
    let fingerprint = |file: &Value| (file["md5Checksum"].clone(), file["modifiedTime"].clone(), file["name"].clone());
    let before = rig.control.file(&id).expect("there");
    for what in ["view", "star", "comment"] {
        let start = now(&rig, &rig.ana).await;
        rig.control.touch_noise(&rig.ana.email, &id, what).expect("touched");
        assert_eq!(read(&rig, &rig.ana, &start, "").await.0, [(id.clone(), false)], "{what}");
    }
    let after = rig.control.file(&id).expect("there");
    assert_eq!(fingerprint(&after), fingerprint(&before));
    assert!(after["version"].as_i64() > before["version"].as_i64(), "b2_29");
}

#[tokio::test]
async fn b4_24_a_feed_that_lags_repeats_and_drops() {
    // b12_4: late, twice, never.
    let rig = Rig::start().await;
    let ana = &rig.ana.email;
    let start = now(&rig, &rig.ana).await;
    rig.control.set_feed(|feed| feed.delay_ms = 600_000).expect("set");
    let a = rig.control.mkdir(ana, "root", "a").expect("made");
    let (entries, next) = read(&rig, &rig.ana, &start, "").await;
    assert!(entries.is_empty(), "ten minutes late");
    rig.control.clock_advance(Duration::from_mins(11)).expect("advanced");
    let (entries, next) = read(&rig, &rig.ana, &next, "").await;
    assert_eq!(entries, [(a.clone(), false)], "and not lost");
    rig.control.set_feed(|feed| *feed = drive_emulator::FeedFaults { repeat_pages: 1, ..Default::default() }).expect("set");
    assert_eq!(read(&rig, &rig.ana, &next, "").await.0, [(a, false)], "delivered twice");
    assert!(read(&rig, &rig.ana, &next, "").await.0.is_empty(), "but not thrice");
    rig.control.set_feed(|feed| feed.drop_entries = 1).expect("set");
    rig.control.mkdir(ana, "root", "lost").expect("made");
    let found = rig.control.mkdir(ana, "root", "found").expect("made");
    assert_eq!(read(&rig, &rig.ana, &next, "").await.0, [(found, false)]);
}
